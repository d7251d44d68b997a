// Package seed fills a database with what would take the product hours to collect: people, their conversations and watches, and the
// ids of messages that came before. The rows are those that the product writes; the program must not run meanwhile.
package seed

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"parley/store"
)

// Crowd is people to be known on an account.
type Crowd struct {
	Account string
	Channel string
	First   int64 // the first one's id on the network; the others follow
	People  int
	Session string // of their conversations, as the product wrote one
	SKU     string // the product whose price they watch; "" for none
	Below   int64  // in minor units
}

// chunk is how many rows one statement makes.
const chunk = 50_000

// numbers are $1+1 to $2.
const numbers = `WITH RECURSIVE numbers (n) AS (SELECT CAST($1 AS BIGINT) + 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2)`

// publicID writes 26 characters as ids have them: digits are among those.
func publicID(prefix, n string) string {
	return "'" + prefix + "_000000000' || CAST(10000000000000000 + " + n + " AS TEXT)"
}

// People adds a crowd.
func People(ctx context.Context, s *store.Store, c Crowd) error {
	w := newWriter(ctx, s)
	defer w.close(ctx)
	merchant := w.number(ctx, `SELECT min(key) FROM merchants`)
	base := w.number(ctx, `SELECT COALESCE(max(key), 0) FROM contacts`) + 1000
	base = max(base, w.number(ctx, `SELECT COALESCE(max(key), 0) FROM addresses`)+1000, w.number(ctx, `SELECT COALESCE(max(key), 0) FROM conversations`)+1000)
	now := w.number(ctx, `SELECT max(created_ms) FROM merchants`)
	w.exec(ctx, `INSERT INTO lanes (account) VALUES ($1) ON CONFLICT DO NOTHING`, c.Account)
	lane := w.number(ctx, `SELECT key FROM lanes WHERE account = $1`, c.Account)
	var product int64
	if c.SKU != "" {
		product = w.number(ctx, `SELECT key FROM products WHERE merchant_id = $1 AND sku = $2`, merchant, c.SKU)
	}
	for from := 0; from < c.People && w.err == nil; from += chunk {
		to := min(c.People, from+chunk)
		w.exec(ctx, numbers+`
	INSERT INTO contacts (key, id, merchant_id, name, language, language_source, created_ms)
	SELECT n + $3, `+publicID("con", "n + $3")+`, $4, 'Ada Byron', 'en', 'network', $5 FROM numbers`, from, to, base, merchant, now)
		w.exec(ctx, numbers+`
	INSERT INTO addresses (key, id, merchant_id, contact_key, account, channel, network_id, state, created_ms)
	SELECT n + $3, `+publicID("adr", "n + $3")+`, $4, n + $3, $6, $7, CAST(n - 1 + $8 AS TEXT), 'verified', $5 FROM numbers`,
			from, to, base, merchant, now, c.Account, c.Channel, c.First)
		w.exec(ctx, numbers+`
	INSERT INTO conversations (key, id, merchant_id, account, channel, chat, contact_key, address_key, session, created_ms, changed_ms)
	SELECT n + $3, `+publicID("cnv", "n + $3")+`, $4, $6, $7, CAST(n - 1 + $8 AS TEXT), n + $3, n + $3, $9, $5, $5 FROM numbers`,
			from, to, base, merchant, now, c.Account, c.Channel, c.First, orEmpty(c.Session))
		if product == 0 {
			continue
		}
		w.exec(ctx, numbers+`
	INSERT INTO consents (merchant_id, contact_key, address_key, purpose, wording, version, evidence, at_ms)
	SELECT $4, n + $3, n + $3, 'alert', 'Yes, tell me.', '1', '{}', $5 FROM numbers`, from, to, base, merchant, now)
		w.watches(ctx, from, to, base, merchant, now, product, c.Below, lane)
	}
	w.restart(ctx, "contacts", "addresses", "conversations")
	if w.err != nil {
		return fmt.Errorf("seed %d people: %w", c.People, w.err)
	}
	return nil
}

func orEmpty(session string) string {
	if session == "" {
		return "{}"
	}
	return session
}

func (w *writer) watches(ctx context.Context, from, to int, base, merchant, now, product, below, lane int64) {
	w.exec(ctx, numbers+`
	INSERT INTO watches (id, merchant_id, product_key, contact_key, address_key, event, fields, currency, threshold_minor, rearm_minor,
		state, created_ms, changed_ms, lane)
	SELECT `+publicID("wat", "n + $3 + 100000000 * CAST($6 AS BIGINT)")+`, $4, $6, n + $3, n + $3, 'price_below', '{}', 'EUR', $7, $8, 'armed', $5, $5, $9 FROM numbers`,
		from, to, base, merchant, now, product, below, below+(below+19)/20, lane)
}

