package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// do runs a transaction that must not fail.
func do(t *testing.T, s *store.Store, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// kinds lists what was appended to the log of changes, as kind and subject.
func kinds(t *testing.T, s *store.Store, m commerce.MerchantID) (out []string) {
	t.Helper()
	do(t, s, func(ctx context.Context, tx *store.Tx) error {
		events, err := tx.Events(ctx, m, 0, 100)
		for _, e := range events {
			out = append(out, fmt.Sprint(e.Kind, " ", e.Subject, " ", e.Data["state"]))
		}
		return err
	})
	return out
}

func TestAnAccountIsToldOfWhenItsStateIsNews(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		set := func(state, problem string) {
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.SetAccount(ctx, m, store.Account{Name: "chat", Adapter: "webchat", State: state, Problem: problem})
			})
		}
		since := func() (at time.Time) {
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				all, err := tx.AllAccounts(ctx)
				if err == nil {
					at = all[0].Changed
				}
				return err
			})
			return at
		}
		set("connecting", "")
		set("ready", "")
		began := since()
		set("ready", "")
		set("failed", "refused")
		set("failed", "refused again")
		if began.IsZero() || since().Before(began) {
			t.Errorf("failed since %v, ready since %v", since(), began)
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.KeepAccounts(ctx, []string{"chat"}) })
		do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.KeepAccounts(ctx, []string{"other"}) })
		want := []string{"account_changed chat connecting", "account_changed chat ready", "account_changed chat failed", "account_changed chat failed", "account_changed chat removed"}
		if diff := cmp.Diff(want, kinds(t, s, m)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTrafficIsOfTheTimeAskedForAndByAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		answered := func(account, id string, state store.PartState) {
			e := conversation.Event{Kind: conversation.Text, Account: account, Chat: "c", Sender: "c", ID: id, Text: "hello"}
			turn := store.Turn{Merchant: m, Channel: "webchat", Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
				if _, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromContact, Kind: "text", Text: "hello"}, e.ID); err != nil {
					return err
				}
				key, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromBot, Kind: "reply", Text: "Hi"}, "")
				if err != nil {
					return err
				}
				_, err = tx.AddParts(ctx, th, store.Message{Key: key}, []store.Part{{Text: "Hi"}}, time.Time{}, false)
				return err
			}}
			if _, err := s.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil {
				t.Fatal(err)
			}
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				parts, err := tx.ClaimParts(ctx, account, 10)
				if err != nil || len(parts) != 1 {
					return fmt.Errorf("%d parts to claim: %w", len(parts), err)
				}
				return tx.SettlePart(ctx, parts[0].Key, state, "", "", time.Time{})
			})
		}
		for i := range 5 {
			answered("chat", fmt.Sprint("old", i), store.Sent)
		}
		if _, err := s.DB().ExecContext(t.Context(), `UPDATE messages SET created_ms = created_ms - 90000000`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().ExecContext(t.Context(), `DELETE FROM parts WHERE message_key = (SELECT min(message_key) FROM parts)`); err != nil {
			t.Fatal(err)
		}
		answered("chat", "1", store.Sent)
		answered("chat", "2", store.Failed)
		answered("chat", "3", store.Unknown)
		answered("talk", "1", store.Sent)
		bad := echo(m, conversation.Event{Kind: conversation.Text, Account: "talk", Chat: "d", Sender: "d", ID: "9"})
		bad.Apply = func(context.Context, *store.Tx, *store.Thread) error { return errors.New("a bug") }
		if _, err := s.ApplyTurns(t.Context(), []store.Turn{bad}); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[time.Duration]map[string]store.AccountTraffic{
			24 * time.Hour:  {"chat": {Received: 3, Sent: 1, Undelivered: 2}, "talk": {Received: 1, Sent: 1, Parked: 1}},
			100 * time.Hour: {"chat": {Received: 8, Sent: 5, Undelivered: 2}, "talk": {Received: 1, Sent: 1, Parked: 1}},
			-time.Hour:      {"talk": {Parked: 1}},
		} {
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				got, err := tx.Traffic(ctx, m, tx.Now().Add(-name))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("since %v ago (-want +got):\n%s", name, diff)
				}
				return err
			})
		}
	})
}

