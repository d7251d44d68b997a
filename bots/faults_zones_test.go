package bots

import (
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"
)

// look is how often these tests' shops look at the tables.
const look = 30 * time.Minute

// Nights on which the clocks change, in zones that do it differently: by an hour at 2, by an hour at 2 of another day, by half an hour, at
// midnight, and for a month.
var turns = []struct {
	zone   string
	change string // the instant
	name   string
}{
	{"Europe/Berlin", "2026-03-29T01:00:00Z", "2 becomes 3"},
	{"Europe/Berlin", "2026-10-25T01:00:00Z", "3 becomes 2"},
	{"America/New_York", "2026-03-08T07:00:00Z", "2 becomes 3"},
	{"America/New_York", "2026-11-01T06:00:00Z", "2 becomes 1"},
	{"Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2 becomes half past 2"},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2 becomes half past 1"},
	{"America/Santiago", "2026-09-06T04:00:00Z", "midnight becomes 1"},
	{"America/Santiago", "2026-04-05T03:00:00Z", "midnight becomes 23"},
	{"Africa/Casablanca", "2026-02-15T02:00:00Z", "3 becomes 2"},
	{"Africa/Casablanca", "2026-03-22T02:00:00Z", "2 becomes 3"},
}

// eachTurn runs a test for each of them. It fails when the clocks do not change then: the zones' rules are data, which may change.
func eachTurn(t *testing.T, test func(t *testing.T, zone *time.Location, change time.Time)) {
	for _, turn := range turns {
		t.Run(turn.zone+", "+turn.name, func(t *testing.T) {
			zone, err := time.LoadLocation(turn.zone)
			if err != nil {
				t.Fatal(err)
			}
			change, err := time.Parse(time.RFC3339, turn.change)
			if err != nil {
				t.Fatal(err)
			}
			_, before := change.Add(-time.Second).In(zone).Zone()
			if _, after := change.In(zone).Zone(); before == after {
				t.Fatal("the clocks do not change then")
			}
			test(t, zone, change)
		})
	}
}

func TestQuietHoursEndWhenTheClockOnTheWallSaysSo(t *testing.T) {
	hm := func(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }
	nights := []Quiet{
		{hm(20, 0), hm(9, 0)}, {hm(22, 0), hm(2, 30)}, {hm(22, 0), hm(2, 0)}, {hm(22, 0), hm(1, 45)}, {hm(1, 15), hm(2, 15)}, {hm(2, 10), hm(2, 50)},
		{hm(2, 30), hm(7, 0)}, {hm(23, 30), hm(0, 30)}, {hm(21, 0), hm(0, 0)}, {hm(0, 0), hm(0, 45)}, {hm(9, 0), hm(20, 0)}, {hm(3, 0), hm(2, 0)},
	}
	eachTurn(t, func(t *testing.T, zone *time.Location, change time.Time) {
		for _, night := range nights {
			quiet := func(at time.Time) bool {
				at = at.In(zone)
				clock := hm(at.Hour(), at.Minute())
				if night.From < night.To {
					return clock >= night.From && clock < night.To
				}
				return clock >= night.From || clock < night.To
			}
			for now := change.Add(-26 * time.Hour); now.Before(change.Add(26 * time.Hour)); now = now.Add(7*time.Minute + 13*time.Second) {
				want := time.Time{}
				if quiet(now) {
					for want = now.Truncate(time.Minute).Add(time.Minute); quiet(want); want = want.Add(time.Minute) {
					}
				}
				if got := night.next(now, zone); !got.Equal(want) {
					t.Fatalf("quiet from %v to %v: from %v on it is next not quiet at %v, want %v", night.From, night.To, now.In(zone), got.In(zone), want.In(zone))
				}
			}
		}
	})
}

func TestAnAlertNotAtNightComesInTheMorningAfterTheClocksChanged(t *testing.T) {
	quiet := Quiet{From: 20 * time.Hour, To: 2*time.Hour + 15*time.Minute} // in the very hour that is skipped or doubled
	eachTurn(t, func(t *testing.T, zone *time.Location, change time.Time) {
		synctest.Test(t, func(t *testing.T) {
			y, m, d := change.Add(-12 * time.Hour).In(zone).Date()
			evening := time.Date(y, m, d, 20, 30, 0, 0, zone)
			s, clock, seen := clockedShop(t, opening{quiet: quiet, poll: look}, evening.UTC())
			s.stock("mug", 10)
			sub := s.subscribes("ada", "17.50")
			sub.TimeZone, sub.NotAtNight = zone.String(), true
			s.subscribe(sub)
			rests()
			s.hearsOnly("ada", "as soon as")
			s.reprice("mug", 1700)
			morning := quiet.next(clock.now(), zone)
			passes(morning.Sub(clock.now()) - time.Second)
			s.hearsOnly("ada")
			passes(look + time.Second)
			s.hearsOnly("ada", "now costs")
			if late := seen.of("ada").Sub(morning); late < 0 || late > look {
				t.Errorf("it came at %v, want %v", seen.of("ada").In(zone), morning.In(zone))
			}
			passes(3 * time.Hour)
			s.hearsOnly("ada")
		})
	})
}

func TestAReminderKeepsItsDistanceWhenTheClocksChangeAndWaitsForTheMorning(t *testing.T) {
	eachTurn(t, func(t *testing.T, zone *time.Location, change time.Time) {
		synctest.Test(t, func(t *testing.T) {
			// 24 h after the question is in the very hour that is skipped or doubled; without quiet hours it comes then.
			asked := change.Add(-24*time.Hour + 10*time.Minute)
			s, clock, seen := clockedShop(t, opening{poll: look}, asked)
			s.told("ada")
			s.says("ada", "would you take 15?")
			due := clock.now().Add(24 * time.Hour)
			passes(24*time.Hour + time.Minute)
			if late := seen.of("ada").Sub(due); late < -time.Second || late > time.Second {
				t.Errorf("reminded at %v, want %v", seen.of("ada").In(zone), due.In(zone))
			}
		})
		synctest.Test(t, func(t *testing.T) {
			night := Quiet{From: 20 * time.Hour, To: 9 * time.Hour}
			s, clock, seen := clockedShop(t, opening{poll: look, quiet: night, zone: zone}, change.Add(-24*time.Hour+10*time.Minute))
			s.told("ada")
			s.says("ada", "would you take 15?")
			morning := night.next(clock.now().Add(24*time.Hour), zone)
			passes(morning.Sub(clock.now()) + look + time.Second)
			if got := seen.of("ada").In(zone); got.Hour() != 9 || got.Before(morning) || got.After(morning.Add(look)) {
				t.Errorf("reminded at %v, want at 9 of the morning after", got)
			}
			if got := seen.reminded(); len(got) != 1 {
				t.Errorf("reminded %d times, want once", len(got))
			}
		})
	})
}
