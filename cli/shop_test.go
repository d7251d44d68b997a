package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley/config"
	"parley/store"
	"parley/store/storetest"
)

// shop is an installation that serves on loopback, as its users meet it: by HTTP and WebSocket.
type shop struct {
	t     *testing.T
	in    *installation
	base  string
	key   string
	stop  func()
	admin string       // a sign-in link
	staff *http.Client // signed in, once a page was asked for
}

// testShop is the config of the shops under test; extra is added to the merchant.
func testShop(database, extra string) string {
	return fmt.Sprintf(`
database: %s
merchants:
  - name: demo
    title: Corner Shop
    currency: EUR
    languages: [en, de]
    default_language: en
    time_zone: Europe/Berlin
    mode: test
    payments:
      - {name: test, provider: test}
    accounts:
      - {name: webchat, adapter: webchat}
%s`, database, extra)
}

// eachShop runs a test against a shop on SQLite and one on Postgres; one line of the config makes the difference.
func eachShop(t *testing.T, extra string, test func(*shop)) {
	t.Run("sqlite", func(t *testing.T) {
		test(openShop(t, testShop("sqlite://"+filepath.Join(t.TempDir(), "parley.db"), extra)))
	})
	t.Run("postgres", func(t *testing.T) {
		test(openShop(t, testShop(storetest.PostgresURL(t), extra)))
	})
}

func openShop(t *testing.T, yaml string) *shop {
	t.Helper()
	return openShopAs(t, yaml, nil)
}

func openShopAs(t *testing.T, yaml string, demo *demoPages) *shop {
	t.Helper()
	return openShopLogging(t, yaml, demo, slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

func openShopLogging(t *testing.T, yaml string, demo *demoPages, log *slog.Logger) *shop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Parse("parley.yaml", []byte(yaml), config.Outside{}, kinds())
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	s := &shop{t: t, base: "http://" + l.Addr().String(), key: "test-key"}
	cfg.Web.PublicURL = s.base
	if s.in, err = install(t.Context(), cfg, log, demo); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.in.serve(ctx, l) }()
	s.stop = func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(func() {
		s.stop()
		if err := s.in.Close(); err != nil {
			t.Error(err)
		}
	})
	err = s.in.store.Tx(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.AddKey(t.Context(), s.in.merchants[0], "test", []string{"*"}, s.key); err != nil {
			return err
		}
		p, err := tx.SetStaff(t.Context(), s.in.merchants[0], "ann@shop.example", store.RoleAdmin)
		if err != nil {
			return err
		}
		s.admin, err = tx.AddSignIn(t.Context(), s.in.merchants[0], p.ID, time.Hour)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.ready()
	return s
}

// ready waits for the first request to be served; requests before that wait in the listener's backlog.
func (s *shop) ready() {
	s.t.Helper()
	resp, err := http.Get(s.base + "/readyz")
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("ready: status %d", resp.StatusCode)
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(b), "\n"))
	return len(b), nil
}

// api calls the REST API and decodes the answer.
func (s *shop) api(method, path, body string, want int) map[string]any {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != want {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, want, raw)
	}
	var out map[string]any
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
	return out
}

// product puts a product on the shelf.
func (s *shop) product(sku, title string, cents, stock int, more string) {
	s.t.Helper()
	s.api("PUT", "/api/v1/products/"+sku, fmt.Sprintf(`{"title":%q,"price":{"amount":%d,"currency":"EUR"},"stock":%d%s}`, title, cents, stock, more), http.StatusCreated)
}

func (s *shop) reprice(sku string, cents int) {
	s.t.Helper()
	s.api("PUT", "/api/v1/products/"+sku, fmt.Sprintf(`{"price":{"amount":%d,"currency":"EUR"}}`, cents), http.StatusOK)
}

func (s *shop) stock(sku string) int {
	s.t.Helper()
	return int(s.api("GET", "/api/v1/products/"+sku, "", http.StatusOK)["stock"].(float64))
}

func (s *shop) orders() []any {
	s.t.Helper()
	return s.api("GET", "/api/v1/orders", "", http.StatusOK)["items"].([]any)
}

// visitor is a person with a browser of their own: its cookies, and the chat.
type visitor struct {
	s      *shop
	client *http.Client
	id     string
	conn   *websocket.Conn
	sent   int
	// consent is the version of the wording that the form shows.
	consent string
}

