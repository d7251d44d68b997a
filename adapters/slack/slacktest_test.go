package slack

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/slack-go/slack/slacktest"

	"parley/adapters"
	"parley/conversation"
)

// TestTalksToTheLibrarysOwnServer plays with the fake that slack-go's authors wrote for it: the Web API is theirs, as is
// where the socket opens; what comes over the socket has to be ours.
func TestTalksToTheLibrarysOwnServer(t *testing.T) {
	acks := make(chan string, 10)
	envelope := func(id string, attempt int) []byte {
		raw, err := json.Marshal(map[string]any{
			"envelope_id": id, "type": "events_api", "retry_attempt": attempt, "payload": map[string]any{
				"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1", "event": map[string]any{
					"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "hi over the socket", "ts": "1700000000.000100",
				},
			},
		})
		if err != nil {
			t.Error(err)
		}
		return raw
	}
	opened := 0
	srv := slacktest.NewTestServer(func(c slacktest.Customize) {
		c.Handle("/ws", func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
			if err != nil {
				return
			}
			defer func() { _ = conn.CloseNow() }()
			opened++
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			hello := []byte(`{"type":"hello","num_connections":1,"connection_info":{"app_id":"A1"}}`)
			if opened == 1 { // says goodbye before anything can be acknowledged
				for _, raw := range [][]byte{hello, envelope("env-1", 0), []byte(`{"type":"disconnect","reason":"warning"}`)} {
					_ = conn.Write(ctx, websocket.MessageText, raw)
				}
				_, _, _ = conn.Read(ctx)
				return
			}
			_ = conn.Write(ctx, websocket.MessageText, hello)
			_ = conn.Write(ctx, websocket.MessageText, envelope("env-2", 1))
			for {
				var ack struct {
					EnvelopeID string `json:"envelope_id"`
				}
				_, raw, err := conn.Read(ctx)
				if err != nil || json.Unmarshal(raw, &ack) != nil {
					return
				}
				acks <- ack.EnvelopeID
			}
		})
	})
	srv.Start()
	t.Cleanup(srv.Stop)
	b := newBot(t, srv.GetAPIURL(), nil, map[string]string{"app_token": "xapp-1"})
	b.hold = make(chan struct{})
	stop := b.start(t)
	b.await(t, 1)
	b.reported(t, "connecting")
	b.mu.Lock()
	close(b.hold)
	b.hold = nil
	b.mu.Unlock()
	first, second := b.await(t, 1), b.await(t, 2)
	if first.Text != "hi over the socket" || first.ID != second.ID {
		t.Errorf("got %+v and %+v, want one event twice", first, second)
	}
	for id := ""; id != "env-2"; {
		select {
		case id = <-acks:
		case <-time.After(20 * time.Second):
			t.Fatal("the repeat was not acknowledged in 20 s")
		}
	}
	sent, err := b.Send(t.Context(), adapters.Part{
		Chat: "D1", Text: "*pick*", Choices: []conversation.Option{{Label: "Buy", Value: "v-buy"}, {Label: "Ask", Value: "v-ask"}},
	})
	if err != nil || sent.ID == "" {
		t.Errorf("got %v %v, want an id", sent, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
