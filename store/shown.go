package store

import (
	"context"
	"fmt"
	"strings"

	"parley/commerce"
	"parley/conversation"
)

// When many press a button at once, most of what that needs is the same for all: what the turns of a group press is looked up
// together. Neither what a message shows nor a quote ever changes, so that it may be read ahead.

// shown is what a message shows to be pressed, and where that leads.
type shown struct {
	merchant commerce.MerchantID
	thread   int64
	choices  []conversation.Option
	place    *conversation.Context
}

type shownRow struct {
	ID       string
	Merchant commerce.MerchantID `db:"merchant_id"`
	Thread   int64               `db:"conversation_key"`
	Choices  asJSON[[]conversation.Option]
	Context  asJSON[*conversation.Context]
}

func (r *shownRow) scan(scan func(...any) error) error {
	return scan(&r.ID, &r.Merchant, &r.Thread, &r.Choices, &r.Context)
}

func (r *shownRow) shown() shown { return shown{r.Merchant, r.Thread, r.Choices.V, r.Context.V} }

const selectShown = `
	SELECT id, merchant_id, conversation_key, choices, context
	FROM messages
	WHERE id `

// Choices loads what a message of a conversation showed to be pressed, and where that leads. Neither may be changed.
func (tx *Tx) Choices(ctx context.Context, merchant commerce.MerchantID, thread int64, id string) ([]conversation.Option, *conversation.Context, error) {
	if err := tx.group.lookAhead(ctx, tx); err != nil {
		return nil, nil, err
	}
	s, ok := tx.group.shows(id)
	if !ok { // not pressed by a turn of the group, or said a moment ago
		var row shownRow
		if err := tx.getIn(ctx, thread, "load choices", &row, selectShown+`= $1`, id); err != nil {
			return nil, nil, err
		}
		s = row.shown()
	}
	if s.merchant != merchant || s.thread != thread {
		return nil, nil, fmt.Errorf("load choices: %w", ErrNotFound)
	}
	return s.choices, s.place, nil
}

func (g *group) shows(id string) (s shown, ok bool) {
	if g != nil {
		s, ok = g.shown[id]
	}
	return s, ok
}

func (g *group) quote(merchant commerce.MerchantID, id commerce.QuoteID) (q commerce.Quote, ok bool) {
	if g != nil {
		q, ok = g.quotes[id]
	}
	return q, ok && q.Merchant == merchant
}

// lookAhead loads the messages that the turn under way and those to come press, and the quotes that these are about. What is not
// written yet is left out.
func (g *group) lookAhead(ctx context.Context, tx *Tx) error {
	if g == nil || g.shown != nil {
		return nil
	}
	if tx.spoilt != nil {
		return fmt.Errorf("load choices of turns: %w", tx.spoilt)
	}
	var messages, quotes []string
	for _, t := range g.turns[g.now:] {
		if t.Shown != "" {
			messages = append(messages, t.Shown)
		}
	}
	rows, err := listKeys(ctx, tx, "load choices of turns", selectShown, messages, (*shownRow).scan)
	if err != nil {
		return err
	}
	g.shown, g.quotes = make(map[string]shown, len(rows)), make(map[commerce.QuoteID]commerce.Quote, len(rows))
	for _, r := range rows {
		g.shown[r.ID] = r.shown()
		if place := r.Context.V; place != nil && place.Vars["quote"] != "" {
			quotes = append(quotes, place.Vars["quote"])
		}
	}
	quoted, err := listKeys(ctx, tx, "load quotes of turns", quotesByID, quotes, (*quoteRow).scan)
	if err != nil {
		return err
	}
	for _, r := range quoted {
		g.quotes[r.ID] = r.quote()
	}
	return nil
}

// isFree says for certain that no order has used a quote, as far as the quotes of the turns were looked up. They are, once, when
// their product is locked: orders are placed by who has that lock.
func (g *group) isFree(ctx context.Context, tx *Tx, key int64) (bool, error) {
	if g == nil || len(g.quotes) == 0 {
		return false, nil
	}
	if g.free == nil {
		free, keys := map[int64]bool{}, []int64{}
		for _, q := range g.quotes {
			if _, locked := tx.products[q.Product]; locked {
				free[q.Key] = true
				keys = append(keys, q.Key)
			}
		}
		used, err := listKeys(ctx, tx, "find orders of turns", ordersOfQuotes, keys, func(key *int64, scan func(...any) error) error { return scan(key) })
		if err != nil {
			return false, err
		}
		for _, key := range used {
			delete(free, key)
		}
		g.free = free
	}
	return g.free[key], nil
}

// ordered notes that a quote is used.
func (g *group) ordered(quote int64) {
	if g != nil {
		delete(g.free, quote)
	}
}

// unlocked forgets what held while rows were locked.
func (tx *Tx) unlocked() {
	tx.products = nil
	if tx.group != nil {
		tx.group.free = nil
	}
}

const ordersOfQuotes = `
	SELECT q.key
	FROM quotes q
	JOIN orders o ON o.merchant_id = q.merchant_id AND o.quote_key = q.key
	WHERE q.key `

const quotesByID = selectQuotes + `
	WHERE id `

// listKeys lists the rows with some keys or ids, which scan reads. The query ends before the condition. What is collected and not
// written yet is not among them.
func listKeys[T any, K int64 | string](ctx context.Context, tx *Tx, doing, query string, ids []K, scan func(*T, func(...any) error) error) ([]T, error) {
	all := make([]T, 0, len(ids))
	one := func(values func(...any) error) error {
		all = append(all, *new(T))
		return scan(&all[len(all)-1], values)
	}
	if tx.dialect == Postgres && len(ids) > 0 {
		err := tx.eachNow(ctx, doing, one, query+`= ANY($1)`, ids)
		return all, err
	}
	for len(ids) > 0 {
		n := min(len(ids), mostPlaces)
		size := roundUp(n) // with NULL, which equals nothing
		args := make([]any, size)
		for i, id := range ids[:n] {
			args[i] = id
		}
		if err := tx.eachNow(ctx, doing, one, query+`IN (`+strings.Repeat("?, ", size-1)+`?)`, manyArgs(args)); err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return all, nil
}
