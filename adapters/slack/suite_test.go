package slack

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/adapters/slack/workspacetest"
	"parley/config"
)

// withoutBlocking is why no test shuts the bot out: TestSendSaysWhatFollowsFromARefusal has the refusals that mean it.
const withoutBlocking = "a person cannot block an app of their workspace, and Slack tells nobody of a closed chat"

func TestSlackBySocketPassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			srv := workspacetest.Start(t)
			l := newLine(t, env, srv, map[string]string{"mode": "socket", "app_token": workspacetest.AppToken})
			l.Ready, l.Drop, l.Shuffle = srv.Connected, srv.Drop, srv.Ann().Shuffle
			return l
		},
		Without: map[string]string{"blocked": withoutBlocking},
	})
}

func TestSlackByEventsPassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			srv := workspacetest.Start(t)
			l := newLine(t, env, srv, map[string]string{"mode": "events", "signing_secret": workspacetest.SigningSecret})
			l.Hook = &adaptertest.Hook{
				Body: srv.Ann().Call,
				Prove: func(h http.Header, body []byte, at time.Time) {
					workspacetest.Sign(h, body, workspacetest.SigningSecret, at)
				},
				OfBody: true, Dated: true, Longest: maxPayload,
			}
			l.Attach = func(sink adapters.Sink) {
				house := httptest.NewServer(l.Messenger.(adapters.Webhook).Hook(sink))
				t.Cleanup(house.Close)
				srv.Hook(house.URL)
			}
			return l
		},
		Without: map[string]string{
			"blocked":            withoutBlocking,
			"stop with an event": "the web server waits for the hooks it serves, not Run",
			"reconnect":          "Slack makes a connection for each call, and calls again; see repeated delivery and commit fails",
		},
	})
}

// newMessenger is an app in the strict workspace.
func newMessenger(t *testing.T, env adapters.Env, base string, settings map[string]string) *Messenger {
	t.Helper()
	settings["bot_token"], settings["api_base"] = workspacetest.BotToken, base
	s, err := config.NewSettings(Spec.Fields, settings)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, env)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newLine is an app in the strict workspace, with Ann at the other end.
func newLine(t *testing.T, env adapters.Env, srv *workspacetest.Server, settings map[string]string) *adaptertest.Line {
	t.Helper()
	// A client of its own, so that no connection of an earlier case is left to it.
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	env.HTTP = &http.Client{Transport: transport, Timeout: env.HTTP.Timeout}
	m := newMessenger(t, env, srv.URL(), settings)
	ann := srv.Ann()
	read := 0
	return &adaptertest.Line{
		Messenger: m, Chat: ann.DM,
		Secrets: []string{
			workspacetest.BotToken, workspacetest.AppToken, workspacetest.SigningSecret, workspacetest.VerificationToken, workspacetest.Ticket,
		},
		Type:   func(text string) { ann.Type(text) },
		Press:  ann.Press,
		Repeat: srv.Redeliver,
		Hold: func(d time.Duration) {
			srv.Fail("chat.postMessage", workspacetest.Fault{Status: http.StatusTooManyRequests, RetryAfter: d})
		},
		Cut: func() { srv.Fail("chat.postMessage", workspacetest.Fault{Cut: true}) },
		Read: func() adaptertest.Shown {
			srv.Wait("the next message", func() bool { return len(srv.Messages(ann.DM)) > read })
			msg := srv.Messages(ann.DM)[read]
			read++
			return adaptertest.Shown{Text: msg.Text, Labels: msg.Labels()}
		},
		Reread: func() adaptertest.Shown {
			all := srv.Messages(ann.DM)
			msg := all[len(all)-1]
			return adaptertest.Shown{Text: msg.Text, Labels: msg.Labels()}
		},
		Room: staffChannel(srv),
	}
}

// staffChannel is a channel in which Rita works.
func staffChannel(srv *workspacetest.Server) *adaptertest.Room {
	const channel = "C0STAFF"
	srv.Channel(channel)
	rita := srv.Person("U0RITA", "Rita")
	read, latest := map[string]int{}, ""
	root := func(thread string) string {
		_, ts, _ := strings.Cut(thread, ":")
		return ts
	}
	// said are the bot's messages in a thread but for the one that began it.
	said := func(thread string) (out []workspacetest.Message) {
		for _, m := range srv.Messages(channel) {
			if m.Thread == root(thread) {
				out = append(out, m)
			}
		}
		return out
	}
	return &adaptertest.Room{
		ID:     channel,
		Say:    func(thread, text string) { latest = rita.TypeIn(channel, root(thread), text) },
		Edit:   func(_, text string) { rita.Edit(channel, latest, text) },
		Delete: func(string) { rita.Delete(channel, latest) },
		Press:  func(_, label string) { rita.Press(label) },
		Aside:  func(text string) { rita.TypeIn(channel, "", text) },
		Read: func(thread string) adaptertest.Shown {
			srv.Wait("a message in the thread", func() bool { return len(said(thread)) > read[thread] })
			read[thread]++
			msg := said(thread)[read[thread]-1]
			return adaptertest.Shown{Text: msg.Text, Labels: msg.Labels()}
		},
	}
}
