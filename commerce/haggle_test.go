package commerce

import (
	"math/rand/v2"
	"testing"
	"time"

	"parley/commerce/money"
)

func eur(minor int64) money.Amount { return money.New(minor, "EUR") }

func TestLimitsComeFromTheProductOrElseFromThePolicy(t *testing.T) {
	percents := Policy{FloorPercent: 70, AutoAcceptPercent: 90}
	for _, c := range []struct {
		name          string
		floor, accept int64
		policy        Policy
		want          terms
		ok            bool
	}{
		{"both of the product", 1400, 1800, percents, terms{2000, 1400, 1800}, true},
		{"both of the policy, rounded up", 0, 0, Policy{FloorPercent: 33, AutoAcceptPercent: 90}, terms{2000, 660, 1800}, true},
		{"the product's floor, the policy's acceptance", 1500, 0, percents, terms{2000, 1500, 1800}, true},
		{"only a floor: nothing below the list price is accepted at once", 1400, 0, Policy{}, terms{2000, 1400, 2000}, true},
		{"only an acceptance: there is nothing between", 0, 1800, Policy{}, terms{2000, 1800, 1800}, true},
		{"none", 0, 0, Policy{}, terms{}, false},
		{"none, but a person answers", 0, 0, Policy{Offers: OffersAsk}, terms{2000, 1, 2000}, true},
		{"switched off", 1400, 1800, Policy{Offers: OffersOff}, terms{}, false},
		{"the list price fell below the acceptance", 1400, 2100, Policy{}, terms{2000, 1400, 2000}, true},
		{"the list price fell below both", 2100, 2200, Policy{}, terms{2000, 2000, 2000}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Product{Price: eur(2000), Floor: eur(c.floor), AutoAccept: eur(c.accept)}
			got, ok := termsOf(p, c.policy.filled())
			if got != c.want || ok != c.ok {
				t.Errorf("got %+v, %v, want %+v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestConcessionFollowsTheCurveToPricePoints(t *testing.T) {
	for _, c := range []struct {
		name string
		t    terms
		beta float64
		want [3]int64
	}{
		{"evenly", terms{2000, 1400, 1800}, 1, [3]int64{1850, 1700, 1550}},
		{"holding out", terms{2000, 1400, 1800}, 0.25, [3]int64{1998, 1970, 1820}},
		{"giving way early", terms{2000, 1400, 1800}, 4, [3]int64{1580, 1500, 1450}},
		{"in steps of 50 cents", terms{8900, 7200, 8400}, 1, [3]int64{8500, 8050, 7650}},
		{"a single cent between", terms{100, 98, 99}, 1, [3]int64{99, 99, 99}},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy := Policy{Beta: c.beta}.filled()
			for round, want := range c.want {
				got := c.t.concede(round+1, policy)
				if got != want {
					t.Errorf("round %d: got %d, want %d", round+1, got, want)
				}
			}
		})
	}
}

func TestPricePointsAreAtMostOnePercent(t *testing.T) {
	for list, want := range map[int64]int64{1: 1, 99: 1, 499: 1, 500: 5, 1000: 10, 2000: 10, 5000: 50, 12900: 100, 1_000_000: 10_000} {
		if got := pricePoint(list); got != want {
			t.Errorf("list price %d: got steps of %d, want %d", list, got, want)
		}
	}
}

// A long random haggle keeps all the rules at every answer, whatever the limits, the curve and the bids.
func TestHagglingNeverBreaksTheRules(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	answers := map[string]int{}
	for range 20_000 {
		list := 10 + random.Int64N([]int64{90, 2_000, 100_000, maxPrice - 10}[random.IntN(4)])
		floor := 1 + random.Int64N(list-2)
		trade := terms{list: list, floor: floor, accept: floor + random.Int64N(list-floor+1)}
		policy := Policy{Tries: 1 + random.IntN(5), Beta: []float64{0.2, 1, 3}[random.IntN(3)]}.filled()
		h := history{t: t, terms: trade, policy: policy, now: time.UnixMilli(1), lowest: list}
		for range policy.Tries + 2 {
			bid := 1 + random.Int64N(list+list/10)
			if random.IntN(2) == 0 {
				bid = floor + random.Int64N(list-floor+1)
			}
			answers[h.offer(bid)]++
			h.now = h.now.Add(time.Duration(random.IntN(30)) * time.Hour)
		}
	}
	for _, name := range []string{"accepted", "countered", "declined", "tries_used"} {
		if answers[name] < 1000 {
			t.Errorf("only %d offers were %s: the bids do not reach the rules", answers[name], name)
		}
	}
}

// history plays the shopper's side and keeps its own books of what the shop has said.
type history struct {
	t      *testing.T
	terms  terms
	policy Policy
	now    time.Time
	past   []Offer
	lowest int64 // the lowest price the shop has named
}

func (h *history) offer(bid int64) string {
	v := haggle(eur(bid), 1, h.terms, h.past, h.policy, h.now)
	fail := func(rule string) {
		h.t.Helper()
		h.t.Fatalf("%s: limits %+v, %d earlier offers, bid %d, answer %+v", rule, h.terms, len(h.past), bid, v)
	}
	standing, isStanding := h.standing()
	switch v.name {
	case "accepted":
		switch {
		case v.price.Minor > h.terms.list:
			fail("sold above the list price")
		case v.price.Minor > bid:
			fail("sold above the bid")
		case v.price.Minor < h.terms.floor:
			fail("sold below the floor")
		case isStanding && v.price.Minor > standing:
			fail("sold above what the shop asks at the moment")
		}
	case "countered":
		switch {
		case v.counter.Minor <= bid:
			fail("countered what was offered or less")
		case v.counter.Minor >= h.terms.list:
			fail("countered with the list price")
		case v.counter.Minor <= h.terms.floor:
			fail("named the floor")
		case v.counter.Minor > h.lowest:
			fail("went back on an earlier price")
		}
		h.lowest = v.counter.Minor
	case "declined":
		if bid >= h.terms.floor {
			fail("declined at or above the floor")
		}
	case "tries_used":
		if len(h.past) < h.policy.Tries {
			fail("refused too early")
		}
		return v.name
	}
	if bid < h.terms.floor && v.name != "declined" {
		fail("answered a bid below the floor with more than no")
	}
	h.remember(bid, v)
	return v.name
}

func (h *history) standing() (int64, bool) {
	for _, o := range h.past {
		if o.State == OfferCountered && o.live(h.now) {
			return o.Counter.Minor, true
		}
	}
	return 0, false
}

// remember writes the offer down as MakeOffer does.
func (h *history) remember(bid int64, v verdict) {
	states := map[string]OfferState{"accepted": OfferAccepted, "countered": OfferCountered, "declined": OfferDeclined}
	if v.name != "declined" {
		for i := range h.past {
			if h.past[i].State == OfferCountered {
				h.past[i].State = OfferVoid
			}
		}
	}
	if v.name == "accepted" { // deals do not count as tries, and this history is about tries
		v.counter, v.name = v.price, "countered"
		h.lowest = min(h.lowest, v.price.Minor)
		h.past = append(h.past, Offer{Amount: eur(bid), Counter: v.counter, Answer: "countered", State: OfferAccepted, Quantity: 1})
		return
	}
	h.past = append(h.past, Offer{
		Amount: eur(bid), Counter: v.counter, Answer: v.name, State: states[v.name], Quantity: 1, Expires: h.now.Add(h.policy.OfferValid),
	})
}

func TestBareAmountsAreReadInTheProductsCurrency(t *testing.T) {
	for _, c := range []struct {
		name string
		in   money.Amount
		to   money.Currency
		want money.Amount
		ok   bool
	}{
		{"hundredths of a euro", money.New(1550, ""), "EUR", eur(1550), true},
		{"whole yen", money.New(150000, ""), "JPY", money.New(1500, "JPY"), true},
		{"no fraction of a yen", money.New(150050, ""), "JPY", money.Amount{}, false},
		{"thousandths of a dinar", money.New(1550, ""), "KWD", money.New(15500, "KWD"), true},
		{"the same currency", eur(100), "EUR", eur(100), true},
		{"another currency", money.New(100, "USD"), "EUR", money.New(100, "USD"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := inCurrency(c.in, c.to)
			if ok != c.ok || ok && got != c.want {
				t.Errorf("got %s, %v, want %s, %v", got, ok, c.want, c.ok)
			}
		})
	}
}
