package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A statement for one row costs several times what a row in a statement for many does. So a transaction collects the rows that it
// makes most, and writes them together: before it commits, and before any statement that could miss them, which is seen from the
// statement's text (Store.about). Their keys are given out in Go.

// columns says how rows of a table are written.
type columns struct {
	bit   tables
	table string
	names []string
	texts []bool // which hold text; the others hold integers

	update bool   // they change rows, which the first column names
	shape  string // what is done with them otherwise, with %s for the rows
}

func newColumns(bit tables, table, list string) columns {
	c := columns{bit: bit, table: table}
	for _, field := range strings.Fields(list) {
		name, text := strings.CutSuffix(field, ":text")
		c.names, c.texts = append(c.names, name), append(c.texts, text)
	}
	return c
}

// bufferColumns are the buffers in the order in which they are written.
var bufferColumns = [bufferedTables]columns{
	newColumns(inContacts, "contacts", `key id:text merchant_id name:text language:text language_source:text time_zone:text
		time_zone_source:text external_ids:text created_ms`),
	newColumns(inAddresses, "addresses", `key id:text merchant_id contact_key account:text channel:text network_id:text state:text created_ms`),
	newColumns(inConversations, "conversations", `key id:text merchant_id account:text channel:text chat:text contact_key address_key
		created_ms changed_ms`),
	{bit: inStandings, table: "conversations", names: []string{"key", "owner", "reason", "waiting_ms", "session", "changed_ms", "held"},
		texts: []bool{false, true, true, false, true, false, false}, update: true},
	newColumns(inMessages, "messages", `key id:text merchant_id conversation_key author:text kind:text text:text choices:text image:text
		context:text class:text network_id:text created_ms`),
	newColumns(inParts, "parts", `key message_key conversation_key account:text position text:text choices:text image:text state:text
		attempts due_ms changed_ms claimed_by:text lane`),
	newColumns(inEvents, "events", `merchant_id kind:text subject:text data:text at_ms`),
	newColumns(inInbound, "inbound", `key hash account:text chat:text network_id:text at_ms`),
	newColumns(inQuotes, "quotes", `key id:text merchant_id product_key contact_key conversation_key quantity unit_minor total_minor
		currency:text kind:text cause:text created_ms expires_ms`),
	newColumns(inNotices, "notices", `message_key merchant_id conversation_key account:text quote_key product_key watch_key unit_minor
		quantity state:text due_ms`),
	{bit: inFired, table: "watches", names: []string{"key", "state", "epoch", "occurrence_key", "told_minor", "lower_minor", "changed_ms"},
		texts: []bool{false, true, false, false, false, false, false}, update: true},
	{bit: inTold, table: "deliveries", names: []string{"occurrence_key", "lane", "watch_key"}, texts: []bool{false, false, false},
		shape: `DELETE FROM deliveries WHERE (occurrence_key, lane, watch_key) IN (%s)`},
	{bit: inTallies, table: "tallies", names: []string{"occurrence_key", "outcome", "n"}, texts: []bool{false, true, false}, shape: addTallies},
	newColumns(inTimers, "timers", `merchant_id conversation_key event:text context:text due_ms`),
}

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
	texts := tx.store.writes[i]
	width := len(bufferColumns[i].names)
	for len(values) > 0 {
		n := floorPower(min(len(values)/width, mostRows))
		if _, err := tx.tx.ExecContext(ctx, texts[bits.TrailingZeros(uint(n))], manyArgs(values[:n*width])); err != nil {
			return err
		}
		values = values[n*width:]
	}
	return nil
}

// floorPower is the power of two that is not above n.
func floorPower(n int) int { return 1 << (bits.Len(uint(n)) - 1) }

// writeTexts are the statements that write rows: on Postgres one for any number, on SQLite one for each power of two.
func writeTexts(d Dialect) (all [bufferedTables][]string) {
	for i := range bufferColumns {
		c := &bufferColumns[i]
		if d == Postgres {
			all[i] = []string{c.text(c.arrays())}
			continue
		}
		for n := 1; n <= mostRows; n *= 2 {
			all[i] = append(all[i], c.text(c.rows(n)))
		}
	}
	return all
}

