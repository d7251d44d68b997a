package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// checkedWhole is up to what size an SQLite file is checked as a whole when it is opened; above, that would hold up the start.
const checkedWhole = 32 << 20

// checkFile refuses an SQLite file that is not ours or that is damaged, before anything is written to it: opening alone would
// change its journal mode. A file that is missing or empty will become ours.
func checkFile(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 && !info.IsDir() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if info.IsDir() {
		return fmt.Errorf("open database: %s is a folder; name a file in it", path)
	}
	db, err := sqlx.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	var tables []string
	if err := db.SelectContext(ctx, &tables, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`); err != nil {
		return damaged(path, err)
	}
	if err := checkOwner(path, tables); err != nil {
		return err
	}
	if info.Size() > checkedWhole {
		return nil
	}
	var problem string
	if err := db.GetContext(ctx, &problem, `PRAGMA quick_check(1)`); err != nil {
		return damaged(path, err)
	}
	if problem != "ok" {
		return damaged(path, errors.New(problem))
	}
	return nil
}

func damaged(path string, err error) error {
	var lite *sqlite.Error
	if errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_NOTADB {
		return fmt.Errorf("open database: %s is not a database; name another file, or move this one away", path)
	}
	if errors.As(err, &lite) && lite.Code()&0xff != sqlite3.SQLITE_CORRUPT {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	return fmt.Errorf("open database: %s is damaged; restore it from a backup (parley backup writes them): %w", path, err)
}

// checkOwner refuses a database whose tables are another program's.
func checkOwner(name string, tables []string) error {
	ours, versions := false, false
	for _, t := range tables {
		ours = ours || t == "merchants"
		versions = versions || t == "goose_db_version"
	}
	if len(tables) == 0 || versions && (ours || len(tables) == 1) {
		return nil
	}
	return fmt.Errorf("open database: %s belongs to another program (it has the tables %s); give parley a database of its own",
		name, strings.Join(tables[:min(3, len(tables))], ", "))
}

// checkSchemaOwner does so on Postgres, for the schema that comes first in the search path.
func (s *Store) checkSchemaOwner(ctx context.Context) error {
	var tables []string
	err := s.read.SelectContext(ctx, &tables, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name`)
	if err != nil {
		return fmt.Errorf("open database: %w", withoutDSN(err))
	}
	var collide []string
	for _, t := range tables {
		if ownTables[t] {
			collide = append(collide, t)
		}
	}
	for _, t := range tables {
		if t == "goose_db_version" {
			collide = append(collide, t)
		}
	}
	return checkOwner("the schema", collide)
}

// ownTables are names whose presence in a schema without our versions shows that another program lives there.
var ownTables = map[string]bool{"merchants": true, "accounts": true, "contacts": true, "conversations": true, "messages": true, "orders": true, "products": true}
