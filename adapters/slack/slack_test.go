package slack

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/slack/workspacetest"
	"parley/config"
	"parley/conversation"
)

// bot is an app in a workspace, with an inbox that can be told to hold or refuse.
type bot struct {
	*Messenger
	state *memory
	said  *lines

	mu      sync.Mutex
	changed chan struct{}
	handed  []conversation.Event
	refuse  int
	hold    chan struct{}
	reports []string
}

func newBot(t *testing.T, base string, client *http.Client, settings map[string]string) *bot {
	t.Helper()
	b := &bot{state: &memory{values: map[string]string{}}, said: &lines{}, changed: make(chan struct{})}
	if client == nil {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		client = &http.Client{Transport: transport}
	}
	b.Messenger = newMessenger(t, adapters.Env{
		HTTP: client, State: b.state, Log: slog.New(slog.NewTextHandler(b.said, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Report: func(state, problem string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.reports = append(b.reports, strings.TrimSpace(state+" "+problem))
			close(b.changed)
			b.changed = make(chan struct{})
		},
	}, base, settings)
	return b
}

func socketBot(t *testing.T, srv *workspacetest.Server) *bot {
	t.Helper()
	return newBot(t, srv.URL(), nil, map[string]string{"mode": "socket", "app_token": workspacetest.AppToken})
}

func eventsBot(t *testing.T, base string, settings map[string]string) *bot {
	t.Helper()
	all := map[string]string{"mode": "events", "signing_secret": workspacetest.SigningSecret}
	maps.Copy(all, settings)
	return newBot(t, base, nil, all)
}

// start runs the bot; the function it returns stops it and gives Run's error.
func (b *bot) start(t *testing.T) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, b.sink) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("run did not end in 20 s")
		}
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

func (b *bot) sink(_ context.Context, events []conversation.Event) error {
	b.mu.Lock()
	b.handed = append(b.handed, events...)
	hold := b.hold
	close(b.changed)
	b.changed = make(chan struct{})
	b.mu.Unlock()
	if hold != nil {
		<-hold
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse > 0 {
		b.refuse--
		return errors.New("commit failed")
	}
	return nil
}

func (b *bot) events() []conversation.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.handed)
}

// await waits for the nth event that was handed over.
func (b *bot) await(t *testing.T, n int) conversation.Event {
	t.Helper()
	b.waitFor(t, "an event", func() bool { return len(b.handed) >= n })
	return b.events()[n-1]
}

func (b *bot) reported(t *testing.T, what string) {
	t.Helper()
	b.waitFor(t, "the report "+what, func() bool {
		return slices.ContainsFunc(b.reports, func(r string) bool { return strings.Contains(r, what) })
	})
}

func (b *bot) waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		done, changed := ok(), b.changed
		b.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited 20 s for %s; handed over is %+v", what, b.events())
		}
	}
}

// noGoroutines fails when something of the library still runs.
func noGoroutines(t *testing.T) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "slack-go/slack/socketmode") && !strings.Contains(stacks, "slack.(*Messenger)") {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("goroutines are left:\n%s", stacks)
		}
	}
}

func TestANewAccountIsRefusedWithoutWhatItsModeNeeds(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings map[string]string
		want     string
	}{
		{"socket without its token", map[string]string{"bot_token": "xoxb-1"}, "app_token"},
		{"events without the secret", map[string]string{"bot_token": "xoxb-1", "mode": "events"}, "signing_secret"},
		{"tokens exchanged", map[string]string{"bot_token": "xapp-1", "app_token": "xoxb-1"}, "exchanged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := config.NewSettings(Spec.Fields, c.settings)
			if err == nil {
				_, err = New(s, adapters.Env{})
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a word on %s", err, c.want)
			}
		})
	}
}

func TestALinkIsThereOnceTheAppIsKnown(t *testing.T) {
	srv := workspacetest.Start(t)
	b := socketBot(t, srv)
	if got := b.Link("t"); got != "" {
		t.Errorf("got %q before the app is known, want nothing", got)
	}
	stop := b.start(t)
	b.reported(t, "ready")
	want := "https://slack.com/app_redirect?app=A0APP&team=T0TEAM&start=tok_1"
	if got := b.Link("tok_1"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	again := newMessenger(t, adapters.Env{State: b.state}, "http://127.0.0.1:1/", map[string]string{"app_token": "xapp-1"})
	again.recall(t.Context())
	if got := again.Link("tok_1"); got != want {
		t.Errorf("got %q after a restart, want %q", got, want)
	}
}

func TestARefusedTokenEndsRunAndIsNotShown(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Fail("auth.test", workspacetest.Fault{Code: "token_revoked"})
	b := socketBot(t, srv)
	stop := b.start(t)
	b.reported(t, "failed")
	err := stop()
	if err == nil || !strings.Contains(err.Error(), "token_revoked") {
		t.Errorf("got %v, want token_revoked", err)
	}
	if strings.Contains(b.said.String(), workspacetest.BotToken) {
		t.Errorf("the token is in the log:\n%s", b.said)
	}
}

func TestAServerThatIsDownForAWhileIsAskedAgain(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Fail("auth.test", workspacetest.Fault{Status: http.StatusBadGateway, Body: "<html>"})
	b := socketBot(t, srv)
	b.start(t)
	b.reported(t, "failed learn who the bot is: Slack answered 502")
	b.reported(t, "ready")
}

// memory is an account's state; fail makes it unreadable.
type memory struct {
	mu     sync.Mutex
	values map[string]string
	fail   bool
}

func (m *memory) Load(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail {
		return "", errors.New("database gone")
	}
	return m.values[key], nil
}

func (m *memory) Save(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestTheSamplesOfTheFieldsMakeAnAccount(t *testing.T) {
	if err := config.Check(Spec.Fields); err != nil {
		t.Error(err)
	}
	values := map[string]string{}
	for _, f := range Spec.Fields {
		values[f.Name] = f.Sample
	}
	s, err := config.NewSettings(Spec.Fields, values)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Spec.New(s, adapters.Env{}); err != nil {
		t.Error(err)
	}
}
