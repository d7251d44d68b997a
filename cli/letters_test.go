package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/conversation"
	"parley/store"
)

// giveUp puts a message that was refused, and an event that nobody could handle, into the database of a shop.
func (s *shop) giveUp(t *testing.T) (message string) {
	t.Helper()
	db, ctx := s.in.store, context.Background()
	m := s.in.merchants[0]
	turn := store.Turn{Merchant: m, Channel: "webchat", Event: conversation.Event{Account: "webchat", Chat: "nobody", Sender: "nobody"}}
	turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		msg := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: "Hi"}
		message = msg.ID
		var err error
		if msg.Key, err = tx.AddMessage(ctx, th, msg, ""); err != nil {
			return err
		}
		_, err = tx.AddParts(ctx, th, msg, []store.Part{{Text: "Hi"}}, time.Time{}, false)
		return err
	}
	poison := turn
	poison.Event = conversation.Event{Account: "webchat", Chat: "nobody", Sender: "nobody", Kind: conversation.Text, Text: "hello", ID: "in1"}
	poison.Apply = func(context.Context, *store.Tx, *store.Thread) error { return errors.New("a bug\nof ours") }
	if _, err := db.ApplyTurns(ctx, []store.Turn{turn, poison}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.DB().Exec(`UPDATE parts SET state = 'failed', attempts = 3, problem = 'refused: too long' WHERE text = 'Hi'`); err != nil {
		t.Fatal(err)
	}
	return message
}

func TestLettersListsWhatWasGivenUpAndHasAServerSendItAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		yaml := testShop(fmt.Sprintf("%q", url), "")
		shopConfig(t, yaml)
		s := openShop(t, yaml)
		id := s.giveUp(t)
		list := parley(t, "", "letters")
		if list.code != 0 {
			t.Fatalf("exit %d\n%s", list.code, list.stderr)
		}
		wantIn(t, "the list", list.stdout, id, "webchat", "failed", "3", "refused: too long")
		again := parley(t, "", "letters", "-resend", id)
		if again.code != 0 || again.stdout != "1 message queued again\n" {
			t.Errorf("exit %d: %s%s", again.code, again.stdout, again.stderr)
		}
		s.until("the message to be sent", func() bool {
			var n int
			err := s.in.store.DB().Get(&n, `SELECT COUNT(*) FROM parts p JOIN messages m ON m.key = p.message_key WHERE m.id = $1 AND p.state = 'sent'`, id)
			return err == nil && n == 1
		})
		if all := parley(t, "", "letters", "-all"); all.code != 0 || all.stdout != "0 messages queued again\n" {
			t.Errorf("exit %d: %s%s", all.code, all.stdout, all.stderr)
		}
		for _, args := range [][]string{{"-resend", "msg_1", "-all"}, {"-account", "other"}} {
			if got := parley(t, "", append([]string{"letters"}, args...)...); got.code != 2 {
				t.Errorf("%v: exit %d, want 2: %s", args, got.code, got.stderr)
			}
		}
		if got := parley(t, "", "letters", "-resend", "msg_1"); got.code != 1 || !strings.Contains(got.stderr, `there is no message "msg_1"`) {
			t.Errorf("exit %d: %s", got.code, got.stderr)
		}
	})
}

func TestPoisonListsEventsThatNobodyCouldHandleAndHasAServerTryThemAgain(t *testing.T) {
	yaml := testShop("sqlite://"+t.TempDir()+"/parley.db", "")
	shopConfig(t, yaml)
	s := openShop(t, yaml)
	s.giveUp(t)
	if _, err := s.in.store.DB().Exec(`UPDATE parked SET attempts = 8`); err != nil {
		t.Fatal(err)
	}
	list := parley(t, "", "poison")
	wantIn(t, "the list", list.stdout, "1   webchat  text  8", "waits for you", "a bug of ours")
	if got := parley(t, "", "poison", "-replay", "7"); got.code != 1 || !strings.Contains(got.stderr, "there is no parked event 7") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
	if got := parley(t, "", "poison", "-replay", "1"); got.code != 0 || got.stdout != "1 event to be tried again\n" {
		t.Errorf("exit %d: %s%s", got.code, got.stdout, got.stderr)
	}
	s.until("the event to be handled", func() bool {
		got := parley(t, "", "poison")
		return got.code == 0 && strings.Count(got.stdout, "\n") == 1
	})
	if got := parley(t, "", "poison", "-replay", "1", "-all"); got.code != 2 {
		t.Errorf("exit %d, want 2", got.code)
	}
}
