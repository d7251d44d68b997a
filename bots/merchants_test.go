package bots

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// two are two merchants in one house, each with an account.
type two struct {
	*shop
	second *shop
}

func (s *two) other() *shop { return s.second }

func openTwo(t *testing.T, db *store.Store) *two {
	t.Helper()
	first := &shop{t: t, store: db, net: newNetwork(chatty), till: newTill(), sinks: "chat"}
	second := &shop{t: t, store: db, net: newNetwork(chatty), till: newTill(), sinks: "talk"}
	first.do(func(ctx context.Context, tx *store.Tx) (err error) {
		if first.merchant, err = tx.SetMerchant(ctx, "demo", "Demo"); err != nil {
			return err
		}
		second.merchant, err = tx.SetMerchant(ctx, "rival", "Rival")
		return err
	})
	set := builtInFlows(t)
	merchant := func(s *shop, name, title string) Merchant {
		return Merchant{ID: s.merchant, Name: name, Title: title, Policy: commerce.Policy{Currency: "EUR"}, Flows: set, Payment: s.till,
			Accounts: []Account{{Name: s.sinks, Channel: "webchat", Messenger: s.net, MayWriteFirst: true}}}
	}
	house, err := New(Options{
		Store: db, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "https://shop.example" }, Poll: time.Hour,
		Merchants: []Merchant{merchant(first, "demo", "Demo"), merchant(second, "rival", "Rival")},
	})
	if err != nil {
		t.Fatal(err)
	}
	first.house, second.house = house, house
	first.run()
	second.stop = first.stop
	rests()
	return &two{first, second}
}

func TestOneMerchantNeverSeesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTwo(t, storetest.SQLite(t))
		rival := s.other()
		alert := s.told("ada")
		rival.says("ada", "hello") // the same person on the other's account is another contact
		rival.hearsOnly("ada", "I am the bot of Rival")
		s.hearsOnly("ada")

		rival.presses("ada", alert, "Buy now")
		if len(s.orders())+len(rival.orders()) != 0 {
			t.Error("a button of one shop was pressed in the other's chat")
		}
		conv := s.thread("ada").ID
		for what, err := range map[string]error{
			"say":    second(rival.house.Say(t.Context(), rival.merchant, conv, "stf_r", "Hi")),
			"take":   rival.house.TakeOver(t.Context(), rival.merchant, conv, "stf_r"),
			"return": rival.house.Return(t.Context(), rival.merchant, conv, "stf_r"),
			"watch":  second(rival.house.Subscribe(t.Context(), Subscription{Merchant: rival.merchant, SKU: "mug", Event: commerce.BackInStock, Account: "talk", Address: "ada", Proven: true, Consent: consent})),
		} {
			if !errors.Is(err, commerce.ErrNotFound) {
				t.Errorf("%s: got %v, want not found", what, err)
			}
		}
		var refusal *commerce.Invalid
		sub := rival.subscribes("ada", "17.50")
		sub.Account = "chat"
		if _, err := rival.house.Subscribe(t.Context(), sub); !errors.As(err, &refusal) || refusal.Field != "channel" {
			t.Errorf("the other's account was taken: %v", err)
		}
		if th := s.thread("ada"); th.Owner != store.Bot || th.Merchant != s.merchant {
			t.Errorf("the conversation is %+v", th)
		}
		if s.thread("ada").Contact.ID == rival.thread("ada").Contact.ID {
			t.Error("both shops have one contact")
		}
		s.presses("ada", alert, "Buy now")
		order := s.orders()[0]
		if _, err := rival.house.CancelOrder(t.Context(), rival.merchant, string(order.ID), "stf_r"); !errors.Is(err, commerce.ErrNotFound) {
			t.Errorf("the other shop's order was cancelled: %v", err)
		}
		if _, err := rival.house.MarkPaid(t.Context(), rival.merchant, string(order.ID), "stf_r", "seen"); !errors.Is(err, commerce.ErrNotFound) {
			t.Errorf("the other shop's order was marked paid: %v", err)
		}
		if len(rival.till.asked()) != 0 || len(s.till.asked()) != 1 {
			t.Errorf("charged %d times by the other, %d by the shop itself; want 0 and 1", len(rival.till.asked()), len(s.till.asked()))
		}
	})
}

// second is the error of a call that gives a value as well.
func second[T any](_ T, err error) error { return err }

func TestAnEventOfAnAccountThatIsNotInTheConfigIsNotConfirmed(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		err := s.house.Sink("nobody")(t.Context(), []conversation.Event{s.event("ada", conversation.Text)})
		if err == nil {
			t.Error("it was confirmed")
		}
	})
}
