package commerce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/commerce/payment"
)

// SettlePayment writes down what a provider answered to the charge of an order. Outcomes: paid, payment_declined;
// payment_due while the provider itself does not know; sold_out when the money came after the hold had ended and the stock
// is gone: then it goes back; "" when the order was cancelled meanwhile, and the money goes back too. Settling again what is
// settled changes nothing.
func SettlePayment(ctx context.Context, tx Tx, merchant MerchantID, id OrderID, r payment.Result, now time.Time) (Outcome, error) {
	out, err := load(ctx, tx, merchant, id)
	if err != nil {
		return Outcome{}, fmt.Errorf("settle payment of %s: %w", id, err)
	}
	if err := settle(ctx, tx, &out, r, now); err != nil {
		return Outcome{}, fmt.Errorf("settle payment of %s: %w", id, err)
	}
	return out, nil
}

// load locks the order's product and then reads the order, so that nobody else is deciding about it.
func load(ctx context.Context, tx Tx, merchant MerchantID, id OrderID) (Outcome, error) {
	o, err := tx.Order(ctx, merchant, id)
	if err != nil {
		return Outcome{}, err
	}
	p, err := tx.LockProductByKey(ctx, merchant, o.Items[0].Product)
	if err != nil {
		return Outcome{}, err
	}
	if o, err = tx.Order(ctx, merchant, id); err != nil {
		return Outcome{}, err
	}
	q, err := tx.QuoteByKey(ctx, merchant, o.Quote)
	return Outcome{Product: p, Price: o.Items[0].Price, Quote: q, Order: o}, err
}

func settle(ctx context.Context, tx Tx, out *Outcome, r payment.Result, now time.Time) error {
	if err := closeTasks(ctx, tx, out.Order, ChargeTask, TaskDone, r.Cause); err != nil {
		return err
	}
	switch {
	case r.State == payment.Pending:
		out.Name = "payment_due"
		return nil
	case r.State == payment.Paid:
		return settlePaid(ctx, tx, out, PaymentEntry{Kind: "paid", Reference: r.Reference}, now)
	case r.State != payment.Declined:
		return fmt.Errorf("unknown payment state %q", r.State)
	case out.Order.State != AwaitingPayment:
		out.Name, out.Repeat = out.Order.Outcome(), true
		return nil
	}
	out.Name = "payment_declined"
	return endHold(ctx, tx, out, Declined, PaymentEntry{Kind: "declined", Reference: r.Reference, Cause: r.Cause}, now)
}

// settlePaid turns the hold into a sale. When the hold has ended before the money came, the stock is taken anew if it is
// still there; the shopper paid, so what cannot be delivered is paid back.
func settlePaid(ctx context.Context, tx Tx, out *Outcome, e PaymentEntry, now time.Time) error {
	o := &out.Order
	switch o.State {
	case Paid:
		out.Name, out.Repeat = "paid", true
		return nil
	case Cancelled:
		return payBack(ctx, tx, out, e, now)
	case Expired, Declined:
		held, err := o.move(ctx, tx, &out.Product, "hold", now)
		if err != nil {
			return err
		}
		if !held {
			out.Name = "sold_out"
			return payBack(ctx, tx, out, e, now)
		}
	}
	sold, err := o.move(ctx, tx, &out.Product, "sold", now)
	if err != nil {
		return err
	}
	if !sold {
		return fmt.Errorf("sell %d of %s: %w", o.Items[0].Quantity, out.Product.SKU, ErrConflict)
	}
	out.Name = "paid"
	if err := advance(ctx, tx, o, Paid, e, now); err != nil {
		return err
	}
	out.Raised, err = detect(ctx, tx, out.Product, now)
	return err
}

// payBack records money that came for an order that is over, or paid already, and that it has to go back.
func payBack(ctx context.Context, tx Tx, out *Outcome, e PaymentEntry, now time.Time) error {
	o := out.Order
	told, err := owes(ctx, tx, o, e.Reference)
	if err != nil || told {
		out.Repeat = told
		return err
	}
	o.Reference = e.Reference
	if o.State != Paid { // that keeps the payment it was paid by
		if err := tx.SaveOrder(ctx, o); err != nil {
			return err
		}
		out.Order = o
	}
	if err := enter(ctx, tx, o, e, now); err != nil {
		return err
	}
	out.Owed = !o.Refunds
	return refund(ctx, tx, o, "late", now)
}

// owes says that a payment is to go back, or has gone back.
func owes(ctx context.Context, tx Tx, o Order, reference string) (bool, error) {
	tasks, err := tx.PaymentTasks(ctx, o.Merchant, o.Key)
	return slices.ContainsFunc(tasks, func(t PaymentTask) bool { return t.Kind == RefundTask && t.Reference == reference }), err
}

