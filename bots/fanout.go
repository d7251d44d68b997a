package bots

import (
	"context"
	"errors"
	"time"

	"parley/commerce"
	"parley/store"
)

// telling is what the clock remembers of the fan-outs from one round to the next. It is the clock's alone, and may be forgotten.
type telling struct {
	pace   *store.Pace
	served map[string]int64 // by account, the occurrence that had its turn last
	marked time.Time        // when it was last noted how far they are
}

// markEvery is how often that is noted.
const markEvery = 30 * time.Second

func newTelling(s *store.Store) *telling {
	return &telling{pace: s.NewPace(), served: map[string]int64{}}
}

// spreadFor is how long the clock spreads at a stretch before it sees to its other chores.
const spreadFor = 100 * time.Millisecond

// fanouts goes over the watches of products to which something has happened, in short transactions, one after the other.
func (h *House) fanouts(ctx context.Context) (int, error) {
	began := h.now()
	if began.Sub(h.telling.marked) >= markEvery {
		h.telling.marked = began
		if err := h.store.Tx(ctx, func(tx *store.Tx) error { return tx.MarkFanouts(ctx) }); err != nil {
			return 0, err
		}
	}
	for h.now().Sub(began) < spreadFor {
		var keys []int64
		err := h.store.View(ctx, func(tx *store.Tx) (err error) {
			keys, err = tx.ToSpread(ctx, clockBatch)
			return err
		})
		if err != nil || len(keys) == 0 {
			return 0, err
		}
		for _, key := range keys { // side by side, so that a small one need not wait for a large one
			chunk := h.now()
			err := h.store.Tx(ctx, func(tx *store.Tx) error {
				_, err := tx.SpreadChunk(ctx, key, h.telling.pace.Size())
				return err
			})
			if err != nil {
				return 0, err
			}
			h.telling.pace.Took(h.now().Sub(chunk))
		}
	}
	return clockBatch, nil
}

// conclude ends an occurrence of which nothing waits in an account's lane, if nothing waits anywhere. What waits for accounts that
// have left the config is dropped.
func (h *House) conclude(ctx context.Context, m *Merchant, key int64) error {
	var stray []int64
	waits := false
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		if waits, err = tx.HasDeliveries(ctx, key); err == nil && waits {
			stray, err = tx.StrayLanes(ctx, key, h.roster.Load().names(m.ID))
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case len(stray) > 0:
		return h.store.Tx(ctx, func(tx *store.Tx) error {
			return tx.ClearLane(ctx, key, stray[0], commerce.DropAccount, h.telling.pace.Size())
		})
	case waits:
		return nil
	}
	return h.store.Tx(ctx, func(tx *store.Tx) error { return tx.EndOccurrence(ctx, key) })
}

// names are the accounts of a merchant.
func (r *roster) names(merchant commerce.MerchantID) []string {
	names := []string{}
	for name, a := range r.accounts {
		if a.merchant.ID == merchant {
			names = append(names, name)
		}
	}
	return names
}

// fanoutMost is how many fan-outs an account looks at in a round; the next round goes on with others.
const fanoutMost = 64

// deliveries tells watchers what happened, account by account: one that is slow or broken holds up its own only. Answers are ahead of
// them, since each account is given no more than its outbox has room for.
func (h *House) deliveries(ctx context.Context) (int, error) {
	busy := false
	var failed error
	for _, a := range h.roster.Load().accounts {
		b, err := h.deliverBy(ctx, a)
		busy, failed = busy || b, errors.Join(failed, err)
	}
	if busy {
		return clockBatch, failed
	}
	return 0, failed
}

// deliverBy tells those who are told by one account, and says whether there may be more to do at once.
func (h *House) deliverBy(ctx context.Context, a *account) (busy bool, err error) {
	d := delivering{house: h, account: a}
	var single, many []int64
	err = h.store.View(ctx, func(tx *store.Tx) (err error) {
		if d.lane, err = tx.Lane(ctx, a.Name); err != nil || d.lane == 0 {
			return err
		}
		if single, err = tx.DueSingles(ctx, d.lane, fanoutMost); err != nil {
			return err
		}
		if many, err = tx.OpenFanouts(ctx, a.merchant.ID, h.telling.served[a.Name], fanoutMost); err != nil || len(single)+len(many) == 0 {
			return err
		}
		queued, err := tx.CountQueued(ctx, a.Name, store.Campaigns, campaignWindow)
		d.room = campaignWindow - queued
		return err
	})
	if err != nil {
		return false, err
	}
	for i, key := range append(single, many...) {
		if ctx.Err() != nil {
			return busy, ctx.Err()
		}
		if d.room <= 0 {
			a.outbox.full.Store(true) // it wakes the clock when there is room
			return false, nil
		}
		n, err := d.occurrence(ctx, key, max(d.room/(len(single)+len(many)-i), 1))
		if err != nil {
			return busy, err
		}
		busy = busy || n > 0
		if n == 0 || i < len(single) {
			if err := h.conclude(ctx, a.merchant, key); err != nil {
				return busy, err
			}
		}
		if i >= len(single) {
			h.telling.served[a.Name] = key
		}
	}
	return busy, nil
}
