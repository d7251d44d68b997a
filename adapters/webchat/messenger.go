// Package webchat is the messenger that needs no network of anybody else: a WebSocket between the shop's pages and us.
//
// What a client sees is in the doors of docs (GET /chat/ws): hello, message, edit, choice, seen, ack, typing, error. A socket is
// only a fast path: what was said lies in the store, and a client that lost its socket resumes with ?after=.
//
// What does not belong here: pages and the widget (package web), cookies being made (package web), and what is said.
package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"parley/adapters"
	"parley/config"
	"parley/conversation"
)

// limits are generous because they are ours: a browser would carry more.
var limits = adapters.Limits{
	Text: 4096, Unit: adapters.Runes, Caption: 4096,
	Buttons: adapters.Buttons{Max: 10, Label: 80, Value: 64},
	// A client shows a message id once, however often it comes.
	Repeatable: true,
	Edits:      true,
	Typing:     true,
	Receipts:   true,
}

// Spec describes web chat. An account made from it serves nobody until it is bound (Messenger.Bind).
var Spec = adapters.Spec{
	Name:          "webchat",
	Title:         "Web chat",
	Doc:           "The chat on the shop's own pages; it needs no account anywhere.",
	Limits:        limits,
	MayWriteFirst: true,
	New: func(_ config.Settings, env adapters.Env) (adapters.Messenger, error) {
		return New(Options{Log: env.Log, Now: env.Now, Report: env.Report}), nil
	},
}

// ErrUnknownVisitor is what Visitors answers for a cookie that belongs to nobody.
var ErrUnknownVisitor = errors.New("unknown visitor")

// Visitors knows who is behind a cookie.
type Visitors interface {
	// Visitor returns the public id of the visitor whose cookie holds this secret, or ErrUnknownVisitor. The public
	// id grants nothing.
	Visitor(ctx context.Context, secret string) (id string, err error)
}

// History knows what was said before.
type History interface {
	// After returns what the visitor was told and wrote after a message, oldest first, at most limit of it. messageID is
	// any Message.ID, so the client's own as well; with an empty one the newest are meant. After an id that is not known
	// it may begin anywhere: clients drop what they have.
	After(ctx context.Context, visitor, messageID string, limit int) ([]Message, error)
}

// Message is one message of a chat as its visitor sees it.
type Message struct {
	// ID is the Part.Key of what we sent, and the client's own id of what the visitor wrote.
	ID      string
	From    string // bot, staff or contact
	Text    string
	Choices []conversation.Option
	Image   string
	At      time.Time
}

// Options are what web chat needs from the house. Visitors, History and Origins may come later by Bind.
type Options struct {
	Visitors Visitors
	History  History
	// Origins are the pages of other hosts that may open a chat: "https://shop.example". Pages of the host that
	// serves the socket always may.
	Origins []string
	Log     *slog.Logger
	Now     func() time.Time
	Report  func(state, problem string)
	// Ping is how often a silent socket is probed. Defaults to 25 s, below the idle limit of common proxies.
	Ping time.Duration
}

// Messenger is the web chat of one merchant: a second merchant has an account, and so a Messenger, of its own.
type Messenger struct {
	log    *slog.Logger
	now    func() time.Time
	report func(state, problem string)
	ping   time.Duration
	hub    hub
	rates  rates

	mu       sync.Mutex
	visitors Visitors
	history  History
	origins  []string
	sink     adapters.Sink // nil while Run is not running
	handlers sync.WaitGroup
}

var (
	_ adapters.Messenger = (*Messenger)(nil)
	_ adapters.Typer     = (*Messenger)(nil)
	_ adapters.Editor    = (*Messenger)(nil)
)

// New returns a Messenger that serves sockets while Run runs.
func New(o Options) *Messenger {
	m := &Messenger{log: o.Log, now: o.Now, report: o.Report, ping: o.Ping, visitors: o.Visitors, history: o.History, origins: o.Origins}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.report == nil {
		m.report = func(string, string) {}
	}
	if m.ping == 0 {
		m.ping = 25 * time.Second
	}
	return m
}

// Bind gives the Messenger what only the house has. Sockets opened earlier keep what they were opened with.
func (m *Messenger) Bind(visitors Visitors, history History, origins []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.visitors, m.history, m.origins = visitors, history, origins
}

// Run serves sockets until ctx ends, then closes them with 1001 (going away) and waits for the events in hand.
func (m *Messenger) Run(ctx context.Context, sink adapters.Sink) error {
	m.mu.Lock()
	if m.sink != nil {
		m.mu.Unlock()
		return errors.New("web chat is running already")
	}
	m.sink = sink
	m.mu.Unlock()
	m.hub.open()
	m.report("ready", "")

	<-ctx.Done()
	m.mu.Lock()
	m.sink = nil
	m.mu.Unlock()
	m.hub.shut()
	m.handlers.Wait()
	return nil
}

// Send shows the part on every socket of the visitor. Without one it succeeds too: the store has the message, and the
// next socket is given it.
func (m *Messenger) Send(_ context.Context, part adapters.Part) (adapters.Sent, error) {
	if failed := unfit(part); failed != nil {
		return adapters.Sent{}, failed
	}
	at := part.At
	if at.IsZero() {
		at = m.now()
	}
	push := messageFrame(Message{ID: part.Key, From: part.From, Text: part.Text, Choices: part.Choices, Image: part.Image, At: at})
	m.hub.push(part.Chat, push, nil)
	return adapters.Sent{ID: part.Key}, nil
}

// Typing shows that an answer is being written.
func (m *Messenger) Typing(_ context.Context, chat string) error {
	m.hub.push(chat, outgoing{data: []byte(`{"type":"typing"}`)}, nil)
	return nil
}

// Limits says what a browser is given.
func (m *Messenger) Limits() adapters.Limits { return limits }

// Socket is the handler of GET /chat/ws.
func (m *Messenger) Socket() http.Handler { return http.HandlerFunc(m.serveSocket) }

// outgoing is one frame for a client; id is the message's, empty for other frames.
type outgoing struct {
	id   string
	data []byte
}

// choice is a button as the client reads it.
type choice struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// choices are those of a message, never nil.
func choices(msg Message) []choice {
	out := make([]choice, len(msg.Choices))
	for i, c := range msg.Choices {
		out[i] = choice{Label: c.Label, Value: c.Value}
	}
	return out
}

// messageFrame writes a message as the client reads it.
func messageFrame(msg Message) outgoing {
	frame := struct {
		Type    string   `json:"type"`
		ID      string   `json:"id"`
		From    string   `json:"from"`
		Text    string   `json:"text"`
		Choices []choice `json:"choices,omitempty"`
		Image   string   `json:"image,omitempty"`
		At      string   `json:"at"`
	}{Type: "message", ID: msg.ID, From: speaker(msg.From), Text: msg.Text, Choices: choices(msg), Image: msg.Image, At: msg.At.UTC().Format(time.RFC3339Nano)}
	return outgoing{id: msg.ID, data: encode(frame)}
}

// speaker turns the house's word for who speaks into the client's, from whose side the contact is "me".
func speaker(from string) string {
	switch from {
	case "contact", "me":
		return "me"
	case "staff":
		return "staff"
	}
	return "bot"
}

// encode cannot fail: frames are structs of text.
func encode(frame any) []byte {
	data, err := json.Marshal(frame)
	if err != nil {
		panic(fmt.Sprintf("encode web chat frame: %v", err))
	}
	return data
}
