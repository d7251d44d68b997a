package cli

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
)

var buyLink = regexp.MustCompile(`http://\S+/b/[\w-]+`)

// offers has somebody told of a lower price, and is the link to buy at it.
func (s *shop) offers(sku string, threshold string, cents int) string {
	s.t.Helper()
	v := s.visit(sku)
	v.subscribe(map[string]string{"sku": sku, "event": "price_below", "price_below.threshold": threshold}, http.StatusOK)
	v.open()
	v.hears("STOP")
	s.reprice(sku, cents)
	told := v.hears("now costs")
	link := buyLink.FindString(told.Text)
	if link == "" {
		s.t.Fatalf("no link to buy in %q", told.Text)
	}
	return link
}

func TestBrowserNothingIsBoughtWithoutAPress(t *testing.T) {
	t.Parallel()
	s, b := openDemo(t), openBrowser(t)
	link := s.offers("mug-harbour", "15.00", 1400)
	none := func(after string) {
		t.Helper()
		if n := len(s.orders()); n != 0 {
			t.Fatalf("%d orders after %s, want none", n, after)
		}
	}
	ann := b.person()
	ann.open(link)
	ann.shows("Buy now, pay €14.00")
	none("a look at the link")

	const refused = "Nothing was bought."
	for what, script := range map[string]string{
		"a submit by script": `document.querySelector("form#buy").submit()`,
		"a sent form":        `document.querySelector("form#buy").requestSubmit()`,
		"a click by script":  `document.querySelector("form#buy button").click()`,
	} {
		ann.open(link)
		if _, err := look[any](&ann.document, script+", 1"); err != nil {
			t.Fatal(err)
		}
		ann.shows(refused)
		none(what)
	}
	ann.open(site(t, fmt.Sprintf(`<!doctype html><title>x</title><form method="post" action="%s"><input name="pressed" value="yes"></form><script>document.forms[0].submit()</script>`, link)))
	ann.shows(refused)
	none("a form of another site that sends itself")
	ann.open(site(t, fmt.Sprintf(`<!doctype html><title>x</title><form method="post" action="%s"><input name="pressed" value="yes"><button>Win a mug</button></form>`, link)))
	ann.press(having("button", "Win a mug"))
	ann.shows(refused)
	none("a press on another site")

	ann.open(link)
	ann.press(one("form#buy button"))
	ann.shows("Your receipt")
	s.onlyOrder()
}
