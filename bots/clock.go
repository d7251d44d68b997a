package bots

import (
	"context"
	"errors"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// How many due things the clock takes at once.
const clockBatch = 64

// afterFailure is when something of our own that failed twice is tried again.
const afterFailure = 10 * time.Minute

// chore does some of what is due and says how much there was.
type chore struct {
	name string
	do   func(context.Context) (int, error)
}

// runClock does what is due until ctx ends: deliveries, timers, holds and offers that have run out, parked events, and notifications
// that no longer hold. It looks when it is woken, when the next timer falls due, and once per poll.
func (h *House) runClock(ctx context.Context) {
	stale := courtesy{house: h, chore: h.notices}
	h.runChores(ctx, h.clock, stale.until(h.untilNext), chore{"fan-outs", h.fanouts}, chore{"deliveries", h.deliveries}, chore{"timers", h.timers},
		chore{"expiries", h.expiries}, chore{"parked events", h.parked}, chore{"notifications", stale.do}, chore{"events of last week", h.forgetting()})
}

// forgetting forgets events that no network delivers again any more. It looks once a minute, and goes on while there are some.
func (h *House) forgetting() func(context.Context) (int, error) {
	var next time.Time
	return func(ctx context.Context) (int, error) {
		if h.now().Before(next) {
			return 0, nil
		}
		n, err := h.store.Prune(ctx, clockBatch)
		if err == nil && n < clockBatch {
			next = h.now().Add(time.Minute)
		}
		return n, err
	}
}

// runCashier asks payment providers. It has a loop of its own: one that answers slowly must not hold up alerts and timers.
func (h *House) runCashier(ctx context.Context) {
	if err := h.recoverPayments(ctx); err != nil {
		h.log.ErrorContext(ctx, "interrupted payments not recovered", "err", err)
	}
	h.runChores(ctx, h.cashier, func(context.Context) time.Duration { return h.poll }, chore{"payments", h.payments})
}

func (h *House) runChores(ctx context.Context, wake <-chan struct{}, idle func(context.Context) time.Duration, chores ...chore) {
	for {
		more, failed := false, false
		for _, c := range chores {
			n, err := c.do(ctx)
			if err != nil && ctx.Err() == nil {
				h.log.ErrorContext(ctx, c.name, "err", err)
				failed = true
				continue
			}
			more = more || n >= clockBatch
		}
		if more && ctx.Err() == nil {
			continue
		}
		wait := soon
		if !failed {
			wait = idle(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(wait):
		}
	}
}

func (h *House) untilNext(ctx context.Context) time.Duration {
	return h.until(ctx, func(tx *store.Tx) (time.Time, error) { return tx.NextTimer(ctx) })
}

// until is how long a loop may sleep before what is due next, which is the zero time when nothing is: a poll at most.
func (h *House) until(ctx context.Context, next func(*store.Tx) (time.Time, error)) time.Duration {
	wait := h.poll
	err := h.store.View(ctx, func(tx *store.Tx) error {
		due, err := next(tx)
		if err == nil && !due.IsZero() {
			wait = min(wait, max(due.Sub(h.now()), 5*time.Millisecond))
		}
		return err
	})
	if err != nil {
		return soon
	}
	return wait
}

// timers raises the events of due timers, each once.
func (h *House) timers(ctx context.Context) (int, error) {
	var due []store.Timer
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueTimers(ctx, clockBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, timer := range due {
		th, a, err := h.threadOf(ctx, timer.Merchant, timer.Thread)
		if err != nil {
			return 0, err
		}
		if a == nil { // its account has left the config: nobody waits there any more
			err = h.store.Tx(ctx, func(tx *store.Tx) error { _, err := tx.FinishTimer(ctx, timer.Key); return err })
		} else {
			err = h.inbox.submit(ctx, h.internal(a, th.Chat, th.Address.NetworkID, func(ctx context.Context, t *turn) error {
				first, err := t.tx.FinishTimer(ctx, timer.Key)
				if err != nil || !first || t.th.Owner != store.Bot {
					return err
				}
				return t.run(ctx, conversation.Event{Kind: conversation.Timeout, Account: a.Name, Chat: t.th.Chat, Name: timer.Event,
					Context: &timer.Context, At: t.tx.Now()})
			}, func(ctx context.Context, tx *store.Tx) error {
				return tx.PostponeTimer(ctx, timer.Key, tx.Now().Add(afterFailure))
			}))
		}
		if err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// threadOf loads a conversation and its account; the account is nil when the config no longer has it.
func (h *House) threadOf(ctx context.Context, merchant commerce.MerchantID, key int64) (th *store.Thread, a *account, err error) {
	err = h.store.View(ctx, func(tx *store.Tx) error {
		th, err = tx.ThreadByKey(ctx, merchant, key)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if a = h.account(th.Account); a != nil && a.merchant.ID != merchant {
		a = nil
	}
	return th, a, nil
}

// expiries ends orders that nobody paid in time and offers that nobody answered.
func (h *House) expiries(ctx context.Context) (int, error) {
	n := 0
	err := h.store.Tx(ctx, func(tx *store.Tx) error {
		orders, err := commerce.ExpireHolds(ctx, tx, tx.Now(), clockBatch)
		if err != nil {
			return err
		}
		offers, err := commerce.ExpireOffers(ctx, tx, tx.Now(), clockBatch)
		if err != nil {
			return err
		}
		n = max(len(orders), len(offers))
		if len(orders) > 0 { // freed stock may be what somebody waits for
			tx.AfterCommit(h.wakeClock)
		}
		return nil
	})
	return n, err
}

// parked tries events again that could not be handled when they came.
func (h *House) parked(ctx context.Context) (int, error) {
	var due []store.Parked
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueParked(ctx, clockBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, p := range due {
		a := h.account(p.Event.Account)
		apply := func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
			if a == nil {
				return errors.New("the account is not in the config")
			}
			t := h.newTurn(a, tx, th, causeOf(a, p.Event))
			return t.shown(ctx, t.receive(ctx, p.Event))
		}
		if err := h.store.RetryParked(ctx, p, apply); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}
