package bots

import "time"

// Quiet are the hours in which campaigns, reminders and alerts of those who ticked "not at night" wait. The zero Quiet is
// never.
type Quiet struct {
	From, To time.Duration // since midnight, in the contact's zone: From 20h, To 9h is the night
}

// next is the first instant from now on that is not quiet; the zero time when now is not.
func (q Quiet) next(now time.Time, zone *time.Location) time.Time {
	if q.From == q.To {
		return time.Time{}
	}
	local := now.In(zone)
	y, m, d := local.Date()
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second
	quiet := clock >= q.From && clock < q.To
	if q.From > q.To { // over midnight
		quiet = clock >= q.From || clock < q.To
	}
	if !quiet {
		return time.Time{}
	}
	if q.From > q.To && clock >= q.From {
		d++
	}
	// As a wall clock, so that the days of 23 and 25 hours come out right.
	return time.Date(y, m, d, int(q.To/time.Hour), int(q.To%time.Hour/time.Minute), 0, 0, zone).UTC()
}
