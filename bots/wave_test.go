package bots

import (
	"testing"
	"time"

	"parley/commerce"
)

// restock changes the stock alone.
func (s *shop) restock(sku string, pieces int) {
	s.t.Helper()
	if _, err := s.house.PutProduct(s.t.Context(), s.merchant, commerce.ProductChange{SKU: sku, Stock: &pieces}); err != nil {
		s.t.Fatal(err)
	}
}

func TestScarceStockIsToldOfInWaves(t *testing.T) {
	const people = 60
	for _, tt := range []struct {
		name   string
		waves  bool
		pieces int
		told   [3]int // at once, and every half hour
	}{
		{"five pieces", true, 5, [3]int{23, 46, 60}},
		{"one piece", true, 1, [3]int{1, 2, 3}},
		{"plenty", true, 2000, [3]int{60, 60, 60}},
		{"without waves", false, 5, [3]int{60, 60, 60}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, opening{poll: 10 * time.Second, policy: commerce.Policy{Waves: tt.waves}}, func(t *testing.T, s *shop) {
				s.stock("mug", tt.pieces)
				s.crowded(people)
				s.reprice("mug", 1700)
				rests()
				for wave, want := range tt.told {
					if got := len(s.toldPrice()); got != want {
						t.Errorf("%d were told after %d waves, want %d", got, wave+1, want)
					}
					passes(27 * time.Minute)
					if got := len(s.toldPrice()); got != want {
						t.Errorf("%d were told before the next wave, want %d", got, want)
					}
					passes(4 * time.Minute)
				}
				s.heardOnce(len(s.toldPrice()))
			})
		})
	}
}

func TestMoreStockBringsMoreOfAWaveAndNoneLeftEndsIt(t *testing.T) {
	bubble(t, opening{poll: time.Minute, policy: commerce.Policy{Waves: true}}, func(t *testing.T, s *shop) {
		s.stock("mug", 1)
		s.crowded(60)
		s.reprice("mug", 1700)
		rests()
		s.restock("mug", 5)
		passes(2 * time.Minute)
		if got := len(s.toldPrice()); got != 23 {
			t.Errorf("%d were told when there were five, want 23", got)
		}
		s.restock("mug", 0)
		passes(2 * time.Hour)
		if got := len(s.toldPrice()); got != 23 {
			t.Errorf("%d were told in all, want nobody of an empty shelf", got)
		}
		if left := s.count(`SELECT count(*) FROM deliveries`); left != 0 {
			t.Errorf("%d still wait", left)
		}
	})
}

// The clock of a bubble begins at midnight in UTC, where everybody here lives.
func TestALaterWaveWaitsForTheMorning(t *testing.T) {
	night := Quiet{From: 20 * time.Hour, To: 9 * time.Hour}
	bubble(t, opening{poll: time.Minute, policy: commerce.Policy{Waves: true}, quiet: night}, func(t *testing.T, s *shop) {
		s.stock("mug", 5)
		s.crowded(40)
		s.reprice("mug", 1700)
		rests()
		if got := len(s.toldPrice()); got != 23 {
			t.Errorf("%d were told at once, want the first wave, who asked for it", got)
		}
		passes(8 * time.Hour)
		if got := len(s.toldPrice()); got != 23 {
			t.Errorf("%d were told by night, want 23", got)
		}
		passes(2 * time.Hour)
		if got := len(s.toldPrice()); got != 40 {
			t.Errorf("%d were told in the morning, want 40", got)
		}
	})
}
