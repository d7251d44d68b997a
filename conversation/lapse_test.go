package conversation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/conversation/effect"
	"parley/conversation/flow"
)

func TestATimeoutThatOnlyEndsTheFlowNeedsNoTimer(t *testing.T) {
	set := load(t, waiting)
	again, effects := talk(t, set, Session{}, says("buy"), says("flumph"))
	if again.State != "again" {
		t.Fatalf("in %s", again.State)
	}
	for _, e := range effects {
		if _, ok := e.(effect.Remind); ok {
			t.Errorf("asked for %v", e)
		}
	}
	over := flow.Place{Flow: "t", State: "over"}
	for _, tt := range []struct {
		name  string
		after time.Duration
		event string
	}{
		{"an answer in time is taken as one", time.Hour - time.Millisecond, "yes"},
		{"later the question is over before anything else", time.Hour, "after_1h"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, moves, err := Trace(set, again, says("yes"), noon.Add(tt.after))
			if err != nil {
				t.Fatal(err)
			}
			if want := (Move{flow.Place{Flow: again.Flow, State: again.State}, tt.event, over}); len(moves) == 0 || moves[0] != want {
				t.Errorf("moves %v, want %v first", moves, want)
			}
		})
	}
}

func TestItMakesNoDifferenceWhenASilentTimeoutIsNoticed(t *testing.T) {
	set := shop(t)
	asked, _ := talk(t, set, Session{}, fell(nil), says("yes"), Event{Kind: Outcome, Name: "quoted", Vars: mug(nil)})
	if asked.State != "confirm" {
		t.Fatalf("in %s", asked.State)
	}
	due := noon.Add(24 * time.Hour)
	if s, moves, err := Lapse(set, asked, due.Add(-time.Second)); err != nil || cmp.Diff(asked, s) != "" || len(moves) > 0 {
		t.Errorf("before that %+v after %v, error %v", s, moves, err)
	}
	lapsed, moves, err := Lapse(set, asked, due)
	if err != nil || lapsed.Flow != "" || len(moves) != 1 {
		t.Fatalf("%+v after %v, error %v", lapsed, moves, err)
	}
	events := []Event{
		says("yes"), says("flumph"), says("stop"), {Kind: Start}, fell(nil), {Kind: Returned}, {Kind: Blocked},
		{Kind: Choice, Name: "buy", Context: here(asked)}, {Kind: Timeout, Name: "after_24h", Context: here(asked)},
	}
	for _, e := range events {
		soon, want, err := Step(set, lapsed, e, due.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		late, got, err := Step(set, asked, e, due.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(soon, late) + cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %q:\n%s", e.Kind, e.Text, diff)
		}
	}
}

func TestATimeoutBehindOneThatIsHeardNeedsATimer(t *testing.T) {
	set := load(t, `flow: t
starts_on: {buy: asked}
start: asked
states:
  asked: {say: {en: asked, de: gefragt}, after: {10m: over, 1h: late, 2h: over}}
  late: {say: {en: late, de: spät}, class: reminder, end: true}
  over: {end: true}
`)
	_, effects := talk(t, set, Session{}, says("buy"))
	want := []effect.Effect{effect.Say{Text: "asked"}, effect.Remind{After: time.Hour, Event: "after_1h"}, effect.Remind{After: 2 * time.Hour, Event: "after_2h"}}
	if diff := cmp.Diff(want, effects); diff != "" {
		t.Error(diff)
	}
}
