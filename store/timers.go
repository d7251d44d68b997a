package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// Timer is a state's timeout.
type Timer struct {
	Key      int64
	Merchant commerce.MerchantID
	Thread   int64
	Event    string // the name it raises
	Context  conversation.Context
	Due      time.Time
}

// SetTimer makes a timer that raises an event in a conversation.
func (tx *Tx) SetTimer(_ context.Context, th *Thread, event string, place conversation.Context, due time.Time) error {
	tx.add(inTimers, int64(th.Merchant), th.Key, event, toJSON(place), ms(due))
	return nil
}

const dueTimers = `
	SELECT key, merchant_id, conversation_key, event, context, due_ms
	FROM timers
	WHERE done_ms = 0 AND due_ms <= $1
	ORDER BY due_ms, key
	LIMIT $2`

// DueTimers lists timers that are due and not done, in the order they fell due.
func (tx *Tx) DueTimers(ctx context.Context, limit int) ([]Timer, error) {
	var rows []struct {
		Key      int64
		Merchant commerce.MerchantID `db:"merchant_id"`
		Thread   int64               `db:"conversation_key"`
		Event    string
		Context  asJSON[conversation.Context]
		Due      int64 `db:"due_ms"`
	}
	err := tx.list(ctx, "list due timers", &rows, dueTimers, tx.now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	out := make([]Timer, len(rows))
	for i, r := range rows {
		out[i] = Timer{Key: r.Key, Merchant: r.Merchant, Thread: r.Thread, Event: r.Event, Context: r.Context.V, Due: at(r.Due)}
	}
	return out, nil
}

// FinishTimer marks a timer done; false when somebody else did.
func (tx *Tx) FinishTimer(ctx context.Context, key int64) (bool, error) {
	n, err := tx.count(ctx, "finish timer", `UPDATE timers SET done_ms = $2 WHERE key = $1 AND done_ms = 0`, key, tx.now.UnixMilli())
	return n == 1, err
}

// PostponeTimer has a timer that cannot be carried out now fall due again later.
func (tx *Tx) PostponeTimer(ctx context.Context, key int64, due time.Time) error {
	return tx.exec(ctx, "postpone timer", `UPDATE timers SET due_ms = $2 WHERE key = $1 AND done_ms = 0`, key, ms(due))
}

const nextTimer = `SELECT COALESCE(min(due_ms), 0) FROM timers WHERE done_ms = 0`

// NextTimer says when the next timer is due; the zero time when there is none.
func (tx *Tx) NextTimer(ctx context.Context) (time.Time, error) {
	var due int64
	err := tx.get(ctx, "find next timer", &due, nextTimer)
	return at(due), err
}

// Await remembers where in a conversation the outcome of something that goes on outside (an order's payment) is waited for.
func (tx *Tx) Await(ctx context.Context, th *Thread, subject string, place conversation.Context) error {
	return tx.exec(ctx, "await outcome", `
	INSERT INTO awaited (merchant_id, subject, conversation_key, context)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT (merchant_id, subject) DO UPDATE
	SET conversation_key = excluded.conversation_key, context = excluded.context`, th.Merchant, subject, th.Key, toJSON(place))
}

// Awaited says where the outcome of a subject is waited for; ErrNotFound when it is not.
func (tx *Tx) Awaited(ctx context.Context, merchant commerce.MerchantID, subject string) (thread int64, place conversation.Context, err error) {
	var row struct {
		Thread  int64 `db:"conversation_key"`
		Context asJSON[conversation.Context]
	}
	err = tx.get(ctx, "find awaited outcome", &row, `
	SELECT conversation_key, context
	FROM awaited
	WHERE merchant_id = $1 AND subject = $2`, merchant, subject)
	return row.Thread, row.Context.V, err
}
