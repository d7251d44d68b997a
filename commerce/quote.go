package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce/money"
)

// QuoteKind says where the price of a quote comes from.
type QuoteKind string

const (
	ListQuote QuoteKind = "list" // the price everybody sees
	DealQuote QuoteKind = "deal" // agreed with one shopper: it outlives changes of the list price
)

// Quote is one contact's chance to buy a product at a price they were shown. At most one order ever comes of it.
type Quote struct {
	Merchant     MerchantID
	Key          int64
	ID           QuoteID
	Product      int64
	Contact      int64
	Conversation int64 // 0 when it was not made in one
	Quantity     int
	Unit, Total  money.Amount
	Kind         QuoteKind
	Cause        string // of the command that made it; "" for none
	Created      time.Time
	Expires      time.Time
}

// IsLive says whether the quote can still be bought.
func (q Quote) IsLive(now time.Time) bool { return now.Before(q.Expires) }

// QuoteCommand asks for a price. A repeat with the same Cause answers with the same quote.
type QuoteCommand struct {
	Merchant              MerchantID
	Contact, Conversation int64
	SKU                   string
	Quantity              int // 0 means one
	Cause                 string
}

// MakeQuote offers a product at the price in force for this contact: the present one, or their own deal over the same
// quantity. Outcomes: quoted, sold_out, no_product.
func MakeQuote(ctx context.Context, tx Tx, c QuoteCommand, policy Policy, now time.Time) (Outcome, error) {
	o, err := makeQuote(ctx, tx, c, policy.filled(), now)
	if err != nil {
		return Outcome{}, fmt.Errorf("quote %s: %w", c.SKU, err)
	}
	return o, nil
}

func makeQuote(ctx context.Context, tx Tx, c QuoteCommand, policy Policy, now time.Time) (Outcome, error) {
	p, err := tx.LockProduct(ctx, c.Merchant, c.SKU)
	if errors.Is(err, ErrNotFound) {
		return Outcome{Name: "no_product"}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Name: "quoted", Product: p, Price: p.Price}
	if c.Cause != "" {
		q, err := tx.QuoteByCause(ctx, c.Merchant, c.Cause)
		if err == nil {
			o.Quote, o.Price, o.Repeat = q, q.Unit, true
			return o, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return Outcome{}, err
		}
	}
	quantity, err := pieces(c.Quantity)
	if err != nil {
		return Outcome{}, err
	}
	if p.Available() < quantity {
		o.Name = "sold_out"
		return o, nil
	}
	deal, err := tx.LiveDeal(ctx, c.Merchant, c.Contact, p.Key, now)
	switch {
	case err == nil && deal.Quantity == quantity && deal.Unit.Minor <= p.Price.Minor:
		o.Quote, o.Price = deal, deal.Unit
		return o, nil
	case err != nil && !errors.Is(err, ErrNotFound):
		return Outcome{}, err
	}
	o.Quote = listQuote(p, c.Contact, c.Conversation, quantity, policy, now)
	o.Quote.Cause = c.Cause
	if o.Quote.Total, err = p.Price.Times(quantity); err != nil {
		return Outcome{}, err
	}
	return o, tx.AddQuote(ctx, &o.Quote)
}

func listQuote(p Product, contact, conversation int64, quantity int, policy Policy, now time.Time) Quote {
	return Quote{
		Merchant: p.Merchant, Product: p.Key, Contact: contact, Conversation: conversation, Quantity: quantity, Unit: p.Price,
		Kind: ListQuote, Created: now, Expires: now.Add(policy.QuoteValid),
	}
}

// pieces reads a quantity; 0 means one.
func pieces(n int) (int, error) {
	if n == 0 {
		return 1, nil
	}
	if n < 0 || n > maxQuantity {
		return 0, invalid("quantity", "the quantity must be from 1 to %d, not %d", maxQuantity, n)
	}
	return n, nil
}
