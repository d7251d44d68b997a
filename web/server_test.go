package web

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/commerce"
)

func TestEveryRouteSaysWhoMayUseIt(t *testing.T) {
	s, _ := newShop(t, nil)
	if len(s.Routes()) < 10 {
		t.Fatalf("got %d routes, want all of them", len(s.Routes()))
	}
	for _, route := range s.Routes() {
		if p := route.Allow; !p.IsPublic() && p.Role() == "" && p.Scope() == "" {
			t.Errorf("%s admits nobody: give it Public(), Staff(role) or Key(scope)", route.Pattern)
		}
		if !strings.HasPrefix(route.Pattern, "GET ") && route.Allow.IsPublic() && route.Surface != Raw && !route.Limited {
			t.Errorf("%s is public and not limited", route.Pattern)
		}
	}
}

func TestRoutesThatAreNotPublicRefuseStrangers(t *testing.T) {
	s, _ := newShop(t, nil)
	for _, allow := range []Permission{Staff("merchant"), Key("orders:read"), {}} {
		reached := false
		h := s.wrap(Route{Pattern: "GET /x", Allow: allow, Surface: Page, Handle: func(http.ResponseWriter, *http.Request) error {
			reached = true
			return nil
		}})
		w := askHandler(h, "GET", "/x")
		if w.Code != http.StatusUnauthorized || reached {
			t.Errorf("%q: got status %d, reached %v; want 401 and not reached", allow, w.Code, reached)
		}
	}
}

func TestErrorsBecomeSentencesAndNeverLeak(t *testing.T) {
	s, _ := newShop(t, nil)
	tests := []struct {
		name   string
		err    error
		status int
		text   string
	}{
		{"not found", commerce.ErrNotFound, 404, "There is nothing at this address."},
		{"conflict", commerce.ErrConflict, 409, "Things have changed meanwhile."},
		{"refused value", &commerce.Invalid{Field: "price", Problem: "the price is negative"}, 422, "The price is negative."},
		{"problem with a sentence", &Problem{Status: 403, Sentence: "Not you."}, 403, "Not you."},
		{"anything else", errors.New("pq: password of user secret"), 500, "Something went wrong on our side."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := s.wrap(Route{Pattern: "GET /x", Allow: Public(), Handle: func(http.ResponseWriter, *http.Request) error { return test.err }})
			w := askHandler(h, "GET", "/x")
			wantStatus(t, w, test.status)
			wantText(t, w, test.text)
			wantNoText(t, w, "password")
		})
	}
}

func TestPanicIsAnErrorPageAndALineInTheLog(t *testing.T) {
	var log bytes.Buffer
	s, _ := newShop(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	w := askHandler(s.wrap(Route{Pattern: "GET /x", Allow: Public(), Handle: func(http.ResponseWriter, *http.Request) error { panic("boom") }}), "GET", "/x")
	wantStatus(t, w, 500)
	wantNoText(t, w, "boom")
	if !strings.Contains(log.String(), "boom") {
		t.Errorf("the log does not tell of the panic: %s", &log)
	}
}

func TestCallOfAHookIsALineInTheLogByItsRoute(t *testing.T) {
	var log bytes.Buffer
	s, _ := newShop(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Hooks = func(string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("taken")) })
		}
	})
	wantStatus(t, ask(s, "POST", "/hooks/secretive", ""), 200)
	get(s, "/healthz") // which is for debugging
	got := log.String()
	if strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=INFO msg=request method=POST route=/hooks/{account} status=200 bytes=5 took=") {
		t.Errorf("got %s, want one line about the hook", got)
	}
	if strings.Contains(got, "secretive") {
		t.Errorf("got %s, want nothing of the address", got)
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, "/nothing")
	wantStatus(t, w, 404)
	wantText(t, w, "Nothing here")
	w = ask(s, "POST", "/p/mug", "")
	wantStatus(t, w, 405)
	if got := w.Header().Get("Allow"); got != "GET, HEAD" {
		t.Errorf("got Allow %q, want GET, HEAD", got)
	}
	wantStatus(t, get(s, "/static/"), 404)
	wantStatus(t, get(s, "/static/../server.go"), http.StatusTemporaryRedirect)
}

func TestPagesCarryTheGuardHeaders(t *testing.T) {
	s, _ := newShop(t, func(o *Options) { o.Demo, o.Origins = false, []string{"https://Shop.example/"} })
	page := get(s, "/b/good").Header()
	policy := page.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy of a page lacks %q: %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy allows something unsafe: %s", policy)
	}
	if got := page.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("got X-Content-Type-Options %q", got)
	}
	frame := get(s, "/widget/frame?sku=mug").Header().Get("Content-Security-Policy")
	if !strings.HasSuffix(frame, "frame-ancestors 'self' https://shop.example; require-trusted-types-for 'script'") {
		t.Errorf("the widget may be framed by others than the shop: %s", frame)
	}
}

