package bots

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// A notification offers something for a while. When that no longer holds its buttons go and a line says why, where the network can
// change a message. A button that is pressed all the same is answered as ever: this is a courtesy, not what the purchase is
// guarded by.

// openEdits is how many messages of one account may wait to be changed: more would stand before the answers to people.
const openEdits = 32

// notices does what notifications have coming: those are found that changes of products have ended, and the due ones are looked at.
func (h *House) notices(ctx context.Context) (int, error) {
	more := false
	err := h.store.Tx(ctx, func(tx *store.Tx) (err error) {
		more, err = tx.NoticeProducts(ctx, clockBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	accounts := h.roster.Load().accounts
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		if a := accounts[name]; a.edits() {
			if err := h.noticesOf(ctx, a); err != nil {
				return 0, err
			}
		}
	}
	if more {
		return clockBatch, nil
	}
	return 0, nil
}

func (h *House) noticesOf(ctx context.Context, a *account) error {
	var due []store.Notice
	err := h.store.View(ctx, func(tx *store.Tx) error {
		open, err := tx.OpenEdits(ctx, a.Name)
		if err != nil || open >= openEdits {
			return err
		}
		due, err = tx.DueNotices(ctx, a.Name, openEdits-open)
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range due {
		if err := h.store.Tx(ctx, func(tx *store.Tx) error { return h.notice(ctx, tx, a, n) }); err != nil {
			return fmt.Errorf("look at notification %d: %w", n.Message, err)
		}
	}
	return nil
}

// underway is when a notification is looked at again whose order is being paid. Mostly the order itself brings that about.
const underway = 10 * time.Minute

// notice looks at one notification, and ends it when what it offers no longer holds.
func (h *House) notice(ctx context.Context, tx *store.Tx, a *account, n store.Notice) error {
	q, err := tx.QuoteByKey(ctx, n.Merchant, n.Quote)
	if err != nil {
		return err
	}
	p, err := tx.ProductByKey(ctx, n.Merchant, n.Product)
	if err != nil {
		return err
	}
	why, settled, err := ending(ctx, tx, n, q, p)
	switch {
	case err != nil:
		return err
	case !settled:
		return tx.PutOffNotice(ctx, n.Message, tx.Now().Add(underway))
	case why == "":
		return tx.PutOffNotice(ctx, n.Message, q.Expires)
	}
	first, err := tx.EndNotice(ctx, n.Message, string(why))
	if err != nil || !first || why == commerce.EndedOrdered {
		return err // the button of what they bought stays: pressed again, it shows the receipt again
	}
	return h.showEnding(ctx, tx, a, n, p, why)
}

// ending says why a notification no longer holds; "" while it does. It is not settled while its order is being paid.
func ending(ctx context.Context, tx *store.Tx, n store.Notice, q commerce.Quote, p commerce.Product) (why commerce.Ending, settled bool, err error) {
	order, err := tx.OrderByQuote(ctx, n.Merchant, n.Quote)
	if err == nil {
		switch order.Outcome() {
		case "":
			return "", false, nil
		case "paid", "payment_due":
			return commerce.EndedOrdered, true, nil
		}
		return commerce.EndedUsed, true, nil
	}
	if !errors.Is(err, commerce.ErrNotFound) {
		return "", false, err
	}
	if n.Watch != 0 {
		w, err := tx.WatchByKey(ctx, n.Merchant, n.Watch)
		if err != nil {
			return "", false, err
		}
		if w.State == commerce.WatchCancelled {
			return commerce.EndedCancelled, true, nil
		}
	}
	return q.Ending(p, tx.Now()), true, nil
}

// showEnding has a message changed. Whoever said stop, or blocked us, is left in peace.
func (h *House) showEnding(ctx context.Context, tx *store.Tx, a *account, n store.Notice, p commerce.Product, why commerce.Ending) error {
	th, err := tx.ThreadByKey(ctx, n.Merchant, n.Thread)
	if err != nil {
		return err
	}
	if s := th.Address.State; s == conversation.Stopped || s == conversation.Shut {
		return nil
	}
	part, err := tx.ButtonPart(ctx, n.Message)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := tx.MessageByKey(ctx, n.Merchant, n.Message)
	if err != nil {
		return err
	}
	line := h.newTurn(a, tx, th, "").endingWords(why, p)
	text := part.Text
	if longer := text + "\n\n" + line; text != "" && measure(longer, a.limits.Unit) <= roomFor(part, a.limits) {
		text = longer
		if err := tx.Append(ctx, n.Message, line); err != nil {
			return err
		}
	}
	if err := tx.Unbutton(ctx, part, text); err != nil {
		return err
	}
	tx.AfterCommit(a.rouse)
	return tx.Event(ctx, n.Merchant, "notification_ended", m.ID, map[string]any{"why": string(why)})
}

// roomFor is how long the text of a part may get.
func roomFor(p store.Part, l adapters.Limits) int {
	switch {
	case p.Image != "" && l.Caption > 0 && l.Text > 0:
		return min(l.Text, l.Caption)
	case p.Image != "" && l.Caption > 0:
		return l.Caption
	case l.Text > 0:
		return l.Text
	}
	return longest
}

// endingWords tell the contact why.
func (t *turn) endingWords(why commerce.Ending, p commerce.Product) string {
	language := t.language()
	words := endingsEnglish
	if language == "de" {
		words = endingsGerman
	}
	if why == commerce.EndedDearer {
		return fmt.Sprintf(words[why], p.Price.Format(language))
	}
	return words[why]
}

var endingsEnglish = map[commerce.Ending]string{
	commerce.EndedOrdered:   "You have bought this already.",
	commerce.EndedUsed:      "This offer is used up.",
	commerce.EndedCancelled: "You are no longer watching this.",
	commerce.EndedExpired:   "This offer has run out.",
	commerce.EndedDearer:    "The price has changed: it is %s now.",
	commerce.EndedSoldOut:   "This has sold out meanwhile.",
}

var endingsGerman = map[commerce.Ending]string{
	commerce.EndedOrdered:   "Das hast du schon gekauft.",
	commerce.EndedUsed:      "Dieses Angebot ist verbraucht.",
	commerce.EndedCancelled: "Das beobachtest du nicht mehr.",
	commerce.EndedExpired:   "Dieses Angebot ist abgelaufen.",
	commerce.EndedDearer:    "Der Preis hat sich geändert: Jetzt sind es %s.",
	commerce.EndedSoldOut:   "Das ist inzwischen ausverkauft.",
}

// standing remembers a notification that shows buttons, so that they go when its quote no longer holds.
func (t *turn) standing(ctx context.Context, message int64, r conversation.Reply, place *conversation.Context) error {
	if r.Class != conversation.Notification || len(r.Choices) == 0 || place == nil || place.Vars["quote"] == "" || !t.account.edits() {
		return nil
	}
	q, err := t.quoted(ctx, commerce.QuoteID(place.Vars["quote"]))
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	n := store.Notice{Message: message, Merchant: t.m.ID, Thread: t.th.Key, Account: t.account.Name, Quote: q.Key, Product: q.Product,
		Unit: q.Unit.Minor, Quantity: q.Quantity, Due: q.Expires}
	if id := place.Vars["watch"]; id != "" {
		w, err := t.watched(ctx, commerce.WatchID(id))
		if err != nil && !isNotFound(err) {
			return err
		}
		n.Watch = w.Key
	}
	return t.tx.AddNotice(ctx, n)
}

// quoted and watched load what a message is about. What the turn itself tells is at hand.
func (t *turn) quoted(ctx context.Context, id commerce.QuoteID) (commerce.Quote, error) {
	if t.alert != nil && t.alert.Quote.ID == id {
		return t.alert.Quote, nil
	}
	return t.tx.Quote(ctx, t.m.ID, id)
}

func (t *turn) watched(ctx context.Context, id commerce.WatchID) (commerce.Watch, error) {
	if t.alert != nil && t.alert.Watch.ID == id {
		return t.alert.Watch, nil
	}
	return t.tx.Watch(ctx, t.m.ID, id)
}