// text is the statement that writes rows from a source.
func (c *columns) text(source string) string {
	if c.shape != "" {
		return fmt.Sprintf(c.shape, source)
	}
	if !c.update {
		return "INSERT INTO " + c.table + " (" + strings.Join(c.names, ", ") + ") " + source
	}
	var set []string
	for i, name := range c.names[1:] {
		set = append(set, name+" = u.column"+strconv.Itoa(i+2))
	}
	return "UPDATE " + c.table + " SET " + strings.Join(set, ", ") + " FROM (" + source + ") u WHERE " + c.table + ".key = u.column1"
}

// rows are n rows of parameters. Parameters without a number cost the driver least.
func (c *columns) rows(n int) string {
	row := "(" + strings.Repeat("?, ", len(c.names)-1) + "?)"
	return "VALUES " + strings.Repeat(row+", ", n-1) + row
}

// arrays are rows from an array for each column.
func (c *columns) arrays() string {
	var arrays, names []string
	for i, isText := range c.texts {
		kind := "bigint[]"
		if isText {
			kind = "text[]"
		}
		arrays = append(arrays, "$"+strconv.Itoa(i+1)+"::"+kind)
		names = append(names, "column"+strconv.Itoa(i+1))
	}
	return "SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") AS r (" + strings.Join(names, ", ") + ")"
}

// byColumn turns rows into an array for each column.
func byColumn(c *columns, values []any) []any {
	width := len(c.names)
	rows := len(values) / width
	args := make([]any, width)
	for i := range width {
		if c.texts[i] {
			column := make([]string, rows)
			for r := range rows {
				column[r] = values[r*width+i].(string)
			}
			args[i] = column
			continue
		}
		column := make([]int64, rows)
		for r := range rows {
			column[r] = values[r*width+i].(int64)
		}
		args[i] = column
	}
	return args
}

// newKey gives out a key of a table.
func (tx *Tx) newKey(ctx context.Context, bit tables) (int64, error) {
	i := indexOf(bit)
	b, table := &tx.buffers[i], bufferColumns[i].table
	if tx.dialect == SQLite { // nobody else writes meanwhile
		if b.key == 0 {
			if err := tx.tx.GetContext(ctx, &b.key, `SELECT COALESCE(max(key), 0) FROM `+table); err != nil {
				return 0, fmt.Errorf("find last key of %s: %w", table, err)
			}
		}
		b.key++
		return b.key, nil
	}
	if len(b.keys) == 0 {
		if err := tx.reserveKeys(ctx, bit, table); err != nil {
			return 0, fmt.Errorf("reserve keys of %s: %w", table, err)
		}
	}
	key := b.keys[0]
	b.keys = b.keys[1:]
	return key, nil
}

// reserveKeys reserves keys on Postgres. A turn hears a message and answers it: where many do, keys for both and for the answer's part
// are asked for together.
func (tx *Tx) reserveKeys(ctx context.Context, bit tables, table string) error {
	n := max(tx.expected, 1)
	messages, parts := &tx.buffers[indexOf(inMessages)], &tx.buffers[indexOf(inParts)]
	if bit != inMessages || tx.group == nil || messages.rows > 0 || len(parts.keys) > 0 {
		return tx.tx.SelectContext(ctx, &tx.buffers[indexOf(bit)].keys, `SELECT nextval('`+table+`_key_seq') FROM generate_series(1, $1)`, n)
	}
	rows, err := tx.tx.QueryContext(ctx, `
	SELECT nextval('messages_key_seq'), nextval('messages_key_seq'), nextval('parts_key_seq')
	FROM generate_series(1, $1)`, n)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var heard, said, part int64
		if err := rows.Scan(&heard, &said, &part); err != nil {
			return err
		}
		messages.keys, parts.keys = append(messages.keys, heard, said), append(parts.keys, part)
	}
	return rows.Err()
}

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

// dropKeys forgets the keys that were reserved before others could be done with rows that are locked now: keys rise with commits.
func (tx *Tx) dropKeys() {
	for i := range tx.buffers {
		tx.buffers[i].keys = nil
	}
}
