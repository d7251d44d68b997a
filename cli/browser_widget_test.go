package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

type targetInfo = target.Info

// call is a command of the browser's protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

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
				elsewhere = newTab(t.t, t.mouse, chromedp.WithTargetID(other.TargetID)).mouse
				return elsewhere, 0, nil
			}
		}
		return nil, 0, fmt.Errorf("there is no frame of %s yet", base)
	}
	return &document{t: t.t, mouse: t.mouse, world: world, frame: widgetFrame}
}

// wishes fills the form in for a price and leaves the box of consent as it is.
func (d *document) wishes(name, price string) {
	d.t.Helper()
	d.press(having("label.pick", "Price"))
	d.write("#price_below-threshold", price)
	d.press(having("label.pick", "chat"))
	d.write("#name", name)
}

const consentTick = `document.querySelector('input[name="consent.webchat"]')`

// says writes into the chat.
func (d *document) says(text string) {
	d.t.Helper()
	d.write("#text", text)
	d.key("\r")
	see[bool](d, "the message to be taken", "!document.querySelector('.said.waiting')")
}
