package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/commerce"
	"parley/conversation"
)

func applyText(t *testing.T, s *Store, m commerce.MerchantID, ids ...string) (out []Applied) {
	t.Helper()
	var turns []Turn
	for _, id := range ids {
		e := conversation.Event{Kind: conversation.Text, Account: "chat", Chat: "vis_1", Sender: "vis_1", ID: id, Text: id}
		turns = append(turns, Turn{Merchant: m, Channel: "webchat", Event: e, Apply: func(context.Context, *Tx, *Thread) error { return nil }})
	}
	out, err := s.ApplyTurns(t.Context(), turns)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openAt(t *testing.T, now *time.Time) (*Store, commerce.MerchantID) {
	t.Helper()
	s, err := Open(t.Context(), "sqlite://"+t.TempDir()+"/p.db", Options{Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, addMerchant(t, s)
}

func addMerchant(t *testing.T, s *Store) (m commerce.MerchantID) {
	t.Helper()
	err := s.Tx(t.Context(), func(tx *Tx) (err error) {
		m, err = tx.SetMerchant(t.Context(), "demo", "Demo")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTwoEventsThatShareAHashAreNotTakenForEachOther(t *testing.T) {
	now := time.Now()
	s, m := openAt(t, &now)
	applyText(t, s, m, "1")
	// The first event as if its hash were the second's, and the next one taken too.
	if _, err := s.write.Exec(`UPDATE repeats SET hash = $1`, hashOf("chat", "vis_1", "2")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.Exec(`INSERT INTO repeats (hash, log) SELECT hash + 1, log FROM repeats`); err != nil {
		t.Fatal(err)
	}
	for try, want := range []bool{false, true, true} {
		if out := applyText(t, s, m, "2"); out[0].Repeat != want {
			t.Errorf("try %d: taken for a repeat: %t, want %t", try, out[0].Repeat, want)
		}
	}
}

func TestEventsAreForgottenAfterEightDays(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s, m := openAt(t, &now)
	applyText(t, s, m, "1", "2", "3")
	now = now.Add(keptRepeats - time.Hour)
	applyText(t, s, m, "4")
	prune := func() (n int) {
		n, err := s.Prune(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := prune(); n != 0 {
		t.Errorf("%d events forgotten before their time", n)
	}
	now = now.Add(2 * time.Hour)
	if a, b, c := prune(), prune(), prune(); a != 2 || b != 1 || c != 0 {
		t.Errorf("forgot %d, %d and %d events, want 2, 1 and none", a, b, c)
	}
	if out := applyText(t, s, m, "3", "4"); out[0].Repeat || !out[1].Repeat {
		t.Errorf("got %+v, want the old one new again and the younger one known", out)
	}
}

func TestWhatCameInBeforeTheUpgradeStillCountsAsKnown(t *testing.T) {
	dsn := "sqlite://" + t.TempDir() + "/p.db"
	s, err := Open(t.Context(), dsn, Options{SkipMigrate: true, SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.provider()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	const many = 1200 // more than are moved at once
	for i := range many {
		_, err := s.write.Exec(`INSERT INTO inbound (account, chat, network_id, at_ms) VALUES ('chat', 'vis_1', $1, $2)`, fmt.Sprint(i), time.Now().UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), dsn, Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	out := applyText(t, s, addMerchant(t, s), "0", "600", fmt.Sprint(many-1), "new")
	if !out[0].Repeat || !out[1].Repeat || !out[2].Repeat || out[3].Repeat {
		t.Errorf("got %+v, want all but the last known", out)
	}
}
