package webchat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/conversation"
)

func TestMessageIsAcknowledgedOnceStored(t *testing.T) {
	c := start(t, Options{Now: atNoon})
	w := c.open(t, "")
	w.write(`{"type":"message","id":"c1","text":" hi\u0000 *there*\r\n<b> "}`)
	w.want(map[string]any{"type": "ack", "id": "c1"})
	want := []conversation.Event{{
		Kind: conversation.Text, Chat: "ann", Sender: "ann", ID: "c1", Language: "de-AT", At: noon, Text: "hi *there*\n<b>",
	}}
	if diff := cmp.Diff(want, c.stored()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestChoiceAndSeenBecomeEvents(t *testing.T) {
	c := start(t, Options{Now: atNoon})
	w := c.open(t, "")
	w.write(`{"type":"seen","id":"msg_1"}`)
	w.write(`{"type":"choice","id":"c2","value":"opaque"}`)
	w.want(map[string]any{"type": "ack", "id": "c2"})
	want := []conversation.Event{
		{Kind: conversation.Receipt, Chat: "ann", Sender: "ann", ID: "seen:msg_1", Language: "de-AT", At: noon, Name: "read", Value: "msg_1"},
		{Kind: conversation.Choice, Chat: "ann", Sender: "ann", ID: "c2", Language: "de-AT", At: noon, Value: "opaque"},
	}
	if diff := cmp.Diff(want, c.stored()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestRepeatedIDIsAcknowledgedAgainAndChangesNothing(t *testing.T) {
	c := start(t, Options{})
	w := c.open(t, "")
	for range 3 {
		w.write(`{"type":"message","id":"c1","text":"hi"}`)
		w.want(map[string]any{"type": "ack", "id": "c1"})
	}
	if got := len(c.stored()); got != 1 {
		t.Errorf("got %d events, want 1", got)
	}
}

func TestFailedCommitIsNotAcknowledgedAndTheRetryIs(t *testing.T) {
	c := start(t, Options{})
	w := c.open(t, "")
	c.refuse(errors.New("password hunter2 refused"))
	w.write(`{"type":"message","id":"c1","text":"hi"}`)
	got := w.wantError("c1", "unavailable")
	if got["retry"] != true || strings.Contains(fmt.Sprint(got), "hunter2") {
		t.Errorf("got %v, want a retry and nothing of the cause", got)
	}
	c.refuse(nil)
	w.write(`{"type":"message","id":"c1","text":"hi"}`)
	w.want(map[string]any{"type": "ack", "id": "c1"})
}

func TestBadFramesGetAClearErrorAndTheSocketStays(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	tests := []struct{ name, frame, id, code string }{
		{"no JSON", `hello`, "", "bad_json"},
		{"wrong kind of field", `{"type":"message","id":7}`, "", "bad_json"},
		{"no id", `{"type":"message","text":"hi"}`, "", "bad_id"},
		{"long id", `{"type":"message","id":"` + strings.Repeat("i", 65) + `","text":"hi"}`, "", "bad_id"},
		{"id with control", `{"type":"message","id":"a\u0007","text":"hi"}`, "", "bad_id"},
		{"unknown type", `{"type":"shout","id":"c1","text":"hi"}`, "c1", "bad_type"},
		{"empty", `{"type":"message","id":"c1","text":" \u0001 "}`, "c1", "empty"},
		{"choice without value", `{"type":"choice","id":"c1"}`, "c1", "bad_choice"},
		{"choice with long value", `{"type":"choice","id":"c1","value":"` + strings.Repeat("v", 65) + `"}`, "c1", "bad_choice"},
		{"4097 emoji", `{"type":"message","id":"c1","text":"` + strings.Repeat("👍", 4097) + `"}`, "c1", "too_long"},
		{"a megabyte", `{"type":"message","id":"c1","text":"` + big + `"}`, "c1", "too_long"},
		{"a megabyte with the id last", `{"type":"message","text":"` + big + `","id":"c1"}`, "", "too_long"},
		{"a megabyte of anything", big, "", "too_long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, Options{})
			w := c.open(t, "")
			w.write(tt.frame)
			w.wantError(tt.id, tt.code)
			w.write(`{"type":"message","id":"next","text":"` + strings.Repeat("👍", 4096) + `"}`)
			w.want(map[string]any{"type": "ack", "id": "next"})
		})
	}
}

func TestFrameBeyondAllReasonClosesWithMessageTooBig(t *testing.T) {
	c := start(t, Options{})
	w := c.open(t, "")
	w.write(strings.Repeat("x", maxWaste+1)) // no more than is read: a reset would overtake the close
	_, _, err := w.conn.Read(t.Context())
	if got := websocket.CloseStatus(err); got != websocket.StatusMessageTooBig {
		t.Errorf("got %v (%v), want 1009", got, err)
	}
}

func TestBinaryFrameIsRefused(t *testing.T) {
	c := start(t, Options{})
	w := c.open(t, "")
	if err := w.conn.Write(t.Context(), websocket.MessageBinary, []byte{1}); err != nil {
		t.Fatal(err)
	}
	w.wantError("", "bad_json")
}

func TestHandshakeIsRefused(t *testing.T) {
	c := start(t, Options{Origins: []string{"https://shop.example/"}})
	origin := func(o string) http.Header { return http.Header{"Origin": {o}} }
	tests := []struct {
		name, cookie string
		header       http.Header
		status       int
	}{
		{"without a cookie", "", nil, 401},
		{"with a stranger's cookie", "guess", nil, 401},
		{"with the public id as cookie", "ann", nil, 401},
		{"while the store is down", "secret-down", nil, 503},
		{"from another site", "secret-ann", origin("https://evil.example"), 403},
		{"from the allowed host by another scheme", "secret-ann", origin("http://shop.example"), 403},
		{"from the allowed host at another port", "secret-ann", origin("https://shop.example:8443"), 403},
		{"from a sandbox", "secret-ann", origin("null"), 403},
		{"from the allowed page", "secret-ann", origin("https://Shop.example"), 101},
		{"from our own page", "secret-ann", origin(c.srv.URL), 101},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, resp, _ := c.dial(t, tt.cookie, "", tt.header)
			if resp == nil || resp.StatusCode != tt.status {
				t.Errorf("got %v, want status %d", resp, tt.status)
			}
		})
	}
}

func TestSocketWaitsForRun(t *testing.T) {
	h := &house{}
	rec := httptest.NewRecorder()
	m := New(Options{})
	m.Bind(h, h, nil)
	m.Socket().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/chat/ws", nil))
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
		t.Errorf("got %d with %v, want 503 with Retry-After", rec.Code, rec.Header())
	}
}

