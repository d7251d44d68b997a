package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"parley/bench/load"
	"parley/bench/peer"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// storageJob applies turns through the store alone, without HTTP and flows: the database's address, turns a transaction, how many
// conversations, how many of them are made first, how many turns at least, how long at least, and the first chat's id if it matters. Its note is how many turns it wrote.
func storageJob(ctx context.Context, args []string) error {
	var numbers [4]int
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
	}
	group, chats, fresh, atLeast := numbers[0], numbers[1], numbers[2], numbers[3]
	during, err := time.ParseDuration(args[5])
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, args[0], store.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	first := int(time.Now().UnixMicro()) // ids that were not used before in this database
	w := &talk{store: s, next: first, chat: 1_000_000}
	if len(args) > 6 {
		if w.chat, err = strconv.Atoi(args[6]); err != nil {
			return err
		}
	}
	err = s.Tx(ctx, func(tx *store.Tx) error {
		id, err := tx.SetMerchant(ctx, "bench", "Bench")
		w.merchant = id
		return err
	})
	if err != nil {
		return err
	}
	for done := 0; done < fresh; done += group { // the conversations exist before anything is measured
		if err := w.apply(ctx, group, chats); err != nil {
			return err
		}
	}
	warm := w.next
	o := outcome{}
	cpu, began := ownCPU(), time.Now()
	for w.next-warm < atLeast || time.Since(began) < during {
		at := time.Now()
		if err := w.apply(ctx, group, chats); err != nil {
			return err
		}
		o.Times = append(o.Times, time.Since(at))
	}
	o.Ops, o.CPU, o.Wall = int64(w.next-warm), ownCPU()-cpu, time.Since(began)
	o.Note = strconv.Itoa(w.next - first)
	return tell(o)
}

// talk writes what a turn of the bench's bot writes.
type talk struct {
	store    *store.Store
	merchant commerce.MerchantID
	next     int
	chat     int // the first one's id
}

var heard = string(load.Chatter(nil, 0, 0))

func (w *talk) apply(ctx context.Context, group, chats int) error {
	turns := make([]store.Turn, group)
	for i := range turns {
		turns[i] = w.turn(w.next, chats)
		w.next++
	}
	applied, err := w.store.ApplyTurns(ctx, turns)
	if err != nil {
		return err
	}
	for _, a := range applied {
		if a.Repeat {
			return errors.New("a turn was taken for a repeat of another")
		}
		if a.Cause != nil {
			return fmt.Errorf("a turn was parked: %w", a.Cause)
		}
	}
	return nil
}

func (w *talk) turn(n, chats int) store.Turn {
	chat := strconv.Itoa(w.chat + n%chats*7919%chats)
	e := conversation.Event{
		Kind: conversation.Text, ID: "update:" + strconv.Itoa(100_000_000+n), Account: "tg", Chat: chat, Sender: chat,
		SenderName: "Ada Byron", Language: "en", Text: heard, At: time.Now(),
	}
	return store.Turn{Merchant: w.merchant, Channel: "telegram", Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) (err error) {
		if _, err = tx.AddMessage(ctx, th, store.Message{Author: store.FromContact, Kind: string(e.Kind), Text: e.Text}, e.ID); err != nil {
			return err
		}
		if err := tx.Event(ctx, th.Merchant, "message_in", th.ID, nil); err != nil {
			return err
		}
		step := n/chats%5 + 1
		text := peer.Reply(step, n)
		th.Session.Flow, th.Session.State, th.Session.Language = "steps", strconv.Itoa(step), "en"
		th.Session.Vars = conversation.Vars{"n": strconv.Itoa(n), "text": e.Text, "shop.name": "Bench", "contact.name": "Ada Byron", "contact.time_zone": ""}
		m := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: text, Class: conversation.Answer, At: tx.Now()}
		if m.Key, err = tx.AddMessage(ctx, th, m, ""); err != nil {
			return err
		}
		if _, err := tx.AddParts(ctx, th, m, []store.Part{{Text: text}}, time.Time{}, false); err != nil {
			return err
		}
		return tx.Event(ctx, th.Merchant, "message_out", th.ID, nil)
	}}
}
