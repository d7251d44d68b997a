package telegram

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
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
			srv := telegramtest.Start(t)
			l := line(t, env, srv, map[string]string{})
			l.Drop = srv.Drop
			return l
		},
		Without: map[string]string{
			"reordering": "Telegram hands updates out sorted by their ids, and confirming one confirms all before it",
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
			l.Hook = &adaptertest.Hook{
				Body:  srv.Person(42, "Ann").Update,
				Prove: func(h http.Header, _ []byte, _ time.Time) { h.Set("X-Telegram-Bot-Api-Secret-Token", "hooksecret") },
			}
			l.Attach = func(sink adapters.Sink) { hook <- l.Messenger.(adapters.Webhook).Hook(sink) }
			return l
		},
		Without: map[string]string{
			"stop with an event": "the web server waits for the hooks it serves, not Run",
			"reconnect":          "Telegram makes a connection for each call, and calls again; see repeated delivery and commit fails",
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
		Sign: func() string {
			srv.Wait("a sign", func() bool { return len(ann.Reactions()) > 0 })
			for _, sign := range ann.Reactions() {
				return sign
			}
			return ""
		},
		Typing: func() { srv.Wait("typing", func() bool { return len(srv.Calls("sendChatAction")) > 0 }) },
		Reread: func() adaptertest.Shown {
			all := ann.Messages()
			return shown(all[len(all)-1])
		},
		Room: staffGroup(srv),
		Read: func() adaptertest.Shown {
			srv.Wait("the next message", func() bool { return len(ann.Messages()) > read })
			read++
			return shown(ann.Messages()[read-1])
		},
	}
}

func shown(msg telegramtest.Message) adaptertest.Shown {
	s := adaptertest.Shown{Text: msg.Text}
	for _, b := range msg.Buttons {
		s.Labels = append(s.Labels, b.Label)
	}
	return s
}

// staffGroup is a group with topics, where Rita works. Telegram tells bots of no deletion.
func staffGroup(srv *telegramtest.Server) *adaptertest.Room {
	const id = -1001234567890
	group, rita := srv.Group(id, "Staff", true), srv.Person(77, "Rita")
	read, latest := map[string]int{}, 0
	topic := func(thread string) int {
		_, after, _ := strings.Cut(thread, ":")
		n, _ := strconv.Atoi(after)
		return n
	}
	return &adaptertest.Room{
		ID:    strconv.Itoa(id),
		Say:   func(thread, text string) { latest = group.Say(rita, topic(thread), text) },
		Edit:  func(_, text string) { group.Edit(rita, latest, text) },
		Press: func(thread, label string) { group.Press(rita, topic(thread), label) },
		Aside: func(text string) { group.Say(rita, 0, text) },
		Read: func(thread string) adaptertest.Shown {
			srv.Wait("a message in the topic", func() bool { return len(group.Messages(topic(thread))) > read[thread] })
			read[thread]++
			return shown(group.Messages(topic(thread))[read[thread]-1].Message)
		},
	}
}
