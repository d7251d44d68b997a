package cli

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// ends waits until a notification says why it no longer holds, without its buttons.
func (d *document) ends(why, label string) {
	d.t.Helper()
	see[bool](d, "the notification to end: "+why, fmt.Sprintf(
		`[...document.querySelectorAll(".said.bot .body")].some((e) => e.textContent.includes(%s)) && ![...document.querySelectorAll(".choices button")].some((e) => e.textContent.includes(%s))`,
		quote(why), quote(label)))
}

func TestBrowserButtonsGoWhenThePriceHasRisen(t *testing.T) {
	t.Parallel()
	s, ann := openDemo(t), openBrowser(t).person()
	ann.open(s.base + "/p/mug-harbour")
	ann.press(widgetIcon)
	widget := ann.widget(s.base)
	widget.subscribes("Ann", "15.00")
	s.reprice("mug-harbour", 1400)
	widget.hears("now costs €14.00")
	see[bool](widget, "the buttons", `document.querySelectorAll(".choices button").length >= 3`)
	s.reprice("mug-harbour", 1750)
	widget.ends("The price has changed: it is €17.50 now.", "Buy now")
	ann.do("reload", chromedp.Reload())
	ann.press(widgetIcon)
	widget.ends("The price has changed: it is €17.50 now.", "Buy now")
}
