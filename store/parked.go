package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
)

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
	turn.Event.ID = "" // it was noted when it was parked
	cause := s.Tx(ctx, func(tx *Tx) error {
		var out Applied
		if err := tx.applyOne(ctx, turn, &out); err != nil {
			return err
		}
		return tx.exec(ctx, "finish parked event", retryParked, p.Key, 0, p.Cause, tx.now.UnixMilli())
	})
	if cause == nil || ctx.Err() != nil || isTransient(cause) || isUnavailable(cause) {
		return cause
	}
	return s.Tx(ctx, func(tx *Tx) error {
		due := tx.now.Add(time.Minute << min(p.Attempts+1, 8))
		return tx.exec(ctx, "postpone parked event", retryParked, p.Key, due.UnixMilli(), cause.Error(), 0)
	})
}
