package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce/payment"
)

// CheckoutCommand buys what a quote offers.
type CheckoutCommand struct {
	Merchant MerchantID
	Quote    QuoteID
	// Contact is who buys; a quote of somebody else counts as expired. 0 means that the quote's own contact is proven
	// already, by a signed link.
	Contact      int64
	Conversation int64        // where the order is spoken of; 0 means the quote's
	Provider     payment.Info // who collects
	Collected    bool         // the provider has the shopper before it already: it is not asked to charge
	Cause        string       // what led to it (a message id, link), for the record
}

// Checkout places the order of a quote: the stock is held, the order and its payment are written down. Outcomes:
// payment_due when a person confirms the payment; "" when a provider has to be asked first (a task is left behind, and
// SettlePayment brings paid or payment_declined); sold_out; quote_expired, with the present price and no Quote, when the quote is too
// old, unknown, not this contact's, or when the list price has risen since. Checking the same quote out again answers with
// the same order as it stands and changes nothing.
func Checkout(ctx context.Context, tx Tx, c CheckoutCommand, policy Policy, now time.Time) (Outcome, error) {
	o, err := checkout(ctx, tx, c, policy.filled(), now)
	if err != nil {
		return Outcome{}, fmt.Errorf("check out %s: %w", c.Quote, err)
	}
	return o, nil
}

func checkout(ctx context.Context, tx Tx, c CheckoutCommand, policy Policy, now time.Time) (Outcome, error) {
	found, done, err := look(ctx, tx, c, now)
	if err != nil || done {
		return found, err
	}
	out := found // what is ordered lives longer than what many were refused
	out.Order = placed(c, out.Quote, out.Product, policy, now)
	if err := writeDown(ctx, tx, &out, c, now); err != nil {
		return Outcome{}, err
	}
	out.Name = out.Order.Outcome()
	// Taking the last piece arms the watches for its return.
	out.Raised, err = detect(ctx, tx, out.Product, now)
	return out, err
}

// look finds out how a quote stands. It is done when the quote has its order already, or ended without one; otherwise it can be
// bought, and its product is locked.
func look(ctx context.Context, tx Tx, c CheckoutCommand, now time.Time) (out Outcome, done bool, err error) {
	q, err := tx.Quote(ctx, c.Merchant, c.Quote)
	if errors.Is(err, ErrNotFound) || err == nil && c.Contact != 0 && c.Contact != q.Contact {
		return Outcome{Name: "quote_expired"}, true, nil
	}
	if err != nil {
		return Outcome{}, false, err
	}
	p, err := tx.LockProductByKey(ctx, c.Merchant, q.Product)
	if err != nil {
		return Outcome{}, false, err
	}
	out = Outcome{Product: p, Price: p.Price, Quote: q}
	order, err := tx.OrderByQuote(ctx, c.Merchant, q.Key)
	if err == nil {
		out.Name, out.Order, out.Price, out.Repeat = order.Outcome(), order, q.Unit, true
		if out.Name == "quote_expired" {
			out.Price, out.Quote = p.Price, Quote{}
		}
		return out, true, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return Outcome{}, false, err
	}
	switch q.Ending(p, now) {
	case EndedExpired, EndedDearer:
		out.Name, out.Quote = "quote_expired", Quote{}
		return out, true, nil
	case EndedSoldOut:
		out.Name = "sold_out"
		return out, true, nil
	}
	out.Price = q.Unit
	return out, false, nil
}

func placed(c CheckoutCommand, q Quote, p Product, policy Policy, now time.Time) Order {
	o := Order{
		Merchant: c.Merchant, Quote: q.Key, Contact: q.Contact, Conversation: c.Conversation, State: AwaitingPayment,
		Items: []Item{{Product: p.Key, SKU: p.SKU, Quantity: q.Quantity, Price: q.Unit}}, Total: q.Total,
		Provider: c.Provider.Name, Outside: c.Provider.Outside, Refunds: c.Provider.Refunds, Test: c.Provider.Test,
		HoldExpires: now.Add(policy.HoldManual), Created: now, Changed: now,
	}
	if o.Conversation == 0 {
		o.Conversation = q.Conversation
	}
	if o.Outside {
		o.HoldExpires = now.Add(policy.HoldOnline)
	}
	return o
}

// writeDown writes the order down and holds its stock.
func writeDown(ctx context.Context, tx Tx, out *Outcome, c CheckoutCommand, now time.Time) error {
	o := &out.Order
	if err := tx.AddOrder(ctx, o); err != nil {
		return err
	}
	held, err := o.move(ctx, tx, &out.Product, "hold", now)
	if err != nil {
		return err
	}
	if !held { // the product is locked and was counted: somebody writes past us
		return fmt.Errorf("hold %d of %s: %w", o.Items[0].Quantity, out.Product.SKU, ErrConflict)
	}
	if err := enter(ctx, tx, *o, PaymentEntry{Kind: "intent"}, now); err != nil {
		return err
	}
	if o.Outside && !c.Collected {
		err := tx.AddPaymentTask(ctx, &PaymentTask{
			Merchant: o.Merchant, Order: o.Key, OrderID: o.ID, Kind: ChargeTask, Provider: o.Provider, Amount: o.Total,
			Idem: string(o.ID) + ":charge", State: TaskDue, Due: now,
		})
		if err != nil {
			return err
		}
	}
	facts := o.facts()
	facts["cause"] = c.Cause
	return tx.Event(ctx, o.Merchant, "order_placed", string(o.ID), facts)
}

// Outcome is what a shopper is told of an order as it stands.
func (o Order) Outcome() string {
	switch o.State {
	case AwaitingPayment:
		if o.Outside {
			return ""
		}
		return "payment_due"
	case Paid:
		return "paid"
	case Declined:
		return "payment_declined"
	}
	return "quote_expired" // cancelled or expired: it can be bought anew, by a new quote
}
