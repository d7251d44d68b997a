package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/store"
)

// repeatEvents delivers each event five times, all of them shuffled, by eight senders.
func repeatEvents(t *testing.T, path string) {
	eachDatabase(t, func(t *testing.T, url string) {
		const talkers, notes, buyers, stock, presses = 40, 25, 40, 25, 3
		random := rand.New(rand.NewPCG(tortureSeed(t), 0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := openTortured(t, path, url, 1, stock)
		talking, buying := s.people(talkers), s.people(buyers)
		var updates []map[string]any // each five times
		for _, p := range talking {
			for n := range notes {
				u := p.message(fmt.Sprintf("note %d", n))
				for range 5 {
					updates = append(updates, u)
				}
			}
			p.count, p.said = notes, notes
		}
		for _, p := range buying {
			button, err := p.asks(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for call := range presses {
				for range 5 { // an unanswered press comes again under an update id of its own
					updates = append(updates, p.press(call, button))
				}
			}
			p.said += presses
			s.buying.Add(1)
		}
		random.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
		s.send(ctx, updates, 8)
		wantNothingUnderWay(t, url)
		for _, p := range talking {
			p.checkAnyOrder(t, notes)
		}
		for _, p := range buying {
			p.checkBought(t, presses)
		}
		s.audit(append(talking, buying...))
		s.stop()
	})
}

// send posts updates by several senders at once.
func (s *tortured) send(ctx context.Context, updates []map[string]any, senders int) {
	s.t.Helper()
	queue := make(chan map[string]any, len(updates))
	for _, u := range updates {
		queue <- u
	}
	close(queue)
	failed := make(chan error, senders)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for u := range queue {
				if err := s.post(ctx, u); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	if err := <-failed; err != nil {
		s.t.Fatal(err)
	}
}

// checkAnyOrder looks whether each of a person's notes was answered once, by counts without a gap.
func (p *person) checkAnyOrder(t *testing.T, notes int) {
	t.Helper()
	counts, said := map[string]int{}, map[string]int{}
	for i, m := range p.shop.sink.heard(p.chat) {
		count, text, _ := strings.Cut(m.text, ": ")
		counts[count]++
		said[text]++
		if count != strconv.Itoa(i+1) {
			t.Errorf("chat %d: answer %d is %q", p.chat, i+1, m.text)
		}
	}
	for n := range notes {
		if text := fmt.Sprintf("note %d", n); said[text] != 1 || counts[strconv.Itoa(n+1)] != 1 {
			t.Errorf("chat %d: %q was answered %d times, and the count was %d on %d answers", p.chat, text, said[text], n+1, counts[strconv.Itoa(n+1)])
		}
	}
}

// checkBought looks whether a person who pressed a button several times heard of one order, or that there is none.
func (p *person) checkBought(t *testing.T, presses int) {
	t.Helper()
	heard := p.shop.sink.heard(p.chat)
	told := map[string]int{}
	for _, m := range heard {
		if !strings.HasPrefix(m.text, "1: for") {
			told[m.text]++
		}
	}
	if len(told) != 1 || len(heard) < 2 || len(heard) > 1+presses {
		t.Errorf("chat %d pressed %d times and heard %s, want the one order or that it is gone", p.chat, presses, tail(heard))
	}
}

const tortureScale = "torture-scale"

var poisonLine = regexp.MustCompile(`(?m)^[0-9]+ +telegram .* waits for you .*times`)

// poison lets one message in a hundred fail whenever it is tried.
func poison(t *testing.T, path string) {
	eachDatabase(t, func(t *testing.T, url string) {
		t.Parallel()
		_, messages := tortureSize(t)
		random := rand.New(rand.NewPCG(tortureSeed(t), 0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(messages)*10*time.Millisecond)
		defer cancel()
		s := openTortured(t, path, url, 1, 10)
		s.shop().product(tortureScale, "Lead", 100, 0, "") // a title that is no number: see testdata/torture
		people := s.people(40)
		poisoned := map[*person]int{}
		for range messages / 100 {
			poisoned[people[random.IntN(len(people))]]++
		}
		var all sync.WaitGroup
		for _, p := range people {
			all.Go(func() {
				for n := range messages / len(people) {
					if n < poisoned[p] {
						if err := s.post(ctx, p.message("poison")); err != nil {
							t.Error(err)
						}
					}
					if err := p.notes(ctx); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		for _, p := range people { // all that can be answered is
			last := p.want[len(p.want)-1]
			if _, err := s.sink.waitFor(ctx, p.chat, last.words...); err != nil {
				t.Fatal(err)
			}
		}
		parked := messages / 100
		s.age(ctx, parked)
		listed := ran(t, path, nil, "poison", "-config", s.config)
		if got := len(poisonLine.FindAllString(listed.stdout, -1)); listed.code != 0 || got != parked {
			t.Errorf("exit %d: parley poison lists %d events that wait for a person, want %d:\n%s%s", listed.code, got, parked, listed.stdout, listed.stderr)
		}

		s.shop().api("PUT", "/api/v1/products/"+tortureScale, `{"title":"2"}`, http.StatusOK)
		replayed := ran(t, path, nil, "poison", "-all", "-config", s.config)
		if replayed.code != 0 {
			t.Fatalf("exit %d: %s", replayed.code, replayed.stderr)
		}
		for p, n := range poisoned {
			for range n {
				p.count++
				p.said++
				p.expects(false, "weighs 2")
			}
			if _, err := s.sink.waitFor(ctx, p.chat, p.want[len(p.want)-1].words...); err != nil {
				t.Fatal(err)
			}
		}
		if again := s.settle(people); again != (repeats{}) {
			t.Errorf("%+v sent twice, want none", again)
		}
		s.stop()
		t.Logf("%d messages, of which %d could not be handled", messages, parked)
	})
}

// age makes the next try of parked events due, again and again, until all have been tried as often as they are.
func (s *tortured) age(ctx context.Context, parked int) {
	s.t.Helper()
	db, err := store.Open(ctx, s.database, store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := db.DB().ExecContext(ctx, `UPDATE parked SET due_ms = 0 WHERE due_ms > 0 AND attempts < 8`); err != nil {
			s.t.Fatal(err)
		}
		if n := s.number(db, `SELECT count(*) FROM parked WHERE done_ms = 0 AND attempts = 8`); n == parked {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("%d of %d parked events were tried 8 times", s.number(db, `SELECT count(*) FROM parked WHERE attempts = 8`), parked)
		}
	}
}
