package slack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/slack/workspacetest"
	"parley/config"
	"parley/conversation"
)

// fuzzed is an app that is called by its hook, at an instant that stands still, and reaches nobody.
func fuzzed(t testing.TB, now time.Time) *Messenger {
	t.Helper()
	s, err := config.NewSettings(Spec.Fields, map[string]string{
		"bot_token": workspacetest.BotToken, "api_base": "http://127.0.0.1:1/", "mode": "events", "signing_secret": workspacetest.SigningSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, adapters.Env{
		HTTP: &http.Client{Transport: nobody{}}, State: &memory{values: map[string]string{}}, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// nobody is a network on which there is nobody.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

func FuzzHook(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	m := fuzzed(f, now)
	pressed := url.Values{"payload": {`{"type":"block_actions","user":{"id":"U1"},"channel":{"id":"D1"},"message":{"ts":"1.1"},"actions":[{"action_id":"a","value":"v","action_ts":"1.2"}]}`}}.Encode()
	for _, body := range []string{
		helloEvent, `{"type":"url_verification","challenge":"c"}`, `{"type":"event_callback"}`, `{"type":"event_callback","event":7}`, `[]`, ``,
		`{"type":"event_callback","event":{"type":"message","subtype":"message_changed","channel":"D1","message":{"user":"U1","text":"<@U1> &lt;b&gt; <https://x|y>","ts":"1.1"}}}`,
		`{"type":"event_callback","event":{"type":"app_mention","channel":"C1","user":"U1","text":"<@U0> hi","ts":"99999999999.9","thread_ts":"x"}}`,
	} {
		f.Add(body, false)
	}
	f.Add(pressed, true)
	f.Add("payload=%7B", true)
	f.Fuzz(func(t *testing.T, body string, form bool) {
		var events []conversation.Event
		hook := m.Hook(func(_ context.Context, all []conversation.Event) error {
			events = append(events, all...)
			return nil
		})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/slack", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if form {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		workspacetest.Sign(r.Header, []byte(body), workspacetest.SigningSecret, now)
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable { // 503: it has to ask Slack who that is
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		for _, e := range events {
			if e.ID == "" || e.Kind == "" || e.Chat == "" {
				t.Errorf("an event that is none came of %q: %+v", body, e)
			}
		}
	})
}

func FuzzSignature(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	m := fuzzed(f, now)
	genuine := http.Header{}
	workspacetest.Sign(genuine, []byte("body"), workspacetest.SigningSecret, now)
	stamp, signature := genuine.Get("X-Slack-Request-Timestamp"), genuine.Get("X-Slack-Signature")
	f.Add(stamp, signature, "body")
	f.Add("", "", "")
	f.Add("-9223372036854775808", "v0=", "body")
	f.Fuzz(func(t *testing.T, at, signed, body string) {
		header := http.Header{"X-Slack-Request-Timestamp": {at}, "X-Slack-Signature": {signed}}
		if err := m.verify(header, []byte(body)); err == nil && (at != stamp || !strings.EqualFold(signed, signature) || body != "body") {
			t.Errorf("%q at %q was taken for a signature of %q", signed, at, body)
		}
	})
}

func FuzzEscape(f *testing.F) {
	for _, text := range []string{"a < b & c > d", "<!channel> *bold* <@U1>", "&amp;", "<https://x|y>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(escape(text), "<>") || asTyped(escape(text)) != text {
			t.Errorf("%q is written %q and read %q", text, escape(text), asTyped(escape(text)))
		}
	})
}

func TestTextShowsAsItWasWritten(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	const text = "5 < 6 & 7 > 6; <!channel> is called by nobody, nor is <@U0ANN>"
	if _, err := b.Send(t.Context(), adapters.Part{Chat: "D0ANN", Text: text, Key: "msg_1"}); err != nil {
		t.Fatal(err)
	}
	if got := srv.Messages("D0ANN"); len(got) != 1 || got[0].Text != text {
		t.Errorf("shown as %+v, want %q", got, text)
	}
}

func TestASignatureHoldsForFiveMinutesEitherWay(t *testing.T) {
	made := time.Unix(1_800_000_000, 0)
	header := http.Header{}
	workspacetest.Sign(header, []byte(helloEvent), workspacetest.SigningSecret, made)
	for after, fresh := range map[time.Duration]bool{0: true, 299 * time.Second: true, -299 * time.Second: true, 301 * time.Second: false, -301 * time.Second: false} {
		if err := fuzzed(t, made.Add(after)).verify(header, []byte(helloEvent)); (err == nil) != fresh {
			t.Errorf("after %v: %v, want it taken: %v", after, err, fresh)
		}
	}
}