func TestNoPageHasInlineScriptOrStyle(t *testing.T) {
	s, _ := newShop(t, nil)
	for _, address := range []string{"/", "/p/mug", "/widget/frame?sku=mug", "/chat", "/b/good", "/nothing"} {
		w := get(s, address)
		wantNoText(t, w, "<script>", "style=", "onclick", "<style", "javascript:")
	}
}

func TestReadinessFollowsTheHouse(t *testing.T) {
	var down error
	s, _ := newShop(t, func(o *Options) { o.Ready = func(context.Context) error { return down } })
	wantStatus(t, get(s, "/healthz"), 200)
	wantStatus(t, get(s, "/readyz"), 200)
	down = errors.New("the database is away")
	w := get(s, "/readyz")
	wantStatus(t, w, 503)
	wantNoText(t, w, "database")
	wantStatus(t, get(s, "/healthz"), 200)
}

func TestHooksReachTheirAccountFromAnywhere(t *testing.T) {
	s, _ := newShop(t, func(o *Options) {
		o.Hooks = func(account string) http.Handler {
			if account != "telegram" {
				return nil
			}
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
		}
	})
	wantStatus(t, ask(s, "POST", "/hooks/telegram", "{}", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"), 202)
	wantStatus(t, ask(s, "POST", "/hooks/nobody", "{}"), 404)
}

func TestLogHoldsRoutesAndNoSecrets(t *testing.T) {
	var log bytes.Buffer
	s, h := newShop(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	h.visitors["s3cr3t-cookie"] = "vis_9"
	get(s, "/b/s3cr3t-token?x=s3cr3t-query", "Cookie", "parley_visitor=s3cr3t-cookie")
	ask(s, "POST", "/b/s3cr3t-token", "pressed=yes", "Content-Type", formType)
	if !strings.Contains(log.String(), `route="POST /b/{token}"`) || strings.Contains(log.String(), "s3cr3t") {
		t.Errorf("the log should name the routes and nothing else:\n%s", &log)
	}
}

func TestPublicPostsAreLimitedByAddress(t *testing.T) {
	now := noon
	s, _ := newShop(t, func(o *Options) {
		o.PublicPosts, o.Now = Rate{Burst: 2, Every: time.Minute}, func() time.Time { return now }
	})
	for range 2 {
		wantStatus(t, ask(s, "POST", "/widget/subscribe", "{}", "Content-Type", "application/json"), 404)
	}
	w := ask(s, "POST", "/widget/subscribe", "{}", "Content-Type", "application/json", "Accept", "application/json")
	wantStatus(t, w, 429)
	if got := w.Header().Get("Retry-After"); got != "61" {
		t.Errorf("got Retry-After %q, want 61", got)
	}
	now = now.Add(time.Minute)
	wantStatus(t, ask(s, "POST", "/widget/subscribe", "{}", "Content-Type", "application/json"), 404)
}

func TestOnlyOurProxiesAreBelievedAboutTheCaller(t *testing.T) {
	proxied, _ := newShop(t, func(o *Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	open, _ := newShop(t, nil)
	tests := []struct {
		name, remote, forwarded, want string
		server                        *Server
	}{
		{"no proxy configured", "10.0.0.1:5", "6.6.6.6", "10.0.0.1", open},
		{"from a proxy", "10.0.0.1:5", "6.6.6.6, 9.9.9.9", "9.9.9.9", proxied},
		{"through two proxies", "10.0.0.1:5", "6.6.6.6, 9.9.9.9, 10.0.0.2", "9.9.9.9", proxied},
		{"not from a proxy", "8.8.8.8:5", "9.9.9.9", "8.8.8.8", proxied},
		{"nonsense in the header", "10.0.0.1:5", "<script>", "10.0.0.1", proxied},
		{"one network of IPv6 is one caller", "[2001:db8:1:2:aaaa::1]:5", "", "2001:db8:1:2::/64", open},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRequest("GET", "/")
			r.RemoteAddr = test.remote
			if test.forwarded != "" {
				r.Header.Set("X-Forwarded-For", test.forwarded)
			}
			if got := test.server.caller(r); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestStaticFilesAreKeptByTheirFingerprint(t *testing.T) {
	s, _ := newShop(t, nil)
	w := get(s, s.files.address("base.css"))
	wantStatus(t, w, 200)
	if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("got Cache-Control %q, want immutable", got)
	}
	again := get(s, "/static/base.css", "If-None-Match", w.Header().Get("ETag"))
	wantStatus(t, again, 304)
	if got := get(s, "/static/base.css?v=other").Header().Get("Cache-Control"); got != "no-cache" {
		t.Errorf("got Cache-Control %q for another version, want no-cache", got)
	}
}
