package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// errRefusedForGood is what a sender does not try again.
var errRefusedForGood = errors.New("refused for good")

// post delivers an update as Telegram does: to whichever node, again and again until one confirms it.
func (s *tortured) post(ctx context.Context, update any) error {
	body, err := json.Marshal(update)
	if err != nil {
		return err
	}
	for n := s.turn.Add(1); ; n++ {
		base := s.nodes[int(n)%len(s.nodes)].now()
		if base != "" {
			again, err := s.deliver(ctx, base, body)
			if err == nil {
				return nil
			}
			if !again {
				return err
			}
		}
		wait := time.NewTimer(5 * time.Millisecond)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("%s is never confirmed: %w", body, ctx.Err())
		}
	}
}

// deliver makes one try; again says that another may follow.
func (s *tortured) deliver(ctx context.Context, base string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/hooks/telegram", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Telegram-Bot-Api-Secret-Token", tortureSecret)
	outage := s.outage.Load()
	resp, err := s.client.Do(req)
	if err != nil {
		// A connection that nobody had accepted when the listener closed is reset: nothing of the call was read.
		if s.strict && !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
			return false, fmt.Errorf("%w: a call that was connected failed: %w", errRefusedForGood, err)
		}
		return true, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode < 300:
		if outage%2 == 1 && s.outage.Load() == outage {
			s.lied.Add(1)
		}
		return false, nil
	case resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests, s.strict:
		return false, fmt.Errorf("%w: status %d for %s", errRefusedForGood, resp.StatusCode, body)
	}
	s.refused.Add(1)
	return true, fmt.Errorf("status %d", resp.StatusCode)
}

// now is where the program serves at this moment; "" while it does not.
func (s *server) now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// person talks to the bot of testdata/torture and buys, one message after the other, each after the one before was confirmed.
type person struct {
	shop  *tortured
	chat  int64
	count int // turns that the bot has counted
	calls int // callback ids used
	said  int // messages and presses, each once
	want  []answer
}

// answer is what the bot has to say next.
type answer struct {
	words []string  // it begins with one of them
	same  bool      // as the answer before
	since time.Time // when what it answers was confirmed
}

// update is what Telegram posts.
func (p *person) update(kind string, value map[string]any) map[string]any {
	return map[string]any{"update_id": p.shop.updates.Add(1), kind: value}
}

func (p *person) self() map[string]any {
	return map[string]any{"id": p.chat, "is_bot": false, "first_name": fmt.Sprintf("Person %d", p.chat), "language_code": "en"}
}

func (p *person) message(text string) map[string]any {
	return p.update("message", map[string]any{
		"message_id": p.shop.updates.Load(), "date": time.Now().Unix(), "text": text, "from": p.self(), "chat": map[string]any{"id": p.chat, "type": "private"},
	})
}

func (p *person) press(call int, data string) map[string]any {
	return p.update("callback_query", map[string]any{
		"id": fmt.Sprintf("%d-%d", p.chat, call), "chat_instance": "1", "data": data, "from": p.self(),
		"message": map[string]any{"message_id": 1, "date": 1700000000, "chat": map[string]any{"id": p.chat, "type": "private"}},
	})
}

// says writes a text that the bot answers with the count and these words.
func (p *person) says(ctx context.Context, text string, answers ...string) error {
	if err := p.shop.post(ctx, p.message(text)); err != nil {
		return err
	}
	p.count++
	p.said++
	p.expects(false, answers...)
	p.shop.confirm()
	return nil
}

func (p *person) expects(same bool, answers ...string) {
	words := make([]string, len(answers))
	for i, a := range answers {
		words[i] = fmt.Sprintf("%d: %s", p.count, a)
	}
	p.want = append(p.want, answer{words, same, time.Now()})
}

// notes writes something that the bot repeats.
func (p *person) notes(ctx context.Context) error {
	text := fmt.Sprintf("note %d", p.said)
	return p.says(ctx, text, text)
}

// asks asks for the product and returns the button that buys it; "" when it is sold out.
func (p *person) asks(ctx context.Context) (button string, err error) {
	if err := p.says(ctx, "buy", "for", "gone"); err != nil {
		return "", err
	}
	m, err := p.shop.sink.waitFor(ctx, p.chat, p.want[len(p.want)-1].words...)
	return m.button, err
}

// buys asks for the product and presses its button, which Telegram delivers twice, and then once more.
func (p *person) buys(ctx context.Context) error {
	button, err := p.asks(ctx)
	if err != nil || button == "" {
		return err
	}
	p.calls++
	if err := p.shop.post(ctx, p.press(p.calls, button)); err != nil {
		return err
	}
	p.said++
	p.expects(false, "sold", "gone")
	if _, err := p.shop.sink.waitFor(ctx, p.chat, p.want[len(p.want)-1].words...); err != nil {
		return err
	}
	if err := p.shop.post(ctx, p.press(p.calls, button)); err != nil { // Telegram saw no answer
		return err
	}
	p.calls++
	if err := p.shop.post(ctx, p.press(p.calls, button)); err != nil { // the shopper saw none
		return err
	}
	p.said++
	p.expects(true, "sold", "gone")
	p.shop.confirm()
	return nil
}

// repeats are answers that came more than once.
type repeats struct{ answers, receipts int }

// latest keeps the longest that anybody waited for an answer.
func (s *tortured) latest(d time.Duration) {
	for {
		was := s.longest.Load()
		if int64(d) <= was || s.longest.CompareAndSwap(was, int64(d)) {
			return
		}
	}
}

// check compares what the chat heard with what it had to hear. An answer may come again, before the next one does.
func (p *person) check(t *testing.T) (again repeats) {
	t.Helper()
	at := -1
	var first string // the text that the newest answer had
	fits := func(i int, text string) bool {
		if p.want[i].same {
			return text == first
		}
		for _, w := range p.want[i].words {
			if strings.HasPrefix(text, w) {
				return true
			}
		}
		return false
	}
	heard := p.shop.sink.heard(p.chat)
	for i, m := range heard {
		switch {
		case at+1 < len(p.want) && fits(at+1, m.text):
			at, first = at+1, m.text
			p.shop.latest(m.at.Sub(p.want[at].since))
		case at >= 0 && m.text == first:
			if strings.Contains(first, ": sold") {
				again.receipts++
			} else {
				again.answers++
			}
		default:
			t.Errorf("chat %d: message %d of %s is %q, out of order after answer %d", p.chat, i, tail(heard[:i+1]), m.text, at)
			return again
		}
	}
	if at != len(p.want)-1 {
		t.Errorf("chat %d: %d answers of %d, the next were to be %q; it heard %s", p.chat, at+1, len(p.want), p.want[at+1].words, tail(heard))
	}
	return again
}

// talk lets people talk until all of them together have said so many things, one in seven a purchase.
func (s *tortured) talk(ctx context.Context, people []*person, messages int, seed uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var left atomic.Int64
	left.Store(int64(messages))
	failed := make(chan error, len(people))
	var all sync.WaitGroup
	for i, p := range people {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all.Go(func() {
			if err := p.talk(ctx, random, &left); err != nil {
				failed <- err
				cancel()
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed // the first; the others follow from it
}

func (p *person) talk(ctx context.Context, random *rand.Rand, left *atomic.Int64) error {
	for left.Add(-1) >= 0 {
		if random.IntN(7) > 0 {
			if err := p.notes(ctx); err != nil {
				return err
			}
			continue
		}
		left.Add(-2)
		p.shop.buying.Add(1)
		if err := p.buys(ctx); err != nil {
			return err
		}
	}
	return nil
}
