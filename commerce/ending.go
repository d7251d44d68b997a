package commerce

import "time"

// Ending is why what was offered cannot be bought any more.
type Ending string

const (
	EndedOrdered   Ending = "ordered"   // they have it
	EndedUsed      Ending = "used"      // its order came to nothing
	EndedCancelled Ending = "cancelled" // they do not watch it any more
	EndedExpired   Ending = "expired"
	EndedDearer    Ending = "dearer" // the list price has risen
	EndedSoldOut   Ending = "sold_out"
)

// Ending says why a quote that nobody has ordered by cannot be bought; "" when it can.
func (q Quote) Ending(p Product, now time.Time) Ending {
	switch {
	case !q.IsLive(now):
		return EndedExpired
	case q.Kind == ListQuote && p.Price.Minor > q.Unit.Minor, q.Unit.Currency != p.Price.Currency:
		return EndedDearer
	case p.Available() < q.Quantity:
		return EndedSoldOut
	}
	return ""
}
