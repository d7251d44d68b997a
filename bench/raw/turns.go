// Package raw does parts of the work without the product around them: what the database, the disk and the HTTP client take by
// themselves. The rows are the product's own, read from a database that it wrote.
package raw

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// pragmas are those of the product: every commit is on the disk.
const pragmas = "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)"

// Recording is what turns left in a database of the product, to be written again without it.
type Recording struct {
	Turns    int
	tables   []table
	sessions [][]any // key, session
	template string  // a database with all that was there before
}

// table is one that grows with the turns, and its rows in the order in which they were written.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

// Record reads the rows that turns wrote to file. empty is a database with the same schema and nothing in it; scratch is a folder
// for copies.
func Record(ctx context.Context, file, empty, scratch string, turns int) (*Recording, error) {
	r := &Recording{Turns: turns, template: scratch + "/template.db"}
	if err := copyFile(r.template, empty); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+r.template+"?_pragma=journal_mode(WAL)&_pragma=foreign_keys(0)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "ATTACH DATABASE $1 AS source", file); err != nil {
		return nil, fmt.Errorf("read the rows of the product: %w", err)
	}
	names, err := column(ctx, db, `SELECT name FROM source.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, grew, err := r.read(ctx, db, name)
		if err != nil {
			return nil, fmt.Errorf("read the rows of %s: %w", name, err)
		}
		if grew {
			r.tables = append(r.tables, t)
		}
	}
	if r.sessions, err = rows(ctx, db, `SELECT key, session FROM main.conversations ORDER BY key`); err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return r, err
}

// read takes a table's rows into the recording when it grew with the turns, and into the template when it did not.
func (r *Recording) read(ctx context.Context, db *sql.DB, name string) (table, bool, error) {
	var n int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM source."+name).Scan(&n); err != nil || n == 0 {
		return table{}, false, err
	}
	if n < r.Turns/2 {
		_, err := db.ExecContext(ctx, "INSERT OR REPLACE INTO main."+name+" SELECT * FROM source."+name)
		return table{}, false, err
	}
	columns, err := column(ctx, db, "SELECT name FROM pragma_table_info('"+name+"')")
	if err != nil {
		return table{}, false, err
	}
	all, err := rows(ctx, db, "SELECT "+strings.Join(columns, ", ")+" FROM source."+name)
	if !slices.Contains(columns, "key") { // read in the order of a hash, written in none
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	return table{name: name, columns: columns, rows: all}, true, err
}

// Rows is how many rows a turn writes, beside the conversation that it changes.
func (r *Recording) Rows() float64 {
	n := 0
	for _, t := range r.tables {
		n += len(t.rows)
	}
	return float64(n) / float64(r.Turns)
}

// Tables names what a turn writes to.
func (r *Recording) Tables() string {
	var names []string
	for _, t := range r.tables {
		names = append(names, t.name)
	}
	return strings.Join(names, ", ")
}

// Replayed is how a replay went.
type Replayed struct {
	Turns   int
	Took    time.Duration
	Commits []time.Duration
}

// Replay writes the rows once more to a fresh copy, a group of turns a transaction, each table's rows by one prepared statement.
// It calls begin when the copy is ready.
func (r *Recording) Replay(ctx context.Context, group int, begin func()) (Replayed, error) {
	path := strings.TrimSuffix(r.template, ".db") + "-copy.db"
	for _, tail := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(path + tail)
	}
	if err := copyFile(path, r.template); err != nil {
		return Replayed{}, err
	}
	db, err := sql.Open("sqlite", "file:"+path+pragmas)
	if err != nil {
		return Replayed{}, err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return Replayed{}, err
	}
	defer func() { _ = conn.Close() }()
	w := &writer{conn: conn, prepared: map[string]*sql.Stmt{}}
	begin()
	out := Replayed{}
	began := time.Now()
	for from := 0; from < r.Turns; from += group {
		to := min(from+group, r.Turns)
		at := time.Now()
		if err := r.commit(ctx, w, from, to); err != nil {
			return out, fmt.Errorf("write turns %d to %d: %w", from, to, err)
		}
		out.Commits, out.Turns = append(out.Commits, time.Since(at)), to
	}
	out.Took = time.Since(began)
	return out, nil
}

func (r *Recording) commit(ctx context.Context, w *writer, from, to int) error {
	if err := w.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	group := make([][]any, 0, to-from)
	keys := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		session := r.sessions[i%len(r.sessions)]
		group, keys = append(group, session), append(keys, session[0])
	}
	if err := w.look(ctx, "SELECT key, session FROM conversations WHERE key IN "+places(1, len(keys)), keys); err != nil {
		return err
	}
	for _, t := range r.tables {
		share := t.rows[from*len(t.rows)/r.Turns : to*len(t.rows)/r.Turns]
		if len(share) == 0 {
			continue
		}
		insert := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + places(len(share), len(t.columns))
		if err := w.exec(ctx, insert, slices.Concat(share...)...); err != nil {
			return err
		}
	}
	change := "UPDATE conversations SET session = v.column2, changed_ms = changed_ms + 1 FROM (VALUES " + places(len(group), 2) + ") AS v WHERE key = v.column1"
	if err := w.exec(ctx, change, slices.Concat(group...)...); err != nil {
		return err
	}
	return w.exec(ctx, "COMMIT")
}

// writer keeps the prepared statements of a connection by their text.
type writer struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt // they end with the connection
}

func (w *writer) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.prepared[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	w.prepared[query] = s
	return s, err
}

func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	s, err := w.stmt(ctx, query) //nolint:sqlclosecheck // kept for the next group
	if err == nil {
		_, err = s.ExecContext(ctx, args...)
	}
	return err
}

// look reads rows and throws them away.
func (w *writer) look(ctx context.Context, query string, args []any) error {
	s, err := w.stmt(ctx, query) //nolint:sqlclosecheck // kept for the next group
	if err != nil {
		return err
	}
	found, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var key int64
		var session []byte
		if err := found.Scan(&key, &session); err != nil {
			return err
		}
	}
	return found.Err()
}

// places is (?, ?), (?, ?): so many rows of so many.
func places(rows, columns int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(row+", ", rows), ", ")
}

func column(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	var out []string
	for found.Next() {
		var s string
		if err := found.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, found.Err()
}

func rows(ctx context.Context, db *sql.DB, query string) ([][]any, error) {
	found, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]any
	for found.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := found.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, found.Err()
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
