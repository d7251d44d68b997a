package bots

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// once fails the first n sends.
func once(n int, err error) func(adapters.Part) error {
	return func(adapters.Part) error {
		if n--; n >= 0 {
			return err
		}
		return nil
	}
}

func TestATemporaryFailureIsTriedAgainLaterAndLater(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		left := 4
		s.net.failing(func(p adapters.Part) error {
			if p.Chat != "ada" || left == 0 {
				return nil
			}
			left--
			return refused(adapters.Temporary)
		})
		s.says("ada", "hello")
		s.says("ada", "help") // waits its turn
		s.says("bob", "hello")
		s.hearsOnly("bob", "Hello!")
		s.hearsOnly("ada")
		passes(time.Minute)
		s.hearsOnly("ada", "Hello!", "STOP ends")
		var at []time.Time
		for _, try := range s.net.tries() {
			if try.part.Chat == "ada" && strings.Contains(try.part.Text, "Hello!") {
				at = append(at, try.at)
			}
		}
		if len(at) != 5 {
			t.Fatalf("sent %d times, want 5", len(at))
		}
		for i, least := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
			if wait := at[i+1].Sub(at[i]); wait < least || wait > 3*least+time.Millisecond {
				t.Errorf("try %d came %s after the one before, want %s to %s", i+2, wait, least, 3*least)
			}
		}
	})
}

func TestAMessageThatNeverGetsThroughIsGivenUp(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.net.failing(func(adapters.Part) error { return refused(adapters.Temporary) })
		s.says("ada", "hello")
		passes(24 * time.Hour)
		if m := s.last("ada"); m.State != "failed" || len(s.net.tries()) != mostAttempts {
			t.Errorf("the message is %s after %d tries, want failed after %d", m.State, len(s.net.tries()), mostAttempts)
		}
	})
}

func TestABlockedHeadOfAChatCostsNoWork(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.net.failing(once(1, &adapters.SendError{Consequence: adapters.Throttled, PerChat: true, RetryAfter: time.Hour}))
		s.says("ada", "hello")
		s.says("ada", "help")
		var due time.Time
		s.do(func(ctx context.Context, tx *store.Tx) error {
			look, err := tx.Outlook(ctx, "chat")
			due = look.Next
			return err
		})
		if wait := time.Until(due); wait < 59*time.Minute {
			t.Errorf("the outbox wakes in %s for what nobody can send, want in an hour", wait)
		}
	})
}

func TestAThrottledAccountPausesByTheNetworksFigureAndOnlyThatAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTwo(t, storetest.SQLite(t))
		s.net.failing(once(1, &adapters.SendError{Consequence: adapters.Throttled, RetryAfter: 90 * time.Second}))
		s.says("ada", "hello")
		s.says("bob", "hello")
		s.hearsOnly("ada")
		s.hearsOnly("bob")
		other := s.other()
		other.says("cy", "hello")
		other.hearsOnly("cy", "Hello!")
		passes(89 * time.Second)
		if n := len(s.net.tries()); n != 1 {
			t.Errorf("%d tries during the pause, want 1", n)
		}
		passes(2 * time.Second)
		s.hearsOnly("ada", "Hello!")
		s.hearsOnly("bob", "Hello!")
	})
}

func TestAThrottledChatPausesOnlyThatChatAndIsNoFailedAttempt(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		left := 2 * mostAttempts
		s.net.failing(func(p adapters.Part) error {
			if p.Chat != "ada" || left == 0 {
				return nil
			}
			if left--; left == 0 {
				return refused(adapters.Temporary)
			}
			return &adapters.SendError{Consequence: adapters.Throttled, PerChat: true, RetryAfter: 10 * time.Second}
		})
		s.says("ada", "hello")
		s.says("bob", "hello")
		s.hearsOnly("bob", "Hello!")
		passes(9 * time.Second)
		if n := len(s.net.tries()); n != 2 {
			t.Errorf("%d tries during the pause, want 2", n)
		}
		passes(5 * time.Minute)
		s.hearsOnly("ada", "Hello!")
	})
}

func TestARefusedPartFailsTheRestOfItsMessageOnly(t *testing.T) {
	bubble(t, opening{limits: adapters.Limits{Text: 60, Buttons: chatty.Buttons}}, func(t *testing.T, s *shop) {
		n := 0
		s.net.failing(func(adapters.Part) error {
			if n++; n == 2 {
				return refused(adapters.Rejected)
			}
			return nil
		})
		s.says("ada", "help")
		s.says("ada", "thanks")
		heard := s.hears("ada")
		if len(heard) != 2 || heard[1].Text != "You are welcome!" {
			t.Errorf("heard %q, want the first part and the next message", texts(heard))
		}
		if got := s.count(`SELECT COUNT(*) FROM parts WHERE state = 'failed'`); got < 2 {
			t.Errorf("%d parts failed, want the refused one and those behind it", got)
		}
		if s.count(`SELECT COUNT(*) FROM events WHERE kind = 'message_failed'`) != 1 {
			t.Error("no event says that the message failed")
		}
	})
}

