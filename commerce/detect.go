package commerce

import (
	"context"
	"fmt"
	"time"

	"parley/commerce/money"
)

// Occurrence is one thing that happened to a product, however many are told of it.
type Occurrence struct {
	Merchant   MerchantID
	Key        int64
	ID         OccurrenceID
	Product    int64
	Event      string
	Price      money.Amount
	WasPrice   money.Amount
	Available  int
	Deliveries int // how many are to be told, as far as is known
	Open       bool
	Paused     bool
	Single     bool // for one watch, which was met when it was made
	At         time.Time
}

// detect notes that somebody may have to be told of the product as it is, or that its price or its empty shelf arms watches again.
// It looks at states, not at what has just changed: a watch made while the price was low already, or a change that was missed,
// counts as well. It writes one row an event, however many watch: they stay as they are, and are found and told later, in chunks.
func detect(ctx context.Context, tx Tx, p Product, now time.Time) ([]Occurrence, error) {
	var raised []Occurrence
	for _, event := range []string{PriceBelow, BackInStock} {
		o := happened(p, event, now)
		work, err := tx.Raise(ctx, &o)
		if err != nil {
			return nil, fmt.Errorf("raise %s of %s: %w", event, p.SKU, err)
		}
		if work {
			raised = append(raised, o)
		}
	}
	return raised, nil
}

func happened(p Product, event string, now time.Time) Occurrence {
	return Occurrence{
		Merchant: p.Merchant, Product: p.Key, Event: event, Price: p.Price, WasPrice: p.WasPrice, Available: p.Available(), At: now,
	}
}

// meet has one watch told whose wish is met already.
func meet(ctx context.Context, tx Tx, w Watch, p Product, now time.Time) ([]Occurrence, error) {
	o := happened(p, w.Event, now)
	if err := tx.RaiseFor(ctx, &o, w); err != nil {
		return nil, fmt.Errorf("raise %s of %s: %w", w.Event, p.SKU, err)
	}
	err := tx.Event(ctx, p.Merchant, w.Event, string(o.ID), map[string]any{
		"sku": p.SKU, "price": p.Price, "stock": p.Available(), "deliveries": o.Deliveries,
	})
	return []Occurrence{o}, err
}
