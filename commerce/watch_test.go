package commerce_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

func below(price string) map[string]string { return map[string]string{"threshold": price} }

// told is how many are told of a change that was made just now.
func told(shop *storetest.Shop, _ []commerce.Occurrence) int { return shop.Told() }

func TestPriceWatchFiresOnStateAndArmsAgainAfterFivePercent(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, address := shop.Shopper()
	shop.Watch(contact, address, "mug", commerce.PriceBelow, below("18.00 EUR"))
	for i, c := range []struct {
		cents int64
		told  int
		why   string
	}{
		{1801, 0, "above the wish"},
		{1800, 1, "at the wish"},
		{1750, 0, "told already"},
		{1790, 0, "a small rise"},
		{1880, 0, "a rise of less than 5 % over the wish"},
		{1790, 0, "not armed again"},
		{1890, 0, "a rise to 5 % over the wish arms again"},
		{1799, 1, "told again"},
		{1710, 0, "4.9 % lower than told"},
		{1700, 1, "5 % lower than told: a new low"},
		{1699, 0, "told already"},
	} {
		if got := told(shop, shop.Reprice("mug", c.cents)); got != c.told {
			t.Errorf("step %d, %d cents (%s): %d told, want %d", i, c.cents, c.why, got, c.told)
		}
	}
}

func TestStockWatchFiresOncePerReturn(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 0)
	contact, address := shop.Shopper()
	shop.Watch(contact, address, "mug", commerce.BackInStock, nil)
	three, threeAt := shop.Shopper()
	shop.Watch(three, threeAt, "mug", commerce.BackInStock, map[string]string{"quantity": "3"})
	for i, c := range []struct{ stock, told int }{{2, 1}, {4, 1}, {5, 0}, {0, 0}, {1, 1}, {0, 0}, {9, 2}} {
		if got := told(shop, shop.Restock("mug", c.stock)); got != c.told {
			t.Errorf("step %d, stock %d: %d told, want %d", i, c.stock, got, c.told)
		}
	}
}

func TestWatchThatIsMetAlreadyFiresAtOnce(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	for event, fields := range map[string]map[string]string{commerce.PriceBelow: below("20"), commerce.BackInStock: nil} {
		contact, address := shop.Shopper()
		w, raised := shop.Watch(contact, address, "mug", event, fields)
		if len(raised) != 1 || shop.Told() != 1 {
			t.Errorf("%s: raised %v; want it told at once", event, raised)
		}
		shop.Do(func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.WatchByKey(ctx, shop.Merchant, w.Key)
			if w.State != commerce.WatchFired {
				t.Errorf("%s: the watch is %s, want it fired", event, w.State)
			}
			return err
		})
	}
}

func TestWatchAskedForTwiceTellsOnce(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, address := shop.Shopper()
	first, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("20"))
	before, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("20")) // before the first was told
	n := shop.Told()
	after, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("20.00 EUR"))
	if m := shop.Told(); n != 1 || m != 0 || first.ID != before.ID || first.ID != after.ID {
		t.Errorf("told %d and %d times by %s, %s and %s, want once by one watch", n, m, first.ID, before.ID, after.ID)
	}
	changed, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("15"))
	if n := shop.Told(); changed.ID != first.ID || changed.State != commerce.WatchArmed || n != 0 {
		t.Errorf("got %s, %s, %d told; want the same watch armed at its new price", changed.ID, changed.State, n)
	}
	if got := told(shop, shop.Reprice("mug", 1500)); got != 1 {
		t.Errorf("at the new price: %d told, want 1", got)
	}
}

func TestNobodyIsCalledToAnEmptyShelf(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 0)
	contact, address := shop.Shopper()
	shop.Watch(contact, address, "mug", commerce.PriceBelow, below("18"))
	if got := told(shop, shop.Reprice("mug", 1500)); got != 0 {
		t.Errorf("%d told of a price at which nothing can be bought", got)
	}
	if got := told(shop, shop.Restock("mug", 1)); got != 1 {
		t.Errorf("%d told when it can be bought at the price, want 1", got)
	}
}

func TestStockFreedByAnOrderIsAReturnToo(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 1)
	buyer, _ := shop.Shopper()
	order := shop.Checkout(shop.Quote(buyer, "mug", 1).Quote, storetest.Manual).Order
	contact, address := shop.Shopper()
	if _, raised := shop.Watch(contact, address, "mug", commerce.BackInStock, nil); len(raised) != 0 {
		t.Fatalf("got %v while the last piece is held", raised)
	}
	if out := shop.Cancel(order.ID, 0); len(out.Raised) != 1 || shop.Told() != 1 {
		t.Errorf("got %+v, want the watcher told", out.Raised)
	}
}

