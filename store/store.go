// Package store keeps everything Parley knows, in SQLite or Postgres, with one SQL text for both where they agree. A
// transaction is a function (Store.Tx) and does no network; a turn of a conversation has one way in (Store.ApplyTurns).
//
// What does not belong here: decisions. What a message means is settled in conversation, what a price means in commerce;
// this package holds their rows, and the rows that belong to neither: delivery, timers, staff, keys.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
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
	// Serve says that this process will send and answer. An SQLite file has one such process at a time, and Open fails for a
	// second; on Postgres there may be several.
	Serve bool
}

// Store is an open database. Its methods may be called from many goroutines; Close ends it.
type Store struct {
	write   *sqlx.DB // SQLite: exactly one connection, so that writers queue here and not at the file
	read    *sqlx.DB
	dialect Dialect
	now     func() time.Time
	process string   // names this opening of the store, in what it claims
	alone   *os.File // nil unless this process serves an SQLite file

	checkpoints *checkpointer // nil on Postgres
	trouble     trouble

	queries sync.Map                 // what statements are about, by their text
	parents map[string]tables        // to which collected rows those of a table refer
	writes  [bufferedTables][]string // the statements that write collected rows
	rooms   sync.Pool                // of *rooms

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
		err = s.openSQLite(ctx, strings.TrimPrefix(dsn, "sqlite://"), o.Serve)
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
	if err == nil {
		s.writes = writeTexts(s.dialect)
		err = s.learnParents(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// sqlitePragmas hold for every connection: they stand in the DSN because a PRAGMA statement reaches one connection only.
const sqlitePragmas = "_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_time_format=sqlite"

func (s *Store) openSQLite(ctx context.Context, path string, serve bool) (err error) {
	s.dialect = SQLite
	sqlx.BindDriver("sqlite", sqlx.DOLLAR)
	if dir := filepath.Dir(path); path != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	if err := checkFile(ctx, path); err != nil {
		return err
	}
	if serve {
		if s.alone, err = holdAlone(path); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				_ = s.alone.Close()
			}
		}()
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqlitePragmas
	if s.write, err = openRemembering(file+"&_txlock=immediate&_pragma=wal_autocheckpoint(0)&_pragma=cache_size(-24576)", true); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := pingPatiently(ctx, s.write); err != nil {
		_ = s.write.Close()
		return fmt.Errorf("open database %s: %w", path, err)
	}
	if s.read, err = openRemembering(file+"&_pragma=query_only(1)", false); err != nil {
		_ = s.write.Close()
		return err
	}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	if s.checkpoints, err = startCheckpointer(s.write, file, path); err != nil {
		return errors.Join(err, s.read.Close(), s.write.Close())
	}
	return nil
}

func openRemembering(dsn string, uncut bool) (*sqlx.DB, error) {
	c, err := rememberStatements(dsn, uncut)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return sqlx.NewDb(sql.OpenDB(c), "sqlite"), nil
}

// postgresPlans has Postgres go by indexes where there are any. A statement that was planned while its tables were empty or just
// vacuumed is kept, and walks them from end to end when they have grown, until they are analysed: seconds, in which a turn costs
// twice as much. Where there is no index its costs look so high that compiling would seem worth it.
const postgresPlans = `SET enable_seqscan = off; SET jit = off`

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.dialect = Postgres
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return errors.New("open database: the postgres URL cannot be read") // the driver's own text repeats the password
	}
	db := sqlx.NewDb(stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		return c.PgConn().Exec(ctx, postgresPlans).Close()
	})), "pgx")
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return fmt.Errorf("open database: postgres does not answer: %w", withoutDSN(err))
	}
	s.write, s.read = db, db
	if err := s.checkSchemaOwner(ctx); err != nil {
		_ = db.Close()
		return err
	}
	return nil
}

// pingPatiently opens the first connection to an SQLite file. Of several processes that make a new file at once all but one are told
// that it is busy, whatever their busy_timeout: the log's mode is set without waiting.
func pingPatiently(ctx context.Context, db *sqlx.DB) error {
	for try := 0; ; try++ {
		err := db.PingContext(ctx)
		if err == nil || !isTransient(err) || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond << min(try, 4)):
		}
	}
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
	var err error
	if s.checkpoints != nil {
		err = s.checkpoints.close()
	}
	err = errors.Join(err, s.read.Close())
	if s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	if s.alone != nil {
		err = errors.Join(err, s.alone.Close())
	}
	return err
}

// Dialect says which database this is.
func (s *Store) Dialect() Dialect { return s.dialect }

// DB is the pool, for libraries that bring tables of their own.
func (s *Store) DB() *sqlx.DB { return s.write }

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

// isTaken says that collected rows met rows that another transaction has just made: a second look finds those.
func isTaken(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errRefused) && errors.As(err, &pg) && pg.Code == "23505"
}

// isUnavailable says that the database itself fails, for whatever it is asked: a full disk, a lost connection, a server that stops.
// Nobody who asked is at fault, and all may ask again. On SQLite the transaction may be gone.
func isUnavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		for _, class := range []string{"08", "53", "57P", "58", "25006"} { // 25006: a server that only reads, a standby
			if strings.HasPrefix(pg.Code, class) {
				return true
			}
		}
		return false
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT,
			sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB:
			return true
		}
		return false
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.ErrUnexpectedEOF)
}
