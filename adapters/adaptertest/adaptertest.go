// Package adaptertest is what every messenger must pass. A messenger's test gives it a Harness: how to open an account with
// a person at its other end, and which cases its network cannot have, each with a sentence that says why.
package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters"
	"parley/conversation"
)

// patience is how long a case waits for anything.
const patience = 20 * time.Second

// Harness opens accounts of one messenger for the suite.
type Harness struct {
	// Open makes an account in env with somebody at its other end. Each case has an account of its own.
	Open func(t *testing.T, env adapters.Env) *Line
	// Without names the cases that the network cannot have, with a sentence that says why.
	Without map[string]string
}

// Line is an account and the person at its other end. Its functions are called from the test's goroutine and may fail it.
type Line struct {
	Messenger adapters.Messenger
	// Attach tells the network where to call, if it calls. It comes before Run.
	Attach func(sink adapters.Sink)
	// Ready waits, once Run runs, until the person is connected; nil where they always are.
	Ready  func()
	Chat   string              // the person's chat, as in Event.Chat
	Type   func(string)        // they write
	Press  func(string)        // they press the button of that label on the latest message that has it
	Repeat func()              // the network delivers their latest deed once more
	Read   func() Shown        // the next message they see; waits for it
	Block  func()              // they shut the bot out
	Hold   func(time.Duration) // the network refuses the next message for so long: too many
	Cut    func()              // the network takes the next message, and the connection breaks before it says so
	// Secrets must appear in no log, report or error.
	Secrets []string
}

// Shown is a message as the person sees it.
type Shown struct {
	Text   string
	Labels []string
}

// Run tries every case.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for name := range h.Without {
		if _, known := cases[name]; !known {
			t.Errorf("there is no case %q to be without", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if why := h.Without[name]; why != "" {
				t.Skip(why)
			}
			c := open(t, h)
			cases[name](t, c)
			c.stop()
			c.checkSecrets(t)
		})
	}
}

// call is one case's account while it runs.
type call struct {
	*Line
	inbox  inbox
	said   lines
	errs   []error
	stop   func() // ends Run and waits for it
	cancel func() // ends Run
	ended  chan struct{}
}

func open(t *testing.T, h Harness) *call {
	t.Helper()
	c := &call{ended: make(chan struct{})}
	c.inbox.changed = make(chan struct{})
	c.Line = h.Open(t, adapters.Env{
		Account: "account", HTTP: &http.Client{Timeout: patience}, Now: time.Now, State: &memory{values: map[string]string{}},
		Log:    slog.New(slog.NewTextHandler(&c.said, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Report: func(state, problem string) { _, _ = fmt.Fprintf(&c.said, "report %s %s\n", state, problem) },
	})
	if c.Attach != nil {
		c.Attach(c.inbox.sink)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var runErr error
	go func() {
		defer close(c.ended)
		runErr = c.Messenger.Run(ctx, c.inbox.sink)
	}()
	c.cancel = cancel
	c.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-c.ended:
			if runErr != nil {
				t.Errorf("run ended with %v, want nil", runErr)
			}
		case <-time.After(patience):
			t.Errorf("run did not end in %v", patience)
		}
	})
	t.Cleanup(c.stop)
	if c.Ready != nil {
		c.Ready()
	}
	return c
}

// send delivers a part and keeps the error for checkSecrets.
func (c *call) send(t *testing.T, part adapters.Part) (adapters.Sent, *adapters.SendError) {
	t.Helper()
	part.Chat = c.Chat
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sent, err := c.Messenger.Send(ctx, part)
	if err == nil {
		return sent, nil
	}
	c.errs = append(c.errs, err)
	failed, ok := errors.AsType[*adapters.SendError](err)
	if !ok {
		t.Fatalf("send failed with %T %v, want a *SendError", err, err)
	}
	return sent, failed
}

func (c *call) checkSecrets(t *testing.T) {
	t.Helper()
	said := c.said.String()
	for _, err := range c.errs {
		for e := err; e != nil; e = errors.Unwrap(e) {
			said += "\n" + e.Error()
		}
	}
	for _, e := range c.inbox.all() {
		said += "\n" + string(e.Raw)
	}
	for _, secret := range c.Secrets {
		if strings.Contains(said, secret) {
			t.Errorf("a secret is shown in logs, reports, errors or raw events:\n%s", said)
		}
	}
}

// inbox takes events as the house does: all or nothing, repeats dropped by id.
type inbox struct {
	mu      sync.Mutex
	changed chan struct{}
	events  []conversation.Event
	handed  []conversation.Event // with repeats and refusals
	refuse  int                  // how many hand-overs fail
	hold    chan struct{}        // while not nil, hand-overs wait for it
}

func (in *inbox) sink(_ context.Context, events []conversation.Event) error {
	in.mu.Lock()
	in.handed = append(in.handed, events...)
	in.wake()
	hold := in.hold
	in.mu.Unlock()
	if hold != nil {
		<-hold
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuse > 0 {
		in.refuse--
		return errors.New("commit failed")
	}
	for _, e := range events {
		if !slices.ContainsFunc(in.events, func(o conversation.Event) bool { return o.Chat == e.Chat && o.ID == e.ID }) {
			in.events = append(in.events, e)
		}
	}
	in.wake()
	return nil
}

func (in *inbox) wake() {
	close(in.changed)
	in.changed = make(chan struct{})
}

func (in *inbox) all() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.handed)
}

func (in *inbox) stored() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.events)
}

// await waits until ok holds for what was stored and what was handed over.
func (in *inbox) await(t *testing.T, what string, ok func(stored, handed []conversation.Event) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		in.mu.Lock()
		done, changed := ok(in.events, in.handed), in.changed
		in.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited %v for %s; stored is %+v", patience, what, in.stored())
		}
	}
}

// event waits for the nth stored event.
func (in *inbox) event(t *testing.T, n int) conversation.Event {
	t.Helper()
	in.await(t, fmt.Sprintf("event %d", n), func(stored, _ []conversation.Event) bool { return len(stored) >= n })
	return in.stored()[n-1]
}

// memory is an account's state.
type memory struct {
	mu     sync.Mutex
	values map[string]string
}

func (m *memory) Load(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], nil
}

func (m *memory) Save(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

// lines collects what is logged and reported.
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
