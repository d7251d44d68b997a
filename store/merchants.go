package store

import (
	"context"
	"fmt"
	"time"

	"parley/commerce"
)

const upsertMerchant = `
	INSERT INTO merchants (name, title, created_ms)
	VALUES ($1, $2, $3)
	ON CONFLICT (name) DO UPDATE SET title = excluded.title
	RETURNING key`

// SetMerchant makes a merchant of the config known, or finds it again by its name.
func (tx *Tx) SetMerchant(ctx context.Context, name, title string) (commerce.MerchantID, error) {
	var id commerce.MerchantID
	err := tx.get(ctx, "set merchant", &id, upsertMerchant, name, title, tx.now.UnixMilli())
	return id, err
}

// MerchantNamed finds a merchant by its name in the config.
func (tx *Tx) MerchantNamed(ctx context.Context, name string) (commerce.MerchantID, error) {
	var id commerce.MerchantID
	err := tx.get(ctx, "find merchant "+name, &id, `SELECT key FROM merchants WHERE name = $1`, name)
	return id, err
}

// Secret is a key that this installation made for itself: whoever asks first makes it.
func (s *Store) Secret(ctx context.Context, name string, make func() string) (string, error) {
	var v string
	err := s.Tx(ctx, func(tx *Tx) error {
		err := tx.exec(ctx, "make secret "+name, `
	INSERT INTO secrets (name, value)
	VALUES ($1, $2)
	ON CONFLICT DO NOTHING`, name, make())
		if err != nil {
			return err
		}
		return tx.get(ctx, "load secret "+name, &v, `SELECT value FROM secrets WHERE name = $1`, name)
	})
	return v, err
}

// SaveFlowSet keeps a flow set's files under its hash, for conversations that begin in it.
func (tx *Tx) SaveFlowSet(ctx context.Context, merchant commerce.MerchantID, hash string, files map[string][]byte) error {
	return tx.exec(ctx, "save flow set", `
	INSERT INTO flow_sets (merchant_id, hash, files, created_ms)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT DO NOTHING`, merchant, hash, toJSON(files), tx.now.UnixMilli())
}

// FlowSet loads the files of a flow set by its hash.
func (tx *Tx) FlowSet(ctx context.Context, merchant commerce.MerchantID, hash string) (map[string][]byte, error) {
	var files asJSON[map[string][]byte]
	err := tx.get(ctx, "load flow set", &files, `SELECT files FROM flow_sets WHERE merchant_id = $1 AND hash = $2`, merchant, hash)
	return files.V, err
}

// Event is one row of the log of changes.
type Event struct {
	Key     int64
	Kind    string
	Subject string // the id it is about
	Data    map[string]any
	At      time.Time
}

// Events lists a merchant's changes after a key, oldest first.
func (tx *Tx) Events(ctx context.Context, merchant commerce.MerchantID, after int64, limit int) ([]Event, error) {
	var rows []struct {
		Key     int64
		Kind    string
		Subject string
		Data    asJSON[map[string]any]
		At      int64 `db:"at_ms"`
	}
	err := tx.list(ctx, "list events", &rows, fmt.Sprintf(`
	SELECT key, kind, subject, data, at_ms
	FROM events
	WHERE merchant_id = $1 AND key > $2
	ORDER BY key
	LIMIT %d`, limit), merchant, after)
	if err != nil {
		return nil, err
	}
	out := make([]Event, len(rows))
	for i, r := range rows {
		out[i] = Event{r.Key, r.Kind, r.Subject, r.Data.V, at(r.At)}
	}
	return out, nil
}

// LastEvent is the key of a merchant's newest event; 0 when there is none.
func (tx *Tx) LastEvent(ctx context.Context, merchant commerce.MerchantID) (int64, error) {
	var key int64
	err := tx.get(ctx, "find last event", &key, `SELECT COALESCE(max(key), 0) FROM events WHERE merchant_id = $1`, merchant)
	return key, err
}
