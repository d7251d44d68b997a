package bots

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

func TestAnOutboxThatIsStartedAgainKnowsNothingOfWhatItCouldNotNote(t *testing.T) {
	var sent atomic.Int64
	s := sender{
		send:    func(p store.Part) result { sent.Add(1); return result{part: p, state: store.Sent} },
		give:    func(store.Part) {},
		counted: func(chat string) (string, bool) { return chat, false },
	}
	o := newOutbox(adapters.Pace{})
	parts := []store.Part{{Key: 7, Chat: "a"}, {Key: 8, Chat: "b", Lane: store.Receipts}}
	now := time.Now()
	for start := range 2 {
		o.start(s)
		room, _ := o.quota(nil, false, now)
		if want := [store.Lanes]int{store.Answers: claimedAtOnce, store.Campaigns: campaignAhead, store.Receipts: 1}; room != want {
			t.Errorf("start %d: there is room for %v, want %v", start, room, want)
		}
		o.claimed(parts, false, now)
		o.sending.Wait()
		if got := sent.Load(); got != int64(2*(start+1)) {
			t.Errorf("start %d: %d sent, want all that was claimed each time", start, got)
		}
		o.shut() // and the database is away, so that nothing of it is noted
	}
}

// One answer that has to wait in the table must not send all later ones there while many are on their way: under load it would never
// be empty again.
func TestAnswersAreTakenFromTheTableWhileOthersAreOnTheirWay(t *testing.T) {
	now, stuck := time.Now(), make(chan struct{})
	o := newOutbox(adapters.Pace{})
	o.start(sender{
		send:    func(p store.Part) result { <-stuck; return result{part: p, state: store.Sent} },
		give:    func(store.Part) {},
		counted: func(chat string) (string, bool) { return chat, false },
	})
	key := int64(0)
	for _, step := range []struct {
		handed, room int
		more         bool
	}{
		{0, claimedAtOnce, true},
		{claimedAtOnce, claimedAtOnce, true},
		{answersAhead - 1, 1, true},
		{answersAhead, 0, false},
	} {
		for ; key < int64(step.handed); key++ {
			o.take(store.Part{Key: key + 1, Chat: "a"}, now)
		}
		if room, _ := o.quota(nil, false, now); room[store.Answers] != step.room || o.accepts(conversation.Answer, now) != step.more {
			t.Errorf("with %d on their way there is room for %d from the table, want %d; accepts a further one: %v", step.handed, room[store.Answers],
				step.room, !step.more)
		}
	}
	close(stuck)
	o.shut()
	o.sending.Wait()
}

// A node that loses an account because the database is away keeps what it knows of the messages that it was sending.
func TestWhatWasSentWhileTheDatabaseWasAwayIsNotSentAgain(t *testing.T) {
	bubble(t, opening{closed: true}, func(t *testing.T, s *shop) {
		a := s.house.account(s.sinks)
		said := s.house.internal(a, "ada", "ada", func(ctx context.Context, t *turn) error {
			t.theirs = true
			_, err := t.say(ctx, store.FromBot, conversation.Reply{Text: "Hello!"}, nil)
			return err
		}, nil)
		if _, err := s.store.ApplyTurns(t.Context(), []store.Turn{said}); err != nil {
			t.Fatal(err)
		}
		holds := func(until func()) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				s.house.runOutbox(ctx, a)
				close(done)
			}()
			until()
			cancel()
			<-done
		}
		away := func(do string) {
			if _, err := s.store.DB().Exec(do); err != nil {
				t.Fatal(err)
			}
		}
		away(`CREATE TRIGGER away BEFORE UPDATE ON parts WHEN new.state = 'sent' BEGIN SELECT RAISE(ABORT, 'away'); END`)
		holds(func() { passes(time.Minute) })
		if state := s.last("ada").State; state != "sending" {
			t.Fatalf("the message is %s, want it sending, since nothing could be noted", state)
		}
		away(`DROP TRIGGER away`)
		holds(func() { passes(time.Minute) })
		if m, tries := s.last("ada"), len(s.net.tries()); m.State != "sent" || tries != 1 {
			t.Errorf("the message is %s after %d tries, want sent after one", m.State, tries)
		}
	})
}
