package commerce

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"parley/commerce/money"
)

// WatchState says where a watch stands.
type WatchState string

const (
	WatchPending   WatchState = "pending"   // its link was not opened yet: nobody may be told
	WatchArmed     WatchState = "armed"     // it is told, and fires thereby, as soon as the product is as wished
	WatchFired     WatchState = "fired"     // told; a move of the price or the stock arms it again
	WatchCancelled WatchState = "cancelled" // for good
)

// Watch is a contact's wish to be told of an event of a product.
type Watch struct {
	Merchant MerchantID
	Key      int64
	ID       WatchID
	Product  int64
	Contact  int64
	Address  int64 // where to tell; 0 while pending
	Event    string
	Fields   map[string]string // as the event declares them, in canonical form
	State    WatchState
	// Threshold and Quantity are read from Fields. Rearm is the price from which a fired price_below is armed again.
	Threshold, Rearm money.Amount
	Quantity         int
	NotAtNight       bool
	TokenHash        string       // of the link that arms it; "" when there is none
	LinkExpires      time.Time    // zero without a link
	Epoch            int          // how often it has fired
	Told             money.Amount // the price at the latest firing; zero before
	Created, Changed time.Time
}

// Pieces is how many pieces the watch is for: one, where nothing is said.
func (w Watch) Pieces() int { return max(1, w.Quantity) }

// WatchCommand asks for a watch. With a TokenHash the watch is pending until ArmWatch is given it; without one the address
// must be known and the watch is armed at once.
type WatchCommand struct {
	Merchant         MerchantID
	Contact, Address int64
	SKU, Event       string
	Fields           map[string]string
	NotAtNight       bool
	TokenHash        string
}

// CreateWatch stores a watch. An armed one is told at once when the product is already as wished. A contact has one watch of
// a product and event: another changes the first, and asking for the same twice changes nothing.
func CreateWatch(ctx context.Context, tx Tx, c WatchCommand, policy Policy, now time.Time) (Watch, []Occurrence, error) {
	policy = policy.filled()
	event, ok := FindEvent(c.Event)
	if !ok {
		return Watch{}, nil, invalid("event", "there is no event %q", c.Event)
	}
	p, err := tx.LockProduct(ctx, c.Merchant, c.SKU)
	if errors.Is(err, ErrNotFound) {
		return Watch{}, nil, &Invalid{Field: "sku", Problem: fmt.Sprintf("there is no product %q", c.SKU), Err: ErrNotFound}
	}
	if err != nil {
		return Watch{}, nil, fmt.Errorf("watch %s: %w", c.SKU, err)
	}
	fields, err := event.Check(c.Fields, p.Price.Currency)
	if err != nil {
		return Watch{}, nil, err
	}
	w := Watch{
		Merchant: c.Merchant, Product: p.Key, Contact: c.Contact, Address: c.Address, Event: c.Event, Fields: fields,
		NotAtNight: c.NotAtNight, State: WatchArmed, Created: now, Changed: now,
	}
	if err := w.read(); err != nil {
		return Watch{}, nil, err
	}
	if c.TokenHash != "" {
		w.State, w.TokenHash, w.LinkExpires = WatchPending, c.TokenHash, now.Add(policy.LinkValid)
	} else if c.Address == 0 {
		return Watch{}, nil, errors.New("create watch: an armed watch needs an address")
	}
	return place(ctx, tx, w, p, policy, now)
}

// place adds a watch, or turns the one that stands already into it.
func place(ctx context.Context, tx Tx, w Watch, p Product, policy Policy, now time.Time) (Watch, []Occurrence, error) {
	if w.State == WatchArmed {
		old, err := tx.StandingWatch(ctx, w.Merchant, w.Contact, w.Product, w.Event)
		switch {
		case err == nil:
			return replace(ctx, tx, old, w, p, now)
		case !errors.Is(err, ErrNotFound):
			return Watch{}, nil, fmt.Errorf("watch %s: %w", p.SKU, err)
		}
	}
	n, err := tx.CountWatches(ctx, w.Merchant, w.Contact)
	if err != nil {
		return Watch{}, nil, fmt.Errorf("watch %s: %w", p.SKU, err)
	}
	if n >= policy.WatchLimit {
		return Watch{}, nil, invalid("sku", "%d products are watched already, which is as many as possible", n)
	}
	if err := tx.AddWatch(ctx, &w); err != nil {
		return Watch{}, nil, fmt.Errorf("watch %s: %w", p.SKU, err)
	}
	return begin(ctx, tx, w, p, now)
}

// replace gives a standing watch the terms of another. A watch that has told of exactly this state already stays as it is.
func replace(ctx context.Context, tx Tx, old, w Watch, p Product, now time.Time) (Watch, []Occurrence, error) {
	told := old.State == WatchFired && old.Threshold == w.Threshold && old.Quantity == w.Quantity && old.Address == w.Address && w.met(p)
	w.Key, w.ID, w.Epoch, w.Told, w.Created = old.Key, old.ID, old.Epoch, old.Told, old.Created
	w.TokenHash, w.LinkExpires = old.TokenHash, old.LinkExpires
	if told {
		w.State = WatchFired
	}
	if err := tx.SaveWatch(ctx, w); err != nil {
		return Watch{}, nil, fmt.Errorf("watch %s: %w", p.SKU, err)
	}
	return begin(ctx, tx, w, p, now)
}

