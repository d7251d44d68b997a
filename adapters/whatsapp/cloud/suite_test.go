package cloud

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/adapters/whatsapp/cloudtest"
	"parley/config"
	"parley/conversation"
)

const ann = "16505551234"

func TestWhatsAppCloudPassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			srv := cloudtest.Start(t)
			m := newMessenger(t, srv.URL(), env, nil)
			person := srv.Person(ann, "Ann")
			read, latest := 0, ""
			return &adaptertest.Line{
				Messenger: m, Chat: ann, Secrets: []string{cloudtest.Token, cloudtest.AppSecret, cloudtest.VerifyToken},
				Attach: func(sink adapters.Sink) { srv.SetHook(serveHook(t, m, sink)) },
				Type:   func(text string) { latest = person.Type(text) },
				Sign: func() string {
					srv.Wait("a sign", func() bool { return person.Sign(latest) != "" })
					return person.Sign(latest)
				},
				Press:  person.Press,
				Repeat: srv.Redeliver,
				Hold: func(d time.Duration) {
					usage := `{"102290129340398":[{"type":"whatsapp","call_count":100,"estimated_time_to_regain_access":` + fmtMinutes(d) + `}]}`
					srv.Fail(cloudtest.Fault{Status: 400, Code: 80007, Message: "Rate limit hit", Header: map[string]string{"X-Business-Use-Case-Usage": usage}})
				},
				Cut: func() { srv.Fail(cloudtest.Fault{Cut: true}) },
				Hook: &adaptertest.Hook{
					Body: person.Delivery,
					Prove: func(h http.Header, body []byte, _ time.Time) {
						h.Set(signatureHeader, cloudtest.Sign(cloudtest.AppSecret, body))
					},
					OfBody: true, Longest: maxDelivery,
				},
				Typing: func() {
					srv.Wait("typing", func() bool { typing, _ := person.Sees(); return typing })
				},
				Read: func() adaptertest.Shown {
					srv.Wait("the next message", func() bool { return len(person.Messages()) > read })
					msg := person.Messages()[read]
					read++
					shown := adaptertest.Shown{Text: msg.Text}
					for _, b := range msg.Buttons {
						shown.Labels = append(shown.Labels, b.Label)
					}
					return shown
				},
			}
		},
		Without: map[string]string{
			"blocked":            "WhatsApp does not say when somebody blocks a number; what shows it later is tested beside the adapter",
			"stop with an event": "the web server waits for the hooks it serves, not Run",
			"reconnect":          "Meta makes a connection for each call, and calls again; see repeated delivery and commit fails",
		},
	})
}

func fmtMinutes(d time.Duration) string {
	return strings.TrimSuffix(d.Truncate(time.Minute).String(), "m0s")
}

// serveHook is the house's web server, with this hook alone.
func serveHook(t *testing.T, m *Messenger, sink adapters.Sink) string {
	t.Helper()
	house := httptest.NewServer(m.Hook(sink))
	t.Cleanup(house.Close)
	return house.URL
}

// newMessenger is an account as the test server knows it, with settings besides.
func newMessenger(t *testing.T, base string, env adapters.Env, besides map[string]string) *Messenger {
	t.Helper()
	values := map[string]string{
		"api_base": base, "phone_number_id": cloudtest.NumberID, "access_token": cloudtest.Token,
		"app_secret": cloudtest.AppSecret, "verify_token": cloudtest.VerifyToken,
	}
	for name, value := range besides {
		values[name] = value
	}
	s, err := config.NewSettings(Fields(), values)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, env)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// shop is an account with Ann at the other end, its hook served.
type shop struct {
	*Messenger
	srv   *cloudtest.Server
	ann   *cloudtest.Person
	inbox *inbox
	logs  *bytes.Buffer // read it once nothing runs
}

func newShop(t *testing.T, besides map[string]string) *shop {
	t.Helper()
	srv := cloudtest.Start(t)
	s := &shop{srv: srv, ann: srv.Person(ann, "Ann"), inbox: &inbox{}, logs: &bytes.Buffer{}}
	s.Messenger = newMessenger(t, srv.URL(), adapters.Env{HTTP: srv.Client(), Log: slog.New(slog.NewTextHandler(s.logs, nil))}, besides)
	srv.SetHook(serveHook(t, s.Messenger, s.inbox.sink))
	return s
}

// inbox takes events; the first fails of them not.
type inbox struct {
	mu     sync.Mutex
	fails  int
	posts  int
	events []conversation.Event
}

func (in *inbox) sink(_ context.Context, events []conversation.Event) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.fails > 0 {
		in.fails--
		return errors.New("commit failed")
	}
	in.posts++
	in.events = append(in.events, events...)
	return nil
}

func (in *inbox) all() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]conversation.Event(nil), in.events...)
}

// texts are the words of the events, joined.
func (in *inbox) texts() string {
	var out []string
	for _, e := range in.all() {
		out = append(out, e.Text)
	}
	return strings.Join(out, "|")
}

func refusal(t *testing.T, err error) *adapters.SendError {
	t.Helper()
	got, ok := errors.AsType[*adapters.SendError](err)
	if !ok {
		t.Fatalf("got %v, want a SendError", err)
	}
	return got
}

// deaf refuses every call.
type deaf struct{ t *testing.T }

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	d.t.Errorf("%s %s: want no call", r.Method, r.URL)
	return nil, errors.New("no network")
}
