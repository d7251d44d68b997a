package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	json "github.com/go-json-experiment/json/v1" // gives what encoding/json does, sooner
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"parley/commerce"
)

// Tx is one transaction. It sees one instant: Now does not move while it lasts. It must not be kept or used by two goroutines.
type Tx struct {
	tx      *sqlx.Tx
	conn    *sqlx.Conn // that tx runs on; nil on SQLite
	store   *Store
	dialect Dialect
	now     time.Time
	process string   // of the store
	events  bool     // something was appended to events
	after   []func() // run after the commit

	buffers  [bufferedTables]buffer
	dirty    tables                     // buffers that hold rows which are not written yet
	expected int                        // how many keys are likely to be asked for together
	spoilt   error                      // why nothing more can be done in this transaction
	mark     *mark                      // where the turn under way began; nil outside a group
	group    *group                     // nil outside a group
	products map[int64]commerce.Product // that this transaction has locked, as they are
}

// tries is how often a transaction that met a deadlock or a serialization failure is run again.
const tries = 8

// Tx runs fn in a transaction that commits when fn returns nil. fn may be run again after a deadlock: it must not act outside
// the transaction. AfterCommit is for that.
func (s *Store) Tx(ctx context.Context, fn func(*Tx) error) error {
	var err error
	for try := range tries {
		err = s.once(ctx, s.write, fn)
		if s.trouble.note(err, s.now()); isDiskFull(err) {
			s.checkpoints.diskFull()
		}
		if err == nil || !isTransient(err) && (try > 0 || !isTaken(err)) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(try+1) * 5 * time.Millisecond):
		}
	}
	return err
}

// View runs fn on a snapshot. Writing in it is an error on SQLite and a mistake on Postgres.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return s.once(ctx, s.read, fn)
}

func (s *Store) once(ctx context.Context, db *sqlx.DB, fn func(*Tx) error) (err error) {
	raw, conn, err := s.begin(ctx, db)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if conn != nil {
		defer func() { _ = conn.Close() }()
	}
	tx := &Tx{tx: raw, conn: conn, store: s, dialect: s.dialect, process: s.process, now: s.now().UTC().Truncate(time.Millisecond)}
	tx.borrow()
	defer tx.giveBack()
	defer func() { _ = raw.Rollback() }() // after a commit this does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.flush(ctx, tx.dirty); err != nil {
		return err
	}
	if tx.spoilt != nil {
		return tx.spoilt
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if db == s.write {
		s.checkpoints.committed()
	}
	if tx.events {
		s.wake()
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// begin begins a transaction. On Postgres it comes with its connection, which can be sent several statements at once.
func (s *Store) begin(ctx context.Context, db *sqlx.DB) (*sqlx.Tx, *sqlx.Conn, error) {
	if s.dialect == SQLite {
		tx, err := db.BeginTxx(ctx, nil)
		return tx, nil, err
	}
	conn, err := db.Connx(ctx)
	if err != nil {
		return nil, nil, err
	}
	tx, err := conn.BeginTxx(ctx, nil)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return tx, conn, nil
}

// OnEvents calls f after every commit of this process that appended events, until stop is called. f must not block.
func (s *Store) OnEvents(f func()) (stop func()) {
	_, stop = s.onEvents(f)
	return stop
}

func (s *Store) onEvents(f func()) (id int, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = s.nextID
	s.nextID++
	s.listeners[id] = f
	return id, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, id)
	}
}

func (s *Store) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.listeners {
		f()
	}
}

// Now is the instant of the transaction, in UTC and whole milliseconds.
func (tx *Tx) Now() time.Time { return tx.now }

// AfterCommit runs f once the transaction has committed, and not at all when it does not.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// NewID makes a public id: the prefix and a UUIDv7 in Crockford's base32, so that ids sort by the time they were made.
func (tx *Tx) NewID(prefix string) string { return NewID(prefix) }

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID makes a public id outside a transaction.
func NewID(prefix string) string { return FormatID(prefix, uuid.Must(uuid.NewV7())) }

// FormatID writes 128 bits as a public id: 26 characters of five bits, the first with two bits of padding.
func FormatID(prefix string, bits [16]byte) string {
	out := make([]byte, 26)
	for i := range out {
		var v byte
		for bit := i*5 - 2; bit < i*5+3; bit++ {
			v <<= 1
			if bit >= 0 {
				v |= bits[bit/8] >> (7 - bit%8) & 1
			}
		}
		out[i] = crockford[v]
	}
	return prefix + "_" + string(out)
}

// ParseID is the inverse of FormatID, whatever the prefix.
func ParseID(id string) (bits [16]byte, ok bool) {
	_, digits, ok := strings.Cut(id, "_")
	if !ok || len(digits) != 26 {
		return bits, false
	}
	for i := range 26 {
		v := strings.IndexByte(crockford, digits[i])
		if v < 0 {
			return bits, false
		}
		for j := range 5 {
			if bit := i*5 - 2 + j; bit >= 0 && v>>(4-j)&1 == 1 {
				bits[bit/8] |= 1 << (7 - bit%8)
			}
		}
	}
	return bits, true
}

