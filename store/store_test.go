package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func merchant(t *testing.T, s *store.Store) (id commerce.MerchantID) {
	t.Helper()
	err := s.Tx(t.Context(), func(tx *store.Tx) (err error) {
		id, err = tx.SetMerchant(t.Context(), "demo", "Demo")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func text(id, words string) conversation.Event {
	return conversation.Event{Kind: conversation.Text, Account: "chat", Chat: "vis_1", Sender: "vis_1", ID: id, Text: words}
}

// echo is a turn that keeps what came and counts in the session.
func echo(m commerce.MerchantID, e conversation.Event) store.Turn {
	return store.Turn{Merchant: m, Channel: "webchat", Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		th.Session.Misses++
		_, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromContact, Kind: string(e.Kind), Text: e.Text}, e.ID)
		return err
	}}
}

func transcript(t *testing.T, s *store.Store, m commerce.MerchantID) (th *store.Thread, lines []string) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) error {
		threads, err := tx.Threads(t.Context(), m, store.ThreadFilter{})
		if err != nil || len(threads) == 0 {
			return err
		}
		th = threads[0]
		messages, err := tx.Messages(t.Context(), m, th.Key, "", 100)
		for _, msg := range messages {
			lines = append(lines, msg.Text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return th, lines
}

func TestATurnIsStoredOnceHoweverOftenItIsHandedOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		var repeats int
		for range 3 {
			out, err := s.ApplyTurns(t.Context(), []store.Turn{echo(m, text("1", "hello")), echo(m, text("2", "again")), echo(m, text("1", "hello"))})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range out {
				if o.Repeat {
					repeats++
				}
			}
		}
		th, lines := transcript(t, s, m)
		if got, want := strings.Join(lines, " "), "hello again"; got != want || th.Session.Misses != 2 || repeats != 7 {
			t.Errorf("transcript %q, want %q; turns counted %d, want 2; repeats %d, want 7", got, want, th.Session.Misses, repeats)
		}
	})
}

func TestTheSameUpdateTwiceAtOnceIsStoredOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, err := s.ApplyTurns(t.Context(), []store.Turn{echo(m, text("1", "hello"))}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, lines := transcript(t, s, m); len(lines) != 1 {
			t.Errorf("got %d lines, want 1", len(lines))
		}
	})
}

func TestABadTurnIsParkedWithItsCauseAndSparesTheOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		boom := errors.New("boom")
		bad := echo(m, text("2", "bad"))
		inner, ill := bad.Apply, true
		bad.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
			if err := inner(ctx, tx, th); err != nil {
				return err
			}
			if ill {
				return boom
			}
			return nil
		}
		panics := store.Turn{Merchant: m, Channel: "webchat", Event: text("3", "panics"), Apply: func(context.Context, *store.Tx, *store.Thread) error { panic("bug") }}
		out, err := s.ApplyTurns(t.Context(), []store.Turn{echo(m, text("1", "one")), bad, panics, echo(m, text("4", "four"))})
		if err != nil {
			t.Fatal(err)
		}
		if !out[1].Parked || !errors.Is(out[1].Cause, boom) || !out[2].Parked || out[0].Parked || out[3].Parked {
			t.Errorf("got %+v, want the second and third parked", out)
		}
		if _, lines := transcript(t, s, m); strings.Join(lines, " ") != "one four" {
			t.Errorf("transcript %q, want what the good turns wrote and no half of the bad ones", lines)
		}
		if out, err := s.ApplyTurns(t.Context(), []store.Turn{bad}); err != nil || !out[0].Repeat {
			t.Errorf("handed over again: %+v, %v; want a repeat", out, err)
		}
	})
}