func TestAServerSaysWhichAccountsItIsAtWorkOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		served := func(account string) (at time.Time) {
			do(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				at, err = tx.Served(ctx, account)
				return err
			})
			return at
		}
		if !served("chat").IsZero() {
			t.Error("nobody said it yet")
		}
		for range 2 {
			do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.Serve(ctx, []string{"chat", "talk"}, false) })
		}
		if time.Since(served("chat")) > time.Minute || served("talk").IsZero() {
			t.Errorf("chat is served since %v, talk %v", served("chat"), served("talk"))
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.Serve(ctx, []string{"chat"}, true) })
		if !served("chat").IsZero() || served("talk").IsZero() {
			t.Error("the end of one was taken for another's")
		}
	})
}

func TestWhoeverLeavesTheStaffIsSignedOutAndTheirConversationsWait(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		var rival commerce.MerchantID
		var ben store.Person
		var session, link string
		do(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			if rival, err = tx.SetMerchant(ctx, "rival", "Rival"); err != nil {
				return err
			}
			if ben, err = tx.SetStaff(ctx, m, "ben@shop.example", store.RoleMerchant); err != nil {
				return err
			}
			first, err := tx.AddSignIn(ctx, m, ben.ID, time.Hour)
			if err != nil {
				return err
			}
			if session, _, err = tx.SignIn(ctx, first); err != nil {
				return err
			}
			link, err = tx.AddSignIn(ctx, m, ben.ID, time.Hour)
			return err
		})
		taken := echo(m, text("1", "hello"))
		taken.Apply = func(_ context.Context, _ *store.Tx, th *store.Thread) error { th.Owner = ben.ID; return nil }
		if _, err := s.ApplyTurns(t.Context(), []store.Turn{taken}); err != nil {
			t.Fatal(err)
		}
		for _, act := range []func(*store.Tx) error{
			func(tx *store.Tx) error { return tx.SignOutEverywhere(t.Context(), rival, ben.ID) },
			func(tx *store.Tx) error { return tx.RemoveStaff(t.Context(), rival, ben.ID) },
		} {
			if err := s.Tx(t.Context(), act); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another merchant got %v, want that there is nobody", err)
			}
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.SessionPerson(ctx, session)
			return err
		})
		do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.RemoveStaff(ctx, m, ben.ID) })
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.SessionPerson(ctx, session); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the session goes on: %v", err)
			}
			if valid, err := tx.SignInValid(ctx, link); err != nil || valid {
				t.Errorf("the link still works: %v, %v", valid, err)
			}
			if staff, err := tx.Staff(ctx, m); err != nil || len(staff) != 0 {
				t.Errorf("the staff is %v, %v", staff, err)
			}
			return nil
		})
		if th, _ := transcript(t, s, m); th.Owner != store.Waiting || th.Waiting.IsZero() {
			t.Errorf("the conversation is with %q since %v, want it waiting", th.Owner, th.Waiting)
		}
	})
}

func TestTheLastUseOfAKeyIsNotedAtMostOnceAMinute(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		used := func() (k store.Key) {
			do(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				k, err = tx.KeyOf(ctx, "secret")
				return err
			})
			return k
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.AddKey(ctx, m, "till", []string{"*"}, "secret")
			return err
		})
		key := used()
		if !key.Used.IsZero() || key.IsUseNoted(time.Now()) {
			t.Errorf("never used, but %v", key.Used)
		}
		touch := func() {
			do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.TouchKey(ctx, key.ID) })
		}
		touch()
		first := used()
		touch()
		if again := used(); first.Used.IsZero() || !again.Used.Equal(first.Used) || !first.IsUseNoted(time.Now()) {
			t.Errorf("used at %v, then at %v", first.Used, again.Used)
		}
		if _, err := s.DB().ExecContext(t.Context(), `UPDATE api_keys SET used_ms = used_ms - 61000`); err != nil {
			t.Fatal(err)
		}
		before := used()
		touch()
		if after := used(); !after.Used.After(before.Used) || before.IsUseNoted(time.Now()) {
			t.Errorf("a minute later it is still %v", after.Used)
		}
	})
}
