package bots

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// heldUp runs an inbox whose writer waits, until it is let go.
func heldUp(t *testing.T, db *store.Store) (b *inbox, letGo, stop func()) {
	t.Helper()
	b = newInbox(db)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { b.run(ctx, func(store.Turn, store.Applied, time.Duration) {}) })
	free := make(chan struct{})
	work.Go(func() {
		err := db.Tx(context.Background(), func(*store.Tx) error { <-free; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return b, sync.OnceFunc(func() { close(free) }), func() { cancel(); work.Wait() }
}

// idle is a turn in which nothing is done.
func (s *shop) idle(id string) store.Turn {
	e := conversation.Event{Kind: conversation.Text, Account: "chat", Chat: "ada", Sender: "ada", ID: id}
	return store.Turn{Merchant: s.merchant, Channel: "webchat", Event: e, Apply: func(context.Context, *store.Tx, *store.Thread) error { return nil }}
}

func TestWhatNobodyWaitsForSharesNoCommitWithWhatPeopleWaitFor(t *testing.T) {
	bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
		b, letGo, stop := heldUp(t, s.store)
		defer stop()
		defer letGo()
		var waiting sync.WaitGroup
		submit := func(ids ...string) {
			for _, id := range ids {
				waiting.Go(func() {
					if err := b.submit(context.Background(), s.idle(id)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		submit("first")
		synctest.Wait() // it is in the writer's hands
		committed, err := b.submitBulk(t.Context(), []store.Turn{s.idle("many1"), s.idle("many2"), s.idle("many3")})
		if err != nil {
			t.Fatal(err)
		}
		submit("answer1", "answer2")
		synctest.Wait()
		letGo()
		waiting.Wait()
		if err := committed(); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`SELECT COUNT(*) FROM inbound`); n != 6 {
			t.Errorf("%d are stored, want 6", n)
		}
		synctest.Wait()
		if n := b.commits.Load(); n != 3 {
			t.Errorf("%d commits, want one of the first, one of the answers and one of the many", n)
		}
	})
}

func TestWhatPeopleWaitForIsAheadOfTheRestUntilThatHasWaitedLong(t *testing.T) {
	for name, c := range map[string]struct {
		held time.Duration // how long the writer was busy
		want []string
	}{
		"at once": {0, []string{"first", "answer", "many1", "many2"}},
		"later":   {2 * bulkPatience, []string{"first", "many1", "answer", "many2"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
				b, letGo, stop := heldUp(t, s.store)
				defer stop()
				defer letGo()
				var waiting sync.WaitGroup
				submit := func(id string) {
					waiting.Go(func() {
						if err := b.submit(context.Background(), s.idle(id)); err != nil {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				submit("first") // it is in the writer's hands
				for _, id := range []string{"many1", "many2"} {
					committed, err := b.submitBulk(t.Context(), []store.Turn{s.idle(id)})
					if err != nil {
						t.Fatal(err)
					}
					waiting.Go(func() {
						if err := committed(); err != nil {
							t.Error(err)
						}
					})
				}
				submit("answer")
				time.Sleep(c.held)
				letGo()
				waiting.Wait()
				var got []string
				if err := s.store.DB().Select(&got, `SELECT network_id FROM inbound ORDER BY key`); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("the order of the commits (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestOthersAreExpectedForAWhileAfterSomebodyCame(t *testing.T) {
	bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
		b, letGo, stop := heldUp(t, s.store)
		defer stop()
		letGo()
		if b.isAsked() {
			t.Error("nobody has come, and others are expected")
		}
		if err := b.submit(t.Context(), s.idle("one")); err != nil {
			t.Fatal(err)
		}
		if !b.isAsked() {
			t.Error("somebody has just come, and nobody else is expected")
		}
		time.Sleep(2 * lately)
		if b.isAsked() {
			t.Error("nobody has come for long, and others are expected")
		}
	})
}

func TestWhoComesWhenTooManyWaitIsSentAwayAfterAWhile(t *testing.T) {
	bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
		b, letGo, stop := heldUp(t, s.store)
		defer stop()
		defer letGo()
		var waiting sync.WaitGroup
		var stored atomic.Int64
		submit := func(n int) {
			waiting.Go(func() {
				if err := b.submit(context.Background(), s.idle(fmt.Sprint("in", n))); err != nil {
					t.Error(err)
					return
				}
				stored.Add(1)
			})
		}
		submit(0)
		synctest.Wait() // it is in the writer's hands
		for n := range queueSize {
			submit(n + 1)
		}
		synctest.Wait()
		began := time.Now()
		if err := b.submit(context.Background(), s.idle("late")); !errors.Is(err, errBusy) || time.Since(began) != busyTime {
			t.Errorf("got %v after %s, want to be sent away after %s", err, time.Since(began), busyTime)
		}
		letGo()
		waiting.Wait()
		if n := s.count(`SELECT COUNT(*) FROM inbound`); n != queueSize+1 || stored.Load() != queueSize+1 {
			t.Errorf("%d of those who waited are stored and %d were told so, want %d", n, stored.Load(), queueSize+1)
		}
		if commits := b.commits.Load(); commits > 1+(queueSize+groupSize-1)/groupSize {
			t.Errorf("they took %d commits, want few", commits)
		}
	})
}

func TestARiderIsCommittedAlsoWhenTheHouseCloses(t *testing.T) {
	bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
		b, letGo, stop := heldUp(t, s.store)
		var done atomic.Int64
		ride := func(subject string) {
			b.ride(false, func(ctx context.Context, tx *store.Tx) error { return tx.Event(ctx, s.merchant, "rode", subject, nil) }, func(err error) {
				if err != nil {
					t.Error(err)
				}
				done.Add(1)
			})
		}
		ride("in hand")
		synctest.Wait()
		ride("waiting")
		letGo()
		stop()
		ride("too late for the writers")
		if n := s.count(`SELECT COUNT(*) FROM events WHERE kind = 'rode'`); n != 3 || done.Load() != 3 {
			t.Errorf("%d riders are stored and %d were told so, want 3", n, done.Load())
		}
		if err := b.submit(context.Background(), s.idle("late")); !errors.Is(err, errStopped) {
			t.Errorf("a turn after the end: %v, want it refused", err)
		}
	})
}

func TestTurnsOfOneCallerInSeveralConversationsAreAllStoredInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := openShop(t, open(t), opening{})
		var events []conversation.Event
		for i := range 60 {
			e := s.event(fmt.Sprint("chat", i%7), conversation.Text)
			e.Text = fmt.Sprint("line ", i)
			events = append(events, e)
		}
		if err := s.house.Sink("chat")(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		var lines []string
		err := s.store.DB().Select(&lines, `
	SELECT m.text
	FROM messages m
	JOIN conversations v ON v.key = m.conversation_key
	WHERE m.author = 'contact'
	ORDER BY v.chat, m.key`)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for chat := range 7 {
			for i := chat; i < 60; i += 7 {
				want = append(want, fmt.Sprint("line ", i))
			}
		}
		if fmt.Sprint(lines) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", lines, want)
		}
	})
}

func TestAPatientRiderGoesWithTheNextTurnOrSoonByItself(t *testing.T) {
	for name, c := range map[string]struct {
		then    func(b *inbox, turn func())
		waits   time.Duration
		commits int64
	}{
		"nobody comes":        {func(*inbox, func()) {}, settleTime, 1},
		"somebody comes":      {func(_ *inbox, turn func()) { turn() }, 0, 1},
		"there is a hurry":    {func(b *inbox, _ func()) { b.hurry() }, 0, 1},
		"a hasty one joins":   {func(b *inbox, _ func()) { b.ride(false, nothing, func(error) {}) }, 0, 1},
		"somebody comes late": {func(_ *inbox, turn func()) { time.Sleep(2 * settleTime); turn() }, settleTime, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
				b, letGo, stop := heldUp(t, s.store)
				defer stop()
				letGo()
				began, rode := time.Now(), make(chan time.Duration, 1)
				b.ride(true, nothing, func(err error) {
					if err != nil {
						t.Error(err)
					}
					rode <- time.Since(began)
				})
				c.then(b, func() {
					if err := b.submit(t.Context(), s.idle("one")); err != nil {
						t.Error(err)
					}
				})
				if took := <-rode; took != c.waits {
					t.Errorf("it was committed after %v, want %v", took, c.waits)
				}
				synctest.Wait()
				if n := b.commits.Load(); n != c.commits {
					t.Errorf("%d commits, want %d", n, c.commits)
				}
			})
		})
	}
}

func nothing(context.Context, *store.Tx) error { return nil }

func TestWhatStaffDoSharesACommitWithTurnsAndFailsAlone(t *testing.T) {
	bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
		b, letGo, stop := heldUp(t, s.store)
		defer stop()
		defer letGo()
		refused := errors.New("refused")
		var waiting sync.WaitGroup
		goes := func(want error, do func() error) {
			waiting.Go(func() {
				if err := do(); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			})
			synctest.Wait()
		}
		goes(nil, func() error { return b.submit(context.Background(), s.idle("first")) }) // it is in the writer's hands
		goes(nil, func() error { return b.together(t.Context(), nothing) })
		goes(refused, func() error {
			return b.together(t.Context(), func(context.Context, *store.Tx) error { return refused })
		})
		goes(nil, func() error { return b.submit(context.Background(), s.idle("second")) })
		letGo()
		waiting.Wait()
		synctest.Wait() // the writer counts after it has told them
		if n := b.commits.Load(); n != 2 {
			t.Errorf("%d commits, want 2", n)
		}
		if n := s.count(`SELECT COUNT(*) FROM inbound`); n != 2 {
			t.Errorf("%d turns are stored, want both", n)
		}
	})
}
