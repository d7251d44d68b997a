package bots

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/commerce"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/store"
)

func charge(o commerce.Order, language string) payment.Charge {
	return payment.Charge{Order: string(o.ID), Amount: o.Total, Key: string(o.ID) + ":charge", Locale: language}
}

// recoverPayments takes up again what was in hand when the last process ended: a shopper waits for the receipt.
func (h *House) recoverPayments(ctx context.Context) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error { return tx.ReleasePaymentTasks(ctx, tx.Now()) })
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
	var calls sync.WaitGroup
	slots := make(chan struct{}, callsAtOnce)
	for _, task := range due {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break // what was claimed is taken again when its lease is over
		}
		calls.Go(func() {
			defer func() { <-slots }()
			if err := h.pay(ctx, task); err != nil {
				h.log.ErrorContext(ctx, "payment", "order", task.OrderID, "kind", task.Kind, "attempt", task.Attempts, "err", err)
				if err := h.postpone(context.WithoutCancel(ctx), task, err); err != nil {
					h.log.ErrorContext(ctx, "payment not put off", "order", task.OrderID, "err", err)
				}
			}
		})
	}
	calls.Wait()
	return len(due), nil
}

// callsAtOnce is how many calls to providers are under way side by side.
const callsAtOnce = 8

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
	call, cancel := inHand(ctx, payTime)
	defer cancel()
	// What the provider answered must be written down, however long it took and whatever else ends now.
	ctx = context.WithoutCancel(ctx)
	if task.Kind == commerce.RefundTask {
		r, err := m.Payment.Refund(call, payment.Refund{Order: string(task.OrderID), Reference: task.Reference, Amount: task.Amount, Key: task.Idem})
		if err != nil {
			return err
		}
		return h.store.Tx(ctx, func(tx *store.Tx) error {
			_, err := commerce.SettleRefund(ctx, tx, task.Merchant, task.OrderID, r, tx.Now())
			return err
		})
	}
	arrived := h.typesWhilePaying(call, task.Merchant, task.OrderID)
	r, err := m.Payment.Charge(call, payment.Charge{Order: string(task.OrderID), Amount: task.Amount, Key: task.Idem})
	arrived()
	if err != nil {
		return err
	}
	return h.settled(ctx, task.Merchant, task.OrderID, func(tx *store.Tx) (commerce.Outcome, error) {
		return commerce.SettlePayment(ctx, tx, task.Merchant, task.OrderID, r, tx.Now())
	})
}

// settled writes down what became of an order's payment and tells the conversation that waits for it, in one transaction. Money
// does not hang on talk: where the conversation cannot be told, the payment is written down all the same.
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
	alone := func() error {
		return h.store.Tx(ctx, func(tx *store.Tx) error {
			o, err := settle(tx)
			if len(o.Raised) > 0 {
				tx.AfterCommit(h.wakeClock)
			}
			return err
		})
	}
	if a == nil { // nobody waits in a chat
		return alone()
	}
	// The caller must hear of a refusal, which a parked turn would swallow: so not by the inbox, but the same way.
	written := false
	err = h.desk(ctx, merchant, th.ID, func(t *turn) error {
		written = false
		o, err := settle(t.tx)
		if err != nil {
			return err
		}
		written = true
		t.raised(o.Raised)
		t.tx.AfterCommit(h.wakeClock)
		if o.Repeat || o.Name == "" {
			return nil
		}
		event := t.outcome(o.Name, h.vars(o), place)
		if o.Name == "payment_due" {
			event.Vars["payment.instructions"] = t.m.Payment.Instructions(charge(o.Order, t.th.Session.Language))
		}
		return t.run(ctx, *event)
	})
	if err != nil && written && ctx.Err() == nil {
		h.log.ErrorContext(ctx, "payment not told in the chat", "order", order, "conversation", th.ID, "err", err)
		return alone()
	}
	return err
}

// postpone puts a failed call off; after many a person has to look.
func (h *House) postpone(ctx context.Context, task commerce.PaymentTask, cause error) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		task.Due, task.Problem = tx.Now().Add(backoff(task.Attempts)), cause.Error()
		if task.Attempts >= mostAttempts {
			task.State = commerce.TaskFailed
		}
		return tx.SavePaymentTask(ctx, task)
	})
}
