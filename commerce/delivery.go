package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DeliveryState says what became of telling one watch.
type DeliveryState string

const (
	DeliveryDue     DeliveryState = "due"
	DeliverySent    DeliveryState = "sent" // handed to the conversation; the outbox has it from there
	DeliveryDropped DeliveryState = "dropped"
)

// Delivery is one watch to be told of one occurrence. It holds no text: that is made when the message leaves.
type Delivery struct {
	Merchant   MerchantID
	Key        int64
	Occurrence int64
	Watch      int64
	Product    int64
	Contact    int64
	Address    int64
	NotAtNight bool
	State      DeliveryState
	Cause      string // why it was dropped
	Due        time.Time
}

// Why a delivery is dropped.
const (
	DropPrice     = "price_rose"
	DropStock     = "sold_out"
	DropConsent   = "no_consent"
	DropCancelled = "watch_cancelled"
)

// Alert is what a delivery has to say now.
type Alert struct {
	Delivery   Delivery
	Occurrence Occurrence
	Watch      Watch
	Product    Product // as it is now
	Quote      Quote   // of one piece (or as many as the watch asked for) at the present price, to buy by one tap
	Dropped    string  // why nothing is said; "" when the alert holds
	Repeat     bool    // it was sent or dropped before: nothing must be said again
}

// RenderDelivery looks at price, stock and consent once more and closes the delivery: either as sent, with a quote to buy
// by, and then the caller stores the message in the same transaction; or as dropped. A watch whose wish has passed before
// it could be told is armed again.
func RenderDelivery(ctx context.Context, tx Tx, merchant MerchantID, key int64, policy Policy, now time.Time) (Alert, error) {
	a, err := renderDelivery(ctx, tx, merchant, key, policy.filled(), now)
	if err != nil {
		return Alert{}, fmt.Errorf("render delivery %d: %w", key, err)
	}
	return a, nil
}

func renderDelivery(ctx context.Context, tx Tx, merchant MerchantID, key int64, policy Policy, now time.Time) (a Alert, err error) {
	if a.Delivery, err = tx.LockDelivery(ctx, merchant, key); err != nil {
		return a, err
	}
	if a.Delivery.State != DeliveryDue {
		return Alert{Delivery: a.Delivery, Dropped: a.Delivery.Cause, Repeat: true}, nil
	}
	if a.Product, err = tx.LockProductByKey(ctx, merchant, a.Delivery.Product); err != nil {
		return a, err
	}
	if a.Watch, err = tx.WatchByKey(ctx, merchant, a.Delivery.Watch); err != nil {
		return a, err
	}
	if a.Occurrence, err = tx.Occurrence(ctx, merchant, a.Delivery.Occurrence); err != nil {
		return a, err
	}
	if a.Dropped, err = whyDrop(ctx, tx, a); err != nil {
		return a, err
	}
	a.Delivery.State, a.Delivery.Cause = DeliverySent, a.Dropped
	if a.Dropped != "" {
		a.Delivery.State = DeliveryDropped
	}
	if err = tx.FinishDelivery(ctx, a.Delivery, now); err != nil {
		return a, err
	}
	if a.Dropped == DropPrice || a.Dropped == DropStock {
		if a.Watch.State == WatchFired {
			a.Watch.State, a.Watch.Changed = WatchArmed, now
			err = tx.SaveWatch(ctx, a.Watch)
		}
		return a, err
	}
	if a.Dropped != "" {
		return a, nil
	}
	a.Quote = listQuote(a.Product, a.Watch.Contact, 0, max(1, a.Watch.Quantity), policy, now)
	if a.Quote.Total, err = a.Quote.Unit.Times(a.Quote.Quantity); err != nil {
		return a, err
	}
	return a, tx.AddQuote(ctx, &a.Quote)
}

func whyDrop(ctx context.Context, tx Tx, a Alert) (string, error) {
	may, err := tx.MayAlert(ctx, a.Delivery.Merchant, a.Watch.Contact, a.Delivery.Address)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	w := a.Watch
	switch {
	case w.State == WatchCancelled:
		return DropCancelled, nil
	case !may:
		return DropConsent, nil
	case a.Product.Available() < max(1, w.Quantity):
		return DropStock, nil
	case !w.met(a.Product):
		return DropPrice, nil
	}
	return "", nil
}
