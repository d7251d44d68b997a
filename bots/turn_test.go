package bots

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/store"
	"parley/store/storetest"
)

func TestAReplyLeavesAfterTheCommitAndInOrder(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.net.failing(func(p adapters.Part) error {
			if s.count(`SELECT COUNT(*) FROM messages WHERE text = $1`, p.Text) == 0 {
				t.Errorf("%q left before it was committed", p.Text)
			}
			return nil
		})
		var events []conversation.Event
		for _, text := range []string{"hello", "help", "thanks"} {
			e := s.event("ada", conversation.Text)
			e.Text = text
			events = append(events, e)
		}
		if err := s.house.Sink("chat")(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		rests()
		s.hearsOnly("ada", "Hello! I am the bot of Demo", "STOP ends all messages", "You are welcome!")
	})
}

func TestARepeatOfAnEventAddsNothing(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		e := s.event("ada", conversation.Text)
		e.Text = "hello"
		for range 3 {
			s.takes(e)
		}
		s.hearsOnly("ada", "Hello!")
		if lines := s.transcript("ada"); len(lines) != 2 {
			t.Errorf("the transcript has %d lines, want 2", len(lines))
		}
	})
}

func TestManyAtOnceEachGetTheirOwnAnswerOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := openShop(t, open(t), opening{})
		const people, words = 20, 3
		var wg sync.WaitGroup
		for i := range people {
			wg.Go(func() {
				for n := range words * 2 { // everything twice
					chat := fmt.Sprintf("p%d", i)
					e := conversation.Event{Kind: conversation.Text, Chat: chat, Sender: chat, ID: fmt.Sprint(n / 2), Text: "hello"}
					if err := s.gives(e); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		deadline := time.After(20 * time.Second)
		for len(s.net.all("")) < people*words {
			select {
			case <-s.net.arrived:
			case <-deadline:
				t.Fatalf("%d of %d answers arrived", len(s.net.all("")), people*words)
			}
		}
		s.stop()
		for i := range people {
			if got := s.net.all(fmt.Sprintf("p%d", i)); len(got) != words {
				t.Errorf("p%d heard %d answers, want %d", i, len(got), words)
			}
		}
	})
}

func TestAChoiceOfAnotherConversationIsNotTaken(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		alert := s.told("ada")
		for _, value := range []string{s.value(alert, "Buy now"), "msg_none:0", alert.Key + ":9", alert.Key + ":-1", "no value of ours"} {
			e := s.event("eve", conversation.Choice)
			e.Value = value
			s.takes(e)
		}
		if len(s.orders()) != 0 {
			t.Error("a forged choice placed an order")
		}
		s.presses("ada", alert, "Buy now")
		if orders := s.orders(); len(orders) != 1 || orders[0].State != commerce.Paid {
			t.Errorf("orders %+v, want one that is paid", orders)
		}
	})
}

// changedFlows are the built-in ones with another greeting and without the flow that a pressed alert goes to.
func changedFlows(t *testing.T) *flow.Set {
	t.Helper()
	files := builtInFlows(t).Files()
	folder := fstest.MapFS{}
	for name, b := range files {
		text := strings.ReplaceAll(string(b), "Thank you! ", "Cheers! ")
		text = strings.ReplaceAll(text, "now costs", "is down to")
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	set, problems := flow.Load(folder, ".")
	if flow.HasErrors(problems) {
		t.Fatal(problems[0])
	}
	return set
}

func TestAStaleButtonStillWorksAfterTheFlowsChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		before := openShop(t, db, opening{})
		alert := before.told("ada")
		before.stop()

		after := openShop(t, db, opening{flows: changedFlows(t), messenger: before.net})
		after.next = before.next
		rests()
		after.presses("ada", alert, "Buy now")
		after.hearsOnly("ada", "Thank you!") // as the flow that showed the button says it
		after.says("bob", "hello")
		after.subscribe(after.subscribes("ada", "15.00"))
		after.reprice("mug", 1500)
		rests()
		after.hearsOnly("ada", "as soon as", "is down to €15.00") // a new alert begins in the new flows
	})
}

func TestAConversationWhoseFlowsAreLostGoesOnInThePresentOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		before := openShop(t, db, opening{})
		alert := before.told("ada")
		before.stop()
		if _, err := db.DB().Exec(`DELETE FROM flow_sets`); err != nil {
			t.Fatal(err)
		}
		after := openShop(t, db, opening{flows: changedFlows(t), messenger: before.net})
		after.next = before.next
		rests()
		after.presses("ada", alert, "Buy now")
		after.hearsOnly("ada", "Cheers!")
	})
}

func TestANumberBuysWhereTheChannelHasNoButtons(t *testing.T) {
	bubble(t, opening{limits: adapters.Limits{Text: 160, Unit: adapters.GSM7}}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		s.reprice("mug", 1700)
		rests()
		heard := strings.Join(texts(s.hears("ada")), "\n")
		if !strings.Contains(heard, "1. Buy now, pay €17.00") {
			t.Fatalf("heard %q, want the choices as numbered lines", heard)
		}
		s.says("ada", "1")
		if orders := s.orders(); len(orders) != 1 || orders[0].State != commerce.Paid {
			t.Errorf("orders %+v, want one that is paid", orders)
		}
	})
}