func TestSendReachesEveryWindowOfThatVisitorOnly(t *testing.T) {
	c := start(t, Options{Now: atNoon})
	one, two := c.open(t, ""), c.open(t, "")
	bob, _, err := c.dial(t, "secret-bob", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &window{t, bob}
	b.want(map[string]any{"type": "hello", "visitor": "bob"})

	sent, err := c.m.Send(t.Context(), adapters.Part{
		Chat: "ann", Key: "msg_1", From: "staff", Text: "<b>hi</b> *you*", Image: "https://shop.example/a.png",
		Choices: []conversation.Option{{ID: "buy", Label: "Buy", Value: "v1"}},
	})
	if err != nil || sent.ID != "msg_1" {
		t.Fatalf("got %v, %v, want msg_1", sent, err)
	}
	want := map[string]any{
		"type": "message", "id": "msg_1", "from": "staff", "text": "<b>hi</b> *you*", "image": "https://shop.example/a.png",
		"choices": []any{map[string]any{"label": "Buy", "value": "v1"}}, "at": "2026-05-04T12:00:00Z",
	}
	one.want(want)
	two.want(want)
	if err := c.m.Typing(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	b.want(map[string]any{"type": "typing"})
}

func TestOtherWindowSeesWhatTheVisitorWrote(t *testing.T) {
	c := start(t, Options{Now: atNoon})
	one, two := c.open(t, ""), c.open(t, "")
	one.write(`{"type":"message","id":"c1","text":"hi"}`)
	one.want(map[string]any{"type": "ack", "id": "c1"})
	two.want(map[string]any{"type": "message", "id": "c1", "from": "me", "text": "hi", "at": "2026-05-04T12:00:00Z"})
	one.write(`{"type":"message","id":"c1","text":"hi"}`)
	one.want(map[string]any{"type": "ack", "id": "c1"})
	if err := c.m.Typing(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	two.want(map[string]any{"type": "typing"}) // and not the repeat
}

func TestSendSucceedsWithoutAWindow(t *testing.T) {
	c := start(t, Options{})
	if sent, err := c.m.Send(t.Context(), adapters.Part{Chat: "ann", Key: "msg_1", Text: "hi"}); err != nil || sent.ID != "msg_1" {
		t.Errorf("got %v, %v, want msg_1", sent, err)
	}
}

func TestWindowResumesAfterItsLastMessage(t *testing.T) {
	c := start(t, Options{})
	for i := range 250 {
		c.house.history = append(c.house.history, Message{ID: fmt.Sprintf("msg_%03d", i), From: "bot", Text: "t", At: noon})
	}
	tests := []struct {
		query       string
		first, last string
		count       int
	}{
		{"", "msg_150", "msg_249", 100},
		{"?after=msg_247", "msg_248", "msg_249", 2},
		{"?after=msg_009", "msg_010", "msg_249", 240},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			w := c.open(t, tt.query)
			var ids []any
			for range tt.count {
				ids = append(ids, w.read()["id"])
			}
			if ids[0] != tt.first || ids[len(ids)-1] != tt.last {
				t.Errorf("got %v to %v, want %s to %s", ids[0], ids[len(ids)-1], tt.first, tt.last)
			}
			// What the history has shown already is not pushed once more.
			for _, key := range []string{"msg_249", "live"} {
				if _, err := c.m.Send(t.Context(), adapters.Part{Chat: "ann", Key: key, Text: "t"}); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.read()["id"]; got != "live" {
				t.Errorf("got %v after the history, want live", got)
			}
		})
	}
}

// thinned is a history of 250 lines that keeps every third for staff and knows no client's ids.
type thinned struct{ *house }

func (h thinned) After(_ context.Context, _, id string, limit int) ([]Message, error) {
	from := slices.IndexFunc(h.history, func(m Message) bool { return m.ID == id && m.From == "bot" }) + 1
	var page []Message
	for i, m := range h.history[from:min(len(h.history), from+limit)] {
		if (from+i)%3 != 0 {
			page = append(page, m)
		}
	}
	return page, nil
}

func TestShortPageIsNotTakenForTheLast(t *testing.T) {
	c := start(t, Options{})
	want := []string{}
	for i := range 250 {
		msg := Message{ID: fmt.Sprintf("msg_%03d", i), From: "bot", Text: "t", At: noon}
		if i%3 == 2 {
			msg.From = "contact"
		}
		c.house.history = append(c.house.history, msg)
		if i > 1 && i%3 != 0 {
			want = append(want, msg.ID)
		}
	}
	c.m.Bind(c.house, thinned{c.house}, nil)
	w := c.open(t, "?after=msg_001")
	var got []string
	for range want {
		got = append(got, fmt.Sprint(w.read()["id"]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	w.write(`{"type":"message","id":"c1","text":"hi"}`)
	w.want(map[string]any{"type": "ack", "id": "c1"}) // and nothing again before it
}

func TestHistoryThatCannotBeReadClosesTheSocket(t *testing.T) {
	c := start(t, Options{})
	c.house.failing = errors.New("database is down")
	w := c.open(t, "")
	_, _, err := w.conn.Read(t.Context())
	if got := websocket.CloseStatus(err); got != websocket.StatusInternalError {
		t.Errorf("got %v (%v), want 1011", got, err)
	}
}

func TestTooManyMessagesAreRefusedUntilLater(t *testing.T) {
	var mu sync.Mutex
	now := noon
	c := start(t, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	w := c.open(t, "")
	message := func(i int) string { return fmt.Sprintf(`{"type":"message","id":"c%d","text":"hi"}`, i) }
	for i := range burst {
		w.write(message(i))
		w.want(map[string]any{"type": "ack", "id": fmt.Sprintf("c%d", i)})
	}
	w.write(message(burst))
	got := w.wantError("c20", "too_fast")
	if got["retry"] != true || got["retry_after_ms"] != 201.0 {
		t.Errorf("got %v, want a retry after 201 ms", got)
	}
	w.write(`{"type":"seen","id":"msg_1"}`) // receipts are counted by themselves
	again := c.open(t, "")
	again.write(message(burst))
	again.wantError("c20", "too_fast")
	mu.Lock()
	now = now.Add(201 * time.Millisecond)
	mu.Unlock()
	again.write(message(burst))
	again.want(map[string]any{"type": "ack", "id": "c20"})
}

func TestStopSaysGoingAway(t *testing.T) {
	c := start(t, Options{})
	w := c.open(t, "")
	stopped := make(chan struct{})
	go func() { defer close(stopped); c.stop() }()
	_, _, err := w.conn.Read(t.Context())
	if got := websocket.CloseStatus(err); got != websocket.StatusGoingAway {
		t.Errorf("got %v (%v), want 1001", got, err)
	}
	<-stopped
	if _, err := c.m.Send(t.Context(), adapters.Part{Chat: "ann", Key: "msg_1", Text: "hi"}); err != nil {
		t.Errorf("send after stop: %v", err)
	}
}

func TestSilentSocketIsPinged(t *testing.T) {
	c := start(t, Options{Ping: time.Millisecond})
	pinged := make(chan struct{}, 1)
	conn, _, err := websocket.Dial(t.Context(), c.srv.URL, &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {"parley_visitor=secret-ann"}},
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pinged <- struct{}{}:
			default:
			}
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	go func() { // pings are answered by reading
		for {
			if _, _, err := conn.Read(t.Context()); err != nil {
				return
			}
		}
	}()
	select {
	case <-pinged:
	case <-time.After(10 * time.Second):
		t.Error("no ping came")
	}
}

func TestSlowSocketIsCutAndOthersGoOn(t *testing.T) {
	c := start(t, Options{})
	slow, quick := c.open(t, ""), c.open(t, "")
	text := strings.Repeat("x", 4096)
	const n = 4000 // more than the buffers of any loopback connection hold
	for i := range n {
		key := fmt.Sprintf("msg_%d", i)
		if _, err := c.m.Send(t.Context(), adapters.Part{Chat: "ann", Key: key, Text: text}); err != nil {
			t.Fatal(err)
		}
		if got := quick.read()["id"]; got != key {
			t.Fatalf("got %v, want %s", got, key)
		}
	}
	got := 0
	for ; ; got++ {
		if _, _, err := slow.conn.Read(t.Context()); err != nil {
			break
		}
	}
	if got >= n {
		t.Errorf("the slow window got all %d messages, want it cut before", got)
	}
}

func TestTooManyWindowsAreRefused(t *testing.T) {
	c := start(t, Options{})
	for range maxSockets {
		c.open(t, "")
	}
	conn, _, err := c.dial(t, "secret-ann", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = conn.Read(t.Context())
	if got := websocket.CloseStatus(err); got != websocket.StatusTryAgainLater {
		t.Errorf("got %v (%v), want 1013", got, err)
	}
}

func TestBucketsAreForgottenOnceFull(t *testing.T) {
	var r rates
	for i := range 100 {
		r.take(fmt.Sprint(i), noon)
	}
	r.take("late", noon.Add(time.Minute))
	if got := len(r.buckets); got != 1 {
		t.Errorf("got %d buckets, want 1", got)
	}
}

func TestMessageOfTheHistorySpeaksAsTheClientReadsIt(t *testing.T) {
	for from, want := range map[string]string{"bot": "bot", "staff": "staff", "contact": "me", "me": "me", "": "bot"} {
		if got := speaker(from); got != want {
			t.Errorf("%q: got %q, want %q", from, got, want)
		}
	}
}
