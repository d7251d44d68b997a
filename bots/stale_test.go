package bots

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// screen is a network on which messages can be changed and typing is shown.
type screen struct {
	*network

	mu     sync.Mutex
	edits  []change
	refuse func(adapters.Part) error
	typed  []string // chats
	hang   bool     // Typing never comes back by itself
}

type change struct {
	id   string
	part adapters.Part
}

func (s *screen) Edit(_ context.Context, id string, p adapters.Part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edits = append(s.edits, change{id, p})
	if s.refuse != nil {
		return s.refuse(p)
	}
	return nil
}

func (s *screen) Typing(ctx context.Context, chat string) error {
	s.mu.Lock()
	s.typed = append(s.typed, chat)
	hang := s.hang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (s *screen) changes() []change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.edits)
}

func (s *screen) typings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.typed)
}

// screenBubble runs a test on a shop whose network changes messages.
func screenBubble(t *testing.T, test func(*testing.T, *shop, *screen)) {
	t.Helper()
	limits := chatty
	limits.Edits, limits.Typing = true, true
	var sc *screen
	o := opening{limits: limits, wrap: func(n *network) adapters.Messenger {
		sc = &screen{network: n}
		return sc
	}}
	bubble(t, o, func(t *testing.T, s *shop) { test(t, s, sc) })
}

// wantEnded fails unless one message was changed: that of the alert, to which a line was added and whose buttons are gone.
func (s *screen) wantEnded(t *testing.T, id string, alert adapters.Part, line string) {
	t.Helper()
	changes := s.changes()
	if len(changes) != 1 {
		t.Fatalf("got %d changes, want one", len(changes))
	}
	c := changes[0]
	if c.id != id || c.part.Chat != alert.Chat || len(c.part.Choices) != 0 || c.part.Text != alert.Text+"\n\n"+line {
		t.Errorf("got %q changed to %q with %d buttons, want %s with %q and none", c.id, c.part.Text, len(c.part.Choices), id, line)
	}
}

func TestButtonsOfANotificationGoWhenItNoLongerHolds(t *testing.T) {
	tests := []struct {
		name, line string
		happens    func(*testing.T, *shop, adapters.Part)
	}{
		{"the price rose", "The price has changed: it is €20.00 now.", func(_ *testing.T, s *shop, _ adapters.Part) { s.reprice("mug", 2000) }},
		{"it was sold to others", "This has sold out meanwhile.", func(t *testing.T, s *shop, _ adapters.Part) {
			none := 0
			if _, err := s.house.PutProduct(t.Context(), s.merchant, commerce.ProductChange{SKU: "mug", Stock: &none}); err != nil {
				t.Fatal(err)
			}
		}},
		{"the quote ran out", "This offer has run out.", func(*testing.T, *shop, adapters.Part) { passes(25 * time.Hour) }},
		{"they no longer watch it", "You are no longer watching this.", func(t *testing.T, s *shop, _ adapters.Part) {
			var watches []commerce.Watch
			ada := s.thread("ada").ContactKey
			s.do(func(ctx context.Context, tx *store.Tx) (err error) {
				watches, err = tx.WatchesOf(ctx, s.merchant, ada)
				return err
			})
			if err := s.house.CancelWatch(t.Context(), s.merchant, string(watches[0].ID)); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
				alert := s.told("ada")
				if got := sc.changes(); len(got) != 0 {
					t.Fatalf("got %v, want nothing changed while it holds", got)
				}
				tt.happens(t, s, alert)
				rests()
				sc.wantEnded(t, "net2", alert, tt.line)
				passes(3 * time.Hour) // it is told once
				sc.wantEnded(t, "net2", alert, tt.line)

				lines := s.transcript("ada")
				i := slices.IndexFunc(lines, func(m store.Message) bool { return m.Class == conversation.Notification })
				if m := lines[i]; !m.Closed || !strings.HasSuffix(m.Text, tt.line) || len(m.Choices) != 3 {
					t.Errorf("got %+v, want the line in the transcript, and its choices kept", m)
				}
			})
		})
	}
}

func TestTheButtonOfWhatWasBoughtStaysAndShowsTheReceiptAgain(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		alert := s.told("ada")
		s.presses("ada", alert, "Buy now")
		rests()
		s.reprice("mug", 2000)
		passes(25 * time.Hour)
		if got := sc.changes(); len(got) != 0 {
			t.Errorf("got %v, want the notification left as it is", got)
		}
	})
}

