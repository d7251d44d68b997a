package commerce

import (
	"context"
	"fmt"
	"time"

	"parley/commerce/money"
)

// Occurrence is one thing that happened to a product, however many are told of it.
type Occurrence struct {
	Merchant  MerchantID
	Key       int64
	ID        OccurrenceID
	Product   int64
	Event     string
	Price     money.Amount
	WasPrice  money.Amount
	Available int
	// Lower is the price from which a price_below that fires now tells again, though its price did not rise in between.
	Lower      money.Amount
	Deliveries int // how many are to be told
	At         time.Time
}

// detect arms the watches that the product as it is arms again, and fires those that it satisfies. It looks at states, not
// at what has just changed: a watch made while the price was low already, or a change that was missed, counts as well.
func detect(ctx context.Context, tx Tx, p Product, now time.Time) ([]Occurrence, error) {
	var raised []Occurrence
	for _, event := range []string{PriceBelow, BackInStock} {
		if err := tx.RearmWatches(ctx, p, event); err != nil {
			return nil, fmt.Errorf("rearm watches of %s: %w", p.SKU, err)
		}
		fired, err := fire(ctx, tx, p, event, 0, now)
		if err != nil {
			return nil, err
		}
		raised = append(raised, fired...)
	}
	return raised, nil
}

// fire tells the armed watches of one event; of only one, when its key is given.
func fire(ctx context.Context, tx Tx, p Product, event string, only int64, now time.Time) ([]Occurrence, error) {
	if p.Available() < 1 {
		return nil, nil // nobody is called to an empty shelf; the watches stay armed
	}
	o := Occurrence{
		Merchant: p.Merchant, Product: p.Key, Event: event, Price: p.Price, WasPrice: p.WasPrice, Available: p.Available(),
		Lower: money.New(p.Price.Minor-fivePercent(p.Price.Minor), p.Price.Currency), At: now,
	}
	if err := tx.FireWatches(ctx, &o, only); err != nil {
		return nil, fmt.Errorf("fire watches of %s: %w", p.SKU, err)
	}
	if o.Deliveries == 0 {
		return nil, nil
	}
	err := tx.Event(ctx, p.Merchant, event, string(o.ID), map[string]any{
		"sku": p.SKU, "price": p.Price, "stock": p.Available(), "deliveries": o.Deliveries,
	})
	return []Occurrence{o}, err
}
