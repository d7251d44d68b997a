package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce/money"
	"parley/commerce/payment"
)

// An invoice is a quote that a messenger's network collects the money for. It is sent without anything being ordered; the network
// asks before it takes money (ApproveInvoice), which places the order, and tells when it has (SettleInvoice).

// OpenInvoice says whether a quote can be paid by an invoice now: Outcome.Quote then has what to ask for, and nothing has changed.
// Otherwise the outcome is that of Checkout.
func OpenInvoice(ctx context.Context, tx Tx, c CheckoutCommand, now time.Time) (Outcome, bool, error) {
	out, done, err := look(ctx, tx, c, now)
	if err != nil {
		return Outcome{}, false, fmt.Errorf("open invoice for %s: %w", c.Quote, err)
	}
	return out, !done || out.Order.awaits(c.Provider), nil
}

// awaits says that the order can be paid through a provider: its stock is held until somebody ends the hold.
func (o Order) awaits(p payment.Info) bool { return o.State == AwaitingPayment && o.Provider == p.Name }

// ApproveInvoice decides whether the contact may pay the invoice of a quote, of which they were shown total. With an Ending they may
// not, and nothing has changed; otherwise the order waits for the money with its stock held. Asking again, after a card was refused,
// say, finds the same order and holds the stock longer.
func ApproveInvoice(ctx context.Context, tx Tx, c CheckoutCommand, total money.Amount, policy Policy, now time.Time) (Outcome, Ending, error) {
	fail := func(err error) (Outcome, Ending, error) {
		return Outcome{}, "", fmt.Errorf("approve invoice for %s: %w", c.Quote, err)
	}
	q, err := tx.Quote(ctx, c.Merchant, c.Quote)
	if errors.Is(err, ErrNotFound) || err == nil && c.Contact != q.Contact {
		return Outcome{}, EndedExpired, nil
	}
	if err != nil {
		return fail(err)
	}
	c.Collected = true
	p, err := tx.LockProductByKey(ctx, c.Merchant, q.Product)
	if err != nil {
		return fail(err)
	}
	out := Outcome{Product: p, Price: q.Unit, Quote: q}
	if q.Total != total {
		return out, EndedDearer, nil
	}
	out.Order, err = tx.OrderByQuote(ctx, c.Merchant, q.Key)
	switch {
	case err == nil:
		return reapprove(ctx, tx, out, c.Provider, policy.filled(), now)
	case !errors.Is(err, ErrNotFound):
		return fail(err)
	}
	if why := q.Ending(p, now); why != "" {
		return out, why, nil
	}
	if out, err = checkout(ctx, tx, c, policy.filled(), now); err != nil {
		return fail(err)
	}
	return out, "", nil
}

func reapprove(ctx context.Context, tx Tx, out Outcome, by payment.Info, policy Policy, now time.Time) (Outcome, Ending, error) {
	out.Repeat = true
	switch o := &out.Order; {
	case o.awaits(by):
		o.HoldExpires = now.Add(policy.HoldOnline)
		if err := tx.SaveOrder(ctx, *o); err != nil {
			return Outcome{}, "", fmt.Errorf("approve invoice for %s: %w", o.ID, err)
		}
		return out, "", nil
	case o.State == Paid, o.State == AwaitingPayment:
		return out, EndedOrdered, nil
	}
	return out, EndedUsed, nil
}

// InvoicePaid is what a network says of the money that it took.
type InvoicePaid struct {
	Merchant     MerchantID
	Quote        QuoteID
	Amount       money.Amount
	Reference    string // the network's id of the payment
	Note         string // where the money is, for whoever has to look there
	Conversation int64  // where the order is spoken of, should there be none yet
	Provider     payment.Info
}

// SettleInvoice writes down that the money for an invoice has come, once for each reference. Outcomes: paid; sold_out when the hold
// had ended and the stock is gone; "" when it came for what is paid already, or cancelled. In the latter two the money has to go
// back (Outcome.Owed). An invoice that is not this merchant's is ErrNotFound, another sum than was asked for ErrConflict: then
// nothing is written down, and a person has to look.
func SettleInvoice(ctx context.Context, tx Tx, c InvoicePaid, policy Policy, now time.Time) (Outcome, error) {
	out, err := settleInvoice(ctx, tx, c, policy.filled(), now)
	if err != nil {
		return Outcome{}, fmt.Errorf("settle invoice for %s, payment %s: %w", c.Quote, c.Reference, err)
	}
	return out, nil
}

func settleInvoice(ctx context.Context, tx Tx, c InvoicePaid, policy Policy, now time.Time) (Outcome, error) {
	q, err := tx.Quote(ctx, c.Merchant, c.Quote)
	if err != nil {
		return Outcome{}, err
	}
	if c.Amount != q.Total {
		return Outcome{}, fmt.Errorf("%s were paid where %s were asked for: %w", c.Amount, q.Total, ErrConflict)
	}
	order, err := tx.OrderByQuote(ctx, c.Merchant, q.Key)
	if errors.Is(err, ErrNotFound) {
		order, err = lateOrder(ctx, tx, c, q, policy, now)
	}
	if err != nil {
		return Outcome{}, err
	}
	out, err := load(ctx, tx, c.Merchant, order.ID)
	if err != nil {
		return Outcome{}, err
	}
	owed, err := owes(ctx, tx, out.Order, c.Reference)
	if err != nil {
		return Outcome{}, err
	}
	e := PaymentEntry{Kind: "paid", Reference: c.Reference, Note: c.Note}
	switch {
	case owed:
		out.Name, out.Repeat = out.Order.Outcome(), true
		return out, nil
	case out.Order.State == Paid && out.Order.Reference != c.Reference: // two devices, both approved before either had paid
		err = payBack(ctx, tx, &out, e, now)
	default:
		err = settlePaid(ctx, tx, &out, e, now)
	}
	return out, err
}

// lateOrder writes down what nobody knows to have been ordered, as an order that nobody paid in time: the money for it has come.
func lateOrder(ctx context.Context, tx Tx, c InvoicePaid, q Quote, policy Policy, now time.Time) (Order, error) {
	p, err := tx.LockProductByKey(ctx, c.Merchant, q.Product)
	if err != nil {
		return Order{}, err
	}
	o := placed(CheckoutCommand{Merchant: c.Merchant, Conversation: c.Conversation, Provider: c.Provider}, q, p, policy, now)
	o.State, o.HoldExpires = Expired, time.Time{}
	if err := tx.AddOrder(ctx, &o); err != nil {
		return Order{}, err
	}
	return o, tx.Event(ctx, o.Merchant, "order_placed", string(o.ID), o.facts())
}
