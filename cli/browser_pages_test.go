package cli

import (
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// light is how bright paper and ink of a page are, from 0 to 1, as they are painted.
const light = `(() => {
	const brightness = (color) => {
		const pen = new OffscreenCanvas(1, 1).getContext("2d");
		pen.fillStyle = color;
		pen.fillRect(0, 0, 1, 1);
		const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
		return a ? (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255 : undefined;
	};
	const heading = document.querySelector("main h1, main") ?? document.body;
	const ground = [document.body, document.documentElement].map((e) => brightness(getComputedStyle(e).backgroundColor)).find((b) => b !== undefined);
	return { Paper: ground ?? 1, Ink: brightness(getComputedStyle(heading).color) };
})()`

// wide names what reaches beyond the right edge.
const wide = `(() => {
	const root = document.documentElement;
	if (root.scrollWidth <= root.clientWidth) return "none";
	return root.scrollWidth + " " + [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > root.clientWidth).map((e) => e.tagName + "." + e.className).slice(0, 5).join(" ");
})()`

func TestBrowserPagesFitAPhoneByDayAndByNight(t *testing.T) {
	t.Parallel()
	s, b := openDemo(t), openBrowser(t)
	link := s.offers("mug-harbour", "15.00", 1400)
	asker := s.visit("kettle-arc")
	asker.subscribe(map[string]string{"sku": "kettle-arc", "event": "price_below", "price_below.threshold": "30.00"}, http.StatusOK)
	asker.open()
	asker.hears("STOP")
	asker.says("Does-it-come-in-a-colour-other-than-steel,-say-the-blue-of-a-harbour-just-before-rain-or-some-such-colour?")
	asker.says("I want to talk to a person")
	asker.hears("person")
	thread := s.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any)[0].(map[string]any)["id"].(string)

	someone := s.signsIn(b.person())
	someone.do("take a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	for _, scheme := range []string{"light", "dark"} {
		someone.do("make it "+scheme, call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}))
		for _, page := range []struct{ name, address string }{
			{"shop", s.base + "/"}, {"product", s.base + "/p/kettle-arc"}, {"form", s.base + "/widget/frame?sku=kettle-arc"}, {"chat", s.base + "/chat"},
			{"buy page", link}, {"inbox", s.base + "/inbox"}, {"thread", s.base + "/inbox/" + thread}, {"orders", s.base + "/inbox/orders"},
			{"admin", s.base + "/admin"}, {"lost page", s.base + "/nowhere"},
		} {
			someone.open(page.address)
			if got := see[string](&someone.document, "the width", wide); got != "none" {
				t.Errorf("%s, %s: wider than 390 px: %s", page.name, scheme, got)
			}
			shine := see[struct{ Paper, Ink float64 }](&someone.document, "the colours", light)
			if dark := shine.Paper < 0.25 && shine.Ink > 0.6; dark != (scheme == "dark") || !dark && (shine.Paper < 0.75 || shine.Ink > 0.4) {
				t.Errorf("%s: in the %s it has paper of %.2f and ink of %.2f", page.name, scheme, shine.Paper, shine.Ink)
			}
		}
	}
}

func TestBrowserPagesWorkWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s, b := openDemo(t), openBrowser(t)
	ann := b.person().withoutScripts()
	ann.open(s.base + "/p/kettle-arc")
	ann.press(one("noscript a.button"))
	ann.shows("Tell me when")
	ann.wishes("Ann", "nothing")
	ann.press(one("#send"))
	see[bool](&ann.document, "what is wrong", `[...document.querySelectorAll("[data-wrong]")].filter((e) => e.innerText).length >= 2`)
	ann.write(`input[name="price_below.threshold"]`, "60.00")
	ann.press(consentBoxHere)
	ann.press(one("#send"))
	ann.shows("We ring right here as soon as it happens.")

	link := s.offers("mug-harbour", "15.00", 1400)
	ann.open(link)
	ann.press(one("form#buy button"))
	ann.shows("Your receipt")
	if got, want := ann.read("main code"), s.onlyOrder(); got != want {
		t.Errorf("the receipt is for %s, want %s", got, want)
	}

	asker := s.visit("kettle-arc")
	asker.subscribe(map[string]string{"sku": "kettle-arc", "event": "price_below", "price_below.threshold": "30.00"}, http.StatusOK)
	asker.open()
	asker.hears("STOP")
	asker.says("I want to talk to a person")
	asker.hears("person")
	eve := s.signsIn(b.person().withoutScripts())
	eve.press(having("a.row", "talk to a person"))
	eve.write("#text", "Here I am, without a script.")
	eve.press(having("form.reply button", "Send"))
	asker.hears("without a script")
	eve.shows("Here I am, without a script.")
	eve.press(having("button", "Return to bot"))
	asker.hears("It is me again")
}