func TestAnAddressThatIsGoneIsShutUntilItWritesAgain(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		rests()
		s.hearsOnly("ada", "as soon as")
		s.net.failing(once(1, refused(adapters.Gone)))
		s.says("ada", "help")
		if got := s.thread("ada").Address.State; got != conversation.Shut {
			t.Fatalf("the address is %s, want blocked", got)
		}
		s.reprice("mug", 1700)
		rests()
		s.hearsOnly("ada")
		if _, err := s.house.Say(t.Context(), s.merchant, s.thread("ada").ID, "stf_1", "Hi"); err == nil {
			t.Error("staff could write to an address that is gone")
		}
		s.says("ada", "hello")
		s.hearsOnly("ada", "Hello Ada!")
	})
}

func TestAnAnswerOfUnknownFateIsRepeatedAndAnAlertIsNot(t *testing.T) {
	limits := chatty
	limits.Repeatable = false
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.net.failing(once(1, errCut))
		s.subscribe(s.subscribes("ada", "17.50"))
		passes(10 * time.Second)
		s.hearsOnly("ada", "as soon as")
		s.net.failing(once(1, errCut))
		s.reprice("mug", 1700)
		passes(10 * time.Second)
		s.hearsOnly("ada")
		if m := s.last("ada"); m.State != "unknown" {
			t.Errorf("the alert is %s, want unknown", m.State)
		}
	})
	bubble(t, opening{}, func(t *testing.T, s *shop) { // where the network drops repeats, everything is sent again
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		rests()
		s.net.failing(once(1, errCut))
		s.reprice("mug", 1700)
		passes(10 * time.Second)
		s.hearsOnly("ada", "as soon as", "now costs")
		var keys []string
		for _, try := range s.net.tries()[1:] {
			keys = append(keys, try.part.Key)
		}
		if len(keys) != 2 || keys[0] != keys[1] {
			t.Errorf("the alert was sent as %q, want twice under one key", keys)
		}
	})
}

func TestABrokenAccountIsReportedAndRecovers(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		account := func() (a store.Account) {
			s.do(func(ctx context.Context, tx *store.Tx) error {
				all, err := tx.Accounts(ctx, s.merchant)
				if err == nil && len(all) == 1 {
					a = all[0]
				}
				return err
			})
			return a
		}
		s.net.failing(func(adapters.Part) error { return refused(adapters.Broken) })
		s.says("ada", "hello")
		if a := account(); a.State != "failed" || !strings.Contains(a.Problem, "as the test says") {
			t.Errorf("the account is %+v, want failed with its reason", a)
		}
		passes(30 * time.Minute)
		if n := len(s.net.tries()); n > 31 {
			t.Errorf("%d tries in half an hour, want one a minute", n)
		}
		s.net.failing(nil)
		passes(2 * time.Minute)
		s.hearsOnly("ada", "Hello!")
		if a := account(); a.State != "ready" || a.Problem != "" {
			t.Errorf("the account is %+v, want ready", a)
		}
	})
}

// interrupted leaves an answer to ada and an alert to bob behind, both of them under way.
func interrupted(t *testing.T, db *store.Store, limits adapters.Limits) *shop {
	s := openShop(t, db, opening{limits: limits})
	s.stock("mug", 10)
	s.subscribe(s.subscribes("bob", "17.50"))
	rests()
	s.net.failing(func(adapters.Part) error { return refused(adapters.Temporary) })
	s.says("ada", "hello")
	s.reprice("mug", 1700)
	rests()
	s.stop()
	if _, err := db.DB().Exec(`UPDATE parts SET state = 'sending' WHERE state = 'queued'`); err != nil {
		t.Fatal(err)
	}
	s.net.failing(nil)
	return s
}

func TestAfterARestartInterruptedPartsAreSettledBySafety(t *testing.T) {
	for _, c := range []struct {
		name       string
		repeatable bool
		alert      string
	}{{"a network that drops repeats gets both again", true, "sent"}, {"elsewhere an alert stays unknown", false, "unknown"}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := storetest.SQLite(t)
				limits := chatty
				limits.Repeatable = c.repeatable
				before := interrupted(t, db, limits)
				after := openShop(t, db, opening{limits: limits, messenger: before.net})
				rests()
				if got := after.last("ada").State; got != "sent" {
					t.Errorf("the answer is %s, want sent", got)
				}
				if got := after.last("bob").State; got != c.alert {
					t.Errorf("the alert is %s, want %s", got, c.alert)
				}
			})
		})
	}
}