// refund says in the ledger that the money has to go back, and leaves a task where the provider can do it. Where it cannot,
// the task is failed from the start: a person has to.
func refund(ctx context.Context, tx Tx, o Order, cause string, now time.Time) error {
	if err := enter(ctx, tx, o, PaymentEntry{Kind: "refund_due", Reference: o.Reference, Cause: cause}, now); err != nil {
		return err
	}
	tasks, err := tx.PaymentTasks(ctx, o.Merchant, o.Key)
	if err != nil {
		return err
	}
	t := PaymentTask{
		Merchant: o.Merchant, Order: o.Key, OrderID: o.ID, Kind: RefundTask, Provider: o.Provider, Amount: o.Total,
		Reference: o.Reference, Idem: string(o.ID) + ":refund", State: TaskDue, Due: now,
	}
	if slices.ContainsFunc(tasks, func(t PaymentTask) bool { return t.Kind == RefundTask }) { // it was paid twice
		t.Idem += ":" + o.Reference
	}
	if !o.Refunds {
		t.State, t.Problem = TaskFailed, "this way of paying cannot give money back by itself: a person has to"
	}
	if err := tx.AddPaymentTask(ctx, &t); err != nil {
		return err
	}
	return tx.Event(ctx, o.Merchant, "refund_due", string(o.ID), o.facts())
}

// SettleRefund writes down what a provider answered to a refund.
func SettleRefund(ctx context.Context, tx Tx, merchant MerchantID, id OrderID, r payment.Result, now time.Time) (Outcome, error) {
	out, err := load(ctx, tx, merchant, id)
	if err != nil {
		return Outcome{}, fmt.Errorf("settle refund of %s: %w", id, err)
	}
	state, kind := TaskDone, "refunded"
	switch r.State {
	case payment.Pending:
		return out, nil // asked again when the task is due next
	case payment.Declined:
		state, kind = TaskFailed, "refund_failed"
	}
	closed, err := endTasks(ctx, tx, out.Order, RefundTask, state, r.Cause)
	if err != nil {
		return Outcome{}, fmt.Errorf("settle refund of %s: %w", id, err)
	}
	if out.Repeat = closed == 0; out.Repeat {
		return out, nil
	}
	err = enter(ctx, tx, out.Order, PaymentEntry{Kind: kind, Reference: r.Reference, Cause: r.Cause}, now)
	if err == nil {
		err = tx.Event(ctx, merchant, kind, string(id), out.Order.facts())
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("settle refund of %s: %w", id, err)
	}
	return out, nil
}

func closeTasks(ctx context.Context, tx Tx, o Order, kind, state, problem string) error {
	_, err := endTasks(ctx, tx, o, kind, state, problem)
	return err
}

// endTasks ends the due tasks of a kind and says how many there were.
func endTasks(ctx context.Context, tx Tx, o Order, kind, state, problem string) (int, error) {
	tasks, err := tx.PaymentTasks(ctx, o.Merchant, o.Key)
	if err != nil {
		return 0, err
	}
	closed := 0
	for _, t := range tasks {
		if t.Kind != kind || t.State != TaskDue {
			continue
		}
		t.State, t.Problem = state, problem
		if err := tx.SavePaymentTask(ctx, t); err != nil {
			return 0, err
		}
		closed++
	}
	return closed, nil
}

// MarkPaidCommand is a person saying that the money has come.
type MarkPaidCommand struct {
	Merchant MerchantID
	Order    OrderID
	Actor    string // id of the person of the staff, or of the API key
	Note     string // how they know: required
}

// MarkPaid settles an order whose payment a person confirms. The outcome is paid, or sold_out when the hold had ended and
// the stock is gone. An order that a provider collects for, or that was cancelled, is an ErrConflict.
func MarkPaid(ctx context.Context, tx Tx, c MarkPaidCommand, now time.Time) (Outcome, error) {
	if strings.TrimSpace(c.Note) == "" {
		return Outcome{}, invalid("note", "say how the payment was confirmed")
	}
	if err := checkText("note", c.Note, maxText, "\n\r\t"); err != nil {
		return Outcome{}, err
	}
	if c.Actor == "" {
		return Outcome{}, errors.New("mark paid: nobody is named who says so")
	}
	out, err := load(ctx, tx, c.Merchant, c.Order)
	if err != nil {
		return Outcome{}, fmt.Errorf("mark %s paid: %w", c.Order, err)
	}
	switch {
	case out.Order.Outside:
		return Outcome{}, fmt.Errorf("mark %s paid: %w: %s collects the payment by itself", c.Order, ErrConflict, out.Order.Provider)
	case out.Order.State == Cancelled:
		return Outcome{}, fmt.Errorf("mark %s paid: %w: the order is cancelled", c.Order, ErrConflict)
	}
	if err := settlePaid(ctx, tx, &out, PaymentEntry{Kind: "paid", Actor: c.Actor, Note: c.Note}, now); err != nil {
		return Outcome{}, fmt.Errorf("mark %s paid: %w", c.Order, err)
	}
	return out, nil
}
