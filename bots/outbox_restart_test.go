package bots

import (
	"sync/atomic"
	"testing"
	"time"

	"parley/adapters"
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
		if want := [store.Lanes]int{store.Answers: claimedAhead, store.Campaigns: campaignAhead, store.Receipts: 1}; room != want {
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
