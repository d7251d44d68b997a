package bots

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

func (s *shop) staffSay(chat, who, text string) {
	s.t.Helper()
	if _, err := s.house.Say(s.t.Context(), s.merchant, s.thread(chat).ID, who, text); err != nil {
		s.t.Fatal(err)
	}
	rests()
}

func (s *shop) gaveBack(chat string) {
	s.t.Helper()
	if err := s.house.Return(s.t.Context(), s.merchant, s.thread(chat).ID, "stf_1"); err != nil {
		s.t.Fatal(err)
	}
	rests()
}

func TestAHandOffSilencesTheBotUntilItIsReturned(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.says("ada", "Does the mug survive a dishwasher?")
		s.hearsOnly("ada", "passing this on to a person")
		if th := s.thread("ada"); th.Owner != store.Waiting || th.Reason == "" || th.Waiting.IsZero() {
			t.Errorf("the conversation is %q for %q since %v", th.Owner, th.Reason, th.Waiting)
		}
		s.says("ada", "hello?")
		s.says("ada", "buy")
		plain := s.event("ada", conversation.Start)
		s.takes(plain) // the chat window opened again
		s.hearsOnly("ada")

		s.staffSay("ada", "stf_1", "  Yes, it does.\r\n")
		if got := s.hearsOnly("ada", "Yes, it does.")[0].From; got != "staff" {
			t.Errorf("it was said by %q, want staff", got)
		}
		s.says("ada", "thanks")
		s.hearsOnly("ada")
		if n := len(s.transcript("ada")); n < 8 {
			t.Errorf("the transcript has %d lines: staff could not read everything", n)
		}

		s.gaveBack("ada")
		s.gaveBack("ada")
		s.hearsOnly("ada", "It is me again, the bot of Demo")
		s.says("ada", "thanks")
		s.hearsOnly("ada", "You are welcome!")
		if n := s.count(`SELECT COUNT(*) FROM events WHERE kind = 'returned'`); n != 1 {
			t.Errorf("returned %d times, want once", n)
		}
	})
}

func TestOneOfManyStaffTakesAConversation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := openShop(t, open(t), opening{})
		e := s.event("ada", conversation.Text)
		e.Text = "hello"
		if err := s.gives(e); err != nil {
			t.Fatal(err)
		}
		id := s.thread("ada").ID
		var won, lost atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				switch err := s.house.TakeOver(context.Background(), s.merchant, id, "stf_"+string(rune('a'+i))); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, commerce.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 7 {
			t.Errorf("%d took it and %d were refused, want 1 and 7", won.Load(), lost.Load())
		}
		if err := s.house.TakeOver(t.Context(), s.merchant, id, s.thread("ada").Owner); err != nil {
			t.Errorf("who has it already was refused: %v", err)
		}
	})
}

func TestStopWorksWhileStaffHaveTheWord(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		s.staffSay("ada", "stf_1", "Hello")
		s.hears("ada")
		s.says("ada", "STOP")
		s.hearsOnly("ada", "will not write to you here any more")
		s.reprice("mug", 1700)
		rests()
		s.gaveBack("ada") // says nothing: they want to hear nothing
		s.hearsOnly("ada")
		_, err := s.house.Say(t.Context(), s.merchant, s.thread("ada").ID, "stf_1", "One more thing")
		if !errors.Is(err, commerce.ErrConflict) {
			t.Errorf("staff wrote to somebody who said stop: %v", err)
		}
		s.says("ada", "Where is my parcel?") // then they may be answered
		s.hears("ada")
		s.staffSay("ada", "stf_1", "On its way")
		s.hearsOnly("ada", "On its way")
		s.reprice("mug", 1900)
		s.reprice("mug", 1600)
		rests()
		s.hearsOnly("ada") // but the consent stays revoked
	})
}