func TestAParkedTurnIsTriedAgainFromTheTable(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s, err := store.Open(t.Context(), "sqlite://"+t.TempDir()+"/p.db", store.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	m := merchant(t, s)
	bad := echo(m, text("1", "hello"))
	good := bad.Apply
	bad.Apply = func(context.Context, *store.Tx, *store.Thread) error { return errors.New("boom") }
	if _, err := s.ApplyTurns(t.Context(), []store.Turn{bad}); err != nil {
		t.Fatal(err)
	}
	due := func() (parked []store.Parked) {
		err := s.View(t.Context(), func(tx *store.Tx) (err error) {
			parked, err = tx.DueParked(t.Context(), 10)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return parked
	}
	if n := len(due()); n != 0 {
		t.Errorf("%d parked events are due at once, want none", n)
	}
	now = now.Add(2 * time.Minute)
	p := due()
	if len(p) != 1 || p[0].Cause != "boom" || p[0].Event.Text != "hello" {
		t.Fatalf("got %+v, want the parked event with its cause", p)
	}
	if err := s.RetryParked(t.Context(), p[0], bad.Apply); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if err := s.RetryParked(t.Context(), due()[0], good); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	if _, lines := transcript(t, s, m); len(due()) != 0 || strings.Join(lines, "") != "hello" {
		t.Errorf("after the retry: %d due, transcript %q", len(due()), lines)
	}
}

func TestAFailedCommitKeepsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		turn := echo(m, text("1", "hello"))
		inner := turn.Apply
		turn.Apply = func(c context.Context, tx *store.Tx, th *store.Thread) error {
			defer cancel()
			return inner(c, tx, th)
		}
		if _, err := s.ApplyTurns(ctx, []store.Turn{turn}); err == nil {
			t.Fatal("the turn was taken although its commit could not be")
		}
		turn.Apply = inner
		if out, err := s.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil || out[0].Repeat {
			t.Fatalf("handed over again: %+v, %v; want it taken as new", out, err)
		}
		if _, lines := transcript(t, s, m); len(lines) != 1 {
			t.Errorf("got %d lines, want 1", len(lines))
		}
	})
}

func TestPartsOfAConversationLeaveOneByOneAndInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		for i, chat := range []string{"vis_1", "vis_2"} {
			turn := echo(m, text(fmt.Sprint(i), "hi"))
			turn.Event.Chat, turn.Event.Sender = chat, chat
			turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
				key, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromBot, Kind: "reply", Text: "one two"}, "")
				if err != nil {
					return err
				}
				_, err = tx.AddParts(ctx, th, store.Message{Key: key}, []store.Part{{Text: "one"}, {Text: "two"}}, time.Time{}, false)
				return err
			}
			if _, err := s.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil {
				t.Fatal(err)
			}
		}
		claim := func() (parts []store.Part) {
			err := s.Tx(t.Context(), func(tx *store.Tx) (err error) {
				parts, err = tx.ClaimParts(t.Context(), "chat", 10)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return parts
		}
		first := claim()
		if len(first) != 2 || first[0].Text != "one" || first[1].Text != "one" {
			t.Fatalf("got %+v, want the first part of each conversation", first)
		}
		if again := claim(); len(again) != 0 {
			t.Fatalf("got %+v while the first parts are under way, want none", again)
		}
		err := s.Tx(t.Context(), func(tx *store.Tx) error {
			return tx.SettlePart(t.Context(), first[0].Key, store.Sent, "n1", "", time.Time{})
		})
		if err != nil {
			t.Fatal(err)
		}
		if next := claim(); len(next) != 1 || next[0].Text != "two" || next[0].Chat != first[0].Chat {
			t.Fatalf("got %+v, want the second part of the conversation whose first was sent", next)
		}
	})
}

func TestASignInLinkWorksOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		err := s.Tx(t.Context(), func(tx *store.Tx) error {
			p, err := tx.SetStaff(t.Context(), m, "Ann@Shop.example ", store.RoleAdmin)
			if err != nil {
				return err
			}
			link, err := tx.AddSignIn(t.Context(), m, p.ID, time.Hour)
			if err != nil {
				return err
			}
			session, who, err := tx.SignIn(t.Context(), link)
			if err != nil || who.Email != "ann@shop.example" {
				return fmt.Errorf("sign in as %q: %w", who.Email, err)
			}
			if _, _, err := tx.SignIn(t.Context(), link); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("second use of the link is not refused: %w", err)
			}
			who, err = tx.SessionPerson(t.Context(), session)
			if err != nil || who.ID != p.ID {
				return fmt.Errorf("session is of %q: %w", who.ID, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnIdempotencyKeyGivesTheFirstAnswerAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		m := merchant(t, s)
		begin := func(hash string) (a *store.StoredAnswer, err error) {
			err = s.Tx(t.Context(), func(tx *store.Tx) (err error) {
				a, err = tx.BeginIdempotent(t.Context(), m, "key_1", "abc", hash)
				return err
			})
			return a, err
		}
		if a, err := begin("h"); a != nil || err != nil {
			t.Fatalf("first: %v, %v; want to be the first", a, err)
		}
		if _, err := begin("h"); !errors.Is(err, store.ErrInFlight) {
			t.Errorf("meanwhile: %v, want in flight", err)
		}
		err := s.Tx(t.Context(), func(tx *store.Tx) error {
			return tx.EndIdempotent(t.Context(), m, "key_1", "abc", store.StoredAnswer{Status: 201, ContentType: "application/json", Body: "{}"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if a, err := begin("h"); err != nil || a == nil || a.Status != 201 {
			t.Errorf("again: %v, %v; want the first answer", a, err)
		}
		if _, err := begin("other"); !errors.Is(err, store.ErrReused) {
			t.Errorf("with another request: %v, want reused", err)
		}
	})
}

func TestManyStartsAtOnceMigrateOnce(t *testing.T) {
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite://" + t.TempDir() + "/p.db" },
		"postgres": func(t *testing.T) string { return storetest.PostgresURL(t) },
	}
	for name, dsn := range urls {
		t.Run(name, func(t *testing.T) {
			at := dsn(t)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					s, err := store.Open(t.Context(), at, store.Options{})
					if err != nil {
						t.Error(err)
						return
					}
					_ = s.Close()
				})
			}
			wg.Wait()
		})
	}
}

func TestAnIDIsTimeOrderedText(t *testing.T) {
	last := ""
	for range 1000 {
		id := store.NewID("ord")
		if len(id) != 30 || id <= last {
			t.Fatalf("id %q after %q: want 30 characters, and later ids to sort behind", id, last)
		}
		last = id
	}
}

func TestADatabaseURLMustNameItsKind(t *testing.T) {
	for _, dsn := range []string{"", "parley.db", "mysql://x/y", "postgres://u:secret@127.0.0.1:1/x"} {
		s, err := store.Open(t.Context(), dsn, store.Options{})
		if err == nil {
			_ = s.Close()
			t.Errorf("%q was opened", dsn)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestAPartThatAnotherProcessLeftUnderWayIsFound(t *testing.T) {
	dsn := "sqlite://" + t.TempDir() + "/p.db"
	var stores []*store.Store
	for range 2 {
		s, err := store.Open(t.Context(), dsn, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		stores = append(stores, s)
	}
	killed, successor := stores[0], stores[1]
	turn := echo(merchant(t, killed), text("1", "hi"))
	turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		key, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromBot, Kind: "reply", Text: "one"}, "")
		if err != nil {
			return err
		}
		_, err = tx.AddParts(ctx, th, store.Message{Key: key}, []store.Part{{Text: "one"}}, time.Time{}, false)
		return err
	}
	if _, err := killed.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil {
		t.Fatal(err)
	}
	err := killed.Tx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ClaimParts(t.Context(), "chat", 8)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*store.Store]int{killed: 0, successor: 1} {
		err := s.View(t.Context(), func(tx *store.Tx) error {
			parts, err := tx.Orphaned(t.Context(), "chat")
			if len(parts) != want {
				t.Errorf("found %d orphaned parts, want %d", len(parts), want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// On Postgres a transaction that began earlier may come to its statements later than one that began after it.
func TestAMessageForAtOnceIsNeverTakenForOneHeldBack(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s, err := store.Open(t.Context(), "sqlite://"+t.TempDir()+"/p.db", store.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var thread *store.Thread
	turn := echo(merchant(t, s), text("1", "hi"))
	turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		thread = th
		key, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromBot, Kind: "reply", Text: "one"}, "")
		if err != nil {
			return err
		}
		_, err = tx.AddParts(ctx, th, store.Message{Key: key}, []store.Part{{Text: "one"}}, time.Time{}, false)
		return err
	}
	if _, err := s.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-5 * time.Millisecond)
	err = s.Tx(t.Context(), func(tx *store.Tx) error {
		thread.Held = true
		if err := tx.DropHeld(t.Context(), thread); err != nil {
			return err
		}
		parts, err := tx.ClaimParts(t.Context(), "chat", 8)
		if len(parts) != 1 {
			t.Errorf("claimed %d parts, want the message to be sent", len(parts))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
