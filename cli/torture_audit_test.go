package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"parley/conversation"
	"parley/store"
)

// state is what the database holds of a run.
type state struct {
	counts map[int64]int // turns counted, by chat
	heard  map[int64]int // messages of people, by chat
	sold   int           // quotes that were bought
}

// settle waits until everything has come to its end, and checks all that people heard and all that is stored. It returns what was
// sent more than once.
func (s *tortured) settle(people []*person) (again repeats) {
	s.t.Helper()
	endsWithin(s.t, s.database, time.Minute) // people do not wait for answers: many may be behind
	for _, p := range people {
		r := p.check(s.t)
		again.answers += r.answers
		again.receipts += r.receipts
	}
	s.audit(people)
	return again
}

// audit checks what is stored when everything has come to its end.
func (s *tortured) audit(people []*person) {
	s.t.Helper()
	db, err := store.Open(s.t.Context(), s.database, store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	at := s.stored(db)
	for _, p := range people {
		if at.counts[p.chat] != p.count || at.heard[p.chat] != p.said {
			s.t.Errorf("chat %d: the bot counts %d turns and has %d messages, want %d and %d", p.chat, at.counts[p.chat], at.heard[p.chat], p.count, p.said)
		}
	}
	if want := min(s.stock, int(s.buying.Load())); at.sold != want {
		s.t.Errorf("%d sold, want %d", at.sold, want)
	}
	if n := s.lied.Load(); n > 0 {
		s.t.Errorf("%d messages were confirmed while the database was down", n)
	}
	s.sound(db)
}

// stored reads what a run has left behind, and checks that orders, ledger and stock agree.
func (s *tortured) stored(db *store.Store) state {
	s.t.Helper()
	at := state{counts: map[int64]int{}, heard: map[int64]int{}}
	var threads []struct {
		Chat    int64
		Session string
		Heard   int
	}
	s.list(db, &threads, `SELECT CAST(v.chat AS BIGINT) AS chat, v.session,
		(SELECT count(*) FROM messages m WHERE m.conversation_key = v.key AND m.author = 'contact') AS heard
		FROM conversations v`)
	for _, th := range threads {
		var session conversation.Session
		if err := json.Unmarshal([]byte(th.Session), &session); err != nil {
			s.t.Fatal(err)
		}
		n := 0
		if _, err := fmt.Sscan(session.Vars["n"], &n); err != nil {
			s.t.Errorf("chat %d: the count is %q", th.Chat, session.Vars["n"])
		}
		at.counts[th.Chat], at.heard[th.Chat] = n, th.Heard
	}
	var unpaid []string
	s.list(db, &unpaid, `SELECT id || ' ' || state FROM orders WHERE state <> 'paid'`)
	if len(unpaid) > 0 {
		s.t.Errorf("orders that are not paid: %q", unpaid)
	}
	at.sold = s.number(db, `SELECT count(DISTINCT quote_key) FROM orders`)
	for _, figure := range []struct {
		what, query string
		want        int
	}{
		{"orders, one a quote", `SELECT count(*) FROM orders`, at.sold},
		{"lines of the ledger, two an order", `SELECT count(*) FROM payments`, 2 * at.sold},
		{"cents paid by the ledger", `SELECT COALESCE(sum(amount_minor), 0) FROM payments WHERE kind = 'paid'`, at.sold * torturePrice},
		{"pieces left", `SELECT on_hand FROM products WHERE sku = '` + tortureSKU + `'`, s.stock - at.sold},
		{"pieces left by the movements", `SELECT COALESCE(sum(on_hand), 0) FROM stock_movements`, s.stock - at.sold},
		{"pieces held", `SELECT held FROM products WHERE sku = '` + tortureSKU + `'`, 0},
		{"pieces held by the movements", `SELECT COALESCE(sum(held), 0) FROM stock_movements`, 0},
	} {
		if got := s.number(db, figure.query); got != figure.want {
			s.t.Errorf("%d %s, want %d", got, figure.what, figure.want)
		}
	}
	return at
}

func (s *tortured) list(db *store.Store, rows any, query string) {
	s.t.Helper()
	if err := db.DB().SelectContext(s.t.Context(), rows, query); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
}

func (s *tortured) number(db *store.Store, query string) (n int) {
	s.t.Helper()
	if err := db.DB().GetContext(s.t.Context(), &n, query); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// sound asks SQLite whether its file is.
func (s *tortured) sound(db *store.Store) {
	s.t.Helper()
	if db.Dialect() != store.SQLite {
		return
	}
	var found []string
	s.list(db, &found, `PRAGMA integrity_check`)
	if len(found) != 1 || found[0] != "ok" {
		s.t.Errorf("integrity check: %q", found)
	}
	if n := s.number(db, `SELECT count(*) FROM pragma_foreign_key_check`); n != 0 {
		s.t.Errorf("%d rows refer to rows that are not there", n)
	}
}

// underWay lists what waits to be sent, for failed tests.
func (s *tortured) underWay() string {
	db, err := store.Open(context.Background(), s.database, store.Options{})
	if err != nil {
		return err.Error()
	}
	defer func() { _ = db.Close() }()
	var parts []string
	err = db.DB().SelectContext(context.Background(), &parts, `
		SELECT 'chat ' || v.chat || ': part ' || p.key || ' ' || p.state || ' lane ' || p.lane || ' attempts ' || p.attempts || ' due ' || p.due_ms
			|| ' changed ' || p.changed_ms || ' by ' || p.claimed_by || ' ' || p.text || ' ' || p.problem
		FROM parts p
		JOIN conversations v ON v.key = p.conversation_key
		WHERE p.state IN ('queued', 'sending')
		ORDER BY p.key
		LIMIT 20`)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("now %d\n%s", time.Now().UnixMilli(), strings.Join(parts, "\n"))
}
