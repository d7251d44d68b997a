package webchat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/config"
)

func TestWebChatPassesTheSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			made, err := Spec.New(config.Settings{}, env)
			if err != nil {
				t.Fatal(err)
			}
			m := made.(*Messenger)
			h := &house{}
			m.Bind(h, h, nil)
			srv := httptest.NewServer(m.Socket())
			t.Cleanup(srv.Close)
			b := &browser{
				t: t, url: srv.URL, shown: make(chan adaptertest.Shown, 100), edited: make(chan adaptertest.Shown, 100), typing: make(chan struct{}, 100),
				values: map[string]string{}, sent: map[string]map[string]string{},
			}
			return &adaptertest.Line{
				Messenger: m, Chat: "ann", Secrets: []string{"secret-ann"},
				Ready: b.connect,
				Type: func(text string) {
					b.n++
					b.say(map[string]string{"type": "message", "id": fmt.Sprint("c", b.n), "text": text})
				},
				Press: func(label string) {
					b.n++
					b.mu.Lock()
					value := b.values[label]
					b.mu.Unlock()
					b.say(map[string]string{"type": "choice", "id": fmt.Sprint("c", b.n), "value": value})
				},
				Repeat: func() { b.say(b.last) },
				Beside: b.beside,
				Shuffle: func(texts ...string) {
					b.n += len(texts)
					for i, text := range slices.Backward(texts) {
						b.say(map[string]string{"type": "message", "id": fmt.Sprint("s", i), "text": text})
					}
				},
				Drop: b.reconnect,
				Read: func() adaptertest.Shown { return next(t, b.shown, "a message") },
				Reread: func() adaptertest.Shown {
					return next(t, b.edited, "a change")
				},
				Typing: func() { next(t, b.typing, "typing") },
			}
		},
		Without: map[string]string{
			"blocked":           "a visitor leaves by closing the page",
			"rate limit":        "there is no network that would hold us back",
			"cut while sending": "a message without a socket stays in the store, and the next socket is given it",
		},
	})
}

// next waits for what the browser is shown next.
func next[T any](t *testing.T, shown <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-shown:
	case <-time.After(10 * time.Second):
		t.Fatalf("the browser was not shown %s", what)
	}
	return got
}

// browser is a client as the widget is: it says again what it was told to say again, and what was not acknowledged when it lost its
// socket.
type browser struct {
	t    *testing.T
	url  string
	n    int
	last map[string]string

	shown, edited chan adaptertest.Shown
	typing        chan struct{}

	mu     sync.Mutex
	conn   *websocket.Conn
	values map[string]string            // of choices, by label
	sent   map[string]map[string]string // frames, by id
	open   []map[string]string          // frames that were not acknowledged
}

// connect opens the socket and waits for the greeting. The house may still be starting.
func (b *browser) connect() {
	b.t.Helper()
	conn := b.dial()
	b.mu.Lock()
	b.conn = conn
	b.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { b.listen(ctx, conn, ready) })
	b.t.Cleanup(func() { cancel(); wg.Wait(); _ = conn.CloseNow() })
	<-ready
}

func (b *browser) dial() *websocket.Conn {
	b.t.Helper()
	for {
		conn, resp, err := websocket.Dial(b.t.Context(), b.url, &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {"parley_visitor=secret-ann"}}})
		if err != nil && resp != nil && resp.StatusCode == http.StatusServiceUnavailable {
			continue
		}
		if err != nil {
			b.t.Fatal(err)
		}
		conn.SetReadLimit(1 << 20)
		return conn
	}
}

// reconnect loses the socket without a word and makes another.
func (b *browser) reconnect() {
	b.t.Helper()
	_ = b.conn.CloseNow()
	b.connect()
	b.mu.Lock()
	open := slices.Clone(b.open)
	b.mu.Unlock()
	for _, frame := range open {
		b.write(frame)
	}
}

// beside says the last frame again from so many other windows at once.
func (b *browser) beside(times int) {
	b.t.Helper()
	data, err := json.Marshal(b.last)
	if err != nil {
		b.t.Fatal(err)
	}
	for range times {
		conn := b.dial()
		var wg sync.WaitGroup
		wg.Go(func() {
			for err := error(nil); err == nil; {
				_, _, err = conn.Read(context.Background())
			}
		})
		b.t.Cleanup(func() { _ = conn.CloseNow(); wg.Wait() })
		if err := conn.Write(b.t.Context(), websocket.MessageText, data); err != nil {
			b.t.Error(err)
		}
	}
}

func (b *browser) listen(ctx context.Context, conn *websocket.Conn, ready chan<- struct{}) {
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var in struct {
			Type, ID, Text string
			Retry          bool
			Choices        []struct{ Label, Value string }
		}
		if err := json.Unmarshal(data, &in); err != nil {
			b.t.Errorf("frame %q: %v", data, err)
			return
		}
		shown := adaptertest.Shown{Text: in.Text}
		b.mu.Lock()
		for _, c := range in.Choices {
			shown.Labels = append(shown.Labels, c.Label)
			b.values[c.Label] = c.Value
		}
		again := b.sent[in.ID]
		if in.Type == "ack" {
			b.open = slices.DeleteFunc(b.open, func(f map[string]string) bool { return f["id"] == in.ID })
		}
		b.mu.Unlock()
		switch {
		case in.Type == "hello":
			close(ready)
		case in.Type == "typing":
			b.typing <- struct{}{}
		case in.Type == "error" && in.Retry:
			b.write(again)
		case in.Type == "message" && again == nil: // not an echo of its own
			b.shown <- shown
		case in.Type == "edit":
			b.edited <- shown
		}
	}
}

func (b *browser) say(frame map[string]string) {
	b.last = frame
	b.mu.Lock()
	b.sent[frame["id"]] = frame
	b.open = append(b.open, frame)
	b.mu.Unlock()
	b.write(frame)
}

func (b *browser) write(frame map[string]string) {
	data, err := json.Marshal(frame)
	if err != nil {
		b.t.Error(err)
		return
	}
	b.mu.Lock()
	conn := b.conn
	b.mu.Unlock()
	_ = conn.Write(context.Background(), websocket.MessageText, data)
}
