package store

import (
	"slices"
	"testing"
)

func TestEveryTableIsKnownToHoldPersonalDataOrNone(t *testing.T) {
	s, err := Open(t.Context(), "sqlite://"+t.TempDir()+"/p.db", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var tables []string
	err = s.read.Select(&tables, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		columns, listed := personal[table]
		if listed == slices.Contains(impersonal, table) {
			t.Errorf("table %s must stand in exactly one of personal and impersonal (personal.go)", table)
		}
		var have []string
		if err := s.read.Select(&have, `SELECT name FROM pragma_table_info($1)`, table); err != nil {
			t.Fatal(err)
		}
		for _, column := range columns {
			if !slices.Contains(have, column) {
				t.Errorf("personal lists %s.%s, which is not there", table, column)
			}
		}
	}
	if want := len(personal) + len(impersonal); len(tables) != want {
		t.Errorf("%d tables, %d listed", len(tables), want)
	}
}
