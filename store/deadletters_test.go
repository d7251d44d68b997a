package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

func TestADeadLetterIsListedAndSentAgainOnceHoweverOftenAskedFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.SetAccount(ctx, m, store.Account{Name: "chat", Adapter: "webchat", State: "ready"})
		})
		id, _ := queued(t, s, "ada", conversation.Answer, 3, time.Time{})
		stopped, quiet := queued(t, s, "bob", conversation.Notification, 1, time.Time{})
		silenced, _ := queued(t, s, "cy", conversation.Answer, 1, time.Time{})
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			parts, err := tx.ClaimParts(ctx, "chat", 8)
			if err != nil {
				return err
			}
			for _, p := range parts {
				switch p.MessageID {
				case id:
					if err := tx.SettlePart(ctx, p.Key, store.Failed, "", "too long", time.Time{}); err != nil {
						return err
					}
					if err := tx.FailRest(ctx, p.MessageKey, "too long"); err != nil {
						return err
					}
				case stopped:
					if err := tx.SettlePart(ctx, p.Key, store.Unknown, "", "the line was cut", time.Time{}); err != nil {
						return err
					}
				case silenced: // was never tried: that is no dead letter
					if err := tx.ReleasePart(ctx, p); err != nil {
						return err
					}
					if err := tx.FailRest(ctx, p.MessageKey, "the contact said stop"); err != nil {
						return err
					}
				}
			}
			return tx.SetAddressState(ctx, m, quiet.AddressKey, conversation.Stopped)
		})
		letters := func(m commerce.MerchantID, f store.LetterFilter) (out []store.Letter) {
			do(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				out, err = tx.DeadLetters(ctx, m, f)
				return err
			})
			return out
		}
		got := letters(m, store.LetterFilter{Account: "chat"})
		if len(got) != 2 || got[0].Message != stopped || !got[0].Silent || got[0].State != store.Unknown || got[1].Message != id ||
			got[1].Cause != "too long" || got[1].Attempts != 1 || got[1].Silent || time.Since(got[1].At) > time.Minute {
			t.Fatalf("listed %+v, want the one of unknown fate and the one refused", got)
		}
		if more := letters(m, store.LetterFilter{Before: got[0].Key, Limit: 1}); len(more) != 1 || more[0].Message != id {
			t.Errorf("the next page is %+v", more)
		}
		if others := letters(m, store.LetterFilter{Account: "other"}); len(others) != 0 {
			t.Errorf("another account has %+v", others)
		}
		resend := func(f store.LetterFilter) (n int, err error) {
			err = s.Tx(t.Context(), func(tx *store.Tx) error {
				n, err = tx.Resend(t.Context(), m, f, "stf_1")
				return err
			})
			return n, err
		}
		for i, want := range []int{1, 0} {
			if n, err := resend(store.LetterFilter{Account: "chat"}); n != want || err != nil {
				t.Errorf("time %d: sent %d again, %v; want %d", i+1, n, err, want)
			}
		}
		if n, err := resend(store.LetterFilter{Message: stopped}); n != 0 || err != nil {
			t.Errorf("sent %d again to somebody who said stop, %v", n, err)
		}
		if _, err := resend(store.LetterFilter{Message: "msg_other"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v, want not found", err)
		}
		if parts := claims(t, s, 8); len(parts) != 1 || parts[0].MessageID != id || parts[0].Position != 0 || parts[0].Attempts != 1 {
			t.Errorf("claimed %+v, want the message from its beginning", parts)
		}
		var events int
		if err := s.DB().Get(&events, `SELECT COUNT(*) FROM events WHERE kind = 'message_resent'`); err != nil || events != 1 {
			t.Errorf("%d events, %v; want one", events, err)
		}
	})
}

func TestPoisonIsListedAndReplayedUntilItIsTriedOftenEnoughAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		turn := echo(m, text("1", "hi"))
		turn.Apply = func(context.Context, *store.Tx, *store.Thread) error { return errors.New("a bug") }
		if _, err := s.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().Exec(`UPDATE parked SET attempts = 8`); err != nil {
			t.Fatal(err)
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			list, err := tx.Poisoned(ctx, m, "chat", 10)
			if len(list) != 1 || !list[0].Waits || list[0].Cause != "a bug" || list[0].ID != "1" {
				t.Fatalf("listed %+v, %v", list, err)
			}
			for range 2 {
				if n, err := tx.Replay(ctx, m, "", list[0].Key); n != 1 || err != nil {
					t.Errorf("replayed %d, %v", n, err)
				}
			}
			if n, err := tx.Replay(ctx, m, "other", 0); n != 0 || err != nil {
				t.Errorf("replayed %d of another account, %v", n, err)
			}
			due, err := tx.DueParked(ctx, 10)
			if len(due) != 1 || due[0].Attempts != 0 {
				t.Errorf("due are %+v, want the event anew", due)
			}
			return err
		})
	})
}
