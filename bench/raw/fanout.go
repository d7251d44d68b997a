package raw

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Fanout is the bare fan-out: who watches, and the thin rows of who is to be told.
type Fanout struct {
	db       *sql.DB
	file     string // of SQLite
	watchers int
}

// OpenFanout fills a table of watchers in a database of its own: a file, or a Postgres by its URL.
func OpenFanout(ctx context.Context, dsn string, watchers int) (*Fanout, error) {
	f := &Fanout{watchers: watchers}
	var err error
	if file, ok := strings.CutPrefix(dsn, "sqlite://"); ok {
		f.file = file
		f.db, err = sql.Open("sqlite", "file:"+file+pragmas)
	} else {
		f.db, err = sql.Open("pgx", dsn)
	}
	if err != nil {
		return nil, err
	}
	f.db.SetMaxOpenConns(1)
	without := ""
	if f.file != "" {
		without = " WITHOUT ROWID"
	}
	for _, q := range []string{
		`CREATE TABLE watchers (topic BIGINT NOT NULL, key BIGINT NOT NULL, PRIMARY KEY (topic, key))` + without,
		`CREATE TABLE told (topic BIGINT NOT NULL, lane BIGINT NOT NULL, watcher BIGINT NOT NULL, PRIMARY KEY (topic, lane, watcher))` + without,
		fmt.Sprintf(`INSERT INTO watchers WITH RECURSIVE c (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM c WHERE v < %d) SELECT 7, v FROM c`, watchers),
	} {
		if _, err := f.db.ExecContext(ctx, q); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare the bare fan-out: %w", err), f.db.Close())
		}
	}
	return f, nil
}

// Close ends the database.
func (f *Fanout) Close() error { return f.db.Close() }

// Queue makes a row for each watcher, a chunk a transaction, and returns how long each took.
func (f *Fanout) Queue(ctx context.Context, chunk int) ([]time.Duration, error) {
	var took []time.Duration
	for from := 0; from < f.watchers; from += chunk {
		at := time.Now()
		_, err := f.db.ExecContext(ctx, `
	INSERT INTO told (topic, lane, watcher)
	SELECT 1, 1, key FROM watchers WHERE topic = 7 AND key > $1 AND key <= $2 ORDER BY key`, from, from+chunk)
		if err != nil {
			return nil, fmt.Errorf("queue the bare fan-out: %w", err)
		}
		took = append(took, time.Since(at))
	}
	return took, nil
}

// RowBytes is what a row takes, with its index.
func (f *Fanout) RowBytes(ctx context.Context) (float64, error) {
	query := "SELECT pg_total_relation_size('told')"
	if f.file != "" {
		query = "SELECT sum(pgsize) FROM dbstat WHERE name = 'told'"
	}
	var bytes float64
	err := f.db.QueryRowContext(ctx, query).Scan(&bytes)
	return bytes / float64(f.watchers), err
}

// Drain claims and marks rows, a thousand a transaction, for a while, and returns how many.
func (f *Fanout) Drain(ctx context.Context, during time.Duration) (int64, error) {
	var n int64
	last := int64(0)
	for end := time.Now().Add(during); time.Now().Before(end) && n < int64(f.watchers); {
		tx, err := f.db.BeginTx(ctx, nil)
		if err != nil {
			return n, err
		}
		var to sql.NullInt64
		err = tx.QueryRowContext(ctx, `
	SELECT max(watcher) FROM (SELECT watcher FROM told WHERE topic = 1 AND lane = 1 AND watcher > $1 ORDER BY watcher LIMIT 1000) AS next`, last).Scan(&to)
		if err == nil && to.Valid {
			_, err = tx.ExecContext(ctx, `DELETE FROM told WHERE topic = 1 AND lane = 1 AND watcher > $1 AND watcher <= $2`, last, to.Int64)
		}
		if err == nil {
			err = tx.Commit()
		}
		if err != nil {
			_ = tx.Rollback()
			return n, fmt.Errorf("drain the bare fan-out: %w", err)
		}
		if !to.Valid {
			return n, nil
		}
		n, last = n+to.Int64-last, to.Int64
	}
	return n, nil
}
