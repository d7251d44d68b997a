package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is a Bot API that takes everything, at a network's pace, and keeps what each chat was sent, in the order in which it came.
// telegramtest, which is strict about what it is sent, is too slow for this.
type sink struct {
	http *httptest.Server

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each message
	chats   map[int64][]sunk
	next    int
}

// sunk is a message that a chat was sent.
type sunk struct {
	text   string
	button string // what pressing its first button posts; "" without one
	at     time.Time
}

func startSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{changed: make(chan struct{}), chats: map[int64][]sunk{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

func (s *sink) serve(w http.ResponseWriter, r *http.Request) {
	result := `true`
	switch r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:] {
	case "getMe":
		result = `{"id":1,"is_bot":true,"first_name":"Torture","username":"TortureBot"}`
	case "sendMessage":
		chat, err := strconv.ParseInt(r.PostFormValue("chat_id"), 10, 64)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		id := s.take(chat, sunk{text: r.PostFormValue("text"), button: firstButton(r.PostFormValue("reply_markup")), at: time.Now()})
		result = fmt.Sprintf(`{"message_id":%d,"date":1700000000,"chat":{"id":%d,"type":"private"}}`, id, chat)
		// A network takes its time, so that many a message is with it when the program is killed.
		wait := time.NewTimer(rand.N(3 * time.Millisecond))
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"ok":true,"result":%s}`, result)
}

func firstButton(markup string) string {
	var keyboard struct {
		Rows [][]struct {
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	}
	if json.Unmarshal([]byte(markup), &keyboard) != nil || len(keyboard.Rows) == 0 || len(keyboard.Rows[0]) == 0 {
		return ""
	}
	return keyboard.Rows[0][0].Data
}

func (s *sink) take(chat int64, m sunk) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chats[chat] = append(s.chats[chat], m)
	close(s.changed)
	s.changed = make(chan struct{})
	s.next++
	return s.next
}

// heard is what a chat was sent so far.
func (s *sink) heard(chat int64) []sunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chats[chat]
}

// waitFor returns the first message of a chat that begins with one of the words.
func (s *sink) waitFor(ctx context.Context, chat int64, words ...string) (sunk, error) {
	for {
		s.mu.Lock()
		changed, all := s.changed, s.chats[chat]
		s.mu.Unlock()
		for _, m := range all {
			for _, w := range words {
				if strings.HasPrefix(m.text, w) {
					return m, nil
				}
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return sunk{}, fmt.Errorf("chat %d waits for %q in vain and heard %s: %w", chat, words, tail(all), ctx.Err())
		}
	}
}

// tail is the end of what was heard, for messages of failed tests.
func tail(all []sunk) string {
	var b strings.Builder
	for _, m := range all[max(0, len(all)-8):] {
		fmt.Fprintf(&b, " %q", m.text)
	}
	return fmt.Sprintf("%d messages, the last of them%s", len(all), b.String())
}