func TestWatchFieldsAreCheckedAgainstTheirEvent(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, address := shop.Shopper()
	for _, c := range []struct {
		name, sku, event string
		fields           map[string]string
		field            string
	}{
		{"an unknown product", "cup", commerce.PriceBelow, below("10"), "sku"},
		{"an unknown event", "mug", "full_moon", nil, "event"},
		{"no threshold", "mug", commerce.PriceBelow, nil, "threshold"},
		{"a threshold in dollars", "mug", commerce.PriceBelow, below("10.00 USD"), "threshold"},
		{"a threshold of nothing", "mug", commerce.PriceBelow, below("0"), "threshold"},
		{"a negative threshold", "mug", commerce.PriceBelow, below("-5"), "threshold"},
		{"a fraction of a cent", "mug", commerce.PriceBelow, below("10.005"), "threshold"},
		{"a word", "mug", commerce.PriceBelow, below("cheap"), "threshold"},
		{"a field of another event", "mug", commerce.BackInStock, below("10"), "threshold"},
		{"no count", "mug", commerce.BackInStock, map[string]string{"quantity": "0"}, "quantity"},
		{"half a piece", "mug", commerce.BackInStock, map[string]string{"quantity": "1.5"}, "quantity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := shop.Try(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := commerce.CreateWatch(ctx, tx, commerce.WatchCommand{
					Merchant: shop.Merchant, Contact: contact, Address: address, SKU: c.sku, Event: c.event, Fields: c.fields,
				}, shop.Policy, shop.Now)
				return err
			})
			var refused *commerce.Invalid
			if !errors.As(err, &refused) || refused.Field != c.field {
				t.Errorf("got %v, want %s refused", err, c.field)
			}
			if unknown := errors.Is(err, commerce.ErrNotFound); unknown != (c.field == "sku") {
				t.Errorf("is not found: %v", unknown)
			}
		})
	}
	if w, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("17,20")); w.Threshold != eur(1720) || w.Fields["threshold"] != "17.20 EUR" {
		t.Errorf("got %s, %v, want 17.20 EUR", w.Threshold, w.Fields)
	}
}

func TestEventsDeclareTheirFormsInBothLanguages(t *testing.T) {
	for _, e := range commerce.Events() {
		words := []commerce.Words{e.Title, e.Fires}
		for _, f := range e.Fields {
			words = append(words, f.Label)
		}
		for _, w := range words {
			if w["en"] == "" || w["de"] == "" || w.In("fr") != w["en"] {
				t.Errorf("%s: %v lacks a language", e.Name, w)
			}
		}
	}
}

// pending makes a watch that a link arms, for a contact whom only a form knows.
func pending(t *testing.T, shop *storetest.Shop, token string) commerce.Watch {
	t.Helper()
	var w commerce.Watch
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		contact, err := tx.AddContact(ctx, shop.Merchant, conversation.Contact{})
		if err != nil {
			return err
		}
		w, _, err = commerce.CreateWatch(ctx, tx, commerce.WatchCommand{
			Merchant: shop.Merchant, Contact: contact, SKU: "mug", Event: commerce.PriceBelow, Fields: below("20"), TokenHash: token,
		}, shop.Policy, shop.Now)
		return err
	})
	return w
}

func arm(shop *storetest.Shop, token string, contact, address int64) (w commerce.Watch, raised []commerce.Occurrence, err error) {
	err = shop.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.ArmCommand{Merchant: shop.Merchant, TokenHash: token, Contact: contact, Address: address}
		w, _, raised, err = commerce.ArmWatch(ctx, tx, c, shop.Policy, shop.Now)
		return err
	})
	return w, raised, err
}

func TestPendingWatchWaitsForItsLink(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	if w := pending(t, shop, "token"); w.State != commerce.WatchPending {
		t.Fatalf("got %s, want pending", w.State)
	}
	if got := told(shop, shop.Reprice("mug", 1500)); got != 0 {
		t.Errorf("%d told before the link was opened", got)
	}
	contact, address := shop.Shopper()
	w, _, err := arm(shop, "token", contact, address)
	if n := shop.Told(); err != nil || n != 1 || w.Contact != contact || w.Address != address {
		t.Fatalf("got %+v, %d told, %v; want it told to whoever opened the link", w, n, err)
	}
	if _, raised, err := arm(shop, "token", contact, address); err != nil || len(raised) != 0 {
		t.Errorf("opened again: got %v, %v, want nothing", raised, err)
	}
	other, otherAt := shop.Shopper()
	if _, _, err = arm(shop, "token", other, otherAt); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("opened by another: got %v, want a conflict", err)
	}
	if _, _, err = arm(shop, "forged", other, otherAt); !errors.Is(err, commerce.ErrNotFound) {
		t.Errorf("a forged token: got %v, want not found", err)
	}
}