func TestEveryStandingNotificationIsChangedInItsReadersLanguage(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		s.stock("mug", 10)
		const people = 100 // more than may wait to be changed at once
		for i := range people {
			sub := s.subscribes(fmt.Sprint("v", i), "17.50")
			if i%2 == 1 {
				sub.Language = "de"
			}
			s.subscribe(sub)
		}
		s.reprice("mug", 1700)
		rests()
		s.reprice("mug", 2000)
		for range people/openEdits + 1 {
			passes(s.poll + time.Minute)
		}
		seen := map[string]string{}
		for _, c := range sc.changes() {
			seen[c.part.Chat] += c.part.Text
		}
		for i := range people {
			want := "The price has changed: it is €20.00 now."
			if i%2 == 1 {
				want = "Der Preis hat sich geändert: Jetzt sind es 20,00\u00a0€."
			}
			if got := seen[fmt.Sprint("v", i)]; strings.Count(got, want) != 1 {
				t.Errorf("v%d reads %q, want %q once", i, got, want)
			}
		}
	})
}

func TestAnOfferThatHoldsAgainBeforeAnybodyLookedKeepsItsButtons(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		s.told("ada")
		s.do(func(ctx context.Context, tx *store.Tx) error { // the rise and the fall are there before the clock is woken
			for _, cents := range []int64{2000, 1700} {
				price := eur(cents)
				if _, _, err := commerce.PutProduct(ctx, tx, s.merchant, commerce.ProductChange{SKU: "mug", Price: &price}, commerce.Policy{Currency: "EUR"}, tx.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		passes(2 * time.Hour)
		if got := sc.changes(); len(got) != 0 {
			t.Errorf("got %v, want nothing changed", got)
		}
	})
}

func TestANotificationStandsWhileItsOrderIsBeingPaid(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		alert := s.told("ada")
		decided := make(chan payment.Result)
		s.till.answer = func(payment.Charge) (payment.Result, error) { return <-decided, nil }
		s.presses("ada", alert, "Buy now")
		passes(5 * time.Second)
		if got := sc.changes(); len(got) != 0 {
			t.Errorf("got %v, want nothing changed while it is being paid", got)
		}
		decided <- payment.Result{State: payment.Declined}
		rests()
		sc.wantEnded(t, "net2", alert, "This offer is used up.")
	})
}

func TestNobodyWhoSaidStopSeesAMessageChange(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		s.told("ada")
		s.says("ada", "STOP")
		s.reprice("mug", 2000)
		passes(2 * time.Hour)
		if got := sc.changes(); len(got) != 0 {
			t.Errorf("got %v, want nothing changed", got)
		}
	})
}

func TestAStaleButtonIsStillAnsweredAfterItsMessageWasChanged(t *testing.T) {
	screenBubble(t, func(_ *testing.T, s *shop, _ *screen) {
		alert := s.told("ada")
		s.reprice("mug", 2000)
		rests()
		s.presses("ada", alert, "Buy now") // on a phone that was away
		s.hearsOnly("ada", "20.00 in all")
	})
}

func TestAMessageThatCannotBeChangedIsGivenUpAndAFailureIsTriedAgain(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		alert := s.told("ada")
		sc.refuse = func(adapters.Part) error {
			if len(sc.edits) == 1 {
				return refused(adapters.Unknown) // the line was cut: it may be repeated
			}
			return refused(adapters.Rejected)
		}
		s.reprice("mug", 2000)
		passes(2 * time.Hour)
		if got := len(sc.changes()); got != 2 {
			t.Errorf("got %d tries, want 2: once more after the cut, not after the refusal", got)
		}
		s.says("ada", "help")
		if got := s.hears("ada"); len(got) != 1 {
			t.Errorf("got %q, want the answer, and no other words about %q", texts(got), alert.Text)
		}
	})
}

func TestANetworkThatCannotChangeMessagesIsLeftAlone(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.reprice("mug", 2000)
		passes(2 * time.Hour)
		if got := s.hears("ada"); len(got) != 0 {
			t.Errorf("got %q, want silence", texts(got))
		}
		if got := s.count(`SELECT COUNT(*) FROM notices`) + s.count(`SELECT COUNT(*) FROM parts WHERE edit = 1`); got != 0 {
			t.Errorf("got %d rows, want none", got)
		}
	})
}

func TestNotificationsAreChangedOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		limits := chatty
		limits.Edits = true
		var sc *screen
		s := openShop(t, open(t), opening{limits: limits, poll: 20 * time.Millisecond, wrap: func(n *network) adapters.Messenger {
			sc = &screen{network: n}
			return sc
		}})
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		s.reprice("mug", 1700)
		for len(s.net.all("ada")) < 2 {
			<-s.net.arrived
		}
		s.reprice("mug", 2000)
		for deadline := time.Now().Add(20 * time.Second); len(sc.changes()) == 0; {
			if time.Now().After(deadline) {
				t.Fatal("nothing was changed")
			}
			time.Sleep(10 * time.Millisecond)
		}
		sc.wantEnded(t, "net2", s.net.all("ada")[1], "The price has changed: it is €20.00 now.")
	})
}
