package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/bits"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A call of the database for one row costs several times what a row in a call for many does. So a transaction collects the rows that it
// makes most, and writes them together: before it commits, and before any statement that could miss them, which is seen from the
// statement's text (Store.about). Their keys are given out in Go.

// buffer is the rows of one table that a transaction has made. Those that are written stay until it ends: a turn that fails takes
// back what was written on its behalf, and with it, maybe, rows of turns before it.
type buffer struct {
	values  []any // row by row
	rows    int
	written int
	key     int64   // SQLite: the last key given out; 0 when it is to be looked up
	keys    []int64 // Postgres: keys that are reserved
}

// errRefused says that rows were refused that several turns had collected, so that nobody knows whose they were.
var errRefused = errors.New("collected rows were refused")

// rooms are the places where rows are collected. They are used again, since a group of turns needs much of it.
type rooms [bufferedTables][]any

// mostRoom is how many values a room may have to be used again.
const mostRoom = 16_384

func (tx *Tx) borrow() {
	if r, ok := tx.store.rooms.Get().(*rooms); ok {
		for i := range r {
			tx.buffers[i].values = r[i]
		}
	}
}

func (tx *Tx) giveBack() {
	var r rooms
	for i := range r {
		values := tx.buffers[i].values
		if cap(values) > mostRoom {
			continue
		}
		clear(values)
		r[i] = values[:0]
	}
	tx.buffers = [bufferedTables]buffer{}
	tx.store.rooms.Put(&r)
}

// add collects a row.
func (tx *Tx) add(bit tables, values ...any) {
	i := indexOf(bit)
	b := &tx.buffers[i]
	b.values = append(b.values, values...)
	b.rows++
	tx.dirty |= bit
}

func indexOf(bit tables) int { return bits.TrailingZeros16(uint16(bit)) }

// needs are the buffers whose rows must be written before those of a set: rows refer to rows.
func needs(set tables) tables {
	if set&inNotices != 0 {
		set |= inMessages | inQuotes
	}
	if set&inQuotes != 0 {
		set |= inContacts
	}
	if set&inParts != 0 {
		set |= inMessages
	}
	if set&(inMessages|inStandings|inTimers) != 0 {
		set |= inConversations
	}
	if set&inConversations != 0 {
		set |= inAddresses
	}
	if set&inAddresses != 0 {
		set |= inContacts
	}
	return set
}

// flush writes the collected rows of a set of tables.
func (tx *Tx) flush(ctx context.Context, set tables) error {
	set = needs(set) & tx.dirty
	if set == 0 {
		return nil
	}
	if tx.mark != nil && tx.madeRows(set) {
		if err := tx.hold(ctx); err != nil {
			return err
		}
	}
	table, err := tx.writeAll(ctx, set)
	if err != nil {
		if isUnavailable(err) || isTransient(err) || ctx.Err() != nil {
			return err
		}
		tx.spoilt = fmt.Errorf("write %s: %w: %w", table, errRefused, err)
		return tx.spoilt
	}
	for i := range bufferColumns {
		if set&bufferColumns[i].bit != 0 {
			tx.buffers[i].written = tx.buffers[i].rows
		}
	}
	tx.dirty &^= set
	return nil
}

// madeRows says that the turn under way has collected rows of a set.
func (tx *Tx) madeRows(set tables) bool {
	for i := range tx.buffers {
		if set&bufferColumns[i].bit != 0 && tx.buffers[i].rows > tx.mark.rows[i] {
			return true
		}
	}
	return false
}

// writeAll writes the rows of a set; table is where an error occurred.
func (tx *Tx) writeAll(ctx context.Context, set tables) (table string, err error) {
	var batch pgx.Batch
	var places []string
	for i := range bufferColumns {
		c, b := &bufferColumns[i], &tx.buffers[i]
		width := len(c.names)
		values := b.values[b.written*width : b.rows*width]
		if set&c.bit == 0 || len(values) == 0 {
			continue
		}
		if c.update {
			values = latest(values, width)
		}
		if tx.dialect == Postgres {
			batch.Queue(tx.store.writes[i][0], byColumn(c, values)...)
			places = append(places, c.table)
		} else if err := tx.writeRows(ctx, i, values); err != nil {
			return c.table, err
		}
	}
	if len(places) == 0 {
		return "", nil
	}
	done, err := tx.send(ctx, &batch)
	if err != nil {
		return places[min(done, len(places)-1)], err
	}
	return "", nil
}

// send has Postgres run statements one behind the other without an answer in between: each answer that is waited for costs both
// sides more than a row. done is how many have succeeded.
func (tx *Tx) send(ctx context.Context, batch *pgx.Batch) (done int, err error) {
	err = onPgx(tx.conn.Conn, func(c *pgx.Conn) error {
		results := c.SendBatch(ctx, batch)
		for range batch.Len() {
			if _, err := results.Exec(); err != nil {
				_ = results.Close() // says the same once more
				return err
			}
			done++
		}
		return results.Close()
	})
	if err != nil && pgconn.SafeToRetry(err) { // the connection was gone before
		err = fmt.Errorf("%w: %w", driver.ErrBadConn, err)
	}
	return done, err
}

