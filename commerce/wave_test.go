package commerce

import (
	"math"
	"testing"
	"time"
)

// risk is how likely more than pieces of people buy, by the textbook.
func risk(people, pieces int) float64 {
	enough := 0.0
	for k := range pieces + 1 {
		ways := lgamma(people+1) - lgamma(k+1) - lgamma(people-k+1)
		enough += math.Exp(ways + float64(k)*math.Log(conversion) + float64(people-k)*math.Log1p(-conversion))
	}
	return 1 - enough
}

func lgamma(n int) float64 {
	v, _ := math.Lgamma(float64(n))
	return v
}

func TestAWaveLeavesAPieceForEachWhoWantsOneNearlyAlways(t *testing.T) {
	for pieces := 3; pieces <= plenty; pieces++ {
		n := waveOf(pieces)
		if risk(n, pieces) > 0.05 || risk(n+1, pieces) <= 0.05 {
			t.Errorf("%d are told of %d pieces, which are too few in %.2f %% of cases; for one more in %.2f %%", n, pieces, 100*risk(n, pieces),
				100*risk(n+1, pieces))
		}
	}
	for pieces, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 2, 5: 23, 20: 120} {
		if n := waveOf(pieces); n != want {
			t.Errorf("%d are told of %d pieces, want %d", n, pieces, want)
		}
	}
}

func TestTheNextWaveComesHalfAnHourLaterOrWithMoreStock(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	p := Product{OnHand: 5}
	for range 23 {
		p.countWave(1, now)
	}
	room := func(when time.Time, want int) {
		t.Helper()
		if got := p.WaveRoom(when); got != want {
			t.Errorf("room for %d, want %d", got, want)
		}
	}
	room(now.Add(waveTime-time.Second), 0)
	room(now.Add(waveTime), 23)
	p.OnHand = 20
	room(now, 120-23)
	p.OnHand, p.Held = 5, 3 // three bought
	room(now, 0)
	room(now.Add(waveTime), 2)
	p.countWave(1, now.Add(waveTime))
	room(now.Add(waveTime), 1)
}
