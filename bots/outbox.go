package bots

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

// How many parts one account has under way at once, and how often one is tried.
const (
	sendersPerAccount = 8
	mostAttempts      = 12
	sendTime          = 35 * time.Second
)

// runOutbox sends an account's messages until ctx ends; what is under way then is finished. Messages are found in the table:
// a wake-up only says when to look.
func (h *House) runOutbox(ctx context.Context, a *account) {
	recovered := false
	var paused time.Time // the network asked the whole account to wait until then
	for {
		sent, err := 0, error(nil)
		switch {
		case !recovered: // first of all: they are ahead of what is queued
			if err = h.recoverInterrupted(ctx, a); err == nil {
				recovered = true
				continue
			}
		case paused.Sub(h.now()) <= 0:
			sent, paused, err = h.sendDue(ctx, a)
		}
		if err != nil && ctx.Err() == nil {
			h.log.ErrorContext(ctx, "outbox", "account", a.Name, "err", err)
		}
		if sent > 0 && err == nil && ctx.Err() == nil {
			continue
		}
		wait := soon
		if err == nil {
			wait = h.idleFor(ctx, a, paused)
		}
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		case <-time.After(wait):
		}
	}
}

// idleFor is how long the outbox may sleep when nobody wakes it.
func (h *House) idleFor(ctx context.Context, a *account, paused time.Time) time.Duration {
	if pause := paused.Sub(h.now()); pause > 0 {
		return pause
	}
	wait := h.poll
	err := h.store.View(ctx, func(tx *store.Tx) error {
		due, err := tx.NextDue(ctx, a.Name)
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

// recoverInterrupted settles the parts that were handed over when the last process ended. Where repeating is safe they go out
// again: the network drops repeats, or it is an answer, which somebody waits for. The others stay as unknown.
func (h *House) recoverInterrupted(ctx context.Context, a *account) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		parts, err := tx.Interrupted(ctx, a.Name)
		if err != nil {
			return err
		}
		return a.settleInterrupted(ctx, tx, parts)
	})
}

func (a *account) settleInterrupted(ctx context.Context, tx *store.Tx, parts []store.Part) error {
	for _, p := range parts {
		if err := tx.SettlePart(ctx, p.Key, a.afterUnknown(p.Class), "", "the process ended while it was being sent", tx.Now()); err != nil {
			return err
		}
	}
	return nil
}

// afterUnknown is what follows when nobody knows whether a part arrived.
func (a *account) afterUnknown(c conversation.Class) store.PartState {
	if a.limits.Repeatable || c == conversation.Answer || c == "" || c == conversation.ReceiptClass {
		return store.Queued
	}
	return store.Unknown
}

// result is what became of one part.
type result struct {
	part    store.Part
	state   store.PartState
	network string
	problem string
	due     time.Time
	shut    bool   // the address takes no more messages
	held    bool   // the network asked to wait: that was no failed attempt
	broken  string // why the account itself does not work
}

// sendDue claims the parts that are due, sends them side by side and notes what became of them. It says how many there were,
// and until when the network asked the account to wait.
func (h *House) sendDue(ctx context.Context, a *account) (int, time.Time, error) {
	var parts []store.Part
	err := h.store.Tx(ctx, func(tx *store.Tx) (err error) {
		orphaned, err := tx.Orphaned(ctx, a.Name)
		if err == nil {
			err = a.settleInterrupted(ctx, tx, orphaned)
		}
		if err == nil {
			parts, err = tx.ClaimParts(ctx, a.Name, sendersPerAccount)
		}
		return err
	})
	if err != nil || len(parts) == 0 {
		return 0, time.Time{}, err
	}
	results := make([]result, len(parts))
	var paused time.Time
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, p := range parts {
		wg.Go(func() {
			r, pause := h.send(ctx, a, p)
			mu.Lock()
			defer mu.Unlock()
			results[i] = r
			if pause.After(paused) {
				paused = pause
			}
		})
	}
	wg.Wait()
	// What a network has taken must be noted, whatever else ends now: a part that stays in "sending" holds up its chat. Should the
	// database stay away until the house closes, the next start settles them.
	for {
		err := h.settle(context.WithoutCancel(ctx), a, results)
		if err == nil || ctx.Err() != nil {
			h.noteAccount(ctx, a, results)
			a.traffic.note(results)
			return len(parts), paused, err
		}
		h.log.ErrorContext(ctx, "what was sent is not noted yet", "account", a.Name, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(soon):
		}
	}
}

// noteAccount reports an account that broke, and one that works again after it had.
func (h *House) noteAccount(ctx context.Context, a *account, results []result) {
	for _, r := range results {
		switch {
		case r.broken != "":
			a.broken = true
			h.Report(ctx, a.Name, "failed", r.broken)
			return
		case r.state == store.Sent && a.broken:
			a.broken = false
			h.Report(ctx, a.Name, "ready", "")
		}
	}
}