// latest drops the rows that a later one with the same key replaces.
func latest(values []any, width int) []any {
	seen := make(map[any]bool, len(values)/width)
	keep := make([]any, 0, len(values))
	for at := len(values) - width; at >= 0; at -= width {
		if !seen[values[at]] {
			seen[values[at]] = true
			keep = append(keep, values[at:at+width]...)
		}
	}
	return keep
}

// mostRows is how many rows one statement writes on SQLite. There are statements for powers of two, so that few are to be prepared.
const mostRows = 64

// writeRows writes rows on SQLite.
func (tx *Tx) writeRows(ctx context.Context, i int, values []any) error {
	c, texts := &bufferColumns[i], tx.store.writes[i]
	width := len(c.names)
	if c.isSingle() {
		_, err := tx.tx.ExecContext(ctx, texts[0], eachRow{width, firstLast(values, width)})
		return err
	}
	for len(values) > 0 {
		n := floorPower(min(len(values)/width, mostRows))
		if _, err := tx.tx.ExecContext(ctx, texts[bits.TrailingZeros(uint(n))], manyArgs(values[:n*width])); err != nil {
			return err
		}
		values = values[n*width:]
	}
	return nil
}

// firstLast has the first value of each row come last.
func firstLast(values []any, width int) []any {
	out := make([]any, 0, len(values))
	for ; len(values) > 0; values = values[width:] {
		out = append(append(out, values[1:width]...), values[0])
	}
	return out
}

// floorPower is the power of two that is not above n.
func floorPower(n int) int { return 1 << (bits.Len(uint(n)) - 1) }

// mark is how far a transaction had come when a turn began.
type mark struct {
	rows    [bufferedTables]int
	keys    [bufferedTables]int64
	after   int
	events  bool
	held    bool                // there is a savepoint
	written [bufferedTables]int // when the savepoint was set
}

// begin marks the beginning of a turn, which undo goes back to.
func (tx *Tx) begin() {
	m := &mark{after: len(tx.after), events: tx.events}
	for i := range tx.buffers {
		m.rows[i], m.keys[i] = tx.buffers[i].rows, tx.buffers[i].key
	}
	tx.mark = m
}

// hold sets a savepoint, before the turn's first statement that changes something. A turn that only collects needs none.
func (tx *Tx) hold(ctx context.Context) error {
	m := tx.mark
	if m == nil || m.held {
		return nil
	}
	if _, err := tx.tx.ExecContext(ctx, "SAVEPOINT turn"); err != nil {
		return fmt.Errorf("set savepoint: %w", err)
	}
	m.held = true
	for i := range tx.buffers {
		m.written[i] = tx.buffers[i].written
	}
	return nil
}

// end keeps what a turn did.
func (tx *Tx) end(ctx context.Context) error {
	held := tx.mark.held
	tx.mark = nil
	if !held {
		return nil
	}
	if _, err := tx.tx.ExecContext(ctx, "RELEASE SAVEPOINT turn"); err != nil {
		return fmt.Errorf("release savepoint: %w", err)
	}
	return nil
}

// undo takes back what a turn did, its rows and its statements.
func (tx *Tx) undo(ctx context.Context) error {
	m := tx.mark
	tx.mark = nil
	if m.held {
		if _, err := tx.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT turn"); err != nil {
			return fmt.Errorf("go back to savepoint: %w", err)
		}
		if _, err := tx.tx.ExecContext(ctx, "RELEASE SAVEPOINT turn"); err != nil {
			return fmt.Errorf("release savepoint: %w", err)
		}
		tx.spoilt = nil
		tx.unlocked() // on Postgres it let go of the rows that the turn had locked
	}
	if tx.spoilt != nil {
		return tx.spoilt
	}
	tx.after, tx.events = tx.after[:m.after], m.events
	for i := range tx.buffers {
		b := &tx.buffers[i]
		if m.held {
			b.written = m.written[i]
		}
		if m.keys[i] != 0 {
			b.key = m.keys[i]
		}
		b.rows = m.rows[i]
		b.values = b.values[:b.rows*len(bufferColumns[i].names)]
		if b.written < b.rows {
			tx.dirty |= bufferColumns[i].bit
		}
	}
	return nil
}

// noneOf are messages and parts when no rows of theirs are collected for a conversation.
func (tx *Tx) noneOf(thread int64) tables {
	for _, place := range [...]struct {
		bit    tables
		column int
	}{{inMessages, 3}, {inParts, 2}} {
		i := indexOf(place.bit)
		b, width := &tx.buffers[i], len(bufferColumns[i].names)
		for row := b.written; row < b.rows; row++ {
			if b.values[row*width+place.column] == any(thread) {
				return 0
			}
		}
	}
	return inMessages | inParts
}
