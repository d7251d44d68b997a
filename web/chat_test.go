package web

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func visitorCookieOf(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == visitorCookie {
			return c
		}
	}
	return nil
}

func TestChatPageMakesAVisitorOnce(t *testing.T) {
	s, h := newShop(t, nil)
	w := get(s, "/chat")
	wantStatus(t, w, 200)
	wantText(t, w, `data-socket="/chat/ws"`, "<noscript>", `role="log"`)
	c := visitorCookieOf(t, w)
	if c == nil || !c.HttpOnly || h.visitors[c.Value] == "" {
		t.Fatalf("got cookie %v, want the new visitor's secret, for the server only", c)
	}
	wantNoText(t, w, c.Value)
	if again := get(s, "/chat", "Cookie", visitorCookie+"="+c.Value); visitorCookieOf(t, again) != nil {
		t.Error("a known visitor was given another cookie")
	}
	if forged := get(s, "/chat", "Cookie", visitorCookie+"=vis_1"); visitorCookieOf(t, forged) == nil {
		t.Error("the public id was taken for the secret")
	}
	if len(h.visitors) != 2 {
		t.Errorf("got %d visitors, want 2", len(h.visitors))
	}
}

func TestVisitorCookieWorksWhereTheBrowserAllowsIt(t *testing.T) {
	tests := []struct {
		name, address, agent string
		tls, embeddable      bool
	}{
		{"https", "https://parley.example/", chromeUA, true, true},
		{"https in Safari", "https://parley.example/", safariUA, true, true},
		{"this machine", "http://127.0.0.1:8080/", chromeUA, false, true},
		{"this machine by name", "http://localhost:8080/", firefoxUA, false, true},
		{"this machine on IPv6", "http://[::1]:8080/", chromeUA, false, true},
		{"this machine in Safari", "http://localhost:8080/", safariUA, false, false},
		{"plain http elsewhere", "http://192.168.0.7:8080/", chromeUA, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", test.address, nil)
			r.Header.Set("User-Agent", test.agent)
			if test.tls {
				r.TLS = &tls.ConnectionState{}
			}
			c := cookieFor(r, "secret")
			got := c.Secure && c.Partitioned && c.SameSite == http.SameSiteNoneMode
			if got != test.embeddable {
				t.Errorf("got %s, want embeddable: %v", c, test.embeddable)
			}
			if !got && (c.Secure || c.SameSite != http.SameSiteLaxMode) {
				t.Errorf("got %s, want Lax and not Secure", c)
			}
		})
	}
}

func TestNewChatsAreLimitedByAddress(t *testing.T) {
	s, h := newShop(t, func(o *Options) { o.PublicPosts = Rate{Burst: 1, Every: time.Hour} })
	w := get(s, "/chat")
	wantStatus(t, w, 200)
	wantStatus(t, get(s, "/chat"), 429)
	wantStatus(t, get(s, "/chat", "Cookie", visitorCookie+"="+visitorCookieOf(t, w).Value), 200)
	if len(h.visitors) != 1 {
		t.Errorf("got %d visitors, want 1", len(h.visitors))
	}
}

func TestChatSocketIsTheOneMainGave(t *testing.T) {
	s, _ := newShop(t, nil)
	wantStatus(t, get(s, "/chat/ws"), http.StatusTeapot)
	none, _ := newShop(t, func(o *Options) { o.ChatSocket = nil })
	wantStatus(t, get(none, "/chat/ws"), 503)
	wantStatus(t, get(none, "/chat"), 503)
}
