// Package console is the smallest messenger: a person at a terminal. It is the one to copy for a new one.
//
// A messenger has four parts. Spec describes it to the config and the documentation. New makes one account of it and calls
// nobody. Run receives: it turns what the network says into events, hands them to the sink, and confirms to the network
// only what the sink has taken. Send delivers one part that is within the limits already.
//
// Then add Spec to package adapters/all and let package adapters/adaptertest try the rest; console_test.go shows how.
package console

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/adapters"
	"parley/config"
	"parley/conversation"
)

// limits are data: package bots splits, shortens and falls back by them, and the documentation is made from them. A
// terminal has no limit for a text, and shows choices as numbers.
var limits = adapters.Limits{Buttons: adapters.Buttons{Max: 9, Value: 64}}

// Spec describes the console. A network with settings lists them in Fields; see package telegram.
var Spec = adapters.Spec{
	Name:          "console",
	Title:         "Console",
	Doc:           "The terminal that Parley was started in; for trying things out.",
	Limits:        limits,
	MayWriteFirst: true,
	New: func(_ config.Settings, env adapters.Env) (adapters.Messenger, error) {
		return New(os.Stdin, os.Stdout, env), nil
	},
}

// person is whoever sits at the terminal. Networks give ids of their own for chats and people: pass them on unread.
const person = "console"

// Messenger is one terminal.
type Messenger struct {
	in  io.Reader
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex // Send may be called while Run runs, and several times at once
	out     io.Writer
	choices []conversation.Option // of the latest message that had some
}

// What a messenger claims to be is checked here. One whose network calls us claims adapters.Webhook too, one with links
// that open a chat adapters.Linker, one that can show "typing" adapters.Typer.
var _ adapters.Messenger = (*Messenger)(nil)

// New reads lines from in and writes messages to out, each by one Write. Of env it uses Log and Now, which may be nil.
func New(in io.Reader, out io.Writer, env adapters.Env) *Messenger {
	m := &Messenger{in: in, out: out, log: env.Log, now: env.Now}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	return m
}

// Limits says what a terminal can carry.
func (m *Messenger) Limits() adapters.Limits { return limits }

// Run takes lines until ctx or the input ends. A read that waits for the keyboard cannot be called off: its goroutine
// lives until the next line.
func (m *Messenger) Run(ctx context.Context, sink adapters.Sink) error {
	lines, failed := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(m.in)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
		failed <- scan.Err()
	}()
	began := m.now().UnixNano()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return ended(ctx, failed)
			}
			// A network gives every event an id, by which repeats drop out. A terminal has none, so we count.
			event, ok := m.event(line, fmt.Sprintf("%d-%d", began, n))
			if !ok {
				continue
			}
			if !m.deliver(ctx, sink, event) {
				return nil
			}
		}
	}
}

// ended is what Run answers when no more lines come.
func ended(ctx context.Context, failed <-chan error) error {
	select {
	case err := <-failed:
		if err != nil {
			return fmt.Errorf("read the terminal: %w", err)
		}
	case <-ctx.Done():
	}
	return nil
}

// event converts a line: the number of a choice on the screen, or words. There is nothing in an empty line.
func (m *Messenger) event(line, id string) (conversation.Event, bool) {
	event := conversation.Event{Kind: conversation.Text, Chat: person, Sender: person, ID: id, At: m.now(), Text: adapters.Clean(line)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n, err := strconv.Atoi(event.Text); err == nil && n >= 1 && n <= len(m.choices) {
		event.Kind, event.Text, event.Value = conversation.Choice, "", m.choices[n-1].Value
	}
	return event, event.Kind == conversation.Choice || event.Text != ""
}

// deliver hands the event over until it is taken: an error of the sink means that it is not stored. The event in hand when
// ctx ends is still offered once. It reports false when ctx ended first.
func (m *Messenger) deliver(ctx context.Context, sink adapters.Sink, event conversation.Event) bool {
	for {
		err := sink(context.WithoutCancel(ctx), []conversation.Event{event})
		if err == nil {
			return true
		}
		m.log.WarnContext(ctx, "console line not stored", "event", event.ID, "problem", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return false
		}
	}
}

// Send prints one part. A failure is a *adapters.SendError, which says what follows from it: try again, wait, give up.
func (m *Messenger) Send(_ context.Context, part adapters.Part) (adapters.Sent, error) {
	var b strings.Builder
	if part.From == "staff" {
		b.WriteString("[staff] ")
	}
	// Texts may hold what strangers wrote; a terminal would obey their control characters.
	b.WriteString(adapters.Clean(part.Text) + "\n")
	for i, c := range part.Choices {
		fmt.Fprintf(&b, "  %d) %s\n", i+1, adapters.Clean(c.Label))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := io.WriteString(m.out, b.String()); err != nil {
		return adapters.Sent{}, &adapters.SendError{Consequence: adapters.Temporary, Reason: "the terminal does not take text", Err: err}
	}
	if len(part.Choices) > 0 {
		m.choices = part.Choices
	}
	return adapters.Sent{ID: part.Key}, nil
}
