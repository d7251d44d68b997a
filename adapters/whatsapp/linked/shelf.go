//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"

	"parley/adapters"
)

// schema is the library's own, on Postgres. On SQLite its tables, all named whatsmeow_…, stand beside ours.
const schema = "whatsmeow"

// shelf is where the library keeps devices, keys and sessions: in the house's database. Several accounts share its tables.
type shelf struct {
	db      *sql.DB
	dialect string

	mu        sync.Mutex
	container *sqlstore.Container
	own       *sql.DB // the pool that is ours to close, on Postgres
	users     int
}

// open returns the devices for as long as the caller needs them: until it calls the second result.
func (s *shelf) open(ctx context.Context) (*sqlstore.Container, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.container == nil {
		if err := s.make(ctx); err != nil {
			return nil, nil, err
		}
	}
	s.users++
	return s.container, sync.OnceFunc(s.leave), nil
}

func (s *shelf) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.users == 0 && s.own != nil {
		_ = s.own.Close() // nothing is in hand any more
		s.own, s.container = nil, nil
	}
}

func (s *shelf) make(ctx context.Context) error {
	db := s.db
	if db == nil {
		return errors.New("open the store of linked devices: there is no database")
	}
	if s.dialect == "postgres" {
		var err error
		if db, err = ownSchema(ctx, s.db); err != nil {
			return fmt.Errorf("open the store of linked devices: %w", err)
		}
		s.own = db
	}
	container := sqlstore.NewWithDB(db, s.dialect, nil)
	if err := upgrade(ctx, container); err != nil {
		if s.own != nil {
			_ = s.own.Close()
			s.own = nil
		}
		return fmt.Errorf("bring the store of linked devices up to date: %w", err)
	}
	s.container = container
	return nil
}

// upgrade tries more than once: another account, or another machine, may do the same at the same time, and the later of two
// finds the work done.
func upgrade(ctx context.Context, container *sqlstore.Container) error {
	for attempt := 1; ; attempt++ {
		err := container.Upgrade(ctx)
		if err == nil || attempt == 5 {
			return err
		}
		if err := adapters.Wait(ctx, time.Duration(attempt)*100*time.Millisecond); err != nil {
			return err
		}
	}
}

// ownSchema opens a small pool whose tables are in a schema of their own.
func ownSchema(ctx context.Context, db *sql.DB) (*sql.DB, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
		return nil, fmt.Errorf("make the schema %s: %w", schema, err)
	}
	var settings *pgx.ConnConfig
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver is %T, want pgx", driver)
		}
		settings = c.Conn().Config()
		return nil
	})
	if err != nil {
		return nil, err
	}
	settings.RuntimeParams["search_path"] = schema
	own := stdlib.OpenDB(*settings)
	own.SetMaxOpenConns(4)
	own.SetMaxIdleConns(2)
	return own, nil
}

// device returns the keys of a linked device; nil when there are none.
func device(ctx context.Context, container *sqlstore.Container, jid types.JID) (*store.Device, error) {
	d, err := container.GetDevice(ctx, jid)
	if err != nil {
		return nil, fmt.Errorf("load the linked device: %w", err)
	}
	return d, nil
}