// Event appends one change of state. Data must hold ids and figures only, no names, addresses or texts: events outlive
// an erasure.
func (tx *Tx) Event(_ context.Context, merchant commerce.MerchantID, kind, subject string, data map[string]any) error {
	text := "null"
	if data != nil {
		b, err := json.Marshal(data)
		if err != nil {
			return fmt.Errorf("append event %s: %w", kind, err)
		}
		text = string(b)
	}
	tx.events = true
	tx.add(inEvents, int64(merchant), kind, subject, text, tx.now.UnixMilli())
	return nil
}

// ready is called before every statement: it writes the collected rows that the statement must find, and sets the turn's savepoint
// before one that changes something.
func (tx *Tx) ready(ctx context.Context, text string) error {
	return tx.readyBut(ctx, text, 0)
}

// readyBut is ready for a statement that does not mind whether some collected rows are missing.
func (tx *Tx) readyBut(ctx context.Context, text string, but tables) error {
	if tx.spoilt != nil {
		return tx.spoilt
	}
	q := tx.store.about(text)
	if err := tx.flush(ctx, q.reads&^but); err != nil {
		return err
	}
	if q.locks && q.reads&inConversations != 0 {
		tx.dropKeys()
	}
	if !q.writes {
		return nil
	}
	if q.goods {
		tx.products = nil
	}
	if q.people || q.adds&inParts != 0 {
		tx.group.forget()
	}
	for i := range tx.buffers {
		if q.adds&bufferColumns[i].bit != 0 {
			tx.buffers[i].key = 0 // the database gives out the next by itself
		}
	}
	return tx.hold(ctx)
}

// failed notes what a failed statement means for those to come: on Postgres a transaction is over until it goes back to a savepoint,
// on SQLite some failures end it altogether, and what came next would be committed by itself.
func (tx *Tx) failed(doing string, err error) error {
	err = fmt.Errorf("%s: %w", doing, err)
	if tx.dialect == Postgres || isUnavailable(err) {
		tx.spoilt = err
	}
	return err
}

// exec runs a statement; doing says what for, in the error.
func (tx *Tx) exec(ctx context.Context, doing, query string, args ...any) error {
	_, err := tx.count(ctx, doing, query, args...)
	return err
}

// count runs a statement and says how many rows it changed.
func (tx *Tx) count(ctx context.Context, doing, query string, args ...any) (int64, error) {
	if err := tx.ready(ctx, query); err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	r, err := tx.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, tx.failed(doing, err)
	}
	return r.RowsAffected()
}

// get reads one row into a struct or a value; no row is ErrNotFound.
func (tx *Tx) get(ctx context.Context, doing string, dest any, query string, args ...any) error {
	if err := tx.ready(ctx, query); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return tx.getNow(ctx, doing, dest, query, args...)
}

func (tx *Tx) getNow(ctx context.Context, doing string, dest any, query string, args ...any) error {
	err := tx.tx.GetContext(ctx, dest, query, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	if err != nil {
		return tx.failed(doing, err)
	}
	return nil
}

// list reads all rows into a slice.
func (tx *Tx) list(ctx context.Context, doing string, dest any, query string, args ...any) error {
	if err := tx.ready(ctx, query); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return tx.listNow(ctx, doing, dest, query, args...)
}

func (tx *Tx) listNow(ctx context.Context, doing string, dest any, query string, args ...any) error {
	if err := tx.tx.SelectContext(ctx, dest, query, args...); err != nil {
		return tx.failed(doing, err)
	}
	return nil
}

// each has fn read the rows one by one, where there are too many for list.
func (tx *Tx) each(ctx context.Context, doing string, fn func(scan func(...any) error) error, query string, args ...any) error {
	if err := tx.ready(ctx, query); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return tx.eachNow(ctx, doing, fn, query, args...)
}

// eachNow is each without the rows that are collected.
func (tx *Tx) eachNow(ctx context.Context, doing string, fn func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := tx.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return tx.failed(doing, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return tx.failed(doing, err)
		}
	}
	if err := rows.Err(); err != nil {
		return tx.failed(doing, err)
	}
	return nil
}

// getIn and listIn read messages and parts of one conversation: rows that were collected for others may be missing.
func (tx *Tx) getIn(ctx context.Context, thread int64, doing string, dest any, query string, args ...any) error {
	if err := tx.readyBut(ctx, query, tx.noneOf(thread)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return tx.getNow(ctx, doing, dest, query, args...)
}

func (tx *Tx) listIn(ctx context.Context, thread int64, doing string, dest any, query string, args ...any) error {
	if err := tx.readyBut(ctx, query, tx.noneOf(thread)); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return tx.listNow(ctx, doing, dest, query, args...)
}

// forUpdate locks the rows of a SELECT on Postgres; SQLite's one writer needs no lock.
func (tx *Tx) forUpdate() string {
	if tx.dialect == Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// ms is a time as the tables keep it; the zero time is 0.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is the inverse of ms.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// hashSecret is how secrets that only need to be recognised are kept.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// asJSON is a column of JSON text.
type asJSON[T any] struct{ V T }

func (j *asJSON[T]) Scan(src any) error {
	var b []byte
	switch s := src.(type) {
	case nil:
		return nil
	case string:
		b = []byte(s)
	case []byte:
		b = s
	default:
		return fmt.Errorf("column of type %T is not JSON text", src)
	}
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, &j.V)
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal %T: %v", v, err)) // our own types always marshal
	}
	return string(b)
}