// begin reports the watch and has it told when it is armed and the product is as wished.
func begin(ctx context.Context, tx Tx, w Watch, p Product, now time.Time) (Watch, []Occurrence, error) {
	err := tx.Event(ctx, w.Merchant, "watch_"+string(w.State), string(w.ID), map[string]any{"sku": p.SKU, "event": w.Event, "contact": w.Contact})
	if err != nil || w.State != WatchArmed || !w.met(p) {
		return w, nil, err
	}
	raised, err := meet(ctx, tx, w, p, now)
	if err != nil {
		return Watch{}, nil, err
	}
	return w, raised, nil
}

// ArmCommand comes from an opened link. Contact and Address are who opened it, as proven by their network.
type ArmCommand struct {
	Merchant         MerchantID
	TokenHash        string
	Contact, Address int64
}

// ArmWatch arms the watch that a link belongs to, for whoever opened it. Opening it again changes nothing. An unknown token is
// ErrNotFound, one that is too old or whose watch was cancelled ErrConflict.
func ArmWatch(ctx context.Context, tx Tx, c ArmCommand, policy Policy, now time.Time) (Watch, Product, []Occurrence, error) {
	w, err := tx.WatchByToken(ctx, c.Merchant, c.TokenHash)
	if err != nil {
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch: %w", err)
	}
	p, err := tx.LockProductByKey(ctx, c.Merchant, w.Product)
	if err != nil {
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w", w.ID, err)
	}
	if w, err = tx.WatchByKey(ctx, c.Merchant, w.Key); err != nil { // again, now that the product is locked
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w", w.ID, err)
	}
	switch {
	case w.State == WatchArmed || w.State == WatchFired:
		if w.Address != c.Address { // a link is for the first who opens it
			return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w: the link was used", w.ID, ErrConflict)
		}
		return w, p, nil, nil
	case w.State == WatchCancelled:
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w: it was cancelled", w.ID, ErrConflict)
	case !now.Before(w.LinkExpires):
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w: the link has expired", w.ID, ErrConflict)
	}
	old, err := tx.StandingWatch(ctx, c.Merchant, c.Contact, w.Product, w.Event)
	if err == nil { // the newer wish stands, under the id that its form was given
		old.State, old.Changed = WatchCancelled, now
		err = tx.SaveWatch(ctx, old)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w", w.ID, err)
	}
	w.Contact, w.Address, w.State, w.Changed = c.Contact, c.Address, WatchArmed, now
	if err := tx.SaveWatch(ctx, w); err != nil {
		return Watch{}, Product{}, nil, fmt.Errorf("arm watch %s: %w", w.ID, err)
	}
	w, raised, err := begin(ctx, tx, w, p, now)
	return w, p, raised, err
}

// CancelWatch ends a watch for good. Cancelling twice is not an error.
func CancelWatch(ctx context.Context, tx Tx, merchant MerchantID, id WatchID, now time.Time) (Watch, error) {
	w, err := tx.Watch(ctx, merchant, id)
	if err != nil {
		return Watch{}, fmt.Errorf("cancel watch %s: %w", id, err)
	}
	if _, err := tx.LockProductByKey(ctx, merchant, w.Product); err != nil {
		return Watch{}, fmt.Errorf("cancel watch %s: %w", id, err)
	}
	if w, err = tx.WatchByKey(ctx, merchant, w.Key); err != nil || w.State == WatchCancelled {
		return w, err
	}
	w.State, w.Changed = WatchCancelled, now
	if err := tx.SaveWatch(ctx, w); err != nil {
		return Watch{}, fmt.Errorf("cancel watch %s: %w", id, err)
	}
	return w, tx.Event(ctx, merchant, "watch_cancelled", string(id), map[string]any{"contact": w.Contact})
}

// read takes the threshold and the quantity out of the fields.
func (w *Watch) read() error {
	w.Quantity = 1
	if s := w.Fields["quantity"]; s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return invalid("quantity", "%q is not a whole number", s)
		}
		w.Quantity = n
	}
	if s := w.Fields["threshold"]; s != "" {
		a, err := money.Parse(s)
		if err != nil {
			return invalid("threshold", "%q is not an amount", s)
		}
		w.Threshold = a
		w.Rearm = money.New(a.Minor+fivePercent(a.Minor), a.Currency)
	}
	return nil
}

// fivePercent of a price is the move that arms a watch again, rounded up.
func fivePercent(minor int64) int64 { return (minor + 19) / 20 }

// met says whether the product is as wished.
func (w Watch) met(p Product) bool {
	if p.Available() < w.Pieces() {
		return false
	}
	return w.Event != PriceBelow || p.Price.Currency == w.Threshold.Currency && p.Price.Minor <= w.Threshold.Minor
}
