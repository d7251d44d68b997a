package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce/money"
)

// AcceptCommand is the shopper saying yes to the shop's counteroffer.
type AcceptCommand struct {
	Merchant MerchantID
	Offer    OfferID
	Contact  int64
}

// AcceptCounter turns a counteroffer into a deal. Outcomes: accepted (again with the same quote when repeated),
// offer_expired, sold_out.
func AcceptCounter(ctx context.Context, tx Tx, c AcceptCommand, policy Policy, now time.Time) (Outcome, error) {
	out, err := loadOffer(ctx, tx, c.Merchant, c.Offer)
	if errors.Is(err, ErrNotFound) || err == nil && out.Offer.Contact != c.Contact {
		return Outcome{Name: "offer_expired"}, nil
	}
	if err == nil {
		err = acceptCounter(ctx, tx, &out, policy.filled(), now)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("accept %s: %w", c.Offer, err)
	}
	return out, nil
}

func acceptCounter(ctx context.Context, tx Tx, out *Outcome, policy Policy, now time.Time) error {
	o := out.Offer
	switch {
	case o.State == OfferAccepted && out.Quote.IsLive(now):
		out.Name, out.Repeat = "accepted", true
		return nil
	case o.State != OfferCountered || !o.live(now):
		out.Name = "offer_expired"
		return nil
	}
	price := o.Counter
	if out.Product.Price.Minor < price.Minor {
		price = out.Product.Price
	}
	return agree(ctx, tx, out, price, "", policy, now)
}

// loadOffer locks the offer's product and then reads the offer, with its deal if there is one.
func loadOffer(ctx context.Context, tx Tx, merchant MerchantID, id OfferID) (Outcome, error) {
	o, err := tx.Offer(ctx, merchant, id)
	if err != nil {
		return Outcome{}, err
	}
	p, err := tx.LockProductByKey(ctx, merchant, o.Product)
	if err != nil {
		return Outcome{}, err
	}
	if o, err = tx.Offer(ctx, merchant, id); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Product: p, Price: p.Price, Offer: o}
	if o.Quote != 0 {
		out.Quote, err = tx.QuoteByKey(ctx, merchant, o.Quote)
		out.Price = out.Quote.Unit
	}
	return out, err
}

// agree closes an offer at a price, unless what is left is spoken for.
func agree(ctx context.Context, tx Tx, out *Outcome, price money.Amount, actor string, policy Policy, now time.Time) error {
	o := &out.Offer
	room, err := unspoken(ctx, tx, out.Product, o.Contact, now)
	if err != nil {
		return err
	}
	if room < o.Quantity {
		out.Name = "sold_out"
		return nil
	}
	if err := deal(ctx, tx, out, price, policy, now); err != nil {
		return err
	}
	out.Name = "accepted"
	return closeOffer(ctx, tx, out, OfferAccepted, actor, now)
}

// closeOffer saves the offer in its new state and reports it.
func closeOffer(ctx context.Context, tx Tx, out *Outcome, to OfferState, actor string, now time.Time) error {
	o := &out.Offer
	o.State, o.Actor, o.Changed = to, actor, now
	if err := tx.SaveOffer(ctx, *o); err != nil {
		return err
	}
	return tx.Event(ctx, o.Merchant, "offer_"+string(to), string(o.ID), o.facts(out.Product))
}

// StaffAnswer is a person of the shop answering an offer.
type StaffAnswer struct {
	Merchant MerchantID
	Offer    OfferID
	Actor    string
	Price    money.Amount // with CounterOffer, for one piece
}

// AcceptOffer takes the shopper's price. Outcomes: accepted, sold_out. An offer that is over is an ErrConflict; accepting
// twice is not.
func AcceptOffer(ctx context.Context, tx Tx, a StaffAnswer, policy Policy, now time.Time) (Outcome, error) {
	return staff(ctx, tx, a, OfferAccepted, now, func(out *Outcome) error {
		price := out.Offer.Amount
		if out.Product.Price.Minor < price.Minor {
			price = out.Product.Price
		}
		return agree(ctx, tx, out, price, a.Actor, policy.filled(), now)
	})
}

