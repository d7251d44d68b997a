package commerce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/commerce/money"
)

// OrderState is where an order stands, in the words of the API.
type OrderState string

const (
	AwaitingPayment OrderState = "awaiting_payment" // placed; the stock is held
	Paid            OrderState = "paid"             // the stock is sold
	Declined        OrderState = "declined"         // the payment was refused; the stock is free again
	Cancelled       OrderState = "cancelled"        // by the shopper or the shop
	Expired         OrderState = "expired"          // nobody paid in time
)

// Item is one line of an order.
type Item struct {
	Product  int64
	SKU      string
	Quantity int
	Price    money.Amount // of one piece
}

// Order is what a contact bought, or is about to.
type Order struct {
	Merchant     MerchantID
	Key          int64
	ID           OrderID
	Quote        int64
	Contact      int64
	Conversation int64
	State        OrderState
	Items        []Item
	Total        money.Amount
	Provider     string
	Outside      bool // the provider collects; otherwise a person confirms
	Refunds      bool // the provider can give back by itself
	Test         bool // no money moved
	Reference    string
	HoldExpires  time.Time // zero once the stock is sold or free
	PaidAt       time.Time
	Created      time.Time
	Changed      time.Time
}

// next are the transitions an order can make. Late payments turn an expired or declined order into a paid one when the stock
// is still there.
func (s OrderState) next() []OrderState {
	switch s {
	case AwaitingPayment:
		return []OrderState{Paid, Declined, Cancelled, Expired}
	case Expired, Declined:
		return []OrderState{Paid}
	case Paid:
		return []OrderState{Cancelled}
	}
	return nil
}

// PaymentEntry is one line of an order's ledger. Lines are added, never changed.
type PaymentEntry struct {
	Merchant  MerchantID
	Order     int64
	Kind      string // intent, paid, declined, refund_due, refunded, refund_failed
	Amount    money.Amount
	Provider  string
	Reference string
	Cause     string
	Actor     string // the person of the staff who did it; "" for the machine
	Note      string // their words
	At        time.Time
}

// PaymentTask is a call to a provider that is still to be made, after the commit that left it behind.
type PaymentTask struct {
	Merchant  MerchantID
	Key       int64
	Order     int64
	OrderID   OrderID
	Kind      string // charge or refund
	Provider  string
	Amount    money.Amount
	Reference string // with refund: of the charge
	Idem      string // the idempotency key, the same at every attempt
	State     string // due, done, dropped or failed
	Attempts  int
	Due       time.Time
	Problem   string // of the latest attempt
}

// The kinds and states of a PaymentTask.
const (
	ChargeTask = "charge"
	RefundTask = "refund"

	TaskDue     = "due"
	TaskDone    = "done"
	TaskDropped = "dropped" // the order ended before it was tried
	TaskFailed  = "failed"  // a person has to look
)

// FindOrder loads the latest order of a contact. Outcomes: order_found, no_order.
func FindOrder(ctx context.Context, tx Tx, merchant MerchantID, contact int64) (Outcome, error) {
	o, err := tx.LatestOrder(ctx, merchant, contact)
	if errors.Is(err, ErrNotFound) {
		return Outcome{Name: "no_order"}, nil
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("find order: %w", err)
	}
	p, err := tx.ProductByKey(ctx, merchant, o.Items[0].Product)
	if err != nil {
		return Outcome{}, fmt.Errorf("find order %s: %w", o.ID, err)
	}
	return Outcome{Name: "order_found", Order: o, Product: p, Price: o.Items[0].Price}, nil
}

// advance moves an order to a state, with its ledger line and event. A transition that is not possible is a bug of ours.
func advance(ctx context.Context, tx Tx, o *Order, to OrderState, e PaymentEntry, now time.Time) error {
	if !slices.Contains(o.State.next(), to) {
		return fmt.Errorf("order %s: %w: it is %s and cannot become %s", o.ID, ErrConflict, o.State, to)
	}
	o.State, o.Changed, o.HoldExpires = to, now, time.Time{}
	if to == Paid {
		o.PaidAt, o.Reference = now, e.Reference
	}
	if err := tx.SaveOrder(ctx, *o); err != nil {
		return err
	}
	if e.Kind != "" {
		if err := enter(ctx, tx, *o, e, now); err != nil {
			return err
		}
	}
	return tx.Event(ctx, o.Merchant, "order_"+string(to), string(o.ID), o.facts())
}

func enter(ctx context.Context, tx Tx, o Order, e PaymentEntry, now time.Time) error {
	e.Merchant, e.Order, e.Amount, e.Provider, e.At = o.Merchant, o.Key, o.Total, o.Provider, now
	return tx.AddPayment(ctx, e)
}

func (o Order) facts() map[string]any {
	return map[string]any{
		"sku": o.Items[0].SKU, "quantity": o.Items[0].Quantity, "total": o.Total, "provider": o.Provider, "test": o.Test, "contact": o.Contact,
	}
}

// move changes the stock of the order's product as its state demands, and keeps p in step.
func (o Order) move(ctx context.Context, tx Tx, p *Product, cause string, now time.Time) (bool, error) {
	q := o.Items[0].Quantity
	m := Movement{Merchant: o.Merchant, Product: p.Key, Cause: cause, Order: o.Key, At: now}
	switch cause {
	case "hold":
		m.Held = q
	case "release":
		m.Held = -q
	case "sold":
		m.OnHand, m.Held = -q, -q
	case "returned":
		m.OnHand = q
	}
	ok, err := tx.MoveStock(ctx, m)
	if ok && err == nil {
		p.OnHand += m.OnHand
		p.Held += m.Held
	}
	return ok, err
}
