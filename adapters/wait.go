package adapters

import (
	"context"
	"time"
)

// Wait returns nil after d, or why ctx has ended before.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LongestPause is for how long at most a network is believed that it wants peace: then it is asked again.
const LongestPause = time.Hour

// Pause reads a network's own figure, in seconds. What is negative or no number is none.
func Pause(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, LongestPause.Seconds()) * float64(time.Second))
}
