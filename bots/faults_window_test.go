package bots

import (
	"testing"
	"time"

	"parley/adapters"
	"parley/store"
)

func TestWhatStaffWriteOutsideTheWindowIsShownAsFailed(t *testing.T) {
	limits := chatty
	limits.Window = 24 * time.Hour
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		s.net.failing(func(p adapters.Part) error {
			if p.WindowClosed {
				return refused(adapters.Window)
			}
			return nil
		})
		s.says("ada", "help")
		s.staffSay("ada", "stf_1", "We are here.")
		if got := s.last("ada").State; got != string(store.Sent) {
			t.Fatalf("within the window it is %s, want it sent", got)
		}
		s.hears("ada")
		passes(25 * time.Hour)
		s.staffSay("ada", "stf_1", "We are still here.")
		if got := s.last("ada"); got.Text != "We are still here." || got.State != string(store.Failed) {
			t.Errorf("outside the window %q is %s, want it failed", got.Text, got.State)
		}
		s.hearsOnly("ada")
		passes(25 * time.Hour)
		if n := len(s.net.tries()); n != 3 {
			t.Errorf("%d tries, want one of each message: time does not open the window", n)
		}
		s.says("ada", "hello?") // it is open again, and what failed does not come after all
		s.staffSay("ada", "stf_1", "Yes!")
		s.hearsOnly("ada", "Yes!")
	})
}
