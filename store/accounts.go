package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"parley/commerce"
)

// Account is how a connection to a network stands.
type Account struct {
	Name    string
	Adapter string
	State   string // connecting, ready, failed
	Problem string
	Changed time.Time // when it came into this state
}

const upsertAccount = `
	INSERT INTO accounts (name, merchant_id, adapter, state, problem, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (name) DO UPDATE
	SET merchant_id = excluded.merchant_id, adapter = excluded.adapter, state = excluded.state, problem = excluded.problem,
		changed_ms = CASE WHEN accounts.state = excluded.state THEN accounts.changed_ms ELSE excluded.changed_ms END
	WHERE accounts.merchant_id <> excluded.merchant_id OR accounts.adapter <> excluded.adapter OR accounts.state <> excluded.state
		OR accounts.problem <> excluded.problem`

// SetAccount notes how an account is, and tells of it when that is news. An account name belongs to one merchant of the
// installation.
func (tx *Tx) SetAccount(ctx context.Context, merchant commerce.MerchantID, a Account) error {
	n, err := tx.count(ctx, "set account", upsertAccount, a.Name, merchant, a.Adapter, a.State, a.Problem, tx.now.UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	return tx.Event(ctx, merchant, "account_changed", a.Name, map[string]any{"state": a.State})
}

const selectAccount = `
	SELECT name, adapter, state, problem, changed_ms
	FROM accounts`

// Accounts lists a merchant's accounts by name.
func (tx *Tx) Accounts(ctx context.Context, merchant commerce.MerchantID) ([]Account, error) {
	return tx.accounts(ctx, selectAccount+` WHERE merchant_id = $1 ORDER BY name`, merchant)
}

// AllAccounts lists the accounts of all merchants by name.
func (tx *Tx) AllAccounts(ctx context.Context) ([]Account, error) {
	return tx.accounts(ctx, selectAccount+` ORDER BY name`)
}

func (tx *Tx) accounts(ctx context.Context, query string, args ...any) ([]Account, error) {
	var rows []struct {
		Name, Adapter, State, Problem string
		Changed                       int64 `db:"changed_ms"`
	}
	if err := tx.list(ctx, "list accounts", &rows, query, args...); err != nil {
		return nil, err
	}
	out := make([]Account, len(rows))
	for i, r := range rows {
		out[i] = Account{r.Name, r.Adapter, r.State, r.Problem, at(r.Changed)}
	}
	return out, nil
}

// KeepAccounts forgets how those accounts are, of any merchant, that the config no longer has. What they carried stays, and so
// does what their adapters remember, should they come back.
func (tx *Tx) KeepAccounts(ctx context.Context, names []string) error {
	var all []struct {
		Name     string
		Merchant commerce.MerchantID `db:"merchant_id"`
	}
	if err := tx.list(ctx, "list accounts", &all, `SELECT name, merchant_id FROM accounts ORDER BY name`); err != nil {
		return err
	}
	for _, a := range all {
		if slices.Contains(names, a.Name) {
			continue
		}
		if err := tx.exec(ctx, "forget account "+a.Name, `DELETE FROM accounts WHERE name = $1`, a.Name); err != nil {
			return err
		}
		if err := tx.Event(ctx, a.Merchant, "account_changed", a.Name, map[string]any{"state": "removed"}); err != nil {
			return err
		}
	}
	return nil
}

// AccountTraffic is what an account carried of late.
type AccountTraffic struct {
	Received int // messages of contacts
	Sent     int // parts that the network took
	// Parked is how many events wait that could not be handled, of any age; after eight tries they wait for a person.
	Parked int
	// Undelivered is how many parts were tried and given up: refused for good, or nobody knows.
	Undelivered int
}

// Traffic is by account what was written since a moment, and what is parked.
func (tx *Tx) Traffic(ctx context.Context, merchant commerce.MerchantID, since time.Time) (map[string]AccountTraffic, error) {
	first, err := tx.firstMessage(ctx, since)
	if err != nil {
		return nil, err
	}
	out := map[string]AccountTraffic{}
	for _, q := range []struct {
		query string
		args  []any
		note  func(*AccountTraffic, int)
	}{
		{`
	SELECT v.account, count(*) AS count
	FROM messages m
	JOIN conversations v ON v.key = m.conversation_key
	WHERE m.merchant_id = $1 AND m.key >= $2 AND m.author = 'contact'
	GROUP BY v.account`, []any{merchant, first}, func(t *AccountTraffic, n int) { t.Received = n }},
		{`
	SELECT p.account, count(*) AS count
	FROM parts p
	JOIN messages m ON m.key = p.message_key
	WHERE m.merchant_id = $1 AND p.message_key >= $2 AND p.state IN ('sent', 'delivered', 'read')
	GROUP BY p.account`, []any{merchant, first}, func(t *AccountTraffic, n int) { t.Sent = n }},
		{`
	SELECT p.account, count(*) AS count
	FROM parts p
	JOIN messages m ON m.key = p.message_key
	WHERE m.merchant_id = $1 AND p.message_key >= $2 AND p.state IN ('failed', 'unknown') AND p.attempts > 0
	GROUP BY p.account`, []any{merchant, first}, func(t *AccountTraffic, n int) { t.Undelivered = n }},
		{`
	SELECT account, count(*) AS count
	FROM parked
	WHERE merchant_id = $1 AND done_ms = 0
	GROUP BY account`, []any{merchant}, func(t *AccountTraffic, n int) { t.Parked = n }},
	} {
		var rows []struct {
			Account string
			Count   int
		}
		if err := tx.list(ctx, "count traffic", &rows, q.query, q.args...); err != nil {
			return nil, err
		}
		for _, r := range rows {
			t := out[r.Account]
			q.note(&t, r.Count)
			out[r.Account] = t
		}
	}
	return out, nil
}

// firstMessage is the key from which on messages were written since a moment. Keys grow with time, so that it is found in a few
// steps, and what is older need not be read.
func (tx *Tx) firstMessage(ctx context.Context, since time.Time) (int64, error) {
	var after int64
	err := tx.get(ctx, "find last message", &after, `SELECT COALESCE(max(key), 0) + 1 FROM messages`)
	if err != nil {
		return 0, err
	}
	for low := int64(0); low < after; {
		middle := low + (after-low)/2
		var next struct {
			Key int64
			At  int64 `db:"created_ms"`
		}
		err := tx.get(ctx, "find first message", &next, `
	SELECT key, created_ms
	FROM messages
	WHERE key >= $1
	ORDER BY key
	LIMIT 1`, middle)
		switch {
		case errors.Is(err, ErrNotFound): // the rest is gone
			after = middle
		case err != nil:
			return 0, err
		case next.At >= since.UnixMilli():
			after = middle
		default:
			low = next.Key + 1
		}
	}
	return after, nil
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

const saveState = `
	INSERT INTO account_state (account, name, value)
	VALUES ($1, $2, $3)
	ON CONFLICT (account, name) DO UPDATE SET value = excluded.value`

// Save keeps a value under a key.
func (a AccountState) Save(ctx context.Context, key, value string) error {
	return a.Store.Tx(ctx, func(tx *Tx) error {
		return tx.exec(ctx, "save state of account "+a.Account, saveState, a.Account, key, value)
	})
}

// servedKey is where it stands when a server last said that it is at work on an account.
const servedKey = "parley.served"

// Serve notes that a server is at work on accounts now; with ended, that it no longer is.
func (tx *Tx) Serve(ctx context.Context, accounts []string, ended bool) error {
	for _, name := range accounts {
		var err error
		if ended {
			err = tx.exec(ctx, "note the end of account "+name, `DELETE FROM account_state WHERE account = $1 AND name = $2`, name, servedKey)
		} else {
			err = tx.exec(ctx, "note account "+name, saveState, name, servedKey, strconv.FormatInt(tx.now.UnixMilli(), 10))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Served is when a server last said that it is at work on an account; the zero time when none is.
func (tx *Tx) Served(ctx context.Context, account string) (time.Time, error) {
	var v string
	err := tx.get(ctx, "look for the server of account "+account, &v, `SELECT value FROM account_state WHERE account = $1 AND name = $2`, account, servedKey)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the server of account %s: %w", account, err)
	}
	return at(n), nil
}
