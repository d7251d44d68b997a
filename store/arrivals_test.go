package store_test

import (
	"slices"
	"strings"
	"testing"

	"parley/store"
	"parley/store/storetest"
)

// Statements that Postgres plans while its tables are empty are kept while they grow.
func TestPostgresGoesByIndexesWhileItsTablesAreEmpty(t *testing.T) {
	s, err := store.Open(t.Context(), storetest.PostgresURL(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for name, query := range map[string]string{
		"conversations of a group": `SELECT v.key FROM conversations v WHERE v.account = '' AND v.chat = ''`,
		"queued parts":             `SELECT p.key FROM parts p WHERE p.account = '' AND p.state IN ('queued', 'sending') AND p.lane = 0 LIMIT 1`,
	} {
		var plan []string
		if err := s.DB().Select(&plan, "EXPLAIN "+query); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "\n"); strings.Contains(text, "Seq Scan") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestKnownAndNewEventsOfOneGroupAreToldApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		apply := func(numbers ...int) (repeats []bool) {
			turns := make([]store.Turn, len(numbers))
			for i, n := range numbers {
				turns[i] = hearAndAnswer(m, n)
			}
			out, err := s.ApplyTurns(t.Context(), turns)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range out {
				repeats = append(repeats, a.Repeat)
			}
			return repeats
		}
		apply(1, 3, 5)
		got := apply(1, 2, 3, 4, 5, 6, 6)
		if want := []bool{true, false, true, false, true, false, true}; !slices.Equal(got, want) {
			t.Errorf("taken for repeats: %v, want %v", got, want)
		}
		if got := apply(2, 4, 6); !slices.Equal(got, []bool{true, true, true}) {
			t.Errorf("those that came beside known ones are not known: %v", got)
		}
	})
}