// DeclineOffer refuses it. The outcome is declined.
func DeclineOffer(ctx context.Context, tx Tx, a StaffAnswer, now time.Time) (Outcome, error) {
	return staff(ctx, tx, a, OfferDeclined, now, func(out *Outcome) error {
		out.Name, out.LastTry = "declined", out.Offer.LastTry
		return closeOffer(ctx, tx, out, OfferDeclined, a.Actor, now)
	})
}

// CounterOffer names another price. The outcome is countered. The price must be below the list price, not below the bid, and
// not above what this shopper was named before; the shop does not counter twice in a row.
func CounterOffer(ctx context.Context, tx Tx, a StaffAnswer, policy Policy, now time.Time) (Outcome, error) {
	policy = policy.filled()
	return staff(ctx, tx, a, OfferCountered, now, func(out *Outcome) error {
		o := &out.Offer
		if o.State == OfferCountered {
			return fmt.Errorf("%w: the shop has named a price, it is the shopper's turn", ErrConflict)
		}
		if err := checkAmount("price", a.Price, out.Product.Price.Currency, 1); err != nil {
			return err
		}
		past, err := tx.OffersOf(ctx, a.Merchant, o.Contact, o.Product, now.Add(-policy.TriesFor))
		if err != nil {
			return err
		}
		if err := mayCounter(a.Price, *o, out.Product, past); err != nil {
			return err
		}
		out.Name, o.Counter, o.Expires, out.LastTry = "countered", a.Price, now.Add(policy.OfferValid), o.LastTry
		return closeOffer(ctx, tx, out, OfferCountered, a.Actor, now)
	})
}

func mayCounter(price money.Amount, o Offer, p Product, past []Offer) error {
	switch {
	case price.Minor >= p.Price.Minor:
		return invalid("price", "a counteroffer must be below the list price %s", p.Price)
	case price.Minor < o.Amount.Minor:
		return invalid("price", "the shopper offered %s, which is more", o.Amount)
	}
	for _, earlier := range past {
		if c := earlier.Counter; !c.IsZero() && c.Currency == price.Currency && c.Minor < price.Minor {
			return invalid("price", "this shopper was named %s before", c)
		}
	}
	return nil
}

// staff loads an offer for an answer, and tells repeats and lateness.
func staff(ctx context.Context, tx Tx, a StaffAnswer, to OfferState, now time.Time, do func(*Outcome) error) (Outcome, error) {
	out, err := loadOffer(ctx, tx, a.Merchant, a.Offer)
	if err != nil {
		return Outcome{}, fmt.Errorf("answer %s: %w", a.Offer, err)
	}
	repeat := out.Offer.State == to && (to != OfferCountered || out.Offer.Counter == a.Price)
	switch {
	case repeat:
		out.Name, out.Repeat = string(to), true
		return out, nil
	case !out.Offer.live(now):
		return Outcome{}, fmt.Errorf("answer %s: %w: the offer is %s", a.Offer, ErrConflict, out.Offer.shown(now))
	}
	if err := do(&out); err != nil {
		return Outcome{}, fmt.Errorf("answer %s: %w", a.Offer, err)
	}
	return out, nil
}

// shown is the state as it is now, though the sweep may not have come by yet.
func (o Offer) shown(now time.Time) OfferState {
	if (o.State == OfferOpen || o.State == OfferCountered) && !o.live(now) {
		return OfferExpired
	}
	return o.State
}

// ExpireOffers ends the offers that nobody answered in time, at most limit of them.
func ExpireOffers(ctx context.Context, tx Tx, now time.Time, limit int) ([]Outcome, error) {
	overdue, err := tx.OverdueOffers(ctx, now, limit)
	if err != nil {
		return nil, fmt.Errorf("expire offers: %w", err)
	}
	var outs []Outcome
	for _, o := range overdue {
		out, err := loadOffer(ctx, tx, o.Merchant, o.ID)
		if err != nil {
			return nil, fmt.Errorf("expire %s: %w", o.ID, err)
		}
		if out.Offer.shown(now) != OfferExpired || out.Offer.State == OfferExpired {
			continue
		}
		out.Name = "offer_expired"
		if err := closeOffer(ctx, tx, &out, OfferExpired, "", now); err != nil {
			return nil, fmt.Errorf("expire %s: %w", o.ID, err)
		}
		outs = append(outs, out)
	}
	return outs, nil
}
