//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/config"
	"parley/conversation"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	shop = "4915100000001"
	ann  = "4915100000002"
)

// sqlite is a database as the house opens it: one connection, so that a library that asks for a second one while it holds the
// first would wait for ever.
func sqlite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "parley.db")+
		"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// house is what an account gets, and what it did with it.
type house struct {
	t     *testing.T
	env   adapters.Env
	state *memory
	said  *lines
	inbox inbox

	mu      sync.Mutex
	reports []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, state: &memory{values: map[string]string{}}, said: &lines{}}
	h.inbox.changed = make(chan struct{})
	h.env = adapters.Env{
		Account: "phone", HTTP: &http.Client{Timeout: 20 * time.Second}, Now: time.Now, State: h.state, DB: sqlite(t), Dialect: "sqlite",
		Log: slog.New(slog.NewTextHandler(h.said, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Report: func(state, problem string) {
			h.mu.Lock()
			h.reports = append(h.reports, strings.TrimSpace(state+" "+problem))
			h.mu.Unlock()
			h.inbox.wake()
		},
	}
	return h
}

// messenger is the account as a new process makes it.
func (h *house) messenger(s *wafake.Server) *Messenger {
	h.t.Helper()
	settings, err := config.NewSettings(Fields(), map[string]string{"linked_api_base": s.URL()})
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := New(settings, h.env)
	if err != nil {
		h.t.Fatal(err)
	}
	return m.(*Messenger)
}

// start runs the account; the result stops it and waits.
func (h *house) start(m *Messenger) (stop func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := m.Run(ctx, h.inbox.sink); err != nil {
			h.t.Errorf("run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			h.t.Error("run did not end")
		}
	})
	h.t.Cleanup(stop)
	return stop
}

// linked is an account that runs, linked to the shop's phone, with the time it took for the phone.
func (h *house) linked(s *wafake.Server, number string) (*Messenger, func()) {
	h.t.Helper()
	s.Register(number, "The Shop")
	m := h.messenger(s)
	if err := m.Pair(h.t.Context(), "", func(code string) {
		h.state.secret(code)
		if err := s.ScanQR(number, code); err != nil {
			h.t.Errorf("scan: %v", err)
		}
	}); err != nil {
		h.t.Fatalf("pair: %v", err)
	}
	stop := h.start(m)
	h.reported("ready")
	return m, stop
}

// reported waits for a report that contains text.
func (h *house) reported(text string) {
	h.t.Helper()
	h.inbox.await(h.t, "a report of "+text, func([]conversation.Event) bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return slices.ContainsFunc(h.reports, func(r string) bool { return strings.Contains(r, text) })
	})
}

func (h *house) clearReports() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = nil
}

// inbox takes events as the house does: repeats are dropped by id.
type inbox struct {
	mu      sync.Mutex
	changed chan struct{}
	events  []conversation.Event
	handed  int
	refuse  int // how many hand-overs fail; -1 for all
	panics  int
}

func (in *inbox) sink(_ context.Context, events []conversation.Event) error {
	defer in.wake()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.handed++
	if in.panics > 0 {
		in.panics--
		panic("a bug of ours")
	}
	if in.refuse != 0 {
		in.refuse--
		return errors.New("commit failed")
	}
	for _, e := range events {
		if !slices.ContainsFunc(in.events, func(o conversation.Event) bool { return o.Chat == e.Chat && o.ID == e.ID }) {
			in.events = append(in.events, e)
		}
	}
	return nil
}

func (in *inbox) set(refuse, panics int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refuse, in.panics = refuse, panics
}

// offered is how often the sink was called.
func (in *inbox) offered() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.handed
}

func (in *inbox) wake() {
	in.mu.Lock()
	defer in.mu.Unlock()
	close(in.changed)
	in.changed = make(chan struct{})
}

func (in *inbox) stored() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.events)
}

// texts are the words that were stored, without receipts.
func (in *inbox) texts() []string {
	var out []string
	for _, e := range in.stored() {
		if e.Kind != conversation.Receipt {
			out = append(out, e.Text)
		}
	}
	return out
}

func (in *inbox) await(t *testing.T, what string, ok func([]conversation.Event) bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		in.mu.Lock()
		changed := in.changed
		in.mu.Unlock()
		if ok(in.stored()) {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited 20 s for %s; stored is %+v", what, in.stored())
		}
	}
}

// said waits for the nth event that is no receipt, from 0.
func (in *inbox) said(t *testing.T, n int) conversation.Event {
	t.Helper()
	var out conversation.Event
	in.await(t, "what somebody said", func(events []conversation.Event) bool {
		events = slices.DeleteFunc(events, func(e conversation.Event) bool { return e.Kind == conversation.Receipt })
		if len(events) <= n {
			return false
		}
		out = events[n]
		return true
	})
	return out
}

// memory is an account's state; it also notes what must not be shown.
type memory struct {
	mu      sync.Mutex
	values  map[string]string
	secrets []string
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

func (m *memory) secret(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets = append(m.secrets, text)
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	buf strings.Builder
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
