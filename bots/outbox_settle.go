package bots

import (
	"context"

	"parley/conversation"
	"parley/store"
)

// settle notes what became of parts, and what follows from that.
func (h *House) settle(ctx context.Context, tx *store.Tx, a *account, results []result) error {
	var sent []store.SentPart
	for _, r := range results {
		if r.state == store.Sent {
			sent = append(sent, store.SentPart{Key: r.part.Key, NetworkID: r.network})
		} else if err := h.settleOne(ctx, tx, a, r); err != nil {
			return err
		}
	}
	return tx.SettleSent(ctx, sent)
}

func (h *House) settleOne(ctx context.Context, tx *store.Tx, a *account, r result) error {
	if r.release {
		return tx.ReleasePart(ctx, r.part)
	}
	if r.state == store.Queued {
		may, err := mayRepeat(ctx, tx, r.part)
		if err != nil {
			return err
		}
		if !may {
			r.state, r.held, r.problem = store.Failed, false, "the contact said stop"
		}
	}
	if r.held {
		return tx.HoldPart(ctx, r.part.Key, r.problem, r.due)
	}
	if err := tx.SettlePart(ctx, r.part.Key, r.state, r.network, r.problem, r.due); err != nil {
		return err
	}
	if r.state != store.Failed {
		return nil
	}
	if r.part.Edit && !r.shut {
		return h.notEdited(ctx, tx, a, r.part)
	}
	if r.part.Desk {
		if err := tx.LoseDesk(ctx, r.part.Thread, r.problem); err != nil {
			return err
		}
	}
	if r.part.Text == "" && r.part.Image != "" && !r.shut {
		return nil // a picture that was refused; the words behind it go out
	}
	if err := tx.FailRest(ctx, r.part.MessageKey, r.problem); err != nil {
		return err
	}
	if err := tx.Event(ctx, r.part.Merchant, "message_failed", r.part.MessageID, map[string]any{"account": a.Name}); err != nil {
		return err
	}
	if !r.shut {
		return nil
	}
	if err := tx.SetAddressState(ctx, r.part.Merchant, r.part.AddressKey, conversation.Shut); err != nil {
		return err
	}
	return tx.DropQueued(ctx, r.part.Thread, r.problem)
}

// mayRepeat says whether a part may be tried again: not an alert or a reminder of somebody who said stop meanwhile.
func mayRepeat(ctx context.Context, tx *store.Tx, p store.Part) (bool, error) {
	if p.Class != conversation.Notification && p.Class != conversation.Reminder {
		return true, nil
	}
	address, err := tx.AddressByKey(ctx, p.Merchant, p.AddressKey)
	return address.State != conversation.Stopped && address.State != conversation.Shut, err
}

// settleInterrupted settles parts that were handed over by a process that ended. Where repeating is safe they go out again: the
// network drops repeats, or it is an answer, which somebody waits for. The others stay as unknown.
func (a *account) settleInterrupted(ctx context.Context, tx *store.Tx, parts []store.Part) error {
	for _, p := range parts {
		state := a.afterUnknown(p.Class)
		if err := tx.SettlePart(ctx, p.Key, state, "", "the process ended while it was being sent", tx.Now()); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			a.traffic.unknown.Add(1)
			if state == store.Queued {
				a.traffic.repeated.Add(1)
			}
		})
	}
	return nil
}

// noteAccount reports an account that broke, and one that works again after it had.
func (h *House) noteAccount(ctx context.Context, a *account, results []result) {
	for _, r := range results {
		switch {
		case r.broken != "":
			a.outbox.broken = true
			h.Report(ctx, a.Name, "failed", r.broken)
			return
		case r.state == store.Sent && a.outbox.broken:
			a.outbox.broken = false
			h.Report(ctx, a.Name, "ready", "")
		}
	}
}