func TestLinkOfAWatchExpires(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2500, 5)
	pending(t, shop, "old")
	contact, address := shop.Shopper()
	shop.Now = shop.Now.Add(7 * 24 * time.Hour)
	if _, _, err := arm(shop, "old", contact, address); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("an old link: got %v, want a conflict", err)
	}
	pending(t, shop, "fresh")
	cancelled := pending(t, shop, "cancelled")
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		for range 2 {
			if _, err := commerce.CancelWatch(ctx, tx, shop.Merchant, cancelled.ID, shop.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if _, _, err := arm(shop, "cancelled", contact, address); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("a cancelled watch: got %v, want a conflict", err)
	}
	standing, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("15"))
	armed, _, err := arm(shop, "fresh", contact, address)
	if err != nil || armed.State != commerce.WatchArmed {
		t.Fatalf("got %s, %v, want armed", armed.State, err)
	}
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		old, err := tx.Watch(ctx, shop.Merchant, standing.ID)
		if old.State != commerce.WatchCancelled {
			t.Errorf("the earlier watch of the same wish is %s, want cancelled", old.State)
		}
		return err
	})
}

func TestAContactWatchesFiftyThingsAtMost(t *testing.T) {
	shop := open(t)
	contact, address := shop.Shopper()
	for i := range 50 {
		sku := fmt.Sprint("mug-", i)
		shop.Stock(sku, 2000, 1)
		shop.Watch(contact, address, sku, commerce.PriceBelow, below("10"))
	}
	shop.Stock("one-more", 2000, 1)
	err := shop.Try(func(ctx context.Context, tx *store.Tx) error {
		_, _, err := commerce.CreateWatch(ctx, tx, commerce.WatchCommand{
			Merchant: shop.Merchant, Contact: contact, Address: address, SKU: "one-more", Event: commerce.PriceBelow, Fields: below("10"),
		}, shop.Policy, shop.Now)
		return err
	})
	var refused *commerce.Invalid
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestDeliveryIsCheckedOnceMoreWhenItLeaves(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(shop *storetest.Shop, w commerce.Watch)
		want   string
		after  commerce.WatchState
	}{
		{"nothing has changed", func(*storetest.Shop, commerce.Watch) {}, "", commerce.WatchFired},
		{"the price rose, though not to 5 %", func(s *storetest.Shop, _ commerce.Watch) { s.Reprice("mug", 1810) }, commerce.DropPrice, commerce.WatchArmed},
		{"it is sold out", func(s *storetest.Shop, _ commerce.Watch) { s.Restock("mug", 0) }, commerce.DropStock, commerce.WatchArmed},
		{"they said stop", func(s *storetest.Shop, w commerce.Watch) {
			s.Do(func(ctx context.Context, tx *store.Tx) error { return tx.RevokeConsents(ctx, s.Merchant, w.Address) })
		}, commerce.DropConsent, commerce.WatchArmed},
		{"they shut us out", func(s *storetest.Shop, w commerce.Watch) {
			s.Do(func(ctx context.Context, tx *store.Tx) error {
				return tx.SetAddressState(ctx, s.Merchant, w.Address, conversation.Shut)
			})
		}, commerce.DropConsent, commerce.WatchArmed},
		{"they cancelled the watch", func(s *storetest.Shop, w commerce.Watch) {
			s.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := commerce.CancelWatch(ctx, tx, s.Merchant, w.ID, s.Now)
				return err
			})
		}, commerce.DropCancelled, commerce.WatchCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := open(t)
			shop.Stock("mug", 2000, 5)
			contact, address := shop.Shopper()
			w, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, below("18"))
			shop.Reprice("mug", 1800)
			due := shop.Due()
			if len(due) != 1 {
				t.Fatalf("got %d deliveries, want one", len(due))
			}
			c.change(shop, w)
			shop.Spread()
			alert := shop.Render(due[0])
			if alert.Dropped != c.want || alert.Repeat {
				t.Errorf("dropped because %q, want %q", alert.Dropped, c.want)
			}
			if (alert.Quote.ID != "") != (c.want == "") {
				t.Errorf("got quote %q", alert.Quote.ID)
			}
			if again := shop.Render(due[0]); !again.Repeat || len(shop.Due()) != 0 {
				t.Errorf("a second look: got %+v with %d deliveries left, want a repeat and none", again, len(shop.Due()))
			}
			shop.Do(func(ctx context.Context, tx *store.Tx) error {
				after, err := tx.WatchByKey(ctx, shop.Merchant, w.Key)
				if after.State != c.after {
					t.Errorf("the watch is %s, want %s", after.State, c.after)
				}
				return err
			})
		})
	}
}
