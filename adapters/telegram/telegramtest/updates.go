package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pending is an update that the bot has not confirmed.
type pending struct {
	id    int
	kind  string // message, callback_query …
	body  []byte
	again bool // given out once more although it was confirmed
}

type webhook struct {
	url      string
	secret   string
	attempts int
}

// enqueue adds an update. The caller holds the lock.
func (s *Server) enqueue(kind string, payload any) int {
	id := s.next("update")
	body, err := json.Marshal(map[string]any{"update_id": id, kind: payload})
	if err != nil {
		s.tb.Errorf("telegram: encode %s: %v", kind, err)
	}
	s.latest = pending{id: id, kind: kind, body: body}
	s.pending = append(s.pending, s.latest)
	s.wake()
	return id
}

// Redeliver gives the latest update out once more, as if its confirmation had been lost.
func (s *Server) Redeliver() {
	s.change(func() {
		again := s.latest
		again.again = true
		s.pending = append(s.pending, again)
	})
}

// Unconfirmed is how many updates wait for the bot.
func (s *Server) Unconfirmed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}

// Attempts is how often an update was posted to the webhook.
func (s *Server) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook.attempts
}

func (s *Server) getUpdates(r *http.Request) (any, *failure) {
	offset, limit, seconds := number(r, "offset", 0), number(r, "limit", 100), number(r, "timeout", 0)
	if limit < 1 || limit > 100 || seconds < 0 {
		return nil, bad("limit or timeout out of range")
	}
	var allowed []string
	if text := r.Form.Get("allowed_updates"); text != "" {
		if err := json.Unmarshal([]byte(text), &allowed); err != nil {
			return nil, bad("can't parse allowed_updates")
		}
	}
	mine := make(chan struct{})
	s.mu.Lock()
	if s.hook.url != "" {
		s.mu.Unlock()
		return nil, &failure{code: http.StatusConflict, description: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if s.poller != nil {
		close(s.poller)
	}
	s.poller = mine
	s.pending = slices.DeleteFunc(s.pending, func(p pending) bool {
		return p.id < offset && !p.again || len(allowed) > 0 && !slices.Contains(allowed, p.kind)
	})
	s.wake()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.poller == mine {
			s.poller = nil
		}
	}()
	timeout := time.After(time.Duration(min(seconds, 50)) * time.Second)
	for {
		s.mu.Lock()
		changed := s.changed
		updates := []json.RawMessage{}
		for i, p := range s.pending[:min(limit, len(s.pending))] {
			updates = append(updates, p.body)
			s.pending[i].again = false
		}
		s.mu.Unlock()
		if len(updates) > 0 {
			return updates, nil
		}
		select {
		case <-changed:
		case <-timeout:
			return updates, nil
		case <-mine:
			return nil, &failure{code: http.StatusConflict, description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		case <-r.Context().Done():
			return updates, nil
		case <-s.done:
			return updates, nil
		}
	}
}

var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{0,256}$`)

func (s *Server) setWebhook(r *http.Request) (any, *failure) {
	address, secret := r.Form.Get("url"), r.Form.Get("secret_token")
	if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
		return nil, bad("bad webhook: invalid URL specified")
	}
	if !secretForm.MatchString(secret) {
		return nil, bad("secret token contains unallowed characters")
	}
	s.change(func() { s.hook = webhook{url: address, secret: secret, attempts: s.hook.attempts} })
	return true, nil
}

// Webhook is the address that is in force; "" for none. A call of setWebhook shows in Calls before it is.
func (s *Server) Webhook() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hook.url
}

func (s *Server) deleteWebhook(r *http.Request) (any, *failure) {
	s.change(func() {
		s.hook = webhook{attempts: s.hook.attempts}
		if r.Form.Get("drop_pending_updates") == "true" {
			s.pending = nil
		}
	})
	return true, nil
}

func (s *Server) getWebhookInfo(*http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{"url": s.hook.url, "has_custom_certificate": false, "pending_update_count": len(s.pending)}, nil
}

// deliver posts the first pending update to the webhook until it is taken, then the next: at once, after an error again at
// once, then after 2, 4, 8 … seconds, or after what Retry-After says.
func (s *Server) deliver() {
	failures := 0
	for {
		s.mu.Lock()
		changed, hook, second := s.changed, s.hook, s.second
		var head pending
		if len(s.pending) > 0 {
			head = s.pending[0]
		}
		s.mu.Unlock()
		if hook.url == "" || head.id == 0 {
			select {
			case <-changed:
				continue
			case <-s.done:
				return
			}
		}
		taken, retryAfter := s.post(hook, head.body)
		s.change(func() {
			s.hook.attempts++
			if taken && len(s.pending) > 0 && s.pending[0].id == head.id {
				s.pending = s.pending[1:]
			}
		})
		if taken {
			failures = 0
			continue
		}
		failures++
		delay := min(60, 1<<min(failures-1, 6))
		if failures == 1 {
			delay = 0
		}
		select {
		case <-time.After(time.Duration(max(delay, retryAfter)) * second):
		case <-s.done:
			return
		}
	}
}

func (s *Server) post(hook webhook, body []byte) (taken bool, retryAfter int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	s.work.Go(func() {
		select {
		case <-s.done:
			cancel()
		case <-stop:
		}
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.url, bytes.NewReader(body))
	if err != nil {
		return false, 0
	}
	req.Header.Set("Content-Type", "application/json")
	if hook.secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", hook.secret)
	}
	resp, err := s.outbound.Do(req)
	if err != nil {
		return false, 0
	}
	reply, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	retryAfter, _ = strconv.Atoi(resp.Header.Get("Retry-After"))
	taken = resp.StatusCode/100 == 2
	if taken && err == nil && len(reply) > 0 {
		s.replied(reply)
	}
	return taken, retryAfter
}

// replied carries out the call in a webhook's answer. Nobody is told what came of it.
func (s *Server) replied(reply []byte) {
	var params map[string]string
	if err := json.Unmarshal(reply, &params); err != nil {
		s.tb.Errorf("telegram: the webhook answered %q: %v", reply, err)
		return
	}
	method := params["method"]
	form := url.Values{}
	for name, value := range params {
		if name != "method" {
			form.Set(name, value)
		}
	}
	if _, faulty := s.called(Call{Method: method, Params: form}); !faulty {
		_, _ = s.do(method, &http.Request{Form: form})
	}
}

func number(r *http.Request, name string, absent int) int {
	text := strings.TrimSpace(r.Form.Get(name))
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return absent
	}
	return n
}
