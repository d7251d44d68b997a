package store

import (
	"context"
	"errors"
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

// Account is how a connection to a network stands.
type Account struct {
	Name    string
	Adapter string
	State   string // connecting, ready, failed
	Problem string
	Changed time.Time
}

const upsertAccount = `
	INSERT INTO accounts (name, merchant_id, adapter, state, problem, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (name) DO UPDATE
	SET merchant_id = excluded.merchant_id, adapter = excluded.adapter, state = excluded.state, problem = excluded.problem,
		changed_ms = excluded.changed_ms`

// SetAccount notes how an account is. An account name belongs to one merchant of the installation.
func (tx *Tx) SetAccount(ctx context.Context, merchant commerce.MerchantID, a Account) error {
	return tx.exec(ctx, "set account", upsertAccount, a.Name, merchant, a.Adapter, a.State, a.Problem, tx.now.UnixMilli())
}

// Accounts lists a merchant's accounts by name.
func (tx *Tx) Accounts(ctx context.Context, merchant commerce.MerchantID) ([]Account, error) {
	var rows []struct {
		Name, Adapter, State, Problem string
		Changed                       int64 `db:"changed_ms"`
	}
	err := tx.list(ctx, "list accounts", &rows, `
	SELECT name, adapter, state, problem, changed_ms
	FROM accounts
	WHERE merchant_id = $1
	ORDER BY name`, merchant)
	if err != nil {
		return nil, err
	}
	out := make([]Account, len(rows))
	for i, r := range rows {
		out[i] = Account{r.Name, r.Adapter, r.State, r.Problem, at(r.Changed)}
	}
	return out, nil
}

// AccountState is the durable key-value state of one account; it satisfies adapters.State.
type AccountState struct {
	Store   *Store
	Account string
}

// Load returns "" when nothing was saved under the key.
func (a AccountState) Load(ctx context.Context, key string) (string, error) {
	var v string
	err := a.Store.View(ctx, func(tx *Tx) error {
		return tx.get(ctx, "load state of account "+a.Account, &v, `SELECT value FROM account_state WHERE account = $1 AND name = $2`, a.Account, key)
	})
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return v, err
}

// Save keeps a value under a key.
func (a AccountState) Save(ctx context.Context, key, value string) error {
	return a.Store.Tx(ctx, func(tx *Tx) error {
		return tx.exec(ctx, "save state of account "+a.Account, `
	INSERT INTO account_state (account, name, value)
	VALUES ($1, $2, $3)
	ON CONFLICT (account, name) DO UPDATE SET value = excluded.value`, a.Account, key, value)
	})
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
