package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CancelCommand ends an order. Contact is the shopper who wishes it; 0 means the shop, which may cancel later than a shopper.
type CancelCommand struct {
	Merchant MerchantID
	Order    OrderID
	Contact  int64
	Actor    string // the person of the staff
	Cause    string
}

// CancelOrder returns the stock and has paid money given back. Outcomes: cancelled, too_late, no_order. Cancelling twice is
// not an error.
func CancelOrder(ctx context.Context, tx Tx, c CancelCommand, policy Policy, now time.Time) (Outcome, error) {
	out, err := load(ctx, tx, c.Merchant, c.Order)
	if errors.Is(err, ErrNotFound) || err == nil && c.Contact != 0 && c.Contact != out.Order.Contact {
		return Outcome{Name: "no_order"}, nil
	}
	if err == nil {
		err = cancel(ctx, tx, &out, c, policy.filled(), now)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("cancel %s: %w", c.Order, err)
	}
	return out, nil
}

func cancel(ctx context.Context, tx Tx, out *Outcome, c CancelCommand, policy Policy, now time.Time) error {
	o := &out.Order
	switch {
	case o.State == Cancelled:
		out.Name, out.Repeat = "cancelled", true
		return nil
	case o.State == Expired, o.State == Declined,
		o.State == Paid && c.Contact != 0 && now.After(o.PaidAt.Add(policy.CancelFor)):
		out.Name = "too_late"
		return nil
	}
	out.Name = "cancelled"
	e := PaymentEntry{Kind: "cancelled", Actor: c.Actor, Cause: c.Cause}
	if o.State == AwaitingPayment {
		return endHold(ctx, tx, out, Cancelled, e, now)
	}
	if _, err := o.move(ctx, tx, &out.Product, "returned", now); err != nil {
		return err
	}
	if err := advance(ctx, tx, o, Cancelled, e, now); err != nil {
		return err
	}
	if err := refund(ctx, tx, *o, "cancelled", now); err != nil {
		return err
	}
	out.Owed = !o.Refunds
	var err error
	out.Raised, err = detect(ctx, tx, out.Product, now)
	return err
}

// endHold frees the stock of an order that was not paid. A charge that nobody has tried yet is not tried any more; one that
// was tried may still succeed, and SettlePayment deals with that.
func endHold(ctx context.Context, tx Tx, out *Outcome, to OrderState, e PaymentEntry, now time.Time) error {
	o := &out.Order
	released, err := o.move(ctx, tx, &out.Product, "release", now)
	if err != nil {
		return err
	}
	if !released {
		return fmt.Errorf("release %d of %s: %w", o.Items[0].Quantity, out.Product.SKU, ErrConflict)
	}
	tasks, err := tx.PaymentTasks(ctx, o.Merchant, o.Key)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.State != TaskDue || t.Attempts > 0 {
			continue
		}
		t.State = TaskDropped
		if err := tx.SavePaymentTask(ctx, t); err != nil {
			return err
		}
	}
	if err := advance(ctx, tx, o, to, e, now); err != nil {
		return err
	}
	out.Raised, err = detect(ctx, tx, out.Product, now)
	return err
}

// ExpireHolds ends the orders that nobody has paid in time, at most limit of them, and frees their stock. Run it again while
// it returns as many.
func ExpireHolds(ctx context.Context, tx Tx, now time.Time, limit int) ([]Outcome, error) {
	overdue, err := tx.OverdueOrders(ctx, now, limit)
	if err != nil {
		return nil, fmt.Errorf("expire holds: %w", err)
	}
	var outs []Outcome
	for _, o := range overdue {
		out, err := load(ctx, tx, o.Merchant, o.ID)
		if err != nil {
			return nil, fmt.Errorf("expire %s: %w", o.ID, err)
		}
		if out.Order.State != AwaitingPayment || out.Order.HoldExpires.After(now) {
			continue
		}
		out.Name = "quote_expired"
		if err := endHold(ctx, tx, &out, Expired, PaymentEntry{Kind: "expired"}, now); err != nil {
			return nil, fmt.Errorf("expire %s: %w", o.ID, err)
		}
		outs = append(outs, out)
	}
	return outs, nil
}
