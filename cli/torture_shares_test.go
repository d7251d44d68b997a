package cli

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/store"
	"parley/store/storetest"
)

// moveAccount has nodes ask each other for the account again and again while it is busy. Before that, nodes that join get their
// share of the leases by themselves.
func moveAccount(t *testing.T, path string) {
	moves, messages := tortureSize(t)
	moves = min(moves, 10)
	url := storetest.PostgresURL(t)
	s := openTortured(t, path, url, 3, max(10, messages/30))
	db, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l := &leases{s.shop(), db}
	began := time.Now()
	l.until("every node to have a lease", func() bool { return len(holders(l.list())) == 3 })
	shared := time.Since(began)

	people := s.people(min(64, messages/10))
	var longest time.Duration
	s.during(people, messages, moves, tortureSeed(t), func(random *rand.Rand) {
		all := l.list()
		is := l.account()
		all = slices.DeleteFunc(all, func(r leaseRow) bool { return r.Holder == is.Holder })
		next := all[random.IntN(len(all))]
		asked := time.Now()
		l.ask(is, next)
		l.until("the account to move", func() bool { return l.account().Epoch > is.Epoch })
		longest = max(longest, time.Since(asked))
	})
	again := s.settle(people)
	if again != (repeats{}) {
		t.Errorf("%+v sent twice, want none", again)
	}
	s.stop()
	t.Logf("three nodes shared the leases after %v; %d moves, the longest of %v, %d messages: %s",
		shared.Round(time.Millisecond), moves, longest.Round(time.Millisecond), messages, s.summary(again))
}

type leaseRow struct {
	Name    string
	Holder  string
	Session int64
	Epoch   int64
}

func holders(all []leaseRow) []string {
	var names []string
	for _, r := range all {
		names = append(names, r.Holder)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// leases are those of the nodes on a database.
type leases struct {
	*shop
	db *store.Store
}

func (l *leases) list() (all []leaseRow) {
	l.t.Helper()
	if err := l.db.DB().SelectContext(l.t.Context(), &all, `SELECT name, holder, session, epoch FROM leases WHERE holder <> '' ORDER BY name`); err != nil {
		l.t.Fatal(err)
	}
	return all
}

// account is the lease of the one account there is.
func (l *leases) account() leaseRow {
	all := l.list()
	return all[slices.IndexFunc(all, func(r leaseRow) bool { return r.Name == "account/telegram" })]
}

// ask asks for a lease as the node that has the other one would.
func (l *leases) ask(wanted, as leaseRow) {
	l.t.Helper()
	_, err := l.db.DB().ExecContext(l.t.Context(), `UPDATE leases SET asked = $2, asked_session = $3 WHERE name = $1`, wanted.Name, as.Holder, as.Session)
	if err != nil {
		l.t.Fatal(err)
	}
}
