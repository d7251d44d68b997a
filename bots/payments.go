package bots

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/store"
)

func charge(o commerce.Order, language string) payment.Charge {
	return payment.Charge{Order: string(o.ID), Amount: o.Total, Key: string(o.ID) + ":charge", Locale: language}
}

// payments asks providers for the charges and refunds that commits have left behind. A call that failed is made again with the
// same key, so that nobody pays twice.
func (h *House) payments(ctx context.Context) (int, error) {
	var due []commerce.PaymentTask
	err := h.store.Tx(ctx, func(tx *store.Tx) (err error) {
		// For a while the tasks are ours; should we end before they are settled, they are taken again, with the same keys.
		due, err = tx.ClaimPaymentTasks(ctx, tx.Now(), 2*payTime, clockBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, task := range due {
		if err := h.pay(ctx, task); err != nil {
			h.log.ErrorContext(ctx, "payment", "order", task.OrderID, "kind", task.Kind, "attempt", task.Attempts, "err", err)
			if err := h.postpone(ctx, task, err); err != nil {
				return 0, err
			}
		}
	}
	return len(due), nil
}

// payTime is how long one call to a provider may take.
const payTime = 30 * time.Second

func (h *House) pay(ctx context.Context, task commerce.PaymentTask) error {
	m, err := h.merchant(task.Merchant)
	if err != nil {
		return err
	}
	if name := m.Payment.Info().Name; name != task.Provider {
		return fmt.Errorf("provider %s is not in the config any more", task.Provider)
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), payTime)
	defer cancel()
	if task.Kind == commerce.RefundTask {
		r, err := m.Payment.Refund(call, payment.Refund{Order: string(task.OrderID), Reference: task.Reference, Amount: task.Amount, Key: task.Idem})
		if err != nil {
			return err
		}
		return h.store.Tx(call, func(tx *store.Tx) error {
			_, err := commerce.SettleRefund(ctx, tx, task.Merchant, task.OrderID, r, tx.Now())
			return err
		})
	}
	r, err := m.Payment.Charge(call, payment.Charge{Order: string(task.OrderID), Amount: task.Amount, Key: task.Idem})
	if err != nil {
		return err
	}
	return h.settled(call, task.Merchant, task.OrderID, func(tx *store.Tx) (commerce.Outcome, error) {
		return commerce.SettlePayment(ctx, tx, task.Merchant, task.OrderID, r, tx.Now())
	})
}

// settled writes down what became of an order's payment and tells the conversation that waits for it, in one transaction.
func (h *House) settled(ctx context.Context, merchant commerce.MerchantID, order commerce.OrderID, settle func(*store.Tx) (commerce.Outcome, error)) error {
	var thread int64
	var place conversation.Context
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		thread, place, err = tx.Awaited(ctx, merchant, string(order))
		return err
	})
	var a *account
	var th *store.Thread
	if err == nil {
		th, a, err = h.threadOf(ctx, merchant, thread)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if a == nil { // nobody waits in a chat
		return h.store.Tx(ctx, func(tx *store.Tx) error {
			o, err := settle(tx)
			if len(o.Raised) > 0 {
				tx.AfterCommit(func() { nudge(h.clock) })
			}
			return err
		})
	}
	// The caller must hear of a refusal, which a parked turn would swallow: so not by the inbox, but the same way.
	return h.desk(ctx, merchant, th.ID, func(t *turn) error {
		o, err := settle(t.tx)
		if err != nil {
			return err
		}
		t.raised(o.Raised)
		if o.Repeat || o.Name == "" {
			return nil
		}
		event := t.outcome(o.Name, h.vars(o), place)
		if o.Name == "payment_due" {
			event.Vars["payment.instructions"] = t.m.Payment.Instructions(charge(o.Order, t.th.Session.Language))
		}
		return t.run(ctx, *event)
	})
}

// postpone puts a failed call off; after many a person has to look.
func (h *House) postpone(ctx context.Context, task commerce.PaymentTask, cause error) error {
	return h.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		task.Due, task.Problem = tx.Now().Add(backoff(task.Attempts)), cause.Error()
		if task.Attempts >= mostAttempts {
			task.State = commerce.TaskFailed
		}
		return tx.SavePaymentTask(ctx, task)
	})
}
