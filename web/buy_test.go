package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What the callers of a buy link send, as seen on the wire.
const (
	chromeUA  = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
	firefoxUA = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
	safariUA  = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1"
	inAppUA   = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22B83 [FBAN/FBIOS;FBAV/530.0]"
	oldUA     = "Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.0 Mobile/15E148 Safari/604.1"
)

// fetched are the headers of a request that a browser made from our own page.
func fetched(agent, user string, more ...string) []string {
	headers := append([]string{"User-Agent", agent, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Origin", "null"}, more...)
	if user != "" {
		headers = append(headers, "Sec-Fetch-User", user)
	}
	return headers
}

func TestBuyLinkSellsOnlyToAPressOfItsButton(t *testing.T) {
	tests := []struct {
		name    string
		method  string
		pressed string // as our script leaves the field; "" without JavaScript
		headers []string
		status  int
		sells   bool
	}{
		// People.
		{"a press in Chrome", "POST", "yes", fetched(chromeUA, "?1"), 200, true},
		{"a press in Firefox without JavaScript", "POST", "", fetched(firefoxUA, "?1"), 200, true},
		{"a press in Safari", "POST", "yes", fetched(safariUA, ""), 200, true},
		{"a press in an app on iOS", "POST", "yes", fetched(inAppUA, ""), 200, true},
		{"a press in Safari without JavaScript", "POST", "", fetched(safariUA, ""), 200, true},
		{"a browser from before fetch metadata", "POST", "yes", []string{"User-Agent", oldUA, "Origin", "http://parley.example"}, 200, true},
		{"a program that the customer runs", "POST", "", []string{"User-Agent", "curl/8.14"}, 200, true},

		// Whatever only looks.
		{"opening the page", "GET", "", []string{"User-Agent", chromeUA, "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-User", "?1"}, 200, false},
		{"a HEAD request", "HEAD", "", []string{"User-Agent", "Mozilla/5.0"}, 200, false},
		{"a preview for WhatsApp", "GET", "", []string{"User-Agent", "WhatsApp/2.23.20.0"}, 200, false},
		{"a preview for Slack", "GET", "", []string{"User-Agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, 200, false},
		{"a preview for Facebook", "GET", "", []string{"User-Agent", "facebookexternalhit/1.1"}, 200, false},
		{"a prefetch", "GET", "", []string{"User-Agent", chromeUA, "Sec-Purpose", "prefetch"}, 200, false},
		{"a prerender", "GET", "", []string{"User-Agent", chromeUA, "Sec-Purpose", "prefetch;prerender", "Cookie", "parley_visitor=x"}, 200, false},
		{"a picture of another page", "GET", "", []string{"User-Agent", chromeUA, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "image"}, 200, false},
		{"a mail scanner's whole browser", "GET", "", []string{"User-Agent", chromeUA, "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-User", "?1"}, 200, false},

		// Whatever posts without a person.
		{"a scanner that submits the form by script", "POST", "no", fetched(chromeUA, ""), 409, false},
		{"a scanner that submits by script and fakes the field", "POST", "yes", fetched(chromeUA, ""), 409, false},
		{"a scanner on WebKit that submits by script", "POST", "no", fetched(safariUA, ""), 409, false},
		{"a script of our own page that fetches", "POST", "yes", []string{"User-Agent", chromeUA, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors", "Sec-Fetch-User", "?1"}, 409, false},
		{"a form on another site", "POST", "yes", []string{"User-Agent", chromeUA, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-User", "?1", "Origin", "https://evil.example"}, 403, false},
		{"a form on a sister site", "POST", "yes", []string{"User-Agent", chromeUA, "Sec-Fetch-Site", "same-site", "Sec-Fetch-User", "?1", "Origin", "http://other.example"}, 403, false},
		{"an old browser on another site", "POST", "yes", []string{"User-Agent", oldUA, "Origin", "https://evil.example"}, 403, false},
		{"an old browser from a sandboxed frame", "POST", "yes", []string{"User-Agent", oldUA, "Origin", "null"}, 403, false},
		{"a post that is prerendered", "POST", "yes", fetched(chromeUA, "?1", "Sec-Purpose", "prefetch;prerender"), 409, false},
		{"a post of an old prefetcher", "POST", "", []string{"User-Agent", firefoxUA, "X-Moz", "prefetch"}, 409, false},
		{"a previewer that posts", "POST", "", []string{"User-Agent", "Mozilla/5.0 BingPreview/1.0b"}, 409, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, h := newShop(t, nil)
			form := url.Values{"pressed": {test.pressed}}
			w := ask(s, test.method, "/b/good", form.Encode(), append(test.headers, "Content-Type", formType)...)
			wantStatus(t, w, test.status)
			if got := h.purchases() > 0; got != test.sells {
				t.Errorf("got sold %v, want %v", got, test.sells)
			}
			if test.status >= 400 {
				wantText(t, w, "Nothing was bought", "press the button in your chat")
			}
		})
	}
}

func TestBuyPageShowsTheLiveOffer(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, "/b/good")
	wantText(t, w, "Buy now, pay €17.50", "another 3 hours", `<form method="post" action="/b/good"`, `property="og:title" content="Mug"`,
		`property="og:image" content="http://parley.example/static/demo/mug-harbour.png"`)
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow, noarchive"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
	if w.Header().Get("Set-Cookie") != "" {
		t.Error("the buy page sets a cookie")
	}
	german := get(s, "/b/gut")
	wantText(t, german, "Zahlungspflichtig bestellen, 35,00\u00a0€", `<html lang="de"`, "noch 30 Minuten")
}

func TestBuyingTwiceShowsTheSameReceipt(t *testing.T) {
	s, _ := newShop(t, nil)
	first := postForm(s, "/b/good", url.Values{"pressed": {"yes"}})
	second := postForm(s, "/b/good", url.Values{"pressed": {"yes"}})
	wantStatus(t, first, 200)
	wantText(t, first, "ord_7", "Thank you, it is yours.", "no money moves")
	if first.Body.String() != second.Body.String() {
		t.Errorf("the second receipt differs:\n%s", second.Body)
	}
	later := get(s, "/b/good")
	wantText(t, later, "ord_7")
	wantNoText(t, later, "<form")
}

func TestBuyLinksThatCannotSellSaySo(t *testing.T) {
	s, h := newShop(t, nil)
	tests := []struct {
		name, method, token string
		status              int
		text                string
	}{
		{"forged", "GET", "forged", 404, "This link is not one of ours"},
		{"forged, posted", "POST", "forged", 404, "This link is not one of ours"},
		{"expired", "GET", "old", 410, "This offer has ended."},
		{"expired, posted", "POST", "old", 410, "This offer has ended."},
		{"sold out", "GET", "gone", 200, "Sold out just now."},
		{"sold out, posted", "POST", "gone", 409, "Sold out just now."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := ask(s, test.method, "/b/"+test.token, "")
			wantStatus(t, w, test.status)
			wantText(t, w, test.text)
			wantNoText(t, w, "<form")
			if got := w.Header().Get("Referrer-Policy"); got != "no-referrer" {
				t.Errorf("got Referrer-Policy %q", got)
			}
		})
	}
	if h.purchases() != 0 {
		t.Errorf("got %d purchases, want none", h.purchases())
	}
}

func TestBuyFormThatIsTooLargeIsRefused(t *testing.T) {
	s, h := newShop(t, nil)
	w := postForm(s, "/b/good", url.Values{"pressed": {strings.Repeat("x", maxForm)}}, fetched(chromeUA, "?1")...)
	wantStatus(t, w, http.StatusRequestEntityTooLarge)
	if h.purchases() != 0 {
		t.Errorf("got %d purchases, want none", h.purchases())
	}
}
