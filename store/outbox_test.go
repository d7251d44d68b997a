package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// queued puts a message of a class, of so many parts, into a chat.
func queued(t *testing.T, s *store.Store, chat string, class conversation.Class, parts int, due time.Time) (id string, thread *store.Thread) {
	t.Helper()
	turn := echo(merchant(t, s), text("", "hi"))
	turn.Event.Chat, turn.Event.Sender = chat, chat
	turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		m := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: "hi", Class: class}
		id, thread = m.ID, th
		var err error
		if m.Key, err = tx.AddMessage(ctx, th, m, ""); err != nil {
			return err
		}
		list := make([]store.Part, parts)
		for i := range list {
			list[i].Text = fmt.Sprintf("%s %d", chat, i)
		}
		_, err = tx.AddParts(ctx, th, m, list, due, false)
		return err
	}
	if _, err := s.ApplyTurns(t.Context(), []store.Turn{turn}); err != nil {
		t.Fatal(err)
	}
	return id, thread
}

func claims(t *testing.T, s *store.Store, limit int, lanes ...store.Lane) (parts []store.Part) {
	t.Helper()
	do(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		parts, err = tx.ClaimParts(ctx, "chat", limit, lanes...)
		return err
	})
	return parts
}

func TestLanesAreClaimedApartAndOrderWithinAChatHoldsAcrossThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		for i := range 5 {
			queued(t, s, fmt.Sprint("fan", i), conversation.Notification, 1, time.Time{})
		}
		queued(t, s, "fan0", conversation.Answer, 1, time.Time{}) // behind the alert
		queued(t, s, "ada", conversation.Answer, 2, time.Time{})
		queued(t, s, "bob", conversation.ReceiptClass, 1, time.Time{})
		for _, c := range []struct {
			lane store.Lane
			want int
		}{{store.Answers, 1}, {store.Receipts, 1}, {store.Campaigns, 5}} {
			got := claims(t, s, 64, c.lane)
			if len(got) != c.want || got[0].Lane != c.lane {
				t.Errorf("claimed %+v of %s, want %d", got, c.lane, c.want)
			}
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				look, err := tx.Outlook(ctx, "chat")
				if !look.Ready[store.Answers] || look.Ready[store.Receipts] != (c.lane == store.Answers) || !look.Waits {
					t.Errorf("after the claim of %s: %+v", c.lane, look)
				}
				return err
			})
		}
	})
}

func TestWhatIsDueAgainIsClaimedBeforeWhatIsNew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		for i := range 3 {
			queued(t, s, fmt.Sprint("new", i), conversation.Answer, 1, time.Time{})
		}
		queued(t, s, "late", conversation.Answer, 1, time.Now().Add(-time.Minute))
		queued(t, s, "morning", conversation.Reminder, 1, time.Now().Add(time.Hour))
		if got := claims(t, s, 2, store.Answers); len(got) != 2 || got[0].Chat != "late" || got[1].Chat != "new0" {
			t.Errorf("claimed %+v, want the late one and the first", got)
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			look, err := tx.Outlook(ctx, "chat")
			if wait := time.Until(look.Next); wait < 59*time.Minute || look.Ready[store.Campaigns] {
				t.Errorf("the next is due in %s, want in an hour: %+v", wait, look)
			}
			return err
		})
	})
}

func TestManyPartsAreSettledAtOnceEachWithItsOwnID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		for i := range 70 {
			queued(t, s, fmt.Sprint("chat", i), conversation.Answer, 1, time.Time{})
		}
		parts := append(claims(t, s, 64), claims(t, s, 64)...)
		if len(parts) != 70 {
			t.Fatalf("claimed %d parts, want 70", len(parts))
		}
		var sent []store.SentPart
		for i, p := range parts[:69] {
			sent = append(sent, store.SentPart{Key: p.Key, NetworkID: fmt.Sprint("net", i)})
		}
		sent[68].NetworkID = "" // a network that gives none
		do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SettleSent(ctx, sent) })
		for i, p := range parts {
			var row struct{ State, Network string }
			if err := s.DB().Get(&row, `SELECT state, network_id AS network FROM parts WHERE key = $1`, p.Key); err != nil {
				t.Fatal(err)
			}
			want := "sent"
			if i == 69 {
				want = "sending"
			}
			if row.State != want || i < 68 && row.Network != fmt.Sprint("net", i) || i == 68 && row.Network != "" {
				t.Errorf("part %d is %+v, want %s", i, row, want)
			}
		}
	})
}

func TestAReportBeforeItsMessageIsNotedIsKeptForAMinute(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		_, th := queued(t, s, "ada", conversation.Answer, 1, time.Time{})
		report := func(id string, state store.PartState, want bool) {
			t.Helper()
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				early, err := tx.NoteReceipt(ctx, th, id, state)
				if early != want {
					t.Errorf("early is %v, want %v", early, want)
				}
				return err
			})
		}
		report("n1", store.Delivered, false) // nothing is under way that it could be about
		part := claims(t, s, 1)[0]
		report("n1", store.Delivered, true)
		report("n1", store.Read, true)
		report("n1", store.Delivered, false) // a late one does not undo the later state
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.SettleSent(ctx, []store.SentPart{{Key: part.Key, NetworkID: "n1"}})
		})
		var state string
		if err := s.DB().Get(&state, `SELECT state FROM parts WHERE key = $1`, part.Key); err != nil || state != "read" {
			t.Errorf("the part is %s, %v; want read", state, err)
		}
		// On Postgres a report and the note about its message may miss each other.
		if _, err := s.DB().Exec(`UPDATE parts SET state = 'sent'`); err != nil {
			t.Fatal(err)
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.SweepReceipts(ctx, "chat") })
		if err := s.DB().Get(&state, `SELECT state FROM parts WHERE key = $1`, part.Key); err != nil || state != "read" {
			t.Errorf("the part is %s, %v; want read", state, err)
		}
		if _, err := s.DB().Exec(`UPDATE early_receipts SET at_ms = at_ms - 61000`); err != nil {
			t.Fatal(err)
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.SweepReceipts(ctx, "chat"); err != nil {
				return err
			}
			kept, err := tx.HasEarlyReceipts(ctx, "chat")
			if kept {
				t.Error("a report was kept for more than a minute")
			}
			return err
		})
	})
}

func TestAPartThatWasNotBegunIsReleasedOnceAndOnlyByWhoHadIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := open(t)
		queued(t, s, "ada", conversation.Answer, 1, time.Time{})
		release := func(p store.Part) {
			do(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ReleasePart(ctx, p) })
		}
		first := claims(t, s, 1)[0]
		release(first)
		again := claims(t, s, 1)
		if len(again) != 1 || again[0].Attempts != 1 {
			t.Fatalf("claimed %+v, want the part as if never tried", again)
		}
		do(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.SettlePart(ctx, again[0].Key, store.Queued, "", "", time.Time{})
		})
		second := claims(t, s, 1)
		release(first) // too late
		if len(second) != 1 || second[0].Attempts != 2 || len(claims(t, s, 1)) != 0 {
			t.Error("a part that is under way was released")
		}
	})
}
