// Package store keeps everything Parley knows, in SQLite or Postgres, with one SQL text for both where they agree. A
// transaction is a function (Store.Tx) and does no network; a turn of a conversation has one way in (Store.ApplyTurns).
//
// What does not belong here: decisions. What a message means is settled in conversation, what a price means in commerce;
// this package holds their rows, and the rows that belong to neither: delivery, timers, staff, keys.
package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/commerce"
)

// Dialect is the database in use.
type Dialect string

const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// ErrNotFound says that there is no such row for this merchant. It is commerce's own, so that both are asked alike.
var ErrNotFound = commerce.ErrNotFound

// Options of Open. The zero value migrates and uses the wall clock.
type Options struct {
	Now         func() time.Time // nil means time.Now
	SkipMigrate bool             // leave the schema alone; Open fails when it is behind
	SkipCheck   bool             // with SkipMigrate: open whatever is there, to migrate it
}

// Store is an open database. Its methods may be called from many goroutines; Close ends it.
type Store struct {
	write   *sqlx.DB // SQLite: exactly one connection, so that writers queue here and not at the file
	read    *sqlx.DB
	dialect Dialect
	now     func() time.Time
	process string // names this opening of the store, in what it claims

	mu        sync.Mutex
	listeners map[int]func() // called after each commit that appended events
	nextID    int
}

// Open opens the database at a URL, sqlite://path or postgres://…, and brings its schema up to date. A folder that is
// missing on the way to an SQLite file is made.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{now: o.Now, process: NewID("prc"), listeners: map[int]func(){}}
	var err error
	switch {
	case strings.HasPrefix(dsn, "sqlite://"):
		err = s.openSQLite(ctx, strings.TrimPrefix(dsn, "sqlite://"))
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		err = s.openPostgres(ctx, dsn)
	default:
		return nil, errors.New("open database: the URL must begin with sqlite:// or postgres://")
	}
	if err != nil {
		return nil, err
	}
	switch {
	case !o.SkipMigrate:
		_, err = s.Migrate(ctx)
	case !o.SkipCheck:
		err = s.checkSchema(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// sqlitePragmas hold for every connection: they stand in the DSN because a PRAGMA statement reaches one connection only.
const sqlitePragmas = "_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_time_format=sqlite"

func (s *Store) openSQLite(ctx context.Context, path string) error {
	s.dialect = SQLite
	sqlx.BindDriver("sqlite", sqlx.DOLLAR)
	if dir := filepath.Dir(path); path != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqlitePragmas
	var err error
	if s.write, err = sqlx.Open("sqlite", file+"&_txlock=immediate"); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	if err := s.write.PingContext(ctx); err != nil {
		_ = s.write.Close()
		return fmt.Errorf("open database %s: %w", path, err)
	}
	if s.read, err = sqlx.Open("sqlite", file+"&_pragma=query_only(1)"); err != nil {
		_ = s.write.Close()
		return fmt.Errorf("open database: %w", err)
	}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	return nil
}

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.dialect = Postgres
	db, err := sqlx.Open("pgx", dsn)
	if err != nil {
		return errors.New("open database: the postgres URL cannot be read") // the driver's own text repeats the password
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return fmt.Errorf("open database: postgres does not answer: %w", withoutDSN(err))
	}
	s.write, s.read = db, db
	return nil
}

// withoutDSN keeps the server's own words and drops the connection string that the driver puts around them.
func withoutDSN(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return fmt.Errorf("%s (SQLSTATE %s)", pg.Message, pg.Code)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return connect.Unwrap()
	}
	return err
}

// Close waits for nothing: stop what uses the store first.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	return err
}

// Dialect says which database this is.
func (s *Store) Dialect() Dialect { return s.dialect }

// DB is the pool, for libraries that bring tables of their own.
func (s *Store) DB() *sqlx.DB { return s.write }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.GetContext(ctx, &one, "SELECT 1")
}

// isTransient says that the same transaction may succeed when tried again: a deadlock, a serialization failure, a busy file.
func isTransient(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return false
}