// send hands one part to the network. A stop of the house does not cut it off at once: it has its own time.
func (h *House) send(ctx context.Context, a *account, p store.Part) (result, time.Time) {
	ctx, cancel := inHand(ctx, sendTime)
	defer cancel()
	from := p.Author
	if from != store.FromBot {
		from = "staff"
	}
	part := adapters.Part{
		Chat: p.Chat, Text: p.Text, Choices: p.Choices, Image: p.Image, Key: partKey(p), From: from, At: p.Written,
		Class: p.Class, Language: p.Language, WindowClosed: a.limits.Window > 0 && h.now().Sub(p.Heard) > a.limits.Window,
	}
	var sent adapters.Sent
	var err error
	if p.Edit {
		err = edit(ctx, a.Messenger, p.Target, part)
	} else {
		sent, err = handed(ctx, a.Messenger, part)
	}
	if err == nil {
		return result{part: p, state: store.Sent, network: sent.ID}, time.Time{}
	}
	return h.failed(a, p, err)
}

// handed makes a panic of an adapter a failure whose outcome nobody knows.
func handed(ctx context.Context, m adapters.Messenger, p adapters.Part) (sent adapters.Sent, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &adapters.SendError{Consequence: adapters.Unknown, Reason: fmt.Sprintf("panic in the adapter: %v", p)}
		}
	}()
	return m.Send(ctx, p)
}

// partKey names a part towards its network: the message's own id, so that a client sees the id that the transcript has.
func partKey(p store.Part) string {
	if p.Position == 0 {
		return p.MessageID
	}
	return p.MessageID + "." + strconv.Itoa(p.Position)
}

// failed decides what follows from a failed send.
func (h *House) failed(a *account, p store.Part, err error) (result, time.Time) {
	var e *adapters.SendError
	if !errors.As(err, &e) {
		e = &adapters.SendError{Consequence: adapters.Unknown, Reason: err.Error(), Err: err}
	}
	r := result{part: p, state: store.Failed, problem: e.Error()}
	now := h.now()
	switch e.Consequence {
	case adapters.Temporary:
		if p.Attempts < mostAttempts {
			r.state, r.due = store.Queued, now.Add(backoff(p.Attempts))
			h.typesUntilSent(a, p)
		}
	case adapters.Throttled:
		// The network's own figure; being asked to wait is no failed attempt.
		r.state, r.held, r.due = store.Queued, true, now.Add(max(e.RetryAfter, 100*time.Millisecond))
		if !e.PerChat {
			h.log.Warn("account throttled", "account", a.Name, "for", e.RetryAfter)
			return r, r.due
		}
	case adapters.Gone:
		r.shut = true
	case adapters.Broken:
		r.state, r.held, r.due, r.broken = store.Queued, true, now.Add(time.Minute), e.Error()
		return r, r.due
	case adapters.Unknown:
		r.state = a.afterUnknown(p.Class)
		if p.Edit { // a change may be made twice
			r.state = store.Queued
		}
		if p.Attempts >= 3 {
			r.state = store.Unknown
		}
		r.due = now.Add(backoff(p.Attempts))
	}
	if r.state != store.Queued {
		h.log.Warn("message not delivered", "account", a.Name, "message", p.MessageID, "state", r.state, "err", e)
	}
	return r, time.Time{}
}

// backoff grows from 1 s to 10 min, spread by half so that retries do not come in step.
func backoff(attempts int) time.Duration {
	d := min(time.Second<<min(attempts-1, 10), 10*time.Minute)
	return d/2 + rand.N(d)
}

func (h *House) settle(ctx context.Context, a *account, results []result) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		for _, r := range results {
			may, err := mayRepeat(ctx, tx, r.part)
			if err != nil {
				return err
			}
			if r.state == store.Queued && !may {
				r.state, r.held, r.problem = store.Failed, false, "the contact said stop"
			}
			if r.held {
				err = tx.HoldPart(ctx, r.part.Key, r.problem, r.due)
			} else {
				err = tx.SettlePart(ctx, r.part.Key, r.state, r.network, r.problem, r.due)
			}
			if err != nil {
				return err
			}
			if r.state == store.Failed && r.part.Edit && !r.shut {
				if err := h.notEdited(ctx, tx, a, r.part); err != nil {
					return err
				}
				continue
			}
			if r.state == store.Failed && r.part.Desk {
				if err := tx.LoseDesk(ctx, r.part.Thread, r.problem); err != nil {
					return err
				}
			}
			if r.state == store.Failed && r.part.Text == "" && r.part.Image != "" && !r.shut {
				continue // a picture that was refused; the words behind it go out
			}
			if r.state == store.Failed {
				if err := tx.FailRest(ctx, r.part.MessageKey, r.problem); err != nil {
					return err
				}
				err := tx.Event(ctx, r.part.Merchant, "message_failed", r.part.MessageID, map[string]any{"account": a.Name})
				if err != nil {
					return err
				}
			}
			if r.shut {
				if err := tx.SetAddressState(ctx, r.part.Merchant, r.part.AddressKey, conversation.Shut); err != nil {
					return err
				}
				if err := tx.DropQueued(ctx, r.part.Thread, r.problem); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// mayRepeat says whether a part may be tried again: not an alert or a reminder of somebody who said stop meanwhile.
func mayRepeat(ctx context.Context, tx *store.Tx, p store.Part) (bool, error) {
	if p.Class != conversation.Notification && p.Class != conversation.Reminder {
		return true, nil
	}
	address, err := tx.AddressByKey(ctx, p.Merchant, p.AddressKey)
	return address.State != conversation.Stopped && address.State != conversation.Shut, err
}
