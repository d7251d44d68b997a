// Package adaptertest is what every messenger must pass. A messenger's test gives it a Harness: how to open an account with
// a person at its other end, and which cases its network cannot have, each with a sentence that says why.
package adaptertest

import (
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
)

// patience is how long a case waits for anything.
const patience = 20 * time.Second

// Harness opens accounts of one messenger for the suite.
type Harness struct {
	// Open makes an account in env with somebody at its other end. Each case has an account of its own.
	Open func(t *testing.T, env adapters.Env) *Line
	// Without names the cases that the network cannot have, with a sentence that says why.
	Without map[string]string
	// Shared says that the cases share a network, so that they go one after the other.
	Shared bool
}

// Line is an account and the person at its other end. Its functions are called from the test's goroutine and may fail it.
type Line struct {
	Messenger adapters.Messenger
	// Attach tells the network where to call, if it calls. It comes before Run.
	Attach func(sink adapters.Sink)
	// Left waits, once Run has ended, until the network has seen it go; nil where nothing is kept open.
	Left func()
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
	Drop   func()              // the connection to the network is lost; it can be made again at once
	// Beside has the network deliver their latest deed so many times more, each by a sender of its own that waits for nobody else. Nil
	// where there is one sender: then it repeats.
	Beside func(times int)
	// Shuffle has them write these, and the network bring them in another order. Nil where Hook does it.
	Shuffle func(texts ...string)
	// Hook is how the network calls the account; nil where it does not.
	Hook *Hook
	// Typing waits until they are shown that somebody writes to them.
	Typing func()
	// Reread waits until the latest message they were sent has been changed, and shows it; without a change it may show it as it was.
	Reread func() Shown
	// Sign waits until they see a sign on their latest message, and returns it.
	Sign func() string
	// Room is where staff work, and who is there.
	Room *Room
	// Secrets must appear in no log, report or error.
	Secrets []string
}

// Shown is a message as the person sees it.
type Shown struct {
	Text   string
	Labels []string
}

// play is how a case goes. lacks says what a line must have for it; "" when it has all.
type play struct {
	run   func(*testing.T, *call)
	lacks func(*Line) string
}

// Cases are the names of what a messenger must do.
func Cases() []string { return slices.Sorted(maps.Keys(cases)) }

// Run tries every case.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for name := range h.Without {
		if _, known := cases[name]; !known {
			t.Errorf("there is no case %q to be without", name)
		}
	}
	for _, name := range Cases() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if !h.Shared {
				t.Parallel()
			}
			if why := h.Without[name]; why != "" {
				t.Skip(why)
			}
			c := open(t, h)
			if lacks := cases[name].lacks; lacks != nil && lacks(c.Line) != "" {
				t.Fatalf("the line has no %s: give it one, or name this case in Without with a sentence that says why the network has none", lacks(c.Line))
			}
			cases[name].run(t, c)
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
	told   []string // what the hook answered
	stop   func()   // ends Run and waits for it
	cancel func()   // ends Run
	ended  chan struct{}
}

func open(t *testing.T, h Harness) *call {
	t.Helper()
	c := &call{}
	c.inbox.changed = make(chan struct{})
	c.Line = h.Open(t, adapters.Env{
		Account: "account", HTTP: &http.Client{Timeout: patience}, Now: time.Now, State: &memory{values: map[string]string{}},
		Log:    slog.New(slog.NewTextHandler(&c.said, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Report: func(state, problem string) { _, _ = fmt.Fprintf(&c.said, "report %s %s\n", state, problem) },
	})
	if c.Attach != nil {
		c.Attach(c.inbox.sink)
	}
	c.run(t)
	return c
}

// run has the account receive, until stop.
func (c *call) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	var runErr error
	go func() {
		defer close(ended)
		runErr = c.Messenger.Run(ctx, c.inbox.sink)
	}()
	c.cancel, c.ended = cancel, ended
	c.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
			if runErr != nil {
				t.Errorf("run ended with %v, want nil", runErr)
			}
		case <-time.After(patience):
			t.Errorf("run did not end in %v", patience)
		}
		if c.Left != nil {
			c.Left()
		}
	})
	t.Cleanup(c.stop)
	if c.Ready != nil {
		c.Ready()
	}
}

// send delivers a part and keeps the error for checkSecrets.
func (c *call) send(t *testing.T, part adapters.Part) (adapters.Sent, *adapters.SendError) {
	t.Helper()
	part.Chat = c.Chat
	return c.post(t, part)
}

// post is send for a part that says itself where to.
func (c *call) post(t *testing.T, part adapters.Part) (adapters.Sent, *adapters.SendError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sent, err := c.Messenger.Send(ctx, part)
	return sent, c.failure(t, "send", err)
}

// failure keeps an error for checkSecrets.
func (c *call) failure(t *testing.T, what string, err error) *adapters.SendError {
	t.Helper()
	if err == nil {
		return nil
	}
	c.errs = append(c.errs, err)
	failed, ok := errors.AsType[*adapters.SendError](err)
	if !ok {
		t.Fatalf("%s failed with %T %v, want a *SendError", what, err, err)
	}
	return failed
}

func (c *call) checkSecrets(t *testing.T) {
	t.Helper()
	said := c.said.String() + strings.Join(c.told, "\n")
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
