package bots

import (
	"testing"
	"time"

	"parley/adapters"
	"parley/store"
)

func TestAPacerForgetsChatsThatNoLongerMatter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPacer(adapters.Pace{Chat: adapters.Rate{Count: 1, Per: time.Second, Burst: 3}})
	for range 10 * leastChats {
		now = now.Add(10 * time.Millisecond)
		if _, ok := p.take(store.Answers, now.String(), false, now); !ok {
			t.Fatal("a chat that was never written to has to wait")
		}
	}
	if len(p.chats) > leastChats+1 {
		t.Errorf("%d chats are remembered", len(p.chats))
	}
}

func TestAGroupHasALimitBesideThatOfItsChats(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPacer(adapters.Pace{Chat: adapters.Rate{Count: 10, Per: time.Second, Burst: 10}, Group: adapters.Rate{Count: 20, Per: time.Minute, Burst: 2}})
	for i, want := range []time.Duration{0, 0, 3 * time.Second} {
		if wait, ok := p.take(store.Answers, "-1", true, now); wait != want || ok != (want == 0) {
			t.Errorf("message %d waits %s (%v), want %s", i, wait, ok, want)
		}
	}
	if wait, ok := p.take(store.Answers, "1", false, now); wait != 0 || !ok {
		t.Errorf("a private chat waits %s", wait)
	}
}

func TestWithoutAPaceNothingWaitsAndNothingIsRemembered(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p := newPacer(adapters.Pace{})
	for range 1000 {
		if wait, ok := p.take(store.Campaigns, "1", true, now); wait != 0 || !ok {
			t.Fatalf("a part waits %s", wait)
		}
	}
	if len(p.chats) != 0 {
		t.Errorf("%d chats are remembered", len(p.chats))
	}
}

func TestObservingADurationAllocatesNothing(t *testing.T) {
	var h histogram
	if n := testing.AllocsPerRun(100, func() { h.observe(3 * time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	m := h.metric("parley_x_seconds", "X.")
	if m.Counts[3] != 101 || len(m.Counts) != len(m.Bounds)+1 {
		t.Errorf("3 ms stand in %v of bounds %v", m.Counts, m.Bounds)
	}
}
