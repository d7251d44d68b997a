package bots

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/store"
	"parley/store/storetest"
)

// crowded adds people on the account "chat" who watch the mug at €18.
func (s *shop) crowded(people int) {
	s.t.Helper()
	crowd := storetest.NewShop(s.t, s.store)
	crowd.Crowd("mug", people, 1800)
}

// toldPrice is how often each chat was told of the new price.
func (s *shop) toldPrice() map[string]int {
	told := map[string]int{}
	for _, p := range s.net.all("") {
		if strings.Contains(p.Text, "now costs") {
			told[p.Chat]++
		}
	}
	return told
}

// heardOnce fails unless n chats were told of the price, each once.
func (s *shop) heardOnce(n int) {
	s.t.Helper()
	told := s.toldPrice()
	for chat, times := range told {
		if times != 1 {
			s.t.Errorf("%s was told %d times", chat, times)
		}
	}
	if len(told) != n {
		s.t.Errorf("%d chats were told, want %d", len(told), n)
	}
}

func TestAFanoutPutsNoMoreOnTheWayThanItsOutboxHasRoomFor(t *testing.T) {
	bubble(t, opening{poll: time.Minute}, func(t *testing.T, s *shop) {
		const people = 1500
		n := s.getsStuck(func(p adapters.Part) bool { return true })
		s.stock("mug", 10)
		s.crowded(people)
		s.reprice("mug", 1700)
		rests()
		waiting := s.count(`SELECT count(*) FROM parts WHERE state IN ('queued', 'sending')`)
		if most := campaignWindow + 2*claimedAtOnce; waiting < campaignWindow || waiting > most {
			t.Errorf("%d alerts wait, want %d to %d", waiting, campaignWindow, most)
		}
		if left := s.count(`SELECT count(*) FROM deliveries`); left != people-waiting {
			t.Errorf("%d deliveries and %d alerts wait, want %d together", left, waiting, people)
		}
		close(n.free)
		rests() // without the poll: the outbox has the fan-out go on
		s.heardOnce(people)
		if n := s.count(`SELECT count(*) FROM occurrences WHERE state <> 'done'`); n != 0 {
			t.Errorf("%d occurrences have not ended", n)
		}
	})
}

func TestAnOutboxTakesAlertsAheadOnlyWhileNoneWaitsBeforeThem(t *testing.T) {
	now := time.Now()
	var done chan struct{}
	opened := func(pace adapters.Pace) *outbox {
		o := newOutbox(pace)
		done = make(chan struct{})
		o.start(sender{
			send:    func(p store.Part) result { <-done; return result{part: p, state: store.Sent} },
			give:    func(store.Part) {},
			counted: func(chat string) (string, bool) { return chat, false },
		})
		return o
	}
	o := opened(adapters.Pace{})
	for n := range campaignAhead {
		if !o.acceptsAhead(0, now) {
			t.Fatalf("no more than %d may wait for a sender, want %d", n, campaignAhead)
		}
		o.take(store.Part{Key: int64(n + 1), Lane: store.Campaigns}, now)
	}
	if o.acceptsAhead(0, now) {
		t.Errorf("more than %d may wait for a sender", campaignAhead)
	}
	close(done)
	o.sending.Wait()
	if !o.acceptsAhead(campaignAhead-1, now) || o.acceptsAhead(campaignAhead, now) {
		t.Error("those that a commit hands over do not count as those that wait")
	}
	o.campaigns.Add(1)
	if o.acceptsAhead(0, now) {
		t.Error("one may pass by what waits in the table")
	}
	o.shut()
	o = opened(adapters.Pace{Account: adapters.Rate{Count: 4, Per: time.Second, Burst: 4}})
	defer close(done)
	handed := 0
	for o.acceptsAhead(handed, now) {
		handed++
	}
	if handed != 3 { // three quarters of what the network allows
		t.Errorf("%d may be handed over at once, want 3", handed)
	}
	o.shut()
	if o.acceptsAhead(0, now) {
		t.Error("an outbox that is shut takes alerts")
	}
}

func TestAnAlertKnowsWhetherTheNetworksWindowIsClosed(t *testing.T) {
	limits := chatty
	limits.Window = 24 * time.Hour
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		closed := map[string]bool{}
		s.net.failing(func(p adapters.Part) error {
			if strings.Contains(p.Text, "now costs") {
				closed[p.Chat] = p.WindowClosed
			}
			return nil
		})
		s.stock("mug", 10)
		s.says("ada", "help")
		s.subscribe(s.subscribes("ada", "17.50"))
		s.subscribe(s.subscribes("bob", "17.50"))
		s.reprice("mug", 1700)
		rests()
		if want := map[string]bool{"ada": false, "bob": true}; !maps.Equal(closed, want) {
			t.Errorf("the window is closed: %v, want %v", closed, want)
		}
	})
}

func TestAnAccountThatIsStuckHoldsUpNoFanoutOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		s := openShop(t, db, opening{closed: true})
		talk := newNetwork(chatty)
		var err error
		s.house, err = New(Options{
			Store: db, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "https://shop.example" }, Poll: time.Hour,
			Merchants: []Merchant{{ID: s.merchant, Name: "demo", Title: "Demo", Policy: commerce.Policy{Currency: "EUR"}, Flows: builtInFlows(t), Payment: s.till,
				Accounts: []Account{{Name: "chat", Channel: "webchat", Messenger: s.net, MayWriteFirst: true},
					{Name: "talk", Channel: "webchat", Messenger: talk, MayWriteFirst: true}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.run()
		s.net.failing(func(adapters.Part) error { return refused(adapters.Broken) })
		s.stock("mug", 10)
		s.crowded(2 * campaignWindow) // they watched first
		for _, who := range []string{"ada", "bob"} {
			sub := s.subscribes(who, "17.50")
			sub.Account = "talk"
			s.subscribe(sub)
		}
		s.reprice("mug", 1700)
		rests()
		for _, who := range []string{"ada", "bob"} {
			if parts := talk.all(who); len(parts) != 2 || !strings.Contains(parts[1].Text, "now costs") {
				t.Errorf("%s heard %q, want a welcome and the alert", who, texts(parts))
			}
		}
	})
}

func TestARestartInTheMiddleOfAFanoutTellsEverybodyOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		const people = 900
		s := openShop(t, open(t), opening{poll: 20 * time.Millisecond})
		s.stock("mug", 10)
		s.crowded(people)
		s.reprice("mug", 1700)
		for _, until := range []int{1, 100, 300, 600} { // the first stop comes while it is spread, or soon after
			for len(s.net.all("")) < until {
				<-s.net.arrived
			}
			s.stop()
			s = openShop(t, s.store, opening{poll: 20 * time.Millisecond, messenger: s.net})
		}
		for len(s.net.all("")) < people {
			<-s.net.arrived
		}
		s.stop()
		s.heardOnce(people)
		s.do(func(ctx context.Context, tx *store.Tx) error {
			all, err := tx.Fanouts(ctx, s.merchant, 0, 10)
			if err == nil && (len(all) != 1 || all[0].Sent != people || all[0].Waiting != 0) {
				t.Errorf("got %+v, want one of which %d were told", all, people)
			}
			return err
		})
	})
}
