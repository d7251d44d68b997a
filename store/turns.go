package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// Turn is one event of a conversation and what to do about it.
type Turn struct {
	Merchant commerce.MerchantID
	Channel  string // the account's adapter
	Event    conversation.Event
	// Apply decides and writes, inside the transaction. It may change the thread; ApplyTurns saves it. It may be run more than
	// once when a transaction is tried again, and must not act outside of it but by Tx.AfterCommit.
	Apply func(ctx context.Context, tx *Tx, th *Thread) error
	// Failed is called, in a transaction of its own, instead of parking a turn that failed twice: for events of our own, which
	// a row of theirs brings back (a timer, a delivery). nil means that the event is parked.
	Failed func(ctx context.Context, tx *Tx, cause error) error
}

// Applied is what became of a turn.
type Applied struct {
	Repeat bool  // the event was here before; nothing changed
	Parked bool  // it failed twice and is kept with its cause, to be tried again later
	Cause  error // why it was parked, or handed to Turn.Failed
}

// ApplyTurns stores turns, in their order: it drops repeats, loads or makes each event's conversation, runs Apply and saves
// the conversation, all in one transaction. It returns nil only after the commit, so that the caller may then confirm the
// events to their network; with an error nothing was kept and all may be handed over again.
//
// A turn that fails does not spoil the others: its own writes are undone, it is tried once more alone, and when that fails
// too the event is parked.
func (s *Store) ApplyTurns(ctx context.Context, turns []Turn) ([]Applied, error) {
	out := make([]Applied, len(turns))
	var failed []int
	err := s.Tx(ctx, func(tx *Tx) error {
		failed = failed[:0]
		for i, turn := range turns {
			out[i] = Applied{}
			err := tx.savepoint(ctx, func() error { return tx.applyTurn(ctx, turn, &out[i]) })
			if err == nil {
				continue
			}
			if isTransient(err) || ctx.Err() != nil {
				return err
			}
			failed = append(failed, i)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("apply turns: %w", err)
	}
	for _, i := range failed {
		if err := s.applyAlone(ctx, turns[i], &out[i]); err != nil {
			return nil, fmt.Errorf("apply turns: %w", err)
		}
	}
	return out, nil
}

// Alone applies a turn of our own in a transaction of its own. Its failure is the caller's, who waits for it; nothing is parked.
func (s *Store) Alone(ctx context.Context, turn Turn) error {
	var out Applied
	return s.Tx(ctx, func(tx *Tx) error { return tx.applyTurn(ctx, turn, &out) })
}

// applyAlone gives a failed turn its second try, and parks it when that fails as well.
func (s *Store) applyAlone(ctx context.Context, turn Turn, out *Applied) error {
	cause := s.Tx(ctx, func(tx *Tx) error { return tx.applyTurn(ctx, turn, out) })
	if cause == nil {
		return nil
	}
	if ctx.Err() != nil || isTransient(cause) {
		return cause
	}
	return s.Tx(ctx, func(tx *Tx) error {
		if turn.Failed != nil {
			*out = Applied{Cause: cause}
			return turn.Failed(ctx, tx, cause)
		}
		fresh, err := tx.isFresh(ctx, turn.Event)
		if err != nil || !fresh {
			*out = Applied{Repeat: !fresh}
			return err
		}
		*out = Applied{Parked: true, Cause: cause}
		return tx.park(ctx, turn, cause)
	})
}

const insertInbound = `
	INSERT INTO inbound (account, chat, network_id, at_ms)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT DO NOTHING`

// isFresh says that the event was not here before, and remembers it. An event without an id is always fresh.
func (tx *Tx) isFresh(ctx context.Context, e conversation.Event) (bool, error) {
	if e.ID == "" {
		return true, nil
	}
	n, err := tx.count(ctx, "note inbound event", insertInbound, e.Account, e.Chat, e.ID, tx.now.UnixMilli())
	return n == 1, err
}

func (tx *Tx) applyTurn(ctx context.Context, turn Turn, out *Applied) (err error) {
	defer func() {
		if p := recover(); p != nil { // a bug in one turn must not take the shop down, nor be confirmed unseen
			err = fmt.Errorf("panic in turn: %v", p)
		}
	}()
	fresh, err := tx.isFresh(ctx, turn.Event)
	if err != nil {
		return err
	}
	if !fresh {
		out.Repeat = true
		return nil
	}
	th, err := tx.threadFor(ctx, turn)
	if err != nil {
		return err
	}
	if err := turn.Apply(ctx, tx, th); err != nil {
		return err
	}
	return tx.SaveThread(ctx, th)
}

const (
	insertParked = `
	INSERT INTO parked (merchant_id, account, channel, event, cause, due_ms, created_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`

	selectParked = `
	SELECT key, merchant_id, channel, event, cause, attempts, done_ms
	FROM parked
	WHERE done_ms = 0 AND due_ms <= $1 AND attempts < 8
	ORDER BY due_ms, key
	LIMIT $2`

	retryParked = `
	UPDATE parked
	SET attempts = attempts + 1, due_ms = $2, cause = $3, done_ms = $4
	WHERE key = $1`
)

func (tx *Tx) park(ctx context.Context, turn Turn, cause error) error {
	now := tx.now.UnixMilli()
	return tx.exec(ctx, "park event", insertParked, turn.Merchant, turn.Event.Account, turn.Channel, toJSON(turn.Event),
		cause.Error(), now+time.Minute.Milliseconds(), now)
}

// Parked is an event that could not be handled when it came.
type Parked struct {
	Key      int64
	Merchant commerce.MerchantID
	Channel  string
	Event    conversation.Event
	Cause    string
	Attempts int
}

// DueParked lists parked events whose next try is due. After eight tries they wait for a person.
func (tx *Tx) DueParked(ctx context.Context, limit int) ([]Parked, error) {
	var rows []struct {
		Key      int64
		Merchant commerce.MerchantID `db:"merchant_id"`
		Channel  string
		Event    string
		Cause    string
		Attempts int
		Done     int64 `db:"done_ms"`
	}
	if err := tx.list(ctx, "list parked events", &rows, selectParked, tx.now.UnixMilli(), limit); err != nil {
		return nil, err
	}
	out := make([]Parked, 0, len(rows))
	for _, r := range rows {
		p := Parked{Key: r.Key, Merchant: r.Merchant, Channel: r.Channel, Cause: r.Cause, Attempts: r.Attempts}
		if err := json.Unmarshal([]byte(r.Event), &p.Event); err != nil {
			return nil, fmt.Errorf("read parked event %d: %w", r.Key, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// RetryParked runs a parked event again, in a transaction of its own, and notes how it went. A failure again is not an
// error: it is counted, and the next try comes later.
func (s *Store) RetryParked(ctx context.Context, p Parked, apply func(context.Context, *Tx, *Thread) error) error {
	turn := Turn{Merchant: p.Merchant, Channel: p.Channel, Event: p.Event, Apply: apply}
	turn.Event.ID = "" // its id was noted when it was parked
	cause := s.Tx(ctx, func(tx *Tx) error {
		var out Applied
		if err := tx.applyTurn(ctx, turn, &out); err != nil {
			return err
		}
		return tx.exec(ctx, "finish parked event", retryParked, p.Key, 0, p.Cause, tx.now.UnixMilli())
	})
	if cause == nil || errors.Is(cause, context.Canceled) {
		return cause
	}
	return s.Tx(ctx, func(tx *Tx) error {
		due := tx.now.Add(time.Minute << min(p.Attempts+1, 8))
		return tx.exec(ctx, "postpone parked event", retryParked, p.Key, due.UnixMilli(), cause.Error(), 0)
	})
}
