package telegram

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

// hooked runs a bot whose webhook the strict server calls.
func hooked(t *testing.T, srv *telegramtest.Server) *bot {
	t.Helper()
	var b *bot
	house := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.Hook(b.inbox.sink).ServeHTTP(w, r)
	}))
	t.Cleanup(house.Close)
	b = newBot(t, map[string]string{"api_base": srv.URL(), "mode": "webhook", "webhook_url": house.URL}, srv.Client())
	return b
}

func TestWebhookTakesUpdatesWithTheSecretTelegramWasGiven(t *testing.T) {
	srv := telegramtest.Start(t)
	b := hooked(t, srv)
	b.start(t)
	ann := srv.Person(42, "Ann")
	ann.Type("one")
	ann.Type("two")
	srv.WaitConfirmed()
	if got := b.inbox.texts(); got != "one,two" {
		t.Errorf("got %q, want one,two", got)
	}
	if got := srv.Attempts(); got != 2 {
		t.Errorf("got %d deliveries, want 2", got)
	}
}

func TestWebhookWhoseCommitFailsIsCalledAgainInOrder(t *testing.T) {
	srv := telegramtest.Start(t)
	b := hooked(t, srv)
	b.inbox.fails = 2
	b.start(t)
	ann := srv.Person(42, "Ann")
	ann.Type("one")
	ann.Type("two")
	srv.WaitConfirmed()
	if got := b.inbox.texts(); got != "one,two" {
		t.Errorf("got %q, want one,two", got)
	}
	if got := srv.Attempts(); got != 4 {
		t.Errorf("got %d deliveries, want 4", got)
	}
}

func TestAPressThatCameByWebhookIsAnsweredInTheReply(t *testing.T) {
	srv := telegramtest.Start(t)
	b := hooked(t, srv)
	b.start(t)
	ann := srv.Person(42, "Ann")
	ann.Meet()
	if _, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "pick", Choices: []conversation.Option{{Label: "Yes", Value: "v-yes"}}}); err != nil {
		t.Fatal(err)
	}
	b.inbox.fails = 1
	press := ann.Press("Yes")
	srv.WaitConfirmed()
	if !press.Answered() {
		t.Error("the button still spins")
	}
	if got := len(srv.Calls("answerCallbackQuery")); got != 1 { // none with the commit that failed
		t.Errorf("%d answers, want 1", got)
	}
}

func TestWebhookAnswers(t *testing.T) {
	const secret = "right"
	const update = `{"update_id":5,"message":{"chat":{"id":42},"from":{"id":42},"text":"hi"}}`
	tests := []struct {
		name, method, secret, body string
		fails                      int
		status, stored             int
	}{
		{"an update", "POST", secret, update, 0, 200, 1},
		{"what we do not act on", "POST", secret, `{"update_id":5,"poll":{}}`, 0, 200, 0},
		{"no secret", "POST", "", update, 0, 401, 0},
		{"a wrong secret", "POST", "wrong", update, 0, 403, 0},
		{"a prefix of the secret", "POST", secret[:3], update, 0, 403, 0},
		{"a wrong secret and garbage", "POST", "wrong", "x", 0, 403, 0},
		{"malformed JSON", "POST", secret, `{"update_id":`, 0, 400, 0},
		{"no update", "POST", secret, `{"hello":1}`, 0, 400, 0},
		{"more than 256 KiB", "POST", secret, `{"update_id":5,"x":"` + strings.Repeat("x", 256<<10) + `"}`, 0, 413, 0},
		{"GET", "GET", secret, "", 0, 405, 0},
		{"commit fails", "POST", secret, update, 1, 503, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBot(t, map[string]string{"mode": "webhook", "webhook_url": "https://chat.example/hooks/t", "webhook_secret": secret}, nil)
			b.inbox.fails = tt.fails
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "/hooks/t", strings.NewReader(tt.body))
			if tt.secret != "" {
				r.Header.Set("X-Telegram-Bot-Api-Secret-Token", tt.secret)
			}
			w := httptest.NewRecorder()
			b.Hook(b.inbox.sink).ServeHTTP(w, r)
			if w.Code != tt.status || len(b.inbox.stored()) != tt.stored {
				t.Errorf("got %d and %d events, want %d and %d", w.Code, len(b.inbox.stored()), tt.status, tt.stored)
			}
			if said := w.Body.String() + b.out.String(); strings.Contains(said, secret) {
				t.Errorf("got %q, want nothing of the secret", said)
			}
			if got := w.Header().Get("Retry-After"); (got != "") != (tt.status == 503) {
				t.Errorf("got Retry-After %q with %d", got, w.Code)
			}
		})
	}
}

func TestHookOfAPollingAccountTakesNothing(t *testing.T) {
	b := newBot(t, map[string]string{}, nil)
	w := httptest.NewRecorder()
	b.Hook(b.inbox.sink).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/hooks/t", strings.NewReader(`{"update_id":1}`)))
	if w.Code != http.StatusNotFound {
		t.Errorf("got %d, want 404", w.Code)
	}
}
