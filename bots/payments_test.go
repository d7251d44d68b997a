package bots

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/commerce"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

func (s *shop) oneOrder(state commerce.OrderState) commerce.Order {
	s.t.Helper()
	orders := s.orders()
	if len(orders) != 1 || orders[0].State != state {
		s.t.Fatalf("orders %+v, want one that is %s", orders, state)
	}
	return orders[0]
}

func TestAProviderThatFailsIsAskedAgainWithTheSameKeyAndTheMoneyIsTakenOnce(t *testing.T) {
	till := newTill()
	bubble(t, opening{till: till, poll: time.Second}, func(t *testing.T, s *shop) {
		alert := s.told("ada")
		left := 3
		till.answer = func(c payment.Charge) (payment.Result, error) {
			if left--; left >= 0 {
				return payment.Result{}, errors.New("503")
			}
			return payment.Result{State: payment.Paid, Reference: "R1"}, nil
		}
		s.presses("ada", alert, "Buy now")
		s.presses("ada", alert, "Buy now") // impatient
		s.hearsOnly("ada")
		passes(time.Minute)
		s.hearsOnly("ada", "Thank you!")
		order := s.oneOrder(commerce.Paid)
		asked := till.asked()
		for _, key := range asked {
			if key != string(order.ID)+":charge" {
				t.Errorf("asked with key %q", key)
			}
		}
		if len(asked) != 4 || len(till.charged) != 1 {
			t.Errorf("asked %d times and charged %d, want 4 and 1", len(asked), len(till.charged))
		}
		if p := s.product("mug"); p.OnHand != 9 || p.Held != 0 {
			t.Errorf("%d on hand and %d held, want 9 and 0", p.OnHand, p.Held)
		}
	})
}

func TestADeclineReachesTheChatAndNothingIsOrdered(t *testing.T) {
	till := newTill()
	till.answer = func(payment.Charge) (payment.Result, error) {
		return payment.Result{State: payment.Declined, Cause: "card_declined"}, nil
	}
	bubble(t, opening{till: till}, func(t *testing.T, s *shop) {
		s.presses("ada", s.told("ada"), "Buy now")
		failed := s.hearsOnly("ada", "did not go through")[0]
		s.oneOrder(commerce.Declined)
		if p := s.product("mug"); p.Available() != 10 {
			t.Errorf("%d are available, want 10", p.Available())
		}
		till.answer = nil
		s.presses("ada", failed, "Try again")
		confirm := s.hearsOnly("ada", "1 × Harbour mug")[0]
		s.presses("ada", confirm, "Buy now")
		s.hearsOnly("ada", "Thank you!")
		if n := len(s.orders()); n != 2 {
			t.Errorf("%d orders, want the declined and the paid one", n)
		}
	})
}

// A crash between the charge and its settling is played by a store whose writes of the outcome fail until the restart.
func TestACrashBetweenChargeAndSettlingChargesAndPaysOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		till := newTill()
		before := openShop(t, db, opening{till: till})
		alert := before.told("ada")
		till.after = func() {
			if _, err := db.DB().Exec(`CREATE TRIGGER crash BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'crash'); END`); err != nil {
				t.Error(err)
			}
			till.after = nil
		}
		before.presses("ada", alert, "Buy now")
		before.hearsOnly("ada")
		before.oneOrder(commerce.AwaitingPayment)
		before.stop()
		if _, err := db.DB().Exec(`DROP TRIGGER crash`); err != nil {
			t.Fatal(err)
		}

		after := openShop(t, db, opening{till: till, messenger: before.net, poll: time.Second})
		passes(2 * time.Minute)
		after.hearsOnly("ada", "Thank you!")
		order := after.oneOrder(commerce.Paid)
		if asked := till.asked(); len(till.charged) != 1 || len(asked) != 2 || asked[0] != asked[1] {
			t.Errorf("asked by %q and charged %d times, want the same key twice and once", asked, len(till.charged))
		}
		if n := after.count(`SELECT COUNT(*) FROM payments WHERE order_key = $1 AND kind = 'paid'`, order.Key); n != 1 {
			t.Errorf("the ledger says paid %d times", n)
		}
	})
}

func TestMoneyIsWrittenDownAlsoWhereTheChatCannotBeTold(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		alert := s.told("ada")
		if _, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON messages WHEN new.text LIKE 'Thank you%' BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		s.presses("ada", alert, "Buy now")
		s.oneOrder(commerce.Paid)
		if n := len(s.till.asked()); n != 1 {
			t.Errorf("charged %d times, want once", n)
		}
	})
}

func TestASlowProviderHoldsUpNeitherAlertsNorOtherShoppers(t *testing.T) {
	till := newTill()
	bubble(t, opening{till: till}, func(t *testing.T, s *shop) {
		release := make(chan struct{})
		first := true
		var mu sync.Mutex
		till.answer = func(payment.Charge) (payment.Result, error) {
			mu.Lock()
			slow := first
			first = false
			mu.Unlock()
			if slow {
				<-release
			}
			return payment.Result{State: payment.Paid}, nil
		}
		s.presses("ada", s.told("ada"), "Buy now")
		s.hearsOnly("ada")
		s.told("bob")
		close(release)
		rests()
		heard := texts(s.hears("ada"))
		if !strings.Contains(strings.Join(heard, "\n"), "Thank you!") {
			t.Errorf("ada heard %q, want the receipt", heard)
		}
	})
}

