package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// Poison is an event that could not be handled when it came, with its story.
type Poison struct {
	Key      int64
	Account  string
	Kind     conversation.Kind
	ID       string // the network's
	Cause    string // of the last try
	Attempts int
	At       time.Time // when it came
	Due      time.Time // when it is tried next
	Waits    bool      // for a person: it was tried often enough
}

const (
	selectPoison = `
	SELECT key, account, event, cause, attempts, due_ms, created_ms
	FROM parked
	WHERE merchant_id = $1 AND done_ms = 0 AND ($2 = '' OR account = $2)
	ORDER BY key
	LIMIT $3`

	replayPoison = `
	UPDATE parked
	SET attempts = 0, due_ms = 0
	WHERE merchant_id = $1 AND done_ms = 0 AND ($2 = '' OR account = $2) AND ($3 = 0 OR key = $3)`
)

// mostTries is how often a parked event is tried before it waits for a person.
const mostTries = 8

// Poisoned lists a merchant's parked events, the oldest first, of all accounts when account is "".
func (tx *Tx) Poisoned(ctx context.Context, merchant commerce.MerchantID, account string, limit int) ([]Poison, error) {
	var rows []struct {
		Key      int64
		Account  string
		Event    string
		Cause    string
		Attempts int
		Due      int64 `db:"due_ms"`
		Created  int64 `db:"created_ms"`
	}
	if err := tx.list(ctx, "list parked events", &rows, selectPoison, merchant, account, limit); err != nil {
		return nil, err
	}
	out := make([]Poison, len(rows))
	for i, r := range rows {
		var e conversation.Event
		if err := json.Unmarshal([]byte(r.Event), &e); err != nil {
			return nil, fmt.Errorf("read parked event %d: %w", r.Key, err)
		}
		out[i] = Poison{Key: r.Key, Account: r.Account, Kind: e.Kind, ID: e.ID, Cause: r.Cause, Attempts: r.Attempts, At: at(r.Created),
			Due: at(r.Due), Waits: r.Attempts >= mostTries}
	}
	return out, nil
}

// Replay has parked events tried again, as often as when they came: the one with that key, or with 0 all of the account, or of the
// merchant when account is "" too. It says how many there are. They are found when the clock looks next.
func (tx *Tx) Replay(ctx context.Context, merchant commerce.MerchantID, account string, key int64) (int, error) {
	n, err := tx.count(ctx, "replay parked events", replayPoison, merchant, account, key)
	return int(n), err
}
