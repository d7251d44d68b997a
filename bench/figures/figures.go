// Package figures is the arithmetic of the report: medians over rounds, quantiles of times, ratios and the gates they must pass.
//
// What does not belong here: measuring.
package figures

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Median is the middle of the values, the mean of both middles of an even number; NaN of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Quantile is the smallest of the times that a share q of them does not exceed; 0 of none.
func Quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// Ratios divides round by round: what disturbed a round disturbed both sides of it. A round that one side lacks is left out.
func Ratios(over, under []float64) []float64 {
	var out []float64
	for i := range min(len(over), len(under)) {
		if r := over[i] / under[i]; !math.IsNaN(r) && !math.IsInf(r, 0) {
			out = append(out, r)
		}
	}
	return out
}

// Sum adds the parts round by round, as far as all of them reach.
func Sum(parts ...[]float64) []float64 {
	if len(parts) == 0 {
		return nil
	}
	sum := slices.Clone(parts[0])
	for _, p := range parts[1:] {
		sum = sum[:min(len(sum), len(p))]
		for i := range sum {
			sum[i] += p[i]
		}
	}
	return sum
}

// Gate is a promise about a figure that was measured once a round; the median is held to it.
type Gate struct {
	Name   string
	Rounds []float64
	Limit  float64
	Floor  bool   // the figure must not fall below the limit; else it must not exceed it
	Unit   string // behind the figures: "×", " ms"
}

// Figure is the median over the rounds.
func (g Gate) Figure() float64 { return Median(g.Rounds) }

// Verdict is met, missed, or not measured.
func (g Gate) Verdict() string {
	switch f := g.Figure(); {
	case math.IsNaN(f):
		return "not measured"
	case g.Floor && f >= g.Limit, !g.Floor && f <= g.Limit:
		return "met"
	}
	return "missed"
}

// Bound is the limit as it is read.
func (g Gate) Bound() string {
	sign := "≤"
	if g.Floor {
		sign = "≥"
	}
	return sign + " " + Number(g.Limit) + g.Unit
}

// Spread is the median with the least and the greatest of the rounds.
func (g Gate) Spread() string {
	if len(g.Rounds) == 0 {
		return "–"
	}
	text := Number(g.Figure()) + g.Unit
	if len(g.Rounds) > 1 {
		text += fmt.Sprintf(" [%s … %s]", Number(slices.Min(g.Rounds)), Number(slices.Max(g.Rounds)))
	}
	return text
}

// Number writes a figure with three digits that count, and whole ones in full.
func Number(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "–"
	case abs >= 100 || f == math.Trunc(f):
		return fmt.Sprintf("%.0f", f)
	case abs >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}
