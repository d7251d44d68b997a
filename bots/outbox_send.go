package bots

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

const (
	mostAttempts = 12 // at a part that fails for a moment
	mostUnsure   = 3  // at one of which nobody knows whether it arrived
	sendTime     = 35 * time.Second
)

// result is what became of one part.
type result struct {
	part    store.Part
	state   store.PartState
	network string
	problem string
	at      time.Time
	due     time.Time
	shut    bool      // the address takes no more messages
	held    bool      // it has to wait: that was no failed attempt
	release bool      // it was not begun: all is as before its claim
	unsure  bool      // nobody knows whether it arrived
	broken  string    // why the account itself does not work
	pause   time.Time // the whole account is to wait until then
	// throttled says that the network asked to wait, the chat when pause is zero.
	throttled bool
}

// send hands one part to the network. A stop of the house does not cut it off at once: it has its own time.
func (h *House) send(ctx context.Context, a *account, p store.Part) result {
	ctx, cancel := inHand(ctx, sendTime)
	defer cancel()
	from := p.Author
	if from != store.FromBot {
		from = "staff"
	}
	began := h.now()
	part := adapters.Part{
		Chat: p.Chat, Text: p.Text, Choices: p.Choices, Image: p.Image, Key: partKey(p), From: from, At: p.Written,
		Class: p.Class, Language: p.Language, WindowClosed: a.limits.Window > 0 && began.Sub(p.Heard) > a.limits.Window,
	}
	var sent adapters.Sent
	var err error
	if p.Edit {
		err = edit(ctx, a.Messenger, p.Target, part)
	} else {
		sent, err = handed(ctx, a.Messenger, part)
	}
	now := h.now()
	a.traffic.sends.observe(now.Sub(began))
	if err == nil {
		a.traffic.deliveries.observe(now.Sub(p.Written))
		return result{part: p, state: store.Sent, network: sent.ID, at: now}
	}
	return h.failed(a, p, err, now)
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
func (h *House) failed(a *account, p store.Part, err error, now time.Time) result {
	var e *adapters.SendError
	if !errors.As(err, &e) {
		e = &adapters.SendError{Consequence: adapters.Unknown, Reason: err.Error(), Err: err}
	}
	r := result{part: p, state: store.Failed, problem: e.Error(), at: now}
	switch e.Consequence {
	case adapters.Temporary:
		if p.Attempts < mostAttempts {
			r.state, r.due = store.Queued, now.Add(backoff(p.Attempts))
			h.typesUntilSent(a, p)
		}
	case adapters.Throttled:
		// The network's own figure; being asked to wait is no failed attempt.
		r.state, r.held, r.throttled, r.due = store.Queued, true, true, now.Add(e.Pause())
		if !e.PerChat {
			h.log.Warn("account throttled", "account", a.Name, "for", e.Pause())
			r.pause = r.due
		}
	case adapters.Gone:
		r.shut = true
	case adapters.Broken:
		r.state, r.held, r.due, r.broken = store.Queued, true, now.Add(time.Minute), e.Error()
		r.pause = r.due
	case adapters.Unknown:
		r.unsure = true
		r.state = a.afterUnknown(p.Class)
		if p.Edit { // a change may be made twice
			r.state = store.Queued
		}
		if p.Attempts >= mostUnsure {
			r.state = store.Unknown
		}
		r.due = now.Add(backoff(p.Attempts))
	}
	if r.state != store.Queued {
		h.log.Warn("message not delivered", "account", a.Name, "message", p.MessageID, "state", r.state, "err", e)
	}
	return r
}

// backoff grows from 1 s to 10 min, spread by half so that retries do not come in step.
func backoff(attempts int) time.Duration {
	d := min(time.Second<<min(attempts-1, 10), 10*time.Minute)
	return d/2 + rand.N(d)
}

// afterUnknown is what follows when nobody knows whether a part arrived.
func (a *account) afterUnknown(c conversation.Class) store.PartState {
	if a.limits.Repeatable || c == conversation.Answer || c == "" || c == conversation.ReceiptClass {
		return store.Queued
	}
	return store.Unknown
}

// counted is what a chat counts as towards the account's pace.
func (a *account) counted(chat string) (bucket string, group bool) {
	if p, ok := a.Messenger.(adapters.Paced); ok {
		return p.PacedAs(chat)
	}
	return chat, false
}
