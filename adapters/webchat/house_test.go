package webchat

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"parley/conversation"
)

// house stands in for the store: it knows two visitors and drops repeats by id as the inbox does.
type house struct {
	mu      sync.Mutex
	fail    error
	events  []conversation.Event
	handed  int
	history []Message
	failing error // of history
}

func (h *house) Visitor(_ context.Context, secret string) (string, error) {
	switch secret {
	case "secret-ann":
		return "ann", nil
	case "secret-bob":
		return "bob", nil
	case "secret-down":
		return "", errors.New("database is down")
	}
	return "", ErrUnknownVisitor
}

func (h *house) After(_ context.Context, visitor, id string, limit int) ([]Message, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing != nil {
		return nil, h.failing
	}
	if visitor != "ann" {
		return nil, nil
	}
	i := slices.IndexFunc(h.history, func(m Message) bool { return m.ID == id })
	if i < 0 {
		return slices.Clone(h.history[max(0, len(h.history)-limit):]), nil
	}
	rest := h.history[i+1:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (h *house) sink(_ context.Context, events []conversation.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handed += len(events)
	if h.fail != nil {
		return h.fail
	}
	for _, e := range events {
		if !slices.ContainsFunc(h.events, func(o conversation.Event) bool { return o.Chat == e.Chat && o.ID == e.ID }) {
			h.events = append(h.events, e)
		}
	}
	return nil
}

func (h *house) stored() []conversation.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

func (h *house) refuse(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = err
}

type chat struct {
	*house
	m    *Messenger
	srv  *httptest.Server
	stop func()
}

func start(t *testing.T, o Options) *chat {
	t.Helper()
	h := &house{}
	o.Visitors, o.History = h, h
	c := &chat{house: h, m: New(o)}
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	c.m.report = func(string, string) { close(ready) }
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.m.Run(ctx, h.sink); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	<-ready
	c.stop = sync.OnceFunc(func() { cancel(); <-done })
	c.srv = httptest.NewServer(c.m.Socket())
	t.Cleanup(func() { c.stop(); c.srv.Close() })
	return c
}

type window struct {
	t    *testing.T
	conn *websocket.Conn
}

func (c *chat) dial(t *testing.T, cookie, query string, header http.Header) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	if header == nil {
		header = http.Header{}
	}
	if cookie != "" {
		header.Set("Cookie", "parley_visitor="+cookie)
	}
	conn, resp, err := websocket.Dial(t.Context(), c.srv.URL+"/chat/ws"+query, &websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		conn.SetReadLimit(1 << 20)
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, resp, err
}

// open opens a window of Ann and reads the greeting.
func (c *chat) open(t *testing.T, query string) *window {
	t.Helper()
	conn, _, err := c.dial(t, "secret-ann", query, http.Header{"Accept-Language": {"de-AT,de;q=0.9"}})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	w := &window{t, conn}
	w.want(map[string]any{"type": "hello", "visitor": "ann"})
	return w
}

func (w *window) write(frame string) {
	w.t.Helper()
	if err := w.conn.Write(w.t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		w.t.Fatalf("write %.80s: %v", frame, err)
	}
}

func (w *window) read() map[string]any {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := w.conn.Read(ctx)
	if err != nil {
		w.t.Fatalf("read: %v", err)
	}
	var frame map[string]any
	if err := json.Unmarshal(data, &frame); err != nil {
		w.t.Fatalf("frame %q: %v", data, err)
	}
	return frame
}

func (w *window) want(want map[string]any) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.read()); diff != "" {
		w.t.Errorf("frame (-want +got):\n%s", diff)
	}
}

func (w *window) wantError(id, code string) map[string]any {
	w.t.Helper()
	got := w.read()
	gotID, _ := got["id"].(string)
	if got["type"] != "error" || gotID != id || got["code"] != code || got["text"] == "" {
		w.t.Errorf("got %v, want error %s for %q", got, code, id)
	}
	return got
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }
