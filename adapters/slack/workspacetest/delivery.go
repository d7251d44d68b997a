package workspacetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// delivery is one payload on its way to the app.
type delivery struct {
	kind    string // events_api or interactive
	payload []byte
	attempt int
	id      string // of the envelope, another one at each attempt
}

// socket is an open connection of the app.
type socket struct {
	conn *websocket.Conn
	send chan []byte
}

// enqueue puts a payload at the end. The caller holds the lock.
func (s *Server) enqueue(kind string, payload map[string]any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	s.last = &delivery{kind: kind, payload: raw}
	s.queue = append(s.queue, s.last)
	s.woken()
}

// Redeliver delivers the latest payload once more, as Slack does when an answer got lost.
func (s *Server) Redeliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, &delivery{kind: s.last.kind, payload: s.last.payload, attempt: 1})
	s.woken()
}

// dispatch delivers in order, one after the other.
func (s *Server) dispatch() {
	for {
		s.mu.Lock()
		changed, hook := s.changed, s.hook
		var next *delivery
		if len(s.queue) > 0 && (hook != "" || s.socket != nil) {
			next, s.queue = s.queue[0], s.queue[1:]
		}
		if next != nil && hook == "" {
			s.overSocket(next)
		}
		s.mu.Unlock()
		if next != nil && hook != "" {
			s.overHTTP(hook, next)
		}
		if next != nil {
			continue
		}
		select {
		case <-changed:
		case <-s.done:
			return
		}
	}
}

// overHTTP posts a payload and, unless it is a pressed button, repeats it three times.
func (s *Server) overHTTP(hook string, d *delivery) {
	for ; ; d.attempt++ {
		body, kind := d.payload, "application/json"
		if d.kind == "interactive" {
			body, kind = []byte(url.Values{"payload": {string(d.payload)}}.Encode()), "application/x-www-form-urlencoded"
		}
		status := s.post(hook, kind, body, d.attempt)
		if status/100 == 2 || d.kind == "interactive" || d.attempt >= 3 {
			return
		}
		select {
		case <-s.done:
			return
		default:
		}
	}
}

func (s *Server) post(hook, kind string, body []byte, retry int) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", kind)
	Sign(req.Header, body, SigningSecret, time.Now())
	if retry > 0 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(retry))
		req.Header.Set("X-Slack-Retry-Reason", "http_error")
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	said := Answer{Retry: retry}
	if err == nil {
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		said.Status, said.Body, said.After = resp.StatusCode, string(text), resp.Header.Get("Retry-After")
	}
	s.mu.Lock()
	s.answers = append(s.answers, said)
	s.woken()
	s.mu.Unlock()
	return said.Status
}

// Sign puts Slack's signature on a call.
func Sign(header http.Header, body []byte, secret string, now time.Time) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	header.Set("X-Slack-Request-Timestamp", stamp)
	header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// overSocket sends a payload in an envelope of its own. The caller holds the lock.
func (s *Server) overSocket(d *delivery) {
	s.ids++
	d.id = fmt.Sprint("envelope-", s.ids)
	raw, err := json.Marshal(map[string]any{
		"envelope_id": d.id, "type": d.kind, "accepts_response_payload": false,
		"retry_attempt": d.attempt, "retry_reason": "", "payload": json.RawMessage(d.payload),
	})
	if err != nil {
		panic(err)
	}
	s.pending = append(s.pending, d)
	s.socket.send <- raw
}

// accept opens a socket: hello, then what was not acknowledged on the one before, then what comes.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("ticket") != Ticket {
		http.Error(w, "no ticket", http.StatusForbidden)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // the library names Slack as its origin
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	mine := &socket{conn: conn, send: make(chan []byte, 1000)}
	mine.send <- []byte(`{"type":"hello","num_connections":1,"connection_info":{"app_id":"` + App + `"},"debug_info":{"host":"h"}}`)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.mu.Lock()
	s.opened++
	s.socket = mine
	again := s.pending
	s.pending = nil
	for _, d := range again {
		d.attempt++
		s.overSocket(d)
	}
	s.woken()
	s.mu.Unlock()
	s.wait.Add(1)
	go func() {
		defer s.wait.Done()
		defer cancel()
		s.hear(ctx, mine)
	}()
	ping := time.NewTicker(5 * time.Second)
	defer ping.Stop()
	for {
		select {
		case raw := <-mine.send:
			if conn.Write(ctx, websocket.MessageText, raw) != nil {
				return
			}
		case <-ping.C:
			if conn.Ping(ctx) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// hear takes acknowledgements until the socket closes.
func (s *Server) hear(ctx context.Context, mine *socket) {
	for {
		_, raw, err := mine.conn.Read(ctx)
		s.mu.Lock()
		if err != nil {
			if s.socket == mine {
				s.socket = nil
			}
			s.woken()
			s.mu.Unlock()
			return
		}
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if json.Unmarshal(raw, &ack) == nil && ack.EnvelopeID != "" {
			s.acked = append(s.acked, ack.EnvelopeID)
			for i, d := range s.pending {
				if d.id == ack.EnvelopeID {
					s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
					break
				}
			}
		}
		s.woken()
		s.mu.Unlock()
	}
}

// Connected waits until the app has a socket open.
func (s *Server) Connected() {
	s.tb.Helper()
	s.Wait("a socket", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.socket != nil
	})
}

// Disconnect asks the app to connect anew, as Slack does now and then.
func (s *Server) Disconnect() {
	s.Raw(`{"type":"disconnect","reason":"refresh_requested","debug_info":{"host":"h"}}`)
}

// Raw sends a text over the socket as it is.
func (s *Server) Raw(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		s.socket.send <- []byte(text)
	}
}

// Drop breaks the socket without a word.
func (s *Server) Drop() {
	s.mu.Lock()
	open := s.socket
	s.socket = nil
	s.mu.Unlock()
	if open != nil {
		_ = open.conn.CloseNow()
	}
}

// Pending is how many envelopes wait for their acknowledgement.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}
