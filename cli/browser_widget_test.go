package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	inWidget    = `document.querySelector("parley-widget").shadowRoot`
	widgetIcon  = inWidget + `.querySelector(".icon")`
	widgetFrame = inWidget + `.querySelector("iframe")`
)

// widget is the document in the frame that the icon opens. A frame of the same site lives in the tab's process, one of another
// site is a target of its own.
func (t *tab) widget(base string) *document {
	var elsewhere context.Context
	world := func() (context.Context, runtime.ExecutionContextID, error) {
		if elsewhere != nil {
			return elsewhere, 0, nil
		}
		tree, err := chromedp.Call(t.mouse, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return nil, 0, err
		}
		for _, child := range tree.FrameTree.ChildFrames {
			if strings.HasPrefix(child.Frame.URL, base) {
				made, err := chromedp.Call(t.mouse, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: child.Frame.ID, WorldName: "test"})
				return t.mouse, made.ExecutionContextID, err
			}
		}
		targets, err := chromedp.Targets(t.mouse)
		if err != nil {
			return nil, 0, err
		}
		for _, other := range targets {
			if other.Type == "iframe" && strings.HasPrefix(other.URL, base) {
				elsewhere = newTab(t.mouse, t.t, chromedp.WithTargetID(other.TargetID)).mouse
				return elsewhere, 0, nil
			}
		}
		return nil, 0, fmt.Errorf("there is no frame of %s yet", base)
	}
	return &document{t: t.t, mouse: t.mouse, world: world, frame: widgetFrame}
}

// wishes fills the form in for a price below the one given, and leaves the box of consent as it is.
func (d *document) wishes(name, price string) {
	d.t.Helper()
	d.press(one(`input[name="event"][value="price_below"]`) + `?.closest("label")`)
	d.write(`input[name="price_below.threshold"]`, price)
	d.press(one(`input[name="channel"][value="webchat"]`) + `?.closest("label")`)
	d.write("#name", name)
}

var consentBoxHere = one(`input[name="consent.webchat"]`)

// subscribes goes from the form to the chat.
func (d *document) subscribes(name, price string) {
	d.t.Helper()
	d.wishes(name, price)
	d.press(consentBoxHere)
	d.press(one("#send"))
	d.hears("I am the bot of")
}

// hears waits until the bot or staff has said the words.
func (d *document) hears(words string) {
	d.t.Helper()
	see[bool](d, fmt.Sprintf("the chat to say %q", words), "!!"+having(".said.bot .body, .said.staff .body", words))
}

// heard counts what the bot or staff has said with these words.
func (d *document) heard(words string) int {
	d.t.Helper()
	return see[int](d, "the chat", fmt.Sprintf(`1 + [...document.querySelectorAll(".said.bot .body, .said.staff .body")].filter((e) => e.textContent.includes(%s)).length`, quote(words))) - 1
}

// says writes into the chat and waits until it was taken.
func (d *document) says(text string) {
	d.t.Helper()
	d.write("#text", text)
	d.press(one("form#say button"))
	see[bool](d, "the message to be taken", `document.querySelector("#text").value === "" && !!document.querySelector(".said.me") && !document.querySelector(".said.waiting")`)
}
