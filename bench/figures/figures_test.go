package figures

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedianIsTheMiddleWhateverTheOrder(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{7}, 7},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("Median of nothing = %v, want NaN", got)
	}
}

func TestMedianLeavesTheRoundsInTheirOrder(t *testing.T) {
	rounds := []float64{3, 1, 2}
	Median(rounds)
	if diff := cmp.Diff([]float64{3, 1, 2}, rounds); diff != "" {
		t.Error(diff)
	}
}

func TestQuantileIsATimeThatWasMeasured(t *testing.T) {
	var hundred []time.Duration
	for i := 100; i >= 1; i-- {
		hundred = append(hundred, time.Duration(i))
	}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0, 1}, {0.5, 50}, {0.99, 99}, {1, 100}} {
		if got := Quantile(hundred, c.q); got != c.want {
			t.Errorf("Quantile(%v) = %v, want %v", c.q, got, c.want)
		}
	}
	if got := Quantile(nil, 0.5); got != 0 {
		t.Errorf("Quantile of nothing = %v, want 0", got)
	}
}

func TestRatiosLeaveOutRoundsThatOneSideLacks(t *testing.T) {
	got := Ratios([]float64{4, 9, 5, 8}, []float64{2, 3, 0})
	if diff := cmp.Diff([]float64{2, 3}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSumAddsPartsRoundByRound(t *testing.T) {
	a := []float64{1, 2, 3}
	if diff := cmp.Diff([]float64{11, 22}, Sum(a, []float64{10, 20})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{1, 2, 3}, a); diff != "" {
		t.Errorf("Sum changed its part: %s", diff)
	}
}

func TestGateHoldsTheMedianToItsLimit(t *testing.T) {
	for _, c := range []struct {
		name   string
		gate   Gate
		want   string
		bound  string
		spread string
	}{
		{"at the limit", Gate{Rounds: []float64{3.6}, Limit: 3.6, Unit: "×"}, "met", "≤ 3.60×", "3.60×"},
		{"one bad round", Gate{Rounds: []float64{3, 9, 3}, Limit: 3.6}, "met", "≤ 3.60", "3 [3 … 9]"},
		{"above", Gate{Rounds: []float64{3.7}, Limit: 3.6}, "missed", "≤ 3.60", "3.70"},
		{"below a floor", Gate{Rounds: []float64{2.6}, Limit: 2.7, Floor: true}, "missed", "≥ 2.70", "2.60"},
		{"above a floor", Gate{Rounds: []float64{120.4}, Limit: 2.7, Floor: true}, "met", "≥ 2.70", "120"},
		{"without rounds", Gate{Limit: 1}, "not measured", "≤ 1", "–"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.gate.Verdict(); got != c.want {
				t.Errorf("verdict %q, want %q", got, c.want)
			}
			if got := c.gate.Bound(); got != c.bound {
				t.Errorf("bound %q, want %q", got, c.bound)
			}
			if got := c.gate.Spread(); got != c.spread {
				t.Errorf("spread %q, want %q", got, c.spread)
			}
		})
	}
}
