package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// hostile is a text that runs as a script, closes a tag or turns the line around wherever it is not taken as text.
func hostile(n int) string {
	return fmt.Sprintf(`"'><script>pwned=%d</script><img src=x onerror=pwned=%[1]d>{{7*7}}`+"\u202egnp.exe", n)
}

// stray finds texts that turn the reading direction and stand beside others without being kept apart.
const stray = `(() => {
	const turns = /[\u202a-\u202e\u2066-\u2069]/;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
	for (let node; (node = walk.nextNode());) {
		let around = node.parentElement;
		if (!turns.test(node.data) || around.closest("bdi, [dir], script, textarea")) continue;
		while (getComputedStyle(around).display === "inline") around = around.parentElement;
		if (around.textContent.trim() !== node.data.trim()) found.push(around.outerHTML);
	}
	return JSON.stringify(found);
})()`

// unharmed checks that what was typed is shown as text.
func (t *tab) unharmed(where, want string) {
	t.t.Helper()
	t.shows(want)
	pwned, err := look[string](&t.document, "[self, ...Array.from({ length: self.length }, (_, i) => self[i])].map((w) => w.pwned ?? '').join('')")
	if err != nil || pwned != "" {
		t.t.Errorf("%s: a text ran as a script: pwned is %s, %v", where, pwned, err)
	}
	if found := see[string](&t.document, "the texts", stray); found != "[]" {
		t.t.Errorf("%s: the direction of these leaks: %s", where, found)
	}
}

func TestBrowserHostileTextsStayTexts(t *testing.T) {
	t.Parallel()
	s, b := openDemo(t), openBrowser(t)
	title, err := json.Marshal(hostile(1))
	if err != nil {
		t.Fatal(err)
	}
	s.api("PUT", "/api/v1/products/mug-harbour", fmt.Sprintf(`{"title":%s,"description":%[1]s}`, title), http.StatusOK)
	ann := b.person()
	ann.open(s.base + "/")
	ann.unharmed("shop", "pwned=1</script>")
	ann.open(s.base + "/p/mug-harbour")
	ann.unharmed("product", "pwned=1</script>")
	ann.press(widgetIcon)
	widget := ann.widget(s.base)
	widget.subscribes(hostile(2), "15.00")
	widget.says(hostile(3) + " ?")
	widget.hears("a person")
	ann.open(s.base + "/widget/frame?sku=mug-harbour")
	ann.unharmed("form", "pwned=1</script>")
	ann.open(s.base + "/chat")
	ann.unharmed("chat", "pwned=2</script>") // the bot greets by name
	ann.unharmed("chat", "pwned=3</script>")

	eve := s.signsIn(b.person())
	eve.unharmed("inbox", "pwned=3</script>")
	eve.press(having("a.row", "pwned=3"))
	see[bool](&eve.document, "the thread", "location.pathname.length > 10")
	eve.unharmed("thread", "pwned=3</script>")
	eve.unharmed("thread", "pwned=2</script>")
	eve.write("#text", hostile(4))
	eve.press(having("form.reply button", "Send"))
	ann.unharmed("chat", "pwned=4</script>")
	eve.unharmed("thread", "pwned=4</script>")

	s.reprice("mug-harbour", 1400)
	eve.press(having("button", "Return to bot"))
	ann.hears("It is me again")
	ann.hears("now costs €14.00")
	link := ann.opened(func() { ann.press(having(".said.bot .body a", "/b/")) })
	link.unharmed("buy page", "pwned=1</script>")
	link.press(one("form#buy button"))
	link.shows("Your receipt")
	link.unharmed("receipt", "pwned=1</script>")
	eve.open(s.base + "/inbox/orders")
	eve.unharmed("orders", "pwned=2</script>")
}
