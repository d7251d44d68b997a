package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// pressesBuy presses the button of the notification and waits for one more receipt.
func (d *document) pressesBuy(label string) {
	d.t.Helper()
	before := d.heard("Thank you!")
	d.press(having(".choices button", label))
	see[bool](d, "a receipt", fmt.Sprintf(`[...document.querySelectorAll(".said.bot .body")].filter((e) => e.textContent.includes("Thank you!")).length > %d`, before))
}

// onlyOrder is the id of the one order there is.
func (s *shop) onlyOrder() string {
	s.t.Helper()
	orders := s.orders()
	if len(orders) != 1 {
		s.t.Fatalf("%d orders, want 1", len(orders))
	}
	return orders[0].(map[string]any)["id"].(string)
}

func TestBrowserFromTheIconToTheReceiptAndNeverTwice(t *testing.T) {
	t.Parallel()
	s, ann := openDemo(t), openBrowser(t).person()
	ann.open(s.base + "/p/mug-harbour")
	ann.press(widgetIcon)
	widget := ann.widget(s.base)
	widget.wishes("Ann", "15.00")
	if ticked, err := look[bool](widget, consentBoxHere+".checked"); err != nil || ticked {
		t.Errorf("consent is ticked before anybody agreed: %v, %v", ticked, err)
	}
	widget.press(one("#send"))
	see[bool](widget, "the refusal without consent", `document.querySelector('[data-wrong="consent"]').textContent !== ""`)
	widget.press(consentBoxHere)
	widget.press(one("#send"))
	widget.hears("Harbour stoneware mug comes down to €15.00")

	began := time.Now()
	s.reprice("mug-harbour", 1400)
	widget.hears("now costs €14.00 instead of €17.50")
	t.Logf("told %v after the price fell", time.Since(began).Round(time.Millisecond))
	link := ann.opened(func() { widget.press(having(".said.bot .body a", "/b/")) })
	link.shows("Buy now, pay €14.00")

	const label = "Buy now, pay €14.00"
	widget.pressesBuy(label)
	order := s.onlyOrder()
	widget.hears(order)
	widget.pressesBuy(label) // again
	ann.do("reload", chromedp.Reload())
	ann.press(widgetIcon)
	widget.hears("now costs €14.00")
	widget.pressesBuy(label)
	link.press(one("form#buy button")) // which stood open since before
	link.shows("Your receipt")
	if got := link.read("main code"); got != order {
		t.Errorf("the receipt behind the link is for %s, want %s", got, order)
	}
	ann.open(see[string](&link.document, "the address", "location.href"))
	if got := ann.read("main code"); got != order {
		t.Errorf("the link shows the receipt of %s, want %s", got, order)
	}
	if got := s.onlyOrder(); got != order {
		t.Errorf("the order is %s, was %s", got, order)
	}
	if n := s.stock("mug-harbour"); n != 39 {
		t.Errorf("%d in stock, want 39", n)
	}
}

func TestBrowserTheWidgetSellsOnAnotherSite(t *testing.T) {
	t.Parallel()
	s, b := openDemo(t), openBrowser(t)
	elsewhere := site(t, fmt.Sprintf(`<!doctype html><html lang="en"><title>Another shop</title><h1>A mug</h1><script src="%s/widget.js" data-sku="mug-harbour" async></script>`, s.base))
	ann := b.person()
	ann.open(elsewhere + "/mug?utm_source=letter")
	ann.press(widgetIcon)
	widget := ann.widget(s.base)
	widget.subscribes("Ann", "15.00")
	s.reprice("mug-harbour", 1400)
	widget.hears("now costs €14.00")
	widget.pressesBuy("Buy now, pay €14.00")
	widget.hears(s.onlyOrder())
	cookies, err := chromedp.CallBrowser(ann.mouse, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(ann.mouse).BrowserContextID})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies.Cookies {
		if c.PartitionKey == nil || !strings.HasPrefix(c.PartitionKey.TopLevelSite, "http://localhost") {
			t.Errorf("cookie %s is not kept apart for the other site: %+v", c.Name, c.PartitionKey)
		}
	}
	if len(cookies.Cookies) != 1 {
		t.Errorf("%d cookies, want the visitor's alone", len(cookies.Cookies))
	}
}

// site serves one page under the name localhost: another site to a browser than 127.0.0.1.
func site(t *testing.T, html string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, html)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}