func TestAnAlertArrivesAndItsButtonBuysWhileStaffHaveTheWord(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		s.staffSay("ada", "stf_1", "Hello")
		s.hears("ada")
		s.reprice("mug", 1700)
		rests()
		alert := s.hearsOnly("ada", "now costs €17.00")[0]
		s.says("ada", "buy")
		s.hearsOnly("ada") // words are for staff
		s.presses("ada", alert, "Buy now")
		s.hearsOnly("ada", "Thank you!")
		if orders := s.orders(); len(orders) != 1 || orders[0].State != commerce.Paid {
			t.Errorf("orders %+v, want one that is paid", orders)
		}
		if th := s.thread("ada"); th.Owner != "stf_1" {
			t.Errorf("%s has the word, want stf_1 still", th.Owner)
		}
	})
}

func TestStaffWhoWriteFromElsewhereTakeOver(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.says("ada", "hello")
		s.hears("ada")
		e := s.event("ada", conversation.Staff)
		e.Text = "Hi, it is Jo from the shop"
		s.takes(e)
		s.takes(e)
		s.says("ada", "hello Jo")
		s.hearsOnly("ada")
		th := s.thread("ada")
		if th.Owner != ElsewhereStaff {
			t.Errorf("%s has the word, want %s", th.Owner, ElsewhereStaff)
		}
		said := 0
		for _, m := range s.transcript("ada") {
			if m.Author == ElsewhereStaff {
				said++
			}
		}
		if said != 1 {
			t.Errorf("it stands in the transcript %d times, want once", said)
		}
	})
}

func TestWhatStaffSayMustBeSomethingAndNotTooMuch(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.says("ada", "hello")
		id := s.thread("ada").ID
		for name, text := range map[string]string{"nothing": " \n\x00 ", "too much": strings.Repeat("x", 4097)} {
			var refusal *commerce.Invalid
			if _, err := s.house.Say(t.Context(), s.merchant, id, "stf_1", text); !errors.As(err, &refusal) || refusal.Field != "text" {
				t.Errorf("%s: got %v, want the text refused", name, err)
			}
		}
		if th := s.thread("ada"); th.Owner != store.Bot {
			t.Errorf("%s has the word though nothing was said", th.Owner)
		}
		if _, err := s.house.Say(t.Context(), s.merchant, "cnv_none", "stf_1", "Hi"); !errors.Is(err, commerce.ErrNotFound) {
			t.Errorf("got %v for a conversation that is not there, want not found", err)
		}
	})
}

func TestAPersonAnswersAnOffer(t *testing.T) {
	ask := opening{policy: commerce.Policy{Offers: commerce.OffersAsk}}
	waiting := func(t *testing.T, s *shop) string {
		s.told("ada")
		s.says("ada", "would you take 15?")
		s.hearsOnly("ada", "put €15.00 for Harbour mug to the shop")
		var id string
		if err := s.store.DB().Get(&id, `SELECT id FROM offers`); err != nil {
			t.Fatal(err)
		}
		return id
	}
	bubble(t, ask, func(t *testing.T, s *shop) {
		id := waiting(t, s)
		if _, err := s.house.AcceptOffer(t.Context(), s.merchant, id, "stf_1"); err != nil {
			t.Fatal(err)
		}
		_, _ = s.house.AcceptOffer(t.Context(), s.merchant, id, "stf_1") // again: nothing more is said
		rests()
		deal := s.hearsOnly("ada", "Deal!")[0]
		s.presses("ada", deal, "Buy now, pay €15.00")
		s.hearsOnly("ada", "Thank you!")
	})
	bubble(t, ask, func(t *testing.T, s *shop) {
		id := waiting(t, s)
		s.says("ada", "STOP")
		s.hearsOnly("ada", "will not write")
		if _, err := s.house.DeclineOffer(t.Context(), s.merchant, id, "stf_1"); err != nil {
			t.Fatal(err)
		}
		rests()
		s.hearsOnly("ada") // the answer stands in the transcript, and is not sent
		if got := s.last("ada").State; got != "failed" {
			t.Errorf("the answer is %s, want failed", got)
		}
	})
}
