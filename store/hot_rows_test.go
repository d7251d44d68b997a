package store_test

import (
	"slices"
	"testing"

	"parley/store"
)

func TestTheUpgradeTakesReferencesOutOfHotRowsAndLeavesTheRest(t *testing.T) {
	ctx, dsn := t.Context(), "sqlite://"+t.TempDir()+"/p.db"
	s, err := store.Open(ctx, dsn, store.Options{SkipMigrate: true, SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.UpTo(ctx, 9); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO merchants (key, name, title, created_ms) VALUES (1, 'demo', 'Demo', 0)`,
		`INSERT INTO contacts (key, id, merchant_id, created_ms) VALUES (1, 'con_1', 1, 0)`,
		`INSERT INTO addresses (key, id, merchant_id, contact_key, account, channel, network_id, state, created_ms)
			VALUES (1, 'adr_1', 1, 1, 'chat', 'webchat', 'a', 'verified', 0)`,
		`INSERT INTO conversations (key, id, merchant_id, account, channel, chat, contact_key, address_key, created_ms, changed_ms)
			VALUES (1, 'cnv_1', 1, 'chat', 'webchat', 'a', 1, 1, 0, 0)`,
		`INSERT INTO messages (key, id, merchant_id, conversation_key, author, kind, text, created_ms) VALUES (1, 'msg_1', 1, 1, 'contact', 'text', 'hello', 0)`,
	} {
		if _, err := s.DB().ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"in the process that upgraded", "in the next"} {
		for _, table := range []string{"messages", "parts", "events"} {
			var parents []string
			if err := s.DB().SelectContext(ctx, &parents, `SELECT "table" FROM pragma_foreign_key_list($1)`, table); err != nil {
				t.Fatal(err)
			}
			if len(parents) > 0 {
				t.Errorf("%s: %s refers to %v", when, table, parents)
			}
		}
		var children []string
		if err := s.DB().SelectContext(ctx, &children, `SELECT m.name FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f ORDER BY 1`); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(children, "conversations") || !slices.Contains(children, "orders") {
			t.Errorf("%s: only %v refer to others", when, children)
		}
		if _, err := s.DB().ExecContext(ctx, `INSERT INTO timers (merchant_id, conversation_key, event, context, due_ms) VALUES (1, 2, 'e', '', 0)`); err == nil {
			t.Errorf("%s: a timer of no conversation was kept", when)
		}
		var said, found string
		if err := s.DB().GetContext(ctx, &said, `SELECT text FROM messages WHERE id = 'msg_1'`); err != nil || said != "hello" {
			t.Errorf("%s: the message reads %q, %v", when, said, err)
		}
		if err := s.DB().GetContext(ctx, &found, `PRAGMA integrity_check`); err != nil || found != "ok" {
			t.Errorf("%s: the check found %q, %v", when, found, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = store.Open(ctx, dsn, store.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
}