// link is the buy link in a text.
func link(t *testing.T, text string) string {
	t.Helper()
	_, token, ok := strings.Cut(text, "https://shop.example/b/")
	if !ok {
		t.Fatalf("no link in %q", text)
	}
	token, _, _ = strings.Cut(token, " ")
	return strings.TrimSpace(token)
}

func TestAPurchaseByLinkPutsTheReceiptIntoTheChatOnce(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		alert := s.told("ada")
		token := link(t, alert.Text)
		offer, err := s.house.LinkOffer(t.Context(), token)
		if err != nil || !offer.Open || offer.Quote.Total != eur(1700) {
			t.Fatalf("the link offers %+v, %v", offer, err)
		}
		for range 2 {
			o, _, err := s.house.BuyByLink(t.Context(), token)
			if err != nil || o.Name != "paid" {
				t.Fatalf("got %q, %v, want paid", o.Name, err)
			}
		}
		rests()
		s.hearsOnly("ada", "Thank you!")
		s.presses("ada", alert, "Buy now")
		s.oneOrder(commerce.Paid)
		if n := len(s.till.asked()); n != 1 {
			t.Errorf("charged %d times, want once", n)
		}
		if p := s.product("mug"); p.OnHand != 9 || p.Held != 0 {
			t.Errorf("%d on hand and %d held, want 9 and 0", p.OnHand, p.Held)
		}
		if offer, err = s.house.LinkOffer(t.Context(), token); err != nil || offer.Open || offer.Outcome != "paid" {
			t.Errorf("the bought link offers %+v, %v", offer, err)
		}
		for _, forged := range []string{"", "x", token[1:], token + "x", strings.ToUpper(token)} {
			if _, _, err := s.house.BuyByLink(t.Context(), forged); !errors.Is(err, commerce.ErrNotFound) {
				t.Errorf("the forged token %q got %v, want not found", forged, err)
			}
		}
	})
}

func TestAnExpiredLinkSellsNothing(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		token := link(t, s.told("ada").Text)
		passes(25 * time.Hour)
		o, _, err := s.house.BuyByLink(t.Context(), token)
		if err != nil || o.Name != "quote_expired" || len(s.orders()) != 0 {
			t.Errorf("got %q, %v and %d orders", o.Name, err, len(s.orders()))
		}
	})
}

func TestButtonAndLinkPressedManyTimesAtOnceAreOneOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		s := openShop(t, open(t), opening{poll: 20 * time.Millisecond})
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		s.reprice("mug", 1700)
		deadline := time.After(20 * time.Second)
		for len(s.net.all("ada")) < 2 {
			select {
			case <-s.net.arrived:
			case <-deadline:
				t.Fatal("no alert")
			}
		}
		alert := s.net.all("ada")[1]
		token, value := link(t, alert.Text), s.value(alert, "Buy now")
		var wg sync.WaitGroup
		for i := range 12 {
			e := s.event("ada", conversation.Choice)
			e.Value = value
			wg.Go(func() {
				var err error
				if i%2 == 0 {
					err = s.gives(e)
				} else {
					_, _, err = s.house.BuyByLink(context.Background(), token)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s.stop()
		s.oneOrder(commerce.Paid)
		if p := s.product("mug"); len(s.till.charged) != 1 || p.OnHand != 9 || p.Held != 0 {
			t.Errorf("charged %d times, %d on hand, %d held; want 1, 9, 0", len(s.till.charged), p.OnHand, p.Held)
		}
	})
}

func TestMoneyThatAPersonConfirmsBringsTheReceiptOnce(t *testing.T) {
	till := newTill()
	till.info = payment.Info{Name: "manual"}
	bubble(t, opening{till: till}, func(t *testing.T, s *shop) {
		s.presses("ada", s.told("ada"), "Buy now")
		s.hearsOnly("ada", "transfer €17.00")
		order := s.oneOrder(commerce.AwaitingPayment)
		for range 2 {
			if _, err := s.house.MarkPaid(t.Context(), s.merchant, string(order.ID), "stf_1", "seen on the account"); err != nil {
				t.Fatal(err)
			}
		}
		rests()
		s.hearsOnly("ada", "Thank you!")
		s.oneOrder(commerce.Paid)
	})
}

func TestACancelledOrderIsToldAndItsMoneyGoesBackOnce(t *testing.T) {
	till := newTill()
	bubble(t, opening{till: till, poll: time.Second}, func(t *testing.T, s *shop) {
		s.presses("ada", s.told("ada"), "Buy now")
		s.hearsOnly("ada", "Thank you!")
		order := s.oneOrder(commerce.Paid)
		var keys []string
		till.refund = func(r payment.Refund) (payment.Result, error) {
			if keys = append(keys, r.Key); len(keys) == 1 {
				return payment.Result{}, errors.New("503")
			}
			return payment.Result{State: payment.Paid}, nil
		}
		for range 2 {
			if _, err := s.house.CancelOrder(t.Context(), s.merchant, string(order.ID), "stf_1"); err != nil {
				t.Fatal(err)
			}
		}
		passes(time.Minute)
		s.hearsOnly("ada", "The shop has cancelled your order")
		if len(keys) != 2 || keys[0] != keys[1] {
			t.Errorf("refunded by keys %q, want one key twice", keys)
		}
		if n := s.count(`SELECT COUNT(*) FROM payments WHERE kind = 'refunded'`); n != 1 {
			t.Errorf("the ledger says refunded %d times", n)
		}
	})
}
