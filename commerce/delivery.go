package commerce

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Delivery is one watch to be told of one occurrence. It holds no text: that is made when the message leaves.
type Delivery struct {
	Occurrence int64
	Lane       int64 // of the account by which it goes
	Held       bool  // it waits apart, for Due: the end of the night, another try
	Due        time.Time
	Watch      Watch // as it is now
	May        bool  // the consent to alerts stands and the address takes messages
}

// What becomes of a delivery: it is sent, which is handed to the conversation, or dropped for one of these causes.
const (
	DeliverySent  = "sent"
	DropPrice     = "price_rose"
	DropStock     = "sold_out"
	DropConsent   = "no_consent"
	DropCancelled = "watch_cancelled"
	DropTold      = "told_already" // the watch was told by another occurrence
	DropAccount   = "no_account"   // the account has left the config, or the address is gone
	DropStopped   = "cancelled"    // staff cancelled it all
)

// Outcomes are all of them, in the order in which a page shows them.
func Outcomes() []string {
	return []string{DeliverySent, DropPrice, DropStock, DropConsent, DropCancelled, DropTold, DropAccount, DropStopped}
}

// DueFilter picks deliveries of one occurrence in one lane, the first Limit of them in their order: those that wait, or with Held
// those that were held back until At or earlier.
type DueFilter struct {
	Merchant         MerchantID
	Occurrence, Lane int64
	From             int64 // of those that wait: from the one for this watch on, by its key
	Held             bool
	At               time.Time
	Limit            int
}

// Deliveries keeps who is to be told of what.
type Deliveries interface {
	// Raise keeps o when somebody has to be told of it or is armed by it, and says so. While an earlier occurrence of this product
	// and event is at work, that one goes over all watches again, at the price and stock of o.
	Raise(ctx context.Context, o *Occurrence) (bool, error)
	// RaiseFor keeps o for one watch alone.
	RaiseFor(ctx context.Context, o *Occurrence, w Watch) error
	Occurrence(ctx context.Context, merchant MerchantID, key int64) (Occurrence, error)
	// IsArming says that watches of a product and event are being armed again. None of them may fire until that is done.
	IsArming(ctx context.Context, product int64, event string) (bool, error)
	DueDeliveries(ctx context.Context, f DueFilter) ([]Delivery, error)
	// FinishDeliveries removes deliveries of one occurrence and lane and counts what became of them.
	FinishDeliveries(ctx context.Context, outcome string, ds []Delivery) error
	// FireWatch notes that an armed watch is told at a price.
	FireWatch(ctx context.Context, w Watch, o Occurrence) error
}

// Batch is deliveries of one occurrence that are looked at together, in one transaction: price, stock, watches and consents are read
// once, and the product is locked until the transaction ends. Watches change under that lock alone, so that what was read holds.
type Batch struct {
	Product    Product // as it is now
	Occurrence Occurrence
	Waits      bool // nobody may be told now: staff paused it, or watches are being armed
	Due        []Delivery

	filter DueFilter
}

// LoadBatch reads a batch. It may be smaller than the filter allows, and Due lacks what was told meanwhile.
func LoadBatch(ctx context.Context, tx Tx, f DueFilter) (b Batch, err error) {
	b.filter = f
	if b.Occurrence, err = tx.Occurrence(ctx, f.Merchant, f.Occurrence); err != nil {
		return b, fmt.Errorf("load batch: %w", err)
	}
	if b.Product, err = tx.LockProductByKey(ctx, f.Merchant, b.Occurrence.Product); err != nil {
		return b, fmt.Errorf("load batch: %w", err)
	}
	arming, err := tx.IsArming(ctx, b.Product.Key, b.Occurrence.Event)
	if err != nil {
		return b, fmt.Errorf("load batch: %w", err)
	}
	b.Waits = arming || b.Occurrence.Paused || !b.Occurrence.Open
	if b.Due, err = tx.DueDeliveries(ctx, f); err != nil {
		return b, fmt.Errorf("load batch: %w", err)
	}
	return b, nil
}

