package commerce

import (
	"time"

	"parley/commerce/money"
)

// OffersMode says what happens to an offer between the floor and the price that is accepted at once.
type OffersMode string

const (
	OffersAuto OffersMode = "auto" // the shop counters by itself; also the zero value's meaning
	OffersAsk  OffersMode = "ask"  // a person of the shop answers
	OffersOff  OffersMode = "off"  // prices stand
)

// Policy is how a merchant trades. Of the zero Policy each field but Currency, FloorPercent and AutoAcceptPercent means its
// default.
type Policy struct {
	Currency money.Currency // of every price; required

	Offers     OffersMode
	OfferValid time.Duration // how long an offer and a counteroffer stand; 48 h
	Tries      int           // offers of one shopper for one product; 3
	TriesFor   time.Duration // for how long tries and earlier counters are remembered; 30 days
	DealFor    time.Duration // how long an agreed price is kept for its shopper; 24 h
	// FloorPercent and AutoAcceptPercent, of the list price, hold for products without limits of their own. 0 means none.
	FloorPercent, AutoAcceptPercent int
	// Beta bends the concession: 1 concedes evenly, less holds out, more gives way early.
	Beta float64

	QuoteValid time.Duration // how long a list price once shown can be bought; 24 h
	HoldOnline time.Duration // how long stock waits for a payment that a provider collects; 10 min
	HoldManual time.Duration // how long it waits for one that a person confirms; 7 days
	CancelFor  time.Duration // how long a shopper may cancel a paid order; 15 min

	Waves bool // scarce products are told of in waves

	WatchLimit int           // watches of one contact that may wait at once; 50
	LinkValid  time.Duration // how long the link that arms a watch works; 7 days
}

func (p Policy) filled() Policy {
	const day = 24 * time.Hour
	if p.Offers == "" {
		p.Offers = OffersAuto
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&p.OfferValid, 2 * day}, {&p.TriesFor, 30 * day}, {&p.DealFor, day}, {&p.QuoteValid, day},
		{&p.HoldOnline, 10 * time.Minute}, {&p.HoldManual, 7 * day}, {&p.CancelFor, 15 * time.Minute}, {&p.LinkValid, 7 * day},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if p.Tries <= 0 {
		p.Tries = 3
	}
	if p.Beta <= 0 {
		p.Beta = 1
	}
	if p.WatchLimit <= 0 {
		p.WatchLimit = 50
	}
	return p
}
