package telegram

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/adapters/telegram/telegramtest"
	"parley/config"
)

func TestTelegramByPollingPassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			return line(t, env, telegramtest.Start(t), map[string]string{})
		},
	})
}

func TestTelegramByWebhookPassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			hook := make(chan http.Handler, 1)
			house := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := <-hook
				hook <- h
				h.ServeHTTP(w, r)
			}))
			t.Cleanup(house.Close)
			srv := telegramtest.Start(t)
			l := line(t, env, srv, map[string]string{"mode": "webhook", "webhook_url": house.URL, "webhook_secret": "hooksecret"})
			l.Secrets = append(l.Secrets, "hooksecret")
			l.Attach = func(sink adapters.Sink) { hook <- l.Messenger.(adapters.Webhook).Hook(sink) }
			return l
		},
		Without: map[string]string{
			"stop with an event": "the web server waits for the hooks it serves, not Run",
		},
	})
}

// line is an account at the strict server, with Ann at the other end.
func line(t *testing.T, env adapters.Env, srv *telegramtest.Server, settings map[string]string) *adaptertest.Line {
	t.Helper()
	settings["token"], settings["api_base"] = telegramtest.Token, srv.URL()
	s, err := config.NewSettings(Spec.Fields, settings)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, env)
	if err != nil {
		t.Fatal(err)
	}
	ann := srv.Person(42, "Ann")
	ann.Meet()
	read := 0
	return &adaptertest.Line{
		Messenger: m, Chat: "42", Secrets: []string{telegramtest.Token},
		Type:   func(text string) { ann.Type(text) },
		Press:  func(label string) { ann.Press(label) },
		Repeat: srv.Redeliver,
		Block:  ann.Block,
		Hold: func(d time.Duration) {
			srv.Fail("sendMessage", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after", RetryAfter: int(d.Seconds())})
		},
		Cut: func() { srv.Fail("sendMessage", telegramtest.Fault{Cut: true}) },
		Read: func() adaptertest.Shown {
			srv.Wait("the next message", func() bool { return len(ann.Messages()) > read })
			msg := ann.Messages()[read]
			read++
			shown := adaptertest.Shown{Text: msg.Text}
			for _, b := range msg.Buttons {
				shown.Labels = append(shown.Labels, b.Label)
			}
			return shown
		},
	}
}
