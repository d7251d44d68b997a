package store

import (
	"context"
	"fmt"
	"strings"
)

// tables is a set of the tables whose rows a transaction collects before it writes them.
type tables uint16

// In the order in which their rows are written: none refers to a later one.
const (
	inContacts tables = 1 << iota
	inAddresses
	inConversations
	inStandings // where conversations stand: what SaveThread changes in their rows
	inMessages
	inParts
	inEvents
	inInbound
	inQuotes
	inNotices
	inFired // what FireWatch changes in the rows of watches
	inTold  // deliveries that are done, to be removed
	inTallies
	inTimers
	bufferedTables = iota
)

// buffered are the tables, by name. Where conversations stand is read with their rows.
var buffered = map[string]tables{
	"contacts": inContacts, "addresses": inAddresses, "conversations": inConversations | inStandings, "messages": inMessages,
	"parts": inParts, "events": inEvents, "inbound": inInbound, "quotes": inQuotes, "notices": inNotices, "watches": inFired,
	"deliveries": inTold, "tallies": inTallies, "timers": inTimers,
}

// query is what a statement's text says about it.
type query struct {
	reads  tables // collected rows that must be written before it runs
	writes bool
	adds   tables // it makes rows of these by itself
	people bool   // it changes conversations, or what is loaded with them
	goods  bool   // it changes products
	locks  bool   // it waits until others are done with rows
}

// about reads a statement's text, once for each. A table that it names, or that a row it writes may refer to, must be complete.
func (s *Store) about(text string) query {
	if q, ok := s.queries.Load(text); ok {
		return q.(query)
	}
	var q query
	previous, products := "", false
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	for _, word := range words {
		switch {
		case word == "insert", word == "delete", word == "update" && previous != "for":
			q.writes = true
		case word == "update":
			q.locks = true
		case previous == "into":
			q.adds |= buffered[word]
		}
		q.reads |= buffered[word]
		products = products || word == "products"
		previous = word
	}
	if q.writes {
		q.goods = products
		q.people = q.reads&(inContacts|inAddresses|inConversations) != 0
		for _, word := range words {
			q.reads |= s.parents[word]
		}
	}
	s.queries.Store(text, q)
	return q
}

const (
	sqliteParents = `
	SELECT m.name AS child, f."table" AS parent
	FROM sqlite_master m
	JOIN pragma_foreign_key_list(m.name) f
	WHERE m.type = 'table'`

	postgresParents = `
	SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent
	FROM pg_constraint
	WHERE contype = 'f'`
)

// learnParents asks the database which tables' rows refer to rows of buffered ones.
func (s *Store) learnParents(ctx context.Context) error {
	var rows []struct{ Child, Parent string }
	text := sqliteParents
	if s.dialect == Postgres {
		text = postgresParents
	}
	if err := s.read.SelectContext(ctx, &rows, text); err != nil {
		return fmt.Errorf("learn which tables refer to which: %w", err)
	}
	s.parents = map[string]tables{}
	for _, r := range rows {
		s.parents[r.Child] |= buffered[r.Parent] &^ inStandings
	}
	return nil
}
