package webchat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
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
				t: t, url: srv.URL, ready: make(chan struct{}), shown: make(chan adaptertest.Shown, 100),
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
				Read: func() adaptertest.Shown {
					select {
					case s := <-b.shown:
						return s
					case <-time.After(10 * time.Second):
						t.Fatal("the browser was shown nothing")
					}
					return adaptertest.Shown{}
				},
			}
		},
		Without: map[string]string{
			"blocked":           "a visitor leaves by closing the page",
			"rate limit":        "there is no network that would hold us back",
			"cut while sending": "a message without a socket stays in the store, and the next socket is given it",
		},
	})
}

// browser is a client as the widget is: it says again what it was told to say again.
type browser struct {
	t    *testing.T
	url  string
	n    int
	last map[string]string
	conn *websocket.Conn

	ready chan struct{} // closed once greeted
	shown chan adaptertest.Shown

	mu     sync.Mutex
	values map[string]string            // of choices, by label
	sent   map[string]map[string]string // frames, by id
}

// connect opens the socket and waits for the greeting. The house may still be starting.
func (b *browser) connect() {
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
		b.conn = conn
		break
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { b.listen(ctx) })
	b.t.Cleanup(func() { cancel(); wg.Wait(); _ = b.conn.CloseNow() })
	<-b.ready
}

func (b *browser) listen(ctx context.Context) {
	for {
		_, data, err := b.conn.Read(ctx)
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
		switch {
		case in.Type == "hello":
			close(b.ready)
		case in.Type == "error" && in.Retry:
			b.mu.Lock()
			again := b.sent[in.ID]
			b.mu.Unlock()
			b.write(again)
		case in.Type == "message":
			shown := adaptertest.Shown{Text: in.Text}
			b.mu.Lock()
			for _, c := range in.Choices {
				shown.Labels = append(shown.Labels, c.Label)
				b.values[c.Label] = c.Value
			}
			b.mu.Unlock()
			b.shown <- shown
		}
	}
}

func (b *browser) say(frame map[string]string) {
	b.last = frame
	b.mu.Lock()
	b.sent[frame["id"]] = frame
	b.mu.Unlock()
	b.write(frame)
}

func (b *browser) write(frame map[string]string) {
	data, err := json.Marshal(frame)
	if err != nil {
		b.t.Error(err)
		return
	}
	_ = b.conn.Write(context.Background(), websocket.MessageText, data)
}
