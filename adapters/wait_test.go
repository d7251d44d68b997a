package adapters

import (
	"math"
	"testing"
	"time"
)

func TestANetworkIsBelievedThatItWantsPeaceButNotForEver(t *testing.T) {
	for seconds, want := range map[float64]time.Duration{
		0: 0, -30: 0, math.NaN(): 0, math.Inf(-1): 0, 0.25: 250 * time.Millisecond, 30: 30 * time.Second, 999_999_999: LongestPause, 1e300: LongestPause, math.Inf(1): LongestPause,
	} {
		if got := Pause(seconds); got != want {
			t.Errorf("%v s became %v, want %v", seconds, got, want)
		}
	}
	for given, want := range map[time.Duration]time.Duration{0: 100 * time.Millisecond, -time.Hour: 100 * time.Millisecond, time.Minute: time.Minute, 1 << 62: LongestPause} {
		if got := (&SendError{RetryAfter: given}).Pause(); got != want {
			t.Errorf("after %v one waits %v, want %v", given, got, want)
		}
	}
}