// visit opens the widget's frame, which makes the visitor known.
func (s *shop) visit(sku string) *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := &visitor{s: s, client: &http.Client{Jar: keepSecure{jar}}}
	resp, err := v.client.Get(s.base + "/widget/frame?sku=" + url.QueryEscape(sku))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("widget frame: status %d, %v", resp.StatusCode, err)
	}
	if m := consentBox.FindSubmatch(page); m != nil {
		v.consent = string(m[1])
	}
	return v
}

// consentBox is the box in the form, whose value says which wording stood beside it.
var consentBox = regexp.MustCompile(`name="consent\.webchat" value="([^"]+)"`)

// keepSecure sends Secure cookies to loopback, as browsers do.
type keepSecure struct{ *cookiejar.Jar }

func (k keepSecure) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	k.Jar.SetCookies(u, cookies)
}

// subscribe posts the widget's form.
func (v *visitor) subscribe(form map[string]string, want int) map[string]any {
	v.s.t.Helper()
	values := url.Values{"consent.webchat": {v.consent}, "channel": {"webchat"}, "name": {"Ann"}}
	for name, value := range form {
		values.Set(name, value)
	}
	req, err := http.NewRequestWithContext(v.s.t.Context(), "POST", v.s.base+"/widget/subscribe", strings.NewReader(values.Encode()))
	if err != nil {
		v.s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := v.client.Do(req)
	if err != nil {
		v.s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != want {
		v.s.t.Fatalf("subscribe: status %d, want %d: %s", resp.StatusCode, want, raw)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		v.s.t.Fatalf("subscribe: %v: %s", err, raw)
	}
	return out
}

// frame is what the chat sends a client.
type frame struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Visitor string `json:"visitor"`
	From    string `json:"from"`
	Text    string `json:"text"`
	Image   string `json:"image"`
	Choices []struct {
		Label string `json:"label"`
		Value string `json:"value"`
	} `json:"choices"`
}

// open opens the chat and reads its hello.
func (v *visitor) open() {
	v.s.t.Helper()
	conn, _, err := websocket.Dial(v.s.t.Context(), v.s.base+"/chat/ws?after=none", &websocket.DialOptions{HTTPClient: v.client})
	if err != nil {
		v.s.t.Fatal(err)
	}
	v.conn = conn
	v.s.t.Cleanup(func() { _ = conn.CloseNow() })
	hello := v.read()
	if hello.Type != "hello" {
		v.s.t.Fatalf("the server spoke first, but not hello: %+v", hello)
	}
	v.id = hello.Visitor
}

func (v *visitor) read() (f frame) {
	v.s.t.Helper()
	ctx, cancel := context.WithTimeout(v.s.t.Context(), patience)
	defer cancel()
	if err := wsjson.Read(ctx, v.conn, &f); err != nil {
		v.s.t.Fatalf("read the chat: %v", err)
	}
	return f
}

// hears waits for the next message of the bot or staff that holds the words.
func (v *visitor) hears(words string) frame {
	v.s.t.Helper()
	var heard []string
	for range 20 {
		f := v.read()
		if f.Type == "message" && f.From != "me" {
			if strings.Contains(f.Text, words) {
				return f
			}
			heard = append(heard, f.Text)
		}
		if f.Type == "error" {
			v.s.t.Fatalf("waiting for %q, got the error %q", words, f.Text)
		}
	}
	v.s.t.Fatalf("waited for %q, heard %q", words, heard)
	return frame{}
}

// says sends a text and waits until it is acknowledged.
func (v *visitor) says(text string) {
	v.s.t.Helper()
	v.sends(map[string]any{"type": "message", "text": text})
}

func (v *visitor) presses(f frame, label string) {
	v.s.t.Helper()
	for _, c := range f.Choices {
		if strings.HasPrefix(c.Label, label) {
			v.sends(map[string]any{"type": "choice", "value": c.Value})
			return
		}
	}
	v.s.t.Fatalf("%q has no button %q: %+v", f.Text, label, f.Choices)
}

func (v *visitor) sends(m map[string]any) {
	v.s.t.Helper()
	v.sent++
	m["id"] = fmt.Sprintf("c%d", v.sent)
	if err := wsjson.Write(v.s.t.Context(), v.conn, m); err != nil {
		v.s.t.Fatal(err)
	}
}
