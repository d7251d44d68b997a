package telegram

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/config"
	"parley/conversation"
)

// fuzzed is a bot that is called by its webhook and reaches nobody.
func fuzzed(f *testing.F) *Messenger {
	f.Helper()
	s, err := config.NewSettings(Spec.Fields, map[string]string{"token": telegramtest.Token, "mode": "webhook", "webhook_url": "https://chat.example/hooks/t", "webhook_secret": "right"})
	if err != nil {
		f.Fatal(err)
	}
	m, err := New(s, adapters.Env{HTTP: &http.Client{Transport: nobody{}}, State: &memory{}})
	if err != nil {
		f.Fatal(err)
	}
	return m
}

// nobody is a network on which there is nobody.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

func FuzzHook(f *testing.F) {
	m := fuzzed(f)
	for _, body := range []string{
		`{"update_id":5,"message":{"message_id":1,"date":1700000000,"chat":{"id":42,"type":"private"},"from":{"id":42,"first_name":"Ann"},"text":"hi"}}`,
		`{"update_id":5,"message":{"chat":{"id":42},"from":{"id":42},"text":"/start abc","entities":[{"type":"bot_command","offset":0,"length":6}]}}`,
		`{"update_id":6,"callback_query":{"id":"1","from":{"id":42},"data":"v","message":{"message_id":1,"chat":{"id":42,"type":"private"}}}}`,
		`{"update_id":7,"my_chat_member":{"chat":{"id":42,"type":"private"},"from":{"id":42},"date":1,"old_chat_member":{"status":"member","user":{}},"new_chat_member":{"status":"kicked","user":{}}}}`,
		`{"update_id":8,"pre_checkout_query":{"id":"1","from":{"id":42},"currency":"EUR","total_amount":1299,"invoice_payload":"q"}}`,
		`{"update_id":9,"message":{"chat":{"id":-100,"type":"supergroup"},"message_thread_id":3,"from":{"id":42},"text":"x","is_topic_message":true}}`,
		`{"update_id":9,"message_reaction":{"chat":{"id":42,"type":"private"},"message_id":3,"user":{"id":42},"date":1,"old_reaction":[],"new_reaction":[{"type":"emoji","emoji":"👍"}]}}`,
		`{"update_id":10,"message":{"chat":{"id":42},"from":{"id":42},"successful_payment":{"currency":"EUR","total_amount":1299,"invoice_payload":"q","telegram_payment_charge_id":"c"}}}`,
		`{"update_id":99999999999999999999}`, `{"update_id":null}`, `[]`, ``, `{"update_id":1,"message":{"photo":[{}],"caption":"\u0000"}}`,
	} {
		f.Add(body, "right")
	}
	f.Add(`{"update_id":5}`, "wrong")
	f.Fuzz(func(t *testing.T, body, secret string) {
		in := &inbox{}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/t", strings.NewReader(body))
		r.Header[secretHeader] = []string{secret}
		w := httptest.NewRecorder()
		m.Hook(in.sink).ServeHTTP(w, r)
		if taken := w.Code == http.StatusOK; taken && secret != "right" || w.Code >= 500 {
			t.Errorf("answered %d with the secret %q", w.Code, secret)
		}
		for _, e := range in.stored() {
			if e.ID == "" && e.Kind != conversation.Checkout || e.Kind == "" || e.Chat == "" || strings.Contains(string(e.Raw), telegramtest.Token) {
				t.Errorf("an event that is none came of %q: %+v", body, e)
			}
		}
	})
}
