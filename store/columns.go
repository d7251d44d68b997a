package store

import (
	"fmt"
	"strconv"
	"strings"
)

// columns says how rows of a table are written.
type columns struct {
	bit   tables
	table string
	names []string
	texts []bool // which hold text; the others hold integers

	update bool   // they change rows, which the first column names
	shape  string // what is done with them otherwise, with %s for the rows
	single string // SQLite: a statement for each row instead, whose last parameter is the first column
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
		shape:  `DELETE FROM deliveries WHERE (occurrence_key, lane, watch_key) IN (%s)`,
		single: `DELETE FROM deliveries WHERE lane = ? AND watch_key = ? AND occurrence_key = ?`},
	{bit: inTallies, table: "tallies", names: []string{"occurrence_key", "outcome", "n"}, texts: []bool{false, true, false}, shape: addTallies},
	newColumns(inTimers, "timers", `merchant_id conversation_key event:text context:text due_ms`),
}

// writeTexts are the statements that write rows: on Postgres one for any number, on SQLite one for each power of two.
func writeTexts(d Dialect) (all [bufferedTables][]string) {
	for i := range bufferColumns {
		c := &bufferColumns[i]
		if d == Postgres {
			all[i] = []string{c.text(insert, c.arrays())}
			continue
		}
		if c.isSingle() {
			all[i] = []string{c.singleText()}
			continue
		}
		for n := 1; n <= mostRows; n *= 2 {
			all[i] = append(all[i], c.text(insertOrFail, c.rows(n)))
		}
	}
	return all
}

// isSingle says that SQLite changes the rows one by one. A statement that changes many would first collect them in a table of its own,
// which costs more than a statement for each.
func (c *columns) isSingle() bool { return c.update || c.single != "" }

func (c *columns) singleText() string {
	if c.single != "" {
		return c.single
	}
	return "UPDATE " + c.table + " SET " + strings.Join(c.names[1:], " = ?, ") + " = ? WHERE key = ?"
}

// How rows are added. On SQLite a statement may FAIL instead of being undone by itself, since the transaction, or the savepoint, goes
// back when it does: to be able to undo it SQLite would copy each page before it changes it.
const (
	insert       = "INSERT INTO "
	insertOrFail = "INSERT OR FAIL INTO "
)

// text is the statement that writes rows from a source; add says how, where it adds them.
func (c *columns) text(add, source string) string {
	if c.shape != "" {
		return fmt.Sprintf(c.shape, source)
	}
	if !c.update {
		return add + c.table + " (" + strings.Join(c.names, ", ") + ") " + source
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
