package slack

import (
	"net/http"
	"net/http/httptest"
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
			l.Ready = srv.Connected
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
	}
}