func TestMessagesOfOneChatNeverOvertake(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := openShop(t, open(t), opening{poll: 20 * time.Millisecond})
		var n atomic.Int64
		s.net.failing(func(adapters.Part) error {
			if i := n.Add(1); i%3 == 0 {
				return &adapters.SendError{Consequence: adapters.Throttled, PerChat: true, RetryAfter: time.Millisecond}
			}
			return nil
		})
		const chats, messages = 6, 8
		want := map[string][]string{}
		for i := range messages {
			for c := range chats {
				chat := string(rune('a' + c))
				e := s.event(chat, conversation.Text)
				e.Text = []string{"hello", "help", "thanks"}[(i+c)%3]
				want[chat] = append(want[chat], []string{"Hello!", "STOP ends", "You are welcome!"}[(i+c)%3])
				if err := s.gives(e); err != nil {
					t.Fatal(err)
				}
			}
		}
		deadline := time.After(30 * time.Second)
		for len(s.net.all("")) < chats*messages {
			select {
			case <-s.net.arrived:
			case <-deadline:
				t.Fatalf("%d of %d messages arrived", len(s.net.all("")), chats*messages)
			}
		}
		for chat := range want {
			s.hearsOnly(chat, want[chat]...)
		}
	})
}

func TestAHeldReminderHoldsUpNobodyAndIsDroppedWhenTheContactSpeaks(t *testing.T) {
	night := Quiet{From: 20 * time.Hour, To: 9 * time.Hour}
	haggles := func(s *shop) { // at 22 h on the day before
		passes(22 * time.Hour)
		s.told("ada")
		s.says("ada", "would you take 15?")
		s.hearsOnly("ada", "not quite enough")
	}
	bubble(t, opening{quiet: night, poll: time.Minute}, func(t *testing.T, s *shop) {
		haggles(s)
		passes(24*time.Hour + time.Minute) // the reminder falls due at night
		s.hearsOnly("ada")
		s.reprice("mug", 1500)
		rests()
		s.hearsOnly("ada", "now costs €15.00") // asked for, so at once
		passes(11 * time.Hour)
		s.hearsOnly("ada", "My offer still stands")
	})
	bubble(t, opening{quiet: night, poll: time.Minute}, func(t *testing.T, s *shop) {
		haggles(s)
		passes(24*time.Hour + time.Minute)
		s.hearsOnly("ada")
		s.says("ada", "no")
		s.hearsOnly("ada", "nothing is ordered")
		passes(12 * time.Hour)
		s.hearsOnly("ada")
	})
}

func TestWhatWasSentIsNotedOnceTheDatabaseAnswersAgain(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.net.failing(func(adapters.Part) error {
			_, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE UPDATE ON parts WHEN new.state = 'sent' BEGIN SELECT RAISE(ABORT, 'ill'); END`)
			return err
		})
		e := s.event("ada", conversation.Text)
		e.Text = "hello"
		if err := s.gives(e); err != nil {
			t.Fatal(err)
		}
		rests()
		s.net.failing(nil)
		if got := s.last("ada").State; got != "sending" {
			t.Fatalf("the message is %s, want sending", got)
		}
		if _, err := s.store.DB().Exec(`DROP TRIGGER ill`); err != nil {
			t.Fatal(err)
		}
		passes(2 * time.Second)
		if got := s.last("ada").State; got != "sent" {
			t.Errorf("the message is %s, want sent", got)
		}
		if n := len(s.net.tries()); n != 1 {
			t.Errorf("it was sent %d times, want once", n)
		}
	})
}

func TestAnAlertInRetryIsNotSentAfterStop(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		rests()
		s.hears("ada")
		release := make(chan struct{})
		s.net.failing(nil)
		slow := s.net
		slow.failing(func(p adapters.Part) error {
			if strings.Contains(p.Text, "now costs") {
				slow.mu.Unlock()
				<-release
				slow.mu.Lock()
				return refused(adapters.Temporary)
			}
			return nil
		})
		s.reprice("mug", 1700)
		rests() // the alert is under way
		s.says("ada", "STOP")
		close(release)
		passes(time.Hour)
		s.hearsOnly("ada", "will not write to you here any more")
	})
}

func TestTheHouseClosesWhileANetworkHangs(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		var began, ended time.Time
		hangs := hanging{s.net}
		s.house.roster.Load().accounts["chat"].Messenger = hangs
		s.says("ada", "hello")
		began = time.Now()
		s.stop()
		ended = time.Now()
		if took := ended.Sub(began); took > 5*time.Second {
			t.Errorf("closing took %s", took)
		}
	})
}

// hanging is a network that never answers.
type hanging struct{ *network }

func (hanging) Send(ctx context.Context, _ adapters.Part) (adapters.Sent, error) {
	<-ctx.Done()
	return adapters.Sent{}, ctx.Err()
}

func TestKeysOfPartsDiffer(t *testing.T) {
	var keys []string
	for i := range 30 {
		key := partKey(store.Part{MessageID: "msg_1", Position: i})
		if slices.Contains(keys, key) {
			t.Fatalf("part %d has the key %s of another", i, key)
		}
		keys = append(keys, key)
	}
}
