package bots

import (
	"testing"
	"time"
	_ "time/tzdata"
)

func TestTheNightEndsInTheMorningOfTheContactsOwnZone(t *testing.T) {
	night := Quiet{From: 20 * time.Hour, To: 9 * time.Hour}
	for _, c := range []struct{ name, zone, now, want string }{
		{"by day", "Europe/Berlin", "2026-11-21T12:00:00+01:00", ""},
		{"in the evening", "Europe/Berlin", "2026-11-21T20:00:00+01:00", "2026-11-22T09:00:00+01:00"},
		{"after midnight", "Europe/Berlin", "2026-11-22T03:00:00+01:00", "2026-11-22T09:00:00+01:00"},
		{"at nine", "Europe/Berlin", "2026-11-22T09:00:00+01:00", ""},
		{"the night that is an hour shorter", "Europe/Berlin", "2026-03-28T23:00:00+01:00", "2026-03-29T09:00:00+02:00"},
		{"the night that is an hour longer", "America/New_York", "2026-10-31T21:00:00-04:00", "2026-11-01T09:00:00-05:00"},
		{"noon here is night there", "Pacific/Auckland", "2026-11-21T12:00:00Z", "2026-11-22T09:00:00+13:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			now, _ := time.Parse(time.RFC3339, c.now)
			got := night.next(now, zone)
			if c.want == "" {
				if !got.IsZero() {
					t.Errorf("got %v, want no waiting", got.In(zone))
				}
				return
			}
			if want, _ := time.Parse(time.RFC3339, c.want); !got.Equal(want) {
				t.Errorf("got %v, want %v", got.In(zone), want.In(zone))
			}
		})
	}
	if got := (Quiet{}).next(time.Now(), time.UTC); !got.IsZero() {
		t.Errorf("the zero Quiet waits until %v", got)
	}
}
