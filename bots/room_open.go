package bots

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/store"
)

// runRooms opens threads in rooms of the staff until ctx ends. That calls a network, so it happens outside of the turn that
// wanted it.
func (h *House) runRooms(ctx context.Context) {
	// Nobody can say whether the threads that were being opened when the last process ended are there. Another one, with an empty
	// one beside it, is better than a question that nobody sees.
	err := h.store.Tx(ctx, func(tx *store.Tx) error { return tx.ReleaseDesks(ctx) })
	if err != nil && ctx.Err() == nil {
		h.log.ErrorContext(ctx, "interrupted desk threads not recovered", "err", err)
	}
	h.runChores(ctx, h.rooms, h.untilNextDesk, chore{"desk threads", h.openDesks})
}

func (h *House) untilNextDesk(ctx context.Context) time.Duration {
	return h.until(ctx, func(tx *store.Tx) (time.Time, error) { return tx.NextDesk(ctx) })
}

// openDesks opens the threads that are due. One that fails is put off and holds up no other.
func (h *House) openDesks(ctx context.Context) (int, error) {
	var due []store.Desk
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueDesks(ctx, clockBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		if err := h.openDesk(ctx, d); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func (h *House) openDesk(ctx context.Context, d store.Desk) error {
	th, shopper, err := h.threadOf(ctx, d.Merchant, d.Conversation)
	if err != nil {
		return err
	}
	room := h.account(d.Account)
	if th.Owner == store.Bot || shopper == nil || room == nil || !shopper.merchant.worksIn(d.Account, d.Room) {
		return h.store.Tx(ctx, func(tx *store.Tx) error { return tx.SetDeskState(ctx, d.Key, store.DeskIdle) })
	}
	opener, ok := room.Messenger.(adapters.Room)
	if !ok {
		h.log.ErrorContext(ctx, "the account has no threads for staff", "account", d.Account)
		return h.store.Tx(ctx, func(tx *store.Tx) error { return tx.SetDeskState(ctx, d.Key, store.DeskIdle) })
	}
	mine, title := false, ""
	err = h.store.Tx(ctx, func(tx *store.Tx) error {
		if title, err = deskTitle(ctx, tx, h.newTurn(shopper, tx, th, "")); err != nil {
			return err
		}
		mine, err = tx.ClaimDesk(ctx, d.Key, 2*sendTime)
		return err
	})
	if err != nil || !mine {
		return err
	}
	call, cancel := inHand(ctx, sendTime)
	defer cancel()
	chat, err := opened(call, opener, d.Room, title)
	if err != nil {
		return h.notOpened(ctx, d, err)
	}
	// The thread is there: until that is noted nobody hears what is said in it.
	ctx = context.WithoutCancel(ctx)
	for try := 0; ; try++ {
		err = h.desk(ctx, d.Merchant, th.ID, func(t *turn) error { return t.tx.OpenDesk(ctx, d, room.Channel, chat) })
		if err == nil || try == 3 || errors.Is(err, store.ErrNotFound) || errors.Is(err, commerce.ErrConflict) {
			break
		}
		time.Sleep(soon)
	}
	if err != nil {
		return fmt.Errorf("note thread in room: %w", err)
	}
	return nil
}

// opened makes a panic of an adapter an error.
func opened(ctx context.Context, r adapters.Room, room, title string) (chat string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the adapter: %v", p)
		}
	}()
	return r.Open(ctx, room, title)
}

// notOpened puts a thread off: a room that does not take it now may do so when somebody has seen to it.
func (h *House) notOpened(ctx context.Context, d store.Desk, cause error) error {
	wait := backoff(d.Attempts + 1)
	var e *adapters.SendError
	if errors.As(cause, &e) && e.Consequence == adapters.Throttled {
		wait = e.Pause()
	}
	h.log.ErrorContext(ctx, "no thread for a question in the room of the staff", "account", d.Account, "room", d.Room, "again_in", wait, "err", cause)
	ctx = context.WithoutCancel(ctx)
	return h.store.Tx(ctx, func(tx *store.Tx) error { return tx.PutOffDesk(ctx, d.Key, cause.Error(), tx.Now().Add(wait)) })
}

// deskTitle is what a list of threads shows: who, what about, where.
func deskTitle(ctx context.Context, tx *store.Tx, t *turn) (string, error) {
	title := t.shopperName()
	if sku := t.th.Session.Vars["product.sku"]; sku != "" {
		p, err := tx.Product(ctx, t.m.ID, sku)
		if err != nil && !isNotFound(err) {
			return "", err
		}
		if err == nil {
			title += " · " + p.Title
		}
	}
	return title + " · " + channelName(t.th.Channel), nil
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
