package commerce

import (
	"math"
	"time"

	"parley/commerce/money"
)

// terms are the limits within which a product may be haggled over. Floor and accept are at most the list price.
type terms struct {
	list, floor, accept int64 // minor units
}

// termsOf are the product's own limits, or the policy's percentages of its price. It says false where prices stand.
func termsOf(p Product, policy Policy) (terms, bool) {
	t := terms{list: p.Price.Minor, floor: p.Floor.Minor, accept: p.AutoAccept.Minor}
	if t.floor == 0 {
		t.floor = percent(t.list, policy.FloorPercent)
	}
	if t.accept == 0 {
		t.accept = percent(t.list, policy.AutoAcceptPercent)
	}
	switch {
	case policy.Offers == OffersOff:
		return terms{}, false
	case t.floor == 0 && t.accept == 0:
		// Without limits only a person can answer; and everything is between.
		if policy.Offers != OffersAsk {
			return terms{}, false
		}
		t.floor, t.accept = 1, t.list
	case t.floor == 0 && policy.Offers == OffersAsk:
		t.floor = 1
	case t.floor == 0:
		t.floor = t.accept
	case t.accept == 0:
		t.accept = t.list
	}
	// A list price that fell below the limits takes them along.
	t.accept = min(t.accept, t.list)
	t.floor = min(t.floor, t.accept)
	return t, true
}

// percent rounds up; 0 or less and 100 or more mean none.
func percent(n int64, p int) int64 {
	if p <= 0 || p >= 100 {
		return 0
	}
	return (n*int64(p) + 99) / 100
}

// verdict is the answer to an offer.
type verdict struct {
	name    string       // accepted, countered, declined, asked, tries_used
	price   money.Amount // with accepted: what is paid for one piece
	counter money.Amount // with countered
	lastTry bool         // one try is left after this one
}

// haggle answers a bid within terms, knowing the shopper's earlier offers for the same product.
func haggle(bid money.Amount, quantity int, t terms, past []Offer, policy Policy, now time.Time) verdict {
	at := func(minor int64) money.Amount { return money.New(minor, bid.Currency) }
	used, round := 0, 1
	lowest := t.list // the lowest price that the shop has named to this shopper: it never goes back on it
	standing := int64(math.MaxInt64)
	for _, o := range past {
		if o.State != OfferAccepted || o.Answer == "countered" {
			used++
		}
		if o.State == OfferAccepted && o.Answer != "countered" && o.Amount.Currency == bid.Currency {
			lowest = min(lowest, o.Amount.Minor)
		}
		if !o.Counter.IsZero() && o.Counter.Currency == bid.Currency {
			round++
			lowest = min(lowest, o.Counter.Minor)
			if o.State == OfferCountered && o.live(now) && o.Quantity == quantity {
				standing = min(standing, o.Counter.Minor)
			}
		}
	}
	left := policy.Tries - used
	switch {
	case bid.Minor >= min(standing, t.list): // takes what the shop asks, whatever number they said
		return verdict{name: "accepted", price: at(min(standing, t.list))}
	case left <= 0:
		return verdict{name: "tries_used"}
	case bid.Minor >= t.accept:
		return verdict{name: "accepted", price: bid}
	}
	v := verdict{name: "declined", lastTry: left == 2}
	switch {
	case bid.Minor < t.floor:
		return v
	case policy.Offers == OffersAsk:
		v.name = "asked"
		return v
	}
	counter := min(t.concede(round, policy), lowest)
	if counter <= bid.Minor {
		return verdict{name: "accepted", price: bid}
	}
	v.name, v.counter = "countered", at(counter)
	return v
}

// concede is the price that the shop names in a round, from 1. It follows Faratin's polynomial from the list price towards
// the floor, which it would reach one round after the last: no counter ever names the floor. It is rounded up to a price
// point and stays below the list price.
func (t terms) concede(round int, policy Policy) int64 {
	const million = 1_000_000
	share := math.Pow(float64(min(round, policy.Tries))/float64(policy.Tries+1), 1/policy.Beta)
	down := (t.list - t.floor) / million * int64(share*million)
	down += (t.list - t.floor) % million * int64(share*million) / million
	price := t.list - down
	step := pricePoint(t.list)
	rounded := (price + step - 1) / step * step
	if rounded < t.list {
		return rounded
	}
	return min(price, t.list-1)
}

// pricePoint is the step of the prices that a shop names: 1, 5, 10, 50, 100 … minor units, at most 1 % of the list price.
// For €20 it is 10 cents.
func pricePoint(list int64) int64 {
	step := int64(1)
	for factor := int64(5); step*factor <= list/100; factor = 7 - factor {
		step *= factor
	}
	return step
}
