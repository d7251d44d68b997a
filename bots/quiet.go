package bots

import "time"

// Quiet are the hours in which campaigns, reminders and alerts of those who ticked "not at night" wait. The zero Quiet is
// never.
type Quiet struct {
	From, To time.Duration // since midnight, in the contact's zone: From 20h, To 9h is the night
}

const day = 24 * time.Hour

// next is the first instant from now on that is not quiet; the zero time when now is not. It goes by the clock on the wall: an hour
// that is skipped ends the quiet with it, and one that comes twice is quiet twice.
func (q Quiet) next(now time.Time, zone *time.Location) time.Time {
	if !q.at(now.In(zone)) {
		return time.Time{}
	}
	at := now.In(zone)
	for q.at(at) {
		// The clock on the wall goes evenly until the zone's offset changes; there it is looked at again.
		until := at.Add((q.To - wall(at) + day) % day)
		if _, change := at.ZoneBounds(); !change.IsZero() && until.After(change) {
			until = change.In(zone)
		}
		at = until
	}
	return at.UTC()
}

// at says whether an instant, in the contact's zone, is quiet.
func (q Quiet) at(local time.Time) bool {
	clock := wall(local)
	if q.From <= q.To {
		return clock >= q.From && clock < q.To
	}
	return clock >= q.From || clock < q.To // over midnight
}

// wall is what the clock on the wall shows, since its midnight.
func wall(local time.Time) time.Duration {
	h, m, s := local.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(local.Nanosecond())
}
