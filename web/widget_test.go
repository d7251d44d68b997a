package web

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
)

// filled is the form as a person fills it in.
func filled(change ...string) url.Values {
	form := url.Values{
		"sku": {"mug"}, "name": {"Ada"}, "event": {"price_below"}, "price_below.threshold": {"15,00"}, "channel": {"web"},
		"consent.web": {wordingVersion("write to me here EN")}, "time_zone": {"Europe/Vienna"}, "not_at_night": {"yes"},
		"ext.gclid": {"G1"}, "ext.utm_source": {"news"}, "ext.visitor": {"shop-7"}, "ext.evil": {"x"},
	}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

func TestWidgetScriptWorksOnAnySite(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, "/widget.js", "Origin", "https://shop.example")
	wantStatus(t, w, 200)
	if got := w.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("got Content-Type %q", got)
	}
	if got := w.Header().Get("Cross-Origin-Resource-Policy"); got != "cross-origin" {
		t.Errorf("got Cross-Origin-Resource-Policy %q", got)
	}
	wantNoText(t, w, "innerHTML", "eval(")
}

func TestFormIsDrawnFromTheEvents(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, "/widget/frame?sku=mug&framed=1&utm_source=news&evil=x&visitor=shop-7")
	wantStatus(t, w, 200)
	for _, e := range commerce.Events() {
		wantText(t, w, `name="event" value="`+e.Name+`"`, e.Title.In("en"))
		for _, f := range e.Fields {
			wantText(t, w, `name="`+e.Name+"."+f.Name+`"`, f.Label.In("en"))
		}
	}
	wantText(t, w, `value="price_below" checked`, `name="ext.utm_source" value="news"`, `name="ext.visitor" value="shop-7"`, "write to me on Telegram EN", "Your phone number")
	wantNoText(t, w, "evil", `type="checkbox" name="consent.web" value="`+wordingVersion("write to me here EN")+`" checked`)
	wantText(t, get(s, "/widget/frame?sku=lamp"), `value="back_in_stock" checked`)
	wantStatus(t, get(s, "/widget/frame?sku=nothing"), 404)
	if got := get(s, "/widget/frame").Header().Get("Location"); got != "/chat" {
		t.Errorf("without a product: got Location %q, want the chat", got)
	}
}