func TestTheLanguageFollowsWhatTheContactAsksFor(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		e := s.event("ada", conversation.Text)
		e.Text, e.Language = "hello", "de-AT"
		s.takes(e)
		s.hearsOnly("ada", "Ich bin der Bot von Demo")
		s.says("ada", "English")
		s.hearsOnly("ada", "English from now on")
		s.says("ada", "hello")
		s.hearsOnly("ada", "I am the bot of Demo")
		if c := s.thread("ada").Contact; c.Language != "en" || c.LanguageSource != "text" {
			t.Errorf("the contact's language is %q by %q, want en by text", c.Language, c.LanguageSource)
		}
	})
}

func TestAnEndlessMessageIsKeptToItsFirst4096Runes(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.says("ada", strings.Repeat("ä", 4096))
		s.says("ada", strings.Repeat("ä", 1<<20))
		s.says("ada", "a\x00b\u202ec\r\nd")
		var kept []string
		for _, m := range s.transcript("ada") {
			if m.Author == store.FromContact {
				kept = append(kept, m.Text)
			}
		}
		if kept[0] != strings.Repeat("ä", 4096) || kept[1] != strings.Repeat("ä", 4095)+"…" || kept[2] != "abc\nd" {
			t.Errorf("kept %d and %d runes and %q", len([]rune(kept[0])), len([]rune(kept[1])), kept[2])
		}
		if len(s.hears("ada")) != 3 {
			t.Error("not every message was answered")
		}
	})
}

func TestIDsAndNamesOfANetworkCannotBreakTheDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := openShop(t, open(t), opening{})
		for _, kind := range []conversation.Kind{conversation.Text, conversation.Choice, conversation.Start, conversation.Receipt} {
			e := conversation.Event{Kind: kind, Chat: "a\x00da\xff", Sender: "a\x00da\xff", ID: string(kind) + "\x00\xff", Text: "\x00", Value: "msg\x00:1",
				Name: "read", SenderName: "Ada\x00\u202e\nLove" + strings.Repeat("lace", 100)}
			if err := s.gives(e); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		s.stop()
		if n := s.count(`SELECT COUNT(*) FROM parked`); n != 0 {
			t.Errorf("%d events were parked", n)
		}
		var name string
		if err := s.store.DB().Get(&name, `SELECT name FROM contacts`); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "Ada Lovelace") || len([]rune(name)) != longestName {
			t.Errorf("the name was kept as %q", name)
		}
	})
}

func TestReceiptsUpdateAMessageAndNeverGoBackwards(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.says("ada", "hello")
		s.says("bob", "hello")
		receipt := func(chat, id, name string) string {
			e := s.event(chat, conversation.Receipt)
			e.Value, e.Name = id, name
			s.takes(e)
			return s.last("ada").State
		}
		for _, step := range []struct{ chat, name, want string }{
			{"bob", "read", "sent"}, // nobody reports on the messages of others
			{"ada", "delivered", "delivered"},
			{"ada", "failed", "delivered"},
			{"ada", "read", "read"},
			{"ada", "delivered", "read"},
			{"ada", "failed", "read"},
		} {
			if got := receipt(step.chat, "net1", step.name); got != step.want {
				t.Errorf("after %q by %s the message is %s, want %s", step.name, step.chat, got, step.want)
			}
		}
		if got := s.last("bob").State; got != "sent" {
			t.Errorf("the other message is %s, want sent", got)
		}
	})
}

func TestABadTurnIsParkedAndCarriedOutLaterUnderItsOwnName(t *testing.T) {
	bubble(t, opening{poll: time.Minute}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.told("bob")
		s.hears("ada") // the price rose and fell again for bob
		if _, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON offers BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		s.says("ada", "would you take 15?")
		s.says("bob", "would you take 13?")
		if n := s.count(`SELECT COUNT(*) FROM parked WHERE done_ms = 0`); n != 2 {
			t.Fatalf("%d events are parked, want 2", n)
		}
		if _, err := s.store.DB().Exec(`DROP TRIGGER ill`); err != nil {
			t.Fatal(err)
		}
		passes(3 * time.Minute)
		s.hearsOnly("ada", "€15.00 is not quite enough")
		s.hearsOnly("bob", "cannot go for €13.00")
		if n := s.count(`SELECT COUNT(*) FROM parked WHERE done_ms = 0`); n != 0 {
			t.Errorf("%d events are still parked", n)
		}
	})
}

func TestWhoComesAfterTheEndIsToldSo(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.stop()
		if err := s.gives(s.event("ada", conversation.Text)); err == nil {
			t.Error("an event was confirmed though nobody stored it")
		}
	})
}