// Watches has the people of an account watch one more product, as many of them as there are.
func Watches(ctx context.Context, s *store.Store, account, sku string, first int64, people int, below int64) error {
	w := newWriter(ctx, s)
	defer w.close(ctx)
	merchant := w.number(ctx, `SELECT min(key) FROM merchants`)
	now := w.number(ctx, `SELECT max(created_ms) FROM merchants`)
	lane := w.number(ctx, `SELECT key FROM lanes WHERE account = $1`, account)
	product := w.number(ctx, `SELECT key FROM products WHERE merchant_id = $1 AND sku = $2`, merchant, sku)
	key := w.number(ctx, `SELECT key FROM addresses WHERE account = $1 AND network_id = $2`, account, fmt.Sprint(first))
	w.watches(ctx, 0, people, key-1, merchant, now, product, below, lane)
	if w.err != nil {
		return fmt.Errorf("seed watches of %s: %w", sku, w.err)
	}
	return nil
}

// Repeats adds ids of messages that came before.
func Repeats(ctx context.Context, s *store.Store, n int) error {
	w := newWriter(ctx, s)
	defer w.close(ctx)
	// Hashes are spread over all numbers up to 2^62, and 3 million steps stay below it.
	const step = 1_537_228_672_809
	log := w.number(ctx, `SELECT COALESCE(max(key), 0) FROM inbound`) + 1000
	now := w.number(ctx, `SELECT max(created_ms) FROM merchants`)
	for from := 0; from < n && w.err == nil; from += chunk {
		to := min(n, from+chunk)
		w.exec(ctx, numbers+`
	INSERT INTO inbound (key, hash, account, chat, network_id, at_ms)
	SELECT n + $3, n * $4, 'tg', CAST(n AS TEXT), 'update:' || CAST(n AS TEXT), $5 FROM numbers`, from, to, log, step, now)
		w.exec(ctx, numbers+`
	INSERT INTO repeats (hash, log)
	SELECT n * $4, n + $3 FROM numbers`, from, to, log, step)
	}
	w.restart(ctx, "inbound")
	if w.err != nil {
		return fmt.Errorf("seed %d ids: %w", n, w.err)
	}
	return nil
}

// Session reads the session of an account's first conversation, to give to others.
func Session(ctx context.Context, s *store.Store, account string) (string, error) {
	var session string
	err := s.DB().GetContext(ctx, &session, `SELECT session FROM conversations WHERE account = $1 ORDER BY key LIMIT 1`, account)
	return session, err
}

// writer does one statement after another until one fails, on a connection that neither checks what refers to what nor waits for the
// disk.
type writer struct {
	store *store.Store
	conn  *sqlx.Conn
	err   error
}

func newWriter(ctx context.Context, s *store.Store) *writer {
	w := &writer{store: s}
	if w.conn, w.err = s.DB().Connx(ctx); w.err != nil {
		return w
	}
	if s.Dialect() == store.Postgres {
		w.exec(ctx, `SET session_replication_role = replica`)
		w.exec(ctx, `SET synchronous_commit = off`)
	} else {
		w.exec(ctx, `PRAGMA foreign_keys = off`)
		w.exec(ctx, `PRAGMA synchronous = off`)
	}
	return w
}

// close gives the connection back as it was.
func (w *writer) close(ctx context.Context) {
	if w.conn == nil {
		return
	}
	w.err = nil
	if w.store.Dialect() == store.Postgres {
		w.exec(ctx, `RESET session_replication_role`)
		w.exec(ctx, `RESET synchronous_commit`)
	} else {
		w.exec(ctx, `PRAGMA foreign_keys = on`)
		w.exec(ctx, `PRAGMA synchronous = full`)
	}
	_ = w.conn.Close()
}

func (w *writer) exec(ctx context.Context, query string, args ...any) {
	if w.err == nil {
		_, w.err = w.conn.ExecContext(ctx, query, args...)
	}
}

func (w *writer) number(ctx context.Context, query string, args ...any) (n int64) {
	if w.err == nil {
		w.err = w.conn.GetContext(ctx, &n, query, args...)
	}
	return n
}

// restart has Postgres go on numbering behind the keys that were given.
func (w *writer) restart(ctx context.Context, tables ...string) {
	if w.store.Dialect() != store.Postgres {
		return
	}
	for _, t := range tables {
		w.exec(ctx, `SELECT setval(pg_get_serial_sequence('`+t+`', 'key'), (SELECT max(key) FROM `+t+`))`)
	}
	w.exec(ctx, `ANALYZE`)
}
