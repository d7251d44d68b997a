package cli

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshot = flag.Bool("screenshot", false, "draw docs/images/demo.png anew")

// TestBrowserDrawsTheScreenshotOfTheREADME shows the shop in the moment that it is about: the price has fallen, the chat says so.
func TestBrowserDrawsTheScreenshotOfTheREADME(t *testing.T) {
	if !*screenshot {
		t.Skip("skipped: draws only with -screenshot")
	}
	s, ann := openDemo(t), openBrowser(t).person()
	ann.do("take a desk",
		chromedp.EmulateViewport(1280, 780),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: "light"}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
	)
	ann.open(s.base + "/p/lamp-heron")
	ann.press(widgetIcon)
	chat := ann.widget(s.base)
	chat.subscribes("Ann", "80.00")
	s.reprice("lamp-heron", 7900)
	chat.hears("now costs €79.00")
	see[bool](chat, "the pictures", "[...document.images].every((i) => i.complete && i.naturalWidth) && document.fonts.status === 'loaded'")
	see[bool](chat, "the picture to be in sight", `(document.querySelector("#log").scrollTop -= 14, true)`)
	picture, err := chromedp.Run(ann.mouse, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if len(picture) > 250_000 {
		t.Errorf("the picture has %d bytes, too many for a README", len(picture))
	}
	file := filepath.Join("..", "docs", "images", "demo.png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
