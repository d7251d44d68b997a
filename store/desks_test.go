package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

func TestADeskIsOpenedOnceAndMayBeLostAndWantedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		if _, err := s.ApplyTurns(t.Context(), []store.Turn{echo(m, text("1", "hello"))}); err != nil {
			t.Fatal(err)
		}
		shopper, _ := transcript(t, s, m)
		do := func(f func(ctx context.Context, tx *store.Tx) error) {
			t.Helper()
			if err := s.Tx(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
				t.Fatal(err)
			}
		}
		desk := func() (d store.Desk) {
			t.Helper()
			do(func(ctx context.Context, tx *store.Tx) error {
				desks, err := tx.Desks(ctx, m, shopper.Key)
				if len(desks) != 1 {
					t.Fatalf("%d desks, want one", len(desks))
				}
				d = desks[0]
				return err
			})
			return d
		}
		want := func() {
			t.Helper()
			do(func(ctx context.Context, tx *store.Tx) error {
				return tx.WantDesk(ctx, m, shopper.Key, "staff", "room")
			})
		}
		take := func(key int64) (mine bool) {
			t.Helper()
			do(func(ctx context.Context, tx *store.Tx) (err error) {
				mine, err = tx.ClaimDesk(ctx, key, time.Minute)
				return err
			})
			return mine
		}
		want()
		want()
		d := desk()
		if !take(d.Key) || take(d.Key) {
			t.Error("a thread is to be asked for once")
		}
		do(func(ctx context.Context, tx *store.Tx) error { return tx.ReleaseDesks(ctx) })
		if !take(d.Key) {
			t.Error("after a restart it is to be asked for again")
		}
		do(func(ctx context.Context, tx *store.Tx) error { return tx.OpenDesk(ctx, d, "telegram", "room:1") })
		want() // it stands there already
		if d = desk(); d.State != store.DeskOpen || d.Thread == 0 {
			t.Fatalf("got %+v, want it open", d)
		}
		do(func(ctx context.Context, tx *store.Tx) error {
			at, err := tx.DeskAt(ctx, "staff", "room:1")
			if at.Thread != d.Thread || at.Conversation != shopper.Key || at.Chat != shopper.Chat {
				t.Errorf("found %+v", at)
			}
			_, none := tx.DeskAt(ctx, shopper.Account, shopper.Chat)
			_, byID := tx.Thread(ctx, m, at.ThreadID)
			if !errors.Is(none, store.ErrNotFound) || !errors.Is(byID, store.ErrNotFound) {
				t.Errorf("got %v and %v, want neither", none, byID)
			}
			return err
		})
		do(func(ctx context.Context, tx *store.Tx) error { return tx.LoseDesk(ctx, d.Thread, "deleted") })
		want()
		if d = desk(); d.State != store.DeskDue || d.Attempts != 0 {
			t.Errorf("got %+v, want it due anew", d)
		}
		do(func(ctx context.Context, tx *store.Tx) error { return tx.OpenDesk(ctx, d, "telegram", "room:2") })
		if next := desk(); next.Thread == d.Thread || next.State != store.DeskOpen {
			t.Errorf("got %+v, want another thread", next)
		}
		var contacts int
		if err := s.DB().Get(&contacts, `SELECT COUNT(*) FROM contacts`); err != nil || contacts != 2 {
			t.Errorf("%d contacts, %v; want the shopper and the shop", contacts, err)
		}
	})
}

func TestWhatChangesAMessageLeavesBehindIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		if _, err := s.ApplyTurns(t.Context(), []store.Turn{echo(m, text("1", "hello"))}); err != nil {
			t.Fatal(err)
		}
		th, _ := transcript(t, s, m)
		var claimed []store.Part
		next := func(network string) store.Part {
			t.Helper()
			err := s.Tx(t.Context(), func(tx *store.Tx) (err error) {
				if claimed, err = tx.ClaimParts(t.Context(), th.Account, 8); err != nil || len(claimed) != 1 {
					t.Fatalf("claimed %d parts, %v; want one", len(claimed), err)
				}
				return tx.SettlePart(t.Context(), claimed[0].Key, store.Sent, network, "", tx.Now())
			})
			if err != nil {
				t.Fatal(err)
			}
			return claimed[0]
		}
		err := s.Tx(t.Context(), func(tx *store.Tx) error {
			choices := []conversation.Option{{ID: "buy", Label: "Buy", Value: "v"}}
			key, err := tx.AddMessage(t.Context(), th, store.Message{Author: "stf_1", Kind: "reply", Text: "Yes", Choices: choices}, "origin")
			if err != nil {
				return err
			}
			if _, err := tx.AddParts(t.Context(), th, store.Message{Key: key}, []store.Part{{Text: "Yes", Choices: choices}}, tx.Now(), false); err != nil {
				return err
			}
			if ok, err := tx.Reword(t.Context(), key, "No"); err != nil || !ok {
				t.Errorf("reworded: %v, %v", ok, err)
			}
			if ok, err := tx.Reword(t.Context(), key+1000, "No"); err != nil || ok {
				t.Errorf("what is not there was reworded: %v, %v", ok, err)
			}
			found, err := tx.MessageFrom(t.Context(), m, th.Key, "origin")
			if found.Text != "No" {
				t.Errorf("the transcript says %q", found.Text)
			}
			return errors.Join(err, tx.TakeButtonsOff(t.Context(), key))
		})
		if err != nil {
			t.Fatal(err)
		}
		if p := next("net1"); p.Edit || p.Text != "No" {
			t.Errorf("got %+v, want the message first, in its new words", p)
		}
		if p := next(""); !p.Edit || p.Text != "No" || p.Target != "net1" || len(p.Choices) != 1 {
			t.Errorf("got %+v, want its words changed", p)
		}
		if p := next(""); !p.Edit || p.Text != "No" || p.Target != "net1" || len(p.Choices) != 0 {
			t.Errorf("got %+v, want the buttons off", p)
		}
	})
}
