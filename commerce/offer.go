package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce/money"
)

// OfferState is where an offer stands, in the words of the API.
type OfferState string

const (
	OfferOpen      OfferState = "open"      // waits for a person of the shop
	OfferCountered OfferState = "countered" // the shop named a price; the shopper's turn
	OfferAccepted  OfferState = "accepted"  // agreed: Quote is the deal
	OfferDeclined  OfferState = "declined"
	OfferExpired   OfferState = "expired" // nobody answered in time
	OfferVoid      OfferState = "void"    // a later offer of the same shopper took its place
)

// Offer is a price that a shopper named, and what the shop answered.
type Offer struct {
	Merchant     MerchantID
	Key          int64
	ID           OfferID
	Product      int64
	Contact      int64
	Conversation int64
	Quantity     int
	Amount       money.Amount // for one piece
	Counter      money.Amount // for one piece; zero when there is none
	State        OfferState
	Answer       string // the outcome that the shopper was first answered with
	LastTry      bool   // and whether one try was left then
	Quote        int64  // the deal, once accepted
	Actor        string // the person who answered; "" for the policy
	Cause        string
	Created      time.Time
	Changed      time.Time
	Expires      time.Time
}

func (o Offer) live(now time.Time) bool {
	return (o.State == OfferOpen || o.State == OfferCountered) && now.Before(o.Expires)
}

// OfferCommand is a shopper naming a price. A repeat with the same Cause gets the same answer and changes nothing.
type OfferCommand struct {
	Merchant              MerchantID
	Contact, Conversation int64
	SKU                   string
	Quantity              int          // 0 means one
	Amount                money.Amount // for one piece; without a currency it is in the product's, and in hundredths
	Cause                 string
}

// MakeOffer answers an offer by the merchant's policy. Outcomes: accepted (with a deal quote), countered, declined, asked
// (a person will answer), tries_used, wrong_currency, not_negotiable, sold_out, no_product.
//
// The shopper never pays more than the list price, than they offered, or than the shop has named to them; the shop never
// goes below the floor, and no answer tells where that is.
func MakeOffer(ctx context.Context, tx Tx, c OfferCommand, policy Policy, now time.Time) (Outcome, error) {
	out, err := makeOffer(ctx, tx, c, policy.filled(), now)
	if err != nil {
		return Outcome{}, fmt.Errorf("offer for %s: %w", c.SKU, err)
	}
	return out, nil
}

func makeOffer(ctx context.Context, tx Tx, c OfferCommand, policy Policy, now time.Time) (Outcome, error) {
	p, err := tx.LockProduct(ctx, c.Merchant, c.SKU)
	if errors.Is(err, ErrNotFound) {
		return Outcome{Name: "no_product"}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Product: p, Price: p.Price}
	if c.Cause != "" {
		before, err := tx.OfferByCause(ctx, c.Merchant, c.Cause)
		if err == nil {
			return again(ctx, tx, out, before)
		}
		if !errors.Is(err, ErrNotFound) {
			return Outcome{}, err
		}
	}
	if _, err := pieces(c.Quantity); err != nil {
		return Outcome{}, err
	}
	bid, ours := inCurrency(c.Amount, p.Price.Currency)
	terms, ok := termsOf(p, policy)
	switch {
	case !ok:
		out.Name = "not_negotiable"
		return out, nil
	case !ours:
		out.Name = "wrong_currency"
		return out, nil
	}
	out.Offer = Offer{
		Merchant: c.Merchant, Product: p.Key, Contact: c.Contact, Conversation: c.Conversation, Quantity: max(1, c.Quantity),
		Amount: bid, Cause: c.Cause, Created: now, Changed: now, Expires: now.Add(policy.OfferValid),
	}
	past, err := tx.OffersOf(ctx, c.Merchant, c.Contact, p.Key, now.Add(-policy.TriesFor))
	if err != nil {
		return Outcome{}, err
	}
	room, err := unspoken(ctx, tx, p, c.Contact, now)
	if err != nil {
		return Outcome{}, err
	}
	if room < out.Offer.Quantity {
		out.Name = "sold_out"
		return out, nil
	}
	a := haggle(bid, out.Offer.Quantity, terms, past, policy, now)
	return out, answer(ctx, tx, &out, a, past, policy, now)
}