func TestSubscribingKeepsWhatWasTypedAndAgreed(t *testing.T) {
	s, h := newShop(t, nil)
	w := postForm(s, "/widget/subscribe", filled(), "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "User-Agent", "Test/1")
	wantStatus(t, w, 200)
	if got := strings.TrimSpace(w.Body.String()); got != `{"id":"wat_1","state":"armed"}` {
		t.Errorf("got %s", got)
	}
	want := []Subscription{{
		SKU: "mug", Event: "price_below", Fields: map[string]string{"threshold": "15.00 EUR"}, Name: "Ada", Account: "web", Visitor: "vis_1", Language: "en",
		TimeZone: "Europe/Vienna", NotAtNight: true,
		Consent: Consent{
			Text: "write to me here EN", Version: wordingVersion("write to me here EN"), At: noon,
			Evidence: map[string]string{"form": "widget", "ip": "192.0.2.1", "user_agent": "Test/1", "page": ""},
		},
		External: map[string]string{"gclid": "G1", "utm_source": "news", "visitor": "shop-7"},
	}}
	if diff := cmp.Diff(want, h.subscribed); diff != "" {
		t.Errorf("subscription (-want +got):\n%s", diff)
	}
	c := visitorCookieOf(t, w)
	if c == nil || h.visitors[c.Value] != "vis_1" {
		t.Errorf("got cookie %v, want the visitor's", c)
	}
	postForm(s, "/widget/subscribe", filled(), "Cookie", visitorCookie+"="+c.Value)
	if got := h.subscribed[1].Visitor; got != "vis_1" {
		t.Errorf("the same visitor came back as %s", got)
	}
}

func TestSubscribingByJSON(t *testing.T) {
	s, h := newShop(t, nil)
	body := `{"sku":"mug","name":"Ada","channel":"wa","address":" +49 170 1 ","event":"price_below","fields":{"threshold":"15.00"},
		"consent":"write to me on WhatsApp DE","language":"de","external":{"fbclid":"F1","other":"x"}}`
	w := ask(s, "POST", "/widget/subscribe", body, "Content-Type", "application/json")
	wantStatus(t, w, 200)
	got := h.subscribed[0]
	if got.Address != "+49 170 1" || got.Language != "de" || got.Consent.Text != "write to me on WhatsApp DE" || !cmp.Equal(got.External, map[string]string{"fbclid": "F1"}) {
		t.Errorf("got %+v", got)
	}
}

func TestSubscribingOnTelegramAnswersWithALink(t *testing.T) {
	s, _ := newShop(t, nil)
	form := filled("channel", "telegram", "consent.telegram", wordingVersion("write to me on Telegram EN"))
	w := postForm(s, "/widget/subscribe", form, "Accept", "application/json")
	wantStatus(t, w, 200)
	wantText(t, w, `"state":"pending"`, `"link":"https://t.me/shop?start=abc"`)
	page := postForm(s, "/widget/subscribe", form, "Accept", "text/html")
	wantStatus(t, page, 200)
	wantText(t, page, `href="https://t.me/shop?start=abc"`, "Open Telegram")
}

func TestWrongFieldsAreNamedAndNothingIsLost(t *testing.T) {
	tests := []struct {
		name   string
		change []string
		field  string
		text   string
	}{
		{"no name", []string{"name", " \u202e "}, "name", "how to call you"},
		{"endless name", []string{"name", strings.Repeat("x", 81)}, "name", "at most 80 characters"},
		{"no consent", []string{"consent.web", ""}, "consent", "only write to you if you tick"},
		{"consent to other words", []string{"consent.web", "v000000000000"}, "consent", "wording is new"},
		{"consent for another channel", []string{"channel", "wa", "address.wa", "+49"}, "consent", "only write to you if you tick"},
		{"no price", []string{"price_below.threshold", ""}, "fields.threshold", "such as €17.50"},
		{"price of words", []string{"price_below.threshold", "cheap"}, "fields.threshold", "such as €17.50"},
		{"price in another currency", []string{"price_below.threshold", "$5"}, "fields.threshold", "in EUR"},
		{"negative price", []string{"price_below.threshold", "-5"}, "fields.threshold", "more than zero"},
		{"unknown event", []string{"event", "sunrise"}, "event", "when we shall write"},
		{"unknown channel", []string{"channel", "pigeon"}, "channel", "where we shall write"},
		{"no number", []string{"channel", "wa", "consent.wa", wordingVersion("write to me on WhatsApp EN")}, "address", "your phone number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, h := newShop(t, nil)
			form := filled(test.change...)
			w := postForm(s, "/widget/subscribe", form, "Accept", "application/json")
			wantStatus(t, w, 422)
			found := false
			for _, f := range problemFields(t, w) {
				found = found || f.Name == test.field && strings.Contains(f.Sentence, test.text)
			}
			if !found {
				t.Errorf("want %s: …%s…, got %s", test.field, test.text, w.Body)
			}
			page := postForm(s, "/widget/subscribe", form, "Accept", "text/html")
			wantStatus(t, page, 422)
			if name := clean(form.Get("name")); name != "" {
				wantText(t, page, `name="name" value="`+name+`"`)
			}
			if form.Get("channel") == "web" && form.Get("consent.web") == wordingVersion("write to me here EN") {
				wantText(t, page, `value="`+form.Get("consent.web")+`" checked`)
			}
			wantText(t, page, `name="ext.gclid" value="G1"`, `name="not_at_night" value="yes" checked`)
			if typed := form.Get("price_below.threshold"); typed != "" && form.Get("event") == "price_below" {
				wantText(t, page, `name="price_below.threshold" value="`+typed+`"`)
			}
			if len(h.subscribed) > 0 {
				t.Errorf("it was subscribed all the same: %+v", h.subscribed)
			}
		})
	}
}

func problemFields(t *testing.T, w *httptest.ResponseRecorder) []Field {
	t.Helper()
	var p struct{ Errors []Field }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("read the problem: %v in %s", err, w.Body)
	}
	return p.Errors
}

func TestWhatTheHouseRefusesIsShownBesideItsField(t *testing.T) {
	s, h := newShop(t, nil)
	h.refuse = &commerce.Invalid{Field: "address", Problem: "this is no number that can be called"}
	form := filled("channel", "wa", "address.wa", "12", "consent.wa", wordingVersion("write to me on WhatsApp EN"))
	w := postForm(s, "/widget/subscribe", form)
	wantStatus(t, w, 422)
	wantText(t, w, `data-wrong="address">This is no number that can be called.<`, `name="address.wa" value="12"`)
	h.refuse = &commerce.Invalid{Field: "threshold", Problem: "too low"}
	w = postForm(s, "/widget/subscribe", filled(), "Accept", "application/json")
	if got := problemFields(t, w); !cmp.Equal(got, []Field{{"fields.threshold", "Too low."}}) {
		t.Errorf("got %v", got)
	}
}