// Why is why a delivery must not be told at this price and stock; "" when it may.
func (d Delivery) Why(p Product) string {
	switch w := d.Watch; {
	case w.State == WatchCancelled:
		return DropCancelled
	case w.State != WatchArmed:
		return DropTold
	case !d.May:
		return DropConsent
	case p.Available() < w.Pieces():
		return DropStock
	case !w.met(p):
		return DropPrice
	}
	return ""
}

// DropDeliveries drops those of a batch that must not be told, and says how many there were. Their watches stay as they are: armed
// ones are told when their wish is met again.
func DropDeliveries(ctx context.Context, tx Tx, f DueFilter) (int, error) {
	b, err := LoadBatch(ctx, tx, f)
	if err != nil || b.Waits {
		return 0, err
	}
	dropped, n := map[string][]Delivery{}, 0
	for _, d := range b.Due {
		if why := d.Why(b.Product); why != "" {
			dropped[why] = append(dropped[why], d)
			n++
		}
	}
	for _, why := range Outcomes() {
		if ds := dropped[why]; len(ds) > 0 {
			if err := tx.FinishDeliveries(ctx, why, ds); err != nil {
				return 0, fmt.Errorf("drop deliveries: %w", err)
			}
		}
	}
	return n, nil
}

// Alert is what a delivery has to say now.
type Alert struct {
	Occurrence Occurrence
	Watch      Watch
	Product    Product // as it is now
	Quote      Quote   // of one piece (or as many as the watch asked for) at the present price, to buy by one tap
	Dropped    string  // why nothing is said; "" when the alert holds
	Repeat     bool    // it was sent or dropped before, or has to wait: nothing must be said
}

// Tell looks at price, stock, consent and watch once more, fires the watch and ends the delivery: either as sent, with a quote to buy
// by, and then the caller stores the message in the same transaction; or as dropped.
func (b *Batch) Tell(ctx context.Context, tx Tx, watch int64, policy Policy, now time.Time) (Alert, error) {
	a := Alert{Occurrence: b.Occurrence, Product: b.Product}
	d, ok := b.take(watch)
	if !ok || b.Waits {
		a.Repeat = true
		return a, nil
	}
	a.Watch, a.Dropped = d.Watch, d.Why(b.Product)
	if a.Dropped == "" && d.Watch.Pieces() > b.Product.TellRoom(b.Occurrence, policy, now) { // it belongs to a later wave
		a.Repeat = true
		return a, nil
	}
	outcome := a.Dropped
	if outcome == "" {
		outcome = DeliverySent
	}
	if err := b.tell(ctx, tx, &a, d, outcome, policy.filled(), now); err != nil {
		return Alert{}, fmt.Errorf("tell watch %s: %w", d.Watch.ID, err)
	}
	return a, nil
}

func (b *Batch) tell(ctx context.Context, tx Tx, a *Alert, d Delivery, outcome string, policy Policy, now time.Time) (err error) {
	if err := tx.FinishDeliveries(ctx, outcome, []Delivery{d}); err != nil || a.Dropped != "" {
		return err
	}
	a.Watch.State, a.Watch.Told, a.Watch.Changed = WatchFired, b.Product.Price, now
	a.Watch.Epoch++
	if err := tx.FireWatch(ctx, a.Watch, b.Occurrence); err != nil {
		return err
	}
	if b.Product.isScarce(policy) {
		b.Product.countWave(d.Watch.Pieces(), now)
		if err := tx.SaveWave(ctx, b.Product); err != nil {
			return err
		}
	}
	a.Quote = listQuote(b.Product, d.Watch.Contact, 0, d.Watch.Pieces(), policy, now)
	if a.Quote.Total, err = a.Quote.Unit.Times(a.Quote.Quantity); err != nil {
		return err
	}
	return tx.AddQuote(ctx, &a.Quote)
}

func (b *Batch) take(watch int64) (Delivery, bool) {
	for i, d := range b.Due {
		switch {
		case d.Watch.Key != watch:
			continue
		case i == 0: // they are asked for in their order
			b.Due = b.Due[1:]
		default:
			b.Due = slices.Delete(b.Due, i, i+1)
		}
		return d, true
	}
	return Delivery{}, false
}

// Lower is the price from which a price_below that was told at this one tells again, though it did not rise in between.
func Lower(told int64) int64 { return told - fivePercent(told) }
