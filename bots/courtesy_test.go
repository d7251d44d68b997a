package bots

import (
	"context"
	"testing"
	"time"
)

func TestWhatNobodyWaitsForIsDoneNowAndThenWhilePeopleWrite(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		done := 0
		c := courtesy{house: s.house, chore: func(context.Context) (int, error) { done++; return 0, nil }}
		sleeps := c.until(func(context.Context) time.Duration { return time.Hour })
		step := func(what string, want int, sleep time.Duration) {
			t.Helper()
			if _, err := c.do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := sleeps(t.Context()); done != want || got != sleep {
				t.Errorf("%s: done %d times and the clock sleeps for %s, want %d and %s", what, done, got, want, sleep)
			}
		}
		step("nobody writes", 1, time.Hour)
		step("still nobody writes", 2, time.Hour)
		s.says("ada", "hello")
		step("ada writes", 2, soon)
		passes(lately)
		step("she is silent again", 3, time.Hour)
		s.says("ada", "hello")
		step("she writes again", 3, soon)
		passes(courtesyPause)
		s.says("ada", "hello")
		step("it has waited for long", 4, time.Hour)
	})
}
