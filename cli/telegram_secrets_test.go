package cli

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"parley/adapters/telegram/telegramtest"
)

func TestAWebhookWithoutItsSecretStoresNothing(t *testing.T) {
	t.Parallel()
	eachWebhook(t, "", func(s *telegramShop) {
		update := `{"update_id":7,"message":{"message_id":1,"date":1,"chat":{"id":42,"type":"private"},"from":{"id":42,"first_name":"Eve"},"text":"buy"}}`
		tests := []struct {
			name, secret, body string
			want               int
		}{
			{"no secret", "", update, http.StatusUnauthorized},
			{"a wrong secret", "guessed", update, http.StatusForbidden},
			{"the token as secret", telegramtest.Token, update, http.StatusForbidden},
			{"a wrong secret and no update", "guessed", "{", http.StatusForbidden},
		}
		for _, test := range tests {
			status, answer := s.post("/hooks/telegram", test.secret, test.body)
			if status != test.want {
				s.t.Errorf("%s: status %d, want %d", test.name, status, test.want)
			}
			if strings.Contains(answer, webhookSecret) {
				s.t.Errorf("%s: the answer %q tells the secret", test.name, answer)
			}
		}
		for _, table := range []string{"inbound", "parked", "messages", "conversations", "addresses"} {
			if n := value[int](s.shop, `SELECT count(*) FROM `+table); n != 0 {
				s.t.Errorf("%d rows in %s, want none", n, table)
			}
		}
		if status, _ := s.post("/hooks/telegram", webhookSecret, `{"update`); status != http.StatusBadRequest {
			s.t.Errorf("malformed JSON: status %d, want 400", status)
		}
		if status, _ := s.post("/hooks/nobody", webhookSecret, update); status != http.StatusNotFound {
			s.t.Errorf("an account that is not there: status %d, want 404", status)
		}
	})
}

func TestAShopperBuysThroughTheWebhook(t *testing.T) {
	t.Parallel()
	eachWebhook(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		s.reprice("mug", 1700)
		ann.WaitFor("now costs €17.00")
		press := ann.Press("Buy now, pay €17.00")
		ann.WaitFor("Thank you!")
		s.tg.Redeliver() // its confirmation was lost
		press.Repeat()
		s.tg.WaitConfirmed()
		s.hearsOften(ann, "Thank you!", 1)
		if n := len(s.orders()); n != 1 {
			s.t.Errorf("%d orders, want 1", n)
		}
	})
}

func TestTheTokenOfATelegramBotIsToldToNobody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		base func(*telegramtest.Server) string
		used func(*telegramShop)
	}{
		{"at work", (*telegramtest.Server).URL, func(s *telegramShop) {
			s.product("mug", "Harbour mug", 2000, 5, "")
			s.tg.Wait("the bot to ask for updates", func() bool { return len(s.tg.Calls("getUpdates")) > 0 })
			ann := s.customer(42, "Ann", "mug", "17.50")
			s.tg.Fail("sendMessage", telegramtest.Fault{Code: 400, Description: "Bad Request: /bot" + telegramtest.Token + "/sendMessage"})
			ann.Type("help")
			ann.Type("hello")
			ann.WaitFor("What can I do for you?")
		}},
		{"refused", (*telegramtest.Server).URL, func(s *telegramShop) {
			s.until("the account to fail", func() bool { return s.accountState("telegram") == "failed" })
		}},
		{"unreachable", func(*telegramtest.Server) string { return "http://127.0.0.1:1" }, func(s *telegramShop) {
			s.until("the account to fail", func() bool { return s.accountState("telegram") == "failed" })
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			tg := telegramtest.Start(t)
			if test.name == "refused" {
				tg.Fail("getMe", telegramtest.Fault{Code: 401, Description: "Unauthorized: bot" + telegramtest.Token})
			}
			s := openTelegramAt(t, "sqlite://"+filepath.Join(dir, "parley.db"), tg, test.base(tg), "", "")
			test.used(s)
			for _, page := range []string{"/admin", "/inbox"} {
				shown := s.staffPage(page)
				if page == "/admin" && !strings.Contains(shown, "telegram") {
					s.t.Errorf("%s does not show the account", page)
				}
				if strings.Contains(shown, telegramtest.Token) {
					s.t.Errorf("%s shows the token", page)
				}
			}
			if n := value[int](s.shop, `SELECT count(*) FROM accounts WHERE problem LIKE '%AAStrictFakeToken%'`); n != 0 {
				s.t.Error("the token is stored with the account's problem")
			}
		})
	}
}

func TestTheDatabaseOfATelegramShopHoldsNoToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tg := telegramtest.Start(t)
	s := openTelegram(t, "sqlite://"+filepath.Join(dir, "parley.db"), tg, "", "")
	tg.Wait("the bot to ask for updates", func() bool { return len(tg.Calls("getUpdates")) > 0 })
	s.product("mug", "Harbour mug", 2000, 5, "")
	s.customer(42, "Ann", "mug", "17.50")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("read %s: %d files, %v", dir, len(files), err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), telegramtest.Token) {
			t.Errorf("the token is in %s", f.Name())
		}
	}
}

const webhookSecret = "only-telegram-knows-this"

// eachWebhook runs a test against a shop that Telegram calls, on each database. A proxy with an address of its own stands
// before the shop, as before most.
func eachWebhook(t *testing.T, extra string, test func(*telegramShop)) {
	eachDatabase(t, func(t *testing.T, database string) {
		var shop atomic.Pointer[url.URL]
		proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(shop.Load()) }})
		t.Cleanup(proxy.Close)
		settings := ", mode: webhook, webhook_url: '" + proxy.URL + "/hooks/telegram', webhook_secret: " + webhookSecret
		s := openTelegram(t, database, telegramtest.Start(t), settings, extra)
		base, err := url.Parse(s.base)
		if err != nil {
			t.Fatal(err)
		}
		shop.Store(base)
		s.tg.Wait("the webhook to be set", func() bool { return s.tg.Webhook() != "" })
		test(s)
	})
}

// post posts as Telegram does; no secret leaves its header away.
func (s *shop) post(path, secret, body string) (status int, answer string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
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
	return resp.StatusCode, string(raw)
}

// staffPage signs in, when nobody has yet, and reads a page of the staff's.
func (s *shop) staffPage(path string) string {
	s.t.Helper()
	if s.staff == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		s.staff = &http.Client{Jar: keepSecure{jar}}
		resp, err := s.staff.Post(s.base+"/sign-in/"+s.admin, "application/x-www-form-urlencoded", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	resp, err := s.staff.Get(s.base + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: status %d, %v", path, resp.StatusCode, err)
	}
	return string(raw)
}