func TestBadBodiesAreRefusedWithASentence(t *testing.T) {
	s, h := newShop(t, nil)
	tests := []struct {
		name, kind, body string
		status           int
	}{
		{"broken JSON", "application/json", `{"sku":`, 400},
		{"two values", "application/json", `{"sku":"mug"} {}`, 400},
		{"wrong types", "application/json", `{"sku":7}`, 400},
		{"unknown product", "application/json", `{"sku":"nothing"}`, 404},
		{"too large", "application/json", `{"name":"` + strings.Repeat("x", maxForm) + `"}`, 413},
		{"too large a form", formType, "name=" + strings.Repeat("x", maxForm), 413},
		{"plain text", "text/plain", `{"sku":"mug"}`, 415},
		{"nothing said", "", "", 415},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := ask(s, "POST", "/widget/subscribe", test.body, "Content-Type", test.kind, "Accept", "application/json")
			wantStatus(t, w, test.status)
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("got Content-Type %q", got)
			}
		})
	}
	if len(h.subscribed) > 0 || len(h.visitors) > 0 {
		t.Errorf("something was kept: %v, %v", h.subscribed, h.visitors)
	}
}

func TestOnlySitesOfTheShopMaySubscribe(t *testing.T) {
	tests := []struct {
		name    string
		demo    bool
		headers []string
		status  int
		allowed string
	}{
		{"the frame itself", false, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://parley.example"}, 200, ""},
		{"an old browser in the frame", false, []string{"Origin", "http://parley.example"}, 200, ""},
		{"a program", false, nil, 200, ""},
		{"a listed site", false, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://shop.example"}, 200, "https://shop.example"},
		{"another site", false, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403, ""},
		{"a sandboxed page", false, []string{"Sec-Fetch-Site", "cross-site", "Origin", "null"}, 403, ""},
		{"a cross-site post without an origin", false, []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"any site in the demo", true, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://any.example"}, 200, "https://any.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, h := newShop(t, func(o *Options) { o.Demo, o.Origins = test.demo, []string{"https://shop.example"} })
			h.visitors["known"] = "vis_9"
			form := filled("channel", "telegram", "consent.telegram", wordingVersion("write to me on Telegram EN"))
			w := postForm(s, "/widget/subscribe", form, append(test.headers, "Cookie", visitorCookie+"=known")...)
			wantStatus(t, w, test.status)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != test.allowed {
				t.Errorf("got Access-Control-Allow-Origin %q, want %q", got, test.allowed)
			}
			if w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials of other sites are allowed")
			}
			if test.allowed != "" && h.subscribed[0].Visitor != "" {
				t.Errorf("a post of another site counted for the visitor %s", h.subscribed[0].Visitor)
			}
		})
	}
}

func TestAnotherSiteCannotSubscribeTheVisitorsChat(t *testing.T) {
	s, h := newShop(t, nil)
	w := postForm(s, "/widget/subscribe", filled(), "Sec-Fetch-Site", "cross-site", "Origin", "https://any.example", "Accept", "application/json")
	wantStatus(t, w, 422)
	wantText(t, w, "own window")
	if len(h.subscribed) > 0 {
		t.Error("it was subscribed")
	}
}

func TestPreflightNamesWhatMayBeSent(t *testing.T) {
	s, _ := newShop(t, func(o *Options) { o.Demo, o.Origins = false, []string{"https://shop.example"} })
	w := ask(s, "OPTIONS", "/widget/subscribe", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
	wantStatus(t, w, 204)
	if got := w.Header().Get("Access-Control-Allow-Headers"); !strings.Contains(got, "Content-Type") {
		t.Errorf("got Access-Control-Allow-Headers %q", got)
	}
	wantStatus(t, ask(s, "OPTIONS", "/widget/subscribe", "", "Origin", "https://evil.example"), 403)
}

func TestHostileWordsStayWords(t *testing.T) {
	s, h := newShop(t, nil)
	h.products[0].Title = `"><script>alert(1)</script>`
	for _, hostile := range []string{`"><img src=x onerror=alert(1)>`, `{{.}}`, `javascript:alert(1)`, "a\x00b\u202ec"} {
		w := postForm(s, "/widget/subscribe", filled("name", hostile, "consent.web", "", "price_below.threshold", hostile))
		wantStatus(t, w, 422)
		wantNoText(t, w, "<img src=x", "<script>alert", "\u202ec\"")
	}
	wantNoText(t, get(s, "/widget/frame?sku=mug&utm_source=%22%3E%3Cscript%3Ealert(1)"), "<script>alert")
}