// inCurrency reads a bare amount, which counts hundredths, as one of a currency that may count otherwise. It says false when
// the amount is in another currency, or has decimals that this one lacks.
func inCurrency(a money.Amount, c money.Currency) (money.Amount, bool) {
	if a.Currency != "" {
		return a, a.Currency == c
	}
	bare, err := money.ParseDecimal(trimmed(a.Decimal(), c.Digits()), c)
	return bare, err == nil
}

// trimmed drops closing zeros beyond the decimals that a currency has.
func trimmed(s string, digits int) string {
	for len(s) > 0 && decimals(s) > digits && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s != "" && s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

func decimals(s string) int {
	for i := range len(s) {
		if s[i] == '.' {
			return len(s) - i - 1
		}
	}
	return 0
}

// again is the answer that was given to the same command before.
func again(ctx context.Context, tx Tx, out Outcome, before Offer) (Outcome, error) {
	out.Name, out.Offer, out.LastTry, out.Repeat = before.Answer, before, before.LastTry, true
	if before.Quote == 0 || before.Answer != "accepted" {
		return out, nil
	}
	var err error
	out.Quote, err = tx.QuoteByKey(ctx, before.Merchant, before.Quote)
	out.Price = out.Quote.Unit
	return out, err
}

// unspoken is how many pieces are there that no other shopper's deal waits for: the first to agree takes a single item.
func unspoken(ctx context.Context, tx Tx, p Product, contact int64, now time.Time) (int, error) {
	dealt, err := tx.DealtPieces(ctx, p.Merchant, p.Key, contact, now)
	return p.Available() - dealt, err
}

// answer carries out what haggle decided.
func answer(ctx context.Context, tx Tx, out *Outcome, a verdict, past []Offer, policy Policy, now time.Time) error {
	out.Name, out.LastTry = a.name, a.lastTry
	o := &out.Offer
	o.Answer, o.LastTry, o.Counter = a.name, a.lastTry, a.counter
	switch a.name {
	case "tries_used":
		return nil
	case "accepted":
		if err := deal(ctx, tx, out, a.price, policy, now); err != nil {
			return err
		}
		o.State = OfferAccepted
	case "countered":
		o.State = OfferCountered
	case "declined":
		o.State = OfferDeclined
	case "asked":
		o.State = OfferOpen
	}
	if o.State != OfferDeclined { // a declined try leaves the shop's earlier word standing
		if err := void(ctx, tx, past, now); err != nil {
			return err
		}
	}
	if err := tx.AddOffer(ctx, o); err != nil {
		return err
	}
	return tx.Event(ctx, o.Merchant, "offer_"+a.name, string(o.ID), o.facts(out.Product))
}

// void ends the offers that a later one replaces.
func void(ctx context.Context, tx Tx, past []Offer, now time.Time) error {
	for _, o := range past {
		if o.State != OfferOpen && o.State != OfferCountered {
			continue
		}
		o.State, o.Changed = OfferVoid, now
		if err := tx.SaveOffer(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// deal makes the quote of an agreed price: this shopper's alone, over this quantity.
func deal(ctx context.Context, tx Tx, out *Outcome, price money.Amount, policy Policy, now time.Time) error {
	o := &out.Offer
	total, err := price.Times(o.Quantity)
	if err != nil {
		return err
	}
	out.Quote = Quote{
		Merchant: o.Merchant, Product: o.Product, Contact: o.Contact, Conversation: o.Conversation, Quantity: o.Quantity,
		Unit: price, Total: total, Kind: DealQuote, Created: now, Expires: now.Add(policy.DealFor),
	}
	if err := tx.AddQuote(ctx, &out.Quote); err != nil {
		return err
	}
	o.Quote, out.Price = out.Quote.Key, price
	return nil
}

func (o Offer) facts(p Product) map[string]any {
	return map[string]any{
		"sku": p.SKU, "quantity": o.Quantity, "amount": o.Amount, "counter": o.Counter.Minor, "contact": o.Contact, "conversation": o.Conversation,
	}
}
