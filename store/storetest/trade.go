package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/commerce"
	"parley/commerce/payment"
	"parley/store"
)

// Trade checks what trade promises of a store, whatever the database: run it by Each.
func Trade(t *testing.T, open func(t *testing.T) *store.Store) {
	t.Run("200 buyers of 10 pieces get 10", func(t *testing.T) { neverOversold(t, NewShop(t, open(t))) })
	t.Run("one quote pressed 30 times at once is one order", func(t *testing.T) { oneOrder(t, NewShop(t, open(t))) })
	t.Run("of a payment and a cancellation at once the stock comes out right", func(t *testing.T) { paidOrCancelled(t, NewShop(t, open(t))) })
	t.Run("two shoppers agree on the last piece and one gets it", func(t *testing.T) { lastPiece(t, NewShop(t, open(t))) })
	t.Run("watches made while the price falls are told once", func(t *testing.T) { toldOnce(t, NewShop(t, open(t))) })
	t.Run("a walk through everything that trade stores", func(t *testing.T) { walk(t, NewShop(t, open(t))) })
	t.Run("what one merchant has another cannot see", func(t *testing.T) { apart(t, NewShop(t, open(t))) })
	t.Run("the database itself refuses a stock below what is held", func(t *testing.T) { constrained(t, NewShop(t, open(t))) })
}

// atOnce runs f n times, width at a time, and fails the test with what went wrong.
func atOnce(t *testing.T, n, width int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	slots := make(chan struct{}, width)
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := f(i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// counted compares a product's counters with the sums of its movements.
func counted(t *testing.T, s *Shop, p commerce.Product, onHand, held int) {
	t.Helper()
	if p.OnHand != onHand || p.Held != held {
		t.Errorf("got %d on hand and %d held, want %d and %d", p.OnHand, p.Held, onHand, held)
	}
	var sum struct{ H, K int }
	err := s.Store.DB().Get(&sum, `SELECT CAST(SUM(on_hand) AS BIGINT) AS h, CAST(SUM(held) AS BIGINT) AS k FROM stock_movements WHERE product_key = $1`, p.Key)
	if err != nil {
		t.Fatal(err)
	}
	if sum.H != p.OnHand || sum.K != p.Held {
		t.Errorf("the movements add up to %d and %d, the product says %d and %d", sum.H, sum.K, p.OnHand, p.Held)
	}
}

func neverOversold(t *testing.T, s *Shop) {
	const buyers, pieces = 200, 10
	s.Stock("mug", 2000, pieces)
	quotes := make([]commerce.Quote, buyers)
	for i := range quotes {
		contact, _ := s.Shopper()
		quotes[i] = s.Quote(contact, "mug", 1).Quote
	}
	var ordered, refused atomic.Int64
	atOnce(t, buyers, 24, func(i int) error {
		out, err := s.TryCheckout(quotes[i], Online)
		switch {
		case err != nil:
			return err
		case out.Name == "sold_out":
			refused.Add(1)
			return nil
		case out.Name != "":
			return fmt.Errorf("outcome %q", out.Name)
		}
		ordered.Add(1)
		state := payment.Paid
		if i%3 == 0 {
			state = payment.Declined
		}
		out, err = s.TrySettle(out.Order.ID, state)
		if err == nil && state == payment.Declined { // the freed piece is another's
			ordered.Add(-1)
		}
		return err
	})
	p := s.Product("mug")
	sold := int(ordered.Load())
	if sold > pieces || sold+p.OnHand != pieces {
		t.Errorf("sold %d of %d and %d are left", sold, pieces, p.OnHand)
	}
	counted(t, s, p, pieces-sold, 0)
}

func oneOrder(t *testing.T, s *Shop) {
	s.Stock("mug", 2000, 10)
	contact, _ := s.Shopper()
	quote := s.Quote(contact, "mug", 2).Quote
	var mu sync.Mutex
	ids, first := map[commerce.OrderID]int{}, 0
	atOnce(t, 30, 30, func(int) error {
		out, err := s.TryCheckout(quote, Online)
		mu.Lock()
		defer mu.Unlock()
		ids[out.Order.ID]++
		if !out.Repeat {
			first++
		}
		return err
	})
	if len(ids) != 1 || first != 1 {
		t.Errorf("got orders %v, of which %d new; want one", ids, first)
	}
	counted(t, s, s.Product("mug"), 10, 2)
}

func paidOrCancelled(t *testing.T, s *Shop) {
	s.Stock("mug", 2000, 40)
	var orders []commerce.Order
	for range 20 {
		contact, _ := s.Shopper()
		orders = append(orders, s.Checkout(s.Quote(contact, "mug", 2).Quote, Online).Order)
	}
	counted(t, s, s.Product("mug"), 40, 40)
	atOnce(t, 60, 20, func(i int) error {
		if o := orders[i/3]; i%3 == 0 {
			return s.Try(func(ctx context.Context, tx *store.Tx) error {
				_, err := commerce.CancelOrder(ctx, tx, commerce.CancelCommand{Merchant: s.Merchant, Order: o.ID}, s.Policy, s.Now)
				return err
			})
		}
		_, err := s.TrySettle(orders[i/3].ID, payment.Paid)
		return err
	})
	counted(t, s, s.Product("mug"), 40, 0)
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		for _, o := range orders {
			got, err := tx.Order(ctx, s.Merchant, o.ID)
			if err != nil {
				return err
			}
			ledger, err := tx.Payments(ctx, s.Merchant, o.Key)
			if err != nil {
				return err
			}
			kinds := map[string]int{}
			for _, line := range ledger {
				kinds[line.Kind]++
			}
			if got.State != commerce.Cancelled || kinds["paid"] > 1 || kinds["paid"] != kinds["refund_due"] {
				t.Errorf("order is %s with ledger %v; want it cancelled and every payment owed back once", got.State, kinds)
			}
		}
		return nil
	})
}

func lastPiece(t *testing.T, s *Shop) {
	s.Stock("mug", 2000, 1)
	floor, accept := EUR(1400), EUR(1800)
	s.Put(commerce.ProductChange{SKU: "mug", Floor: &floor, AutoAccept: &accept})
	var contacts []int64
	for range 8 {
		contact, _ := s.Shopper()
		contacts = append(contacts, contact)
	}
	var agreed atomic.Int64
	atOnce(t, len(contacts), 8, func(i int) error {
		var out commerce.Outcome
		err := s.Try(func(ctx context.Context, tx *store.Tx) (err error) {
			c := commerce.OfferCommand{Merchant: s.Merchant, Contact: contacts[i], SKU: "mug", Amount: EUR(1800), Cause: fmt.Sprint("offer ", i)}
			out, err = commerce.MakeOffer(ctx, tx, c, s.Policy, s.Now)
			return err
		})
		if out.Name == "accepted" {
			agreed.Add(1)
		}
		return err
	})
	if agreed.Load() != 1 {
		t.Errorf("%d shoppers agreed on one piece", agreed.Load())
	}
}

func toldOnce(t *testing.T, s *Shop) {
	s.Stock("mug", 2000, 5)
	type who struct{ contact, address int64 }
	var people []who
	for range 30 {
		contact, address := s.Shopper()
		people = append(people, who{contact, address})
	}
	atOnce(t, 31, 16, func(i int) error {
		return s.Try(func(ctx context.Context, tx *store.Tx) error {
			if i == 15 {
				price := EUR(1500)
				_, _, err := commerce.PutProduct(ctx, tx, s.Merchant, commerce.ProductChange{SKU: "mug", Price: &price}, s.Policy, s.Now)
				return err
			}
			p := people[i%30]
			c := commerce.WatchCommand{Merchant: s.Merchant, Contact: p.contact, Address: p.address, SKU: "mug", Event: commerce.PriceBelow,
				Fields: map[string]string{"threshold": "16.00 EUR"}}
			_, _, err := commerce.CreateWatch(ctx, tx, c, s.Policy, s.Now)
			return err
		})
	})
	p := people[15]
	s.Watch(p.contact, p.address, "mug", commerce.PriceBelow, map[string]string{"threshold": "16.00 EUR"})
	told := map[int64]int{}
	for _, d := range s.Due() {
		if a := s.Render(d); a.Dropped == "" && !a.Repeat {
			told[a.Watch.Contact]++
		}
	}
	for _, p := range people {
		if told[p.contact] != 1 {
			t.Errorf("contact %d is told %d times, want once", p.contact, told[p.contact])
		}
	}
}

// walk uses every statement of trade at least once.
func walk(t *testing.T, s *Shop) {
	s.Stock("mug", 2000, 3)
	contact, address := s.Shopper()
	_, raised := s.Watch(contact, address, "mug", commerce.PriceBelow, map[string]string{"threshold": "17.50"})
	if len(raised) != 0 {
		t.Errorf("got %v at €20, want nothing", raised)
	}
	if raised = s.Reprice("mug", 1750); len(raised) != 1 {
		t.Fatalf("got %+v, want one occurrence", raised)
	}
	due := s.Due()
	if len(due) != 1 {
		t.Fatalf("got %d due deliveries, want one", len(due))
	}
	alert := s.Render(due[0])
	if alert.Dropped != "" || alert.Quote.Unit != EUR(1750) || alert.Occurrence.WasPrice != EUR(2000) {
		t.Fatalf("got %+v", alert)
	}
	out := s.Checkout(alert.Quote, Online)
	if out.Name != "" || out.Order.State != commerce.AwaitingPayment {
		t.Fatalf("got %q, %+v", out.Name, out.Order)
	}
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		tasks, err := tx.ClaimPaymentTasks(ctx, s.Now, time.Minute, 10)
		if err != nil || len(tasks) != 1 || tasks[0].OrderID != out.Order.ID || tasks[0].Amount != EUR(1750) || tasks[0].Attempts != 1 {
			t.Errorf("got tasks %+v, %v", tasks, err)
		}
		again, err2 := tx.ClaimPaymentTasks(ctx, s.Now, time.Minute, 10)
		if len(again) != 0 {
			t.Errorf("got %+v a second time", again)
		}
		return errors.Join(err, err2)
	})
	if out = s.Settle(out.Order.ID, payment.Paid); out.Name != "paid" {
		t.Fatalf("got %q, want paid", out.Name)
	}
	counted(t, s, s.Product("mug"), 2, 0)
	if found := s.Cancel(out.Order.ID, contact); found.Name != "cancelled" {
		t.Errorf("got %q, want cancelled", found.Name)
	}
	counted(t, s, s.Product("mug"), 3, 0)
	walkOffers(t, s)
	walkLists(t, s, contact)
}

func walkOffers(t *testing.T, s *Shop) {
	floor, accept := EUR(1400), EUR(1700)
	s.Put(commerce.ProductChange{SKU: "mug", Floor: &floor, AutoAccept: &accept})
	contact, _ := s.Shopper()
	out := s.Offer(contact, "mug", EUR(1500), 1)
	if out.Name != "countered" {
		t.Fatalf("got %q, want countered", out.Name)
	}
	deal := s.Accept(contact, out.Offer.ID)
	if deal.Name != "accepted" || deal.Quote.Unit != out.Offer.Counter {
		t.Fatalf("got %q at %s, want the counter %s", deal.Name, deal.Quote.Unit, out.Offer.Counter)
	}
	bought := s.Checkout(deal.Quote, Manual)
	if bought.Name != "payment_due" {
		t.Fatalf("got %q, want payment_due", bought.Name)
	}
	s.Now = s.Now.Add(8 * 24 * time.Hour)
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		ended, err := commerce.ExpireHolds(ctx, tx, s.Now, 10)
		if len(ended) != 1 || ended[0].Order.State != commerce.Expired {
			t.Errorf("got %+v, want the unpaid order expired", ended)
		}
		return err
	})
	s.Offer(contact, "mug", EUR(1500), 1)
	s.Now = s.Now.Add(49 * time.Hour)
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		ended, err := commerce.ExpireOffers(ctx, tx, s.Now, 10)
		if len(ended) != 1 || ended[0].Offer.State != commerce.OfferExpired {
			t.Errorf("got %+v, want the counter expired", ended)
		}
		return err
	})
}

func walkLists(t *testing.T, s *Shop, contact int64) {
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		orders, err := tx.ListOrders(ctx, s.Merchant, store.OrderFilter{})
		cancelled, err2 := tx.ListOrders(ctx, s.Merchant, store.OrderFilter{State: commerce.Cancelled, Contact: contact})
		offers, err3 := tx.ListOffers(ctx, s.Merchant, store.OfferFilter{State: commerce.OfferAccepted})
		watches, err4 := tx.WatchesOf(ctx, s.Merchant, contact)
		products, err5 := tx.Products(ctx, s.Merchant, "", 10)
		found, err6 := commerce.FindOrder(ctx, tx, s.Merchant, contact)
		if len(orders) != 2 || len(cancelled) != 1 || len(offers) != 1 || len(watches) != 1 || len(products) != 1 || found.Name != "order_found" {
			t.Errorf("got %d orders, %d cancelled, %d offers, %d watches, %d products, %s", len(orders), len(cancelled), len(offers),
				len(watches), len(products), found.Name)
		}
		if len(orders) == 2 {
			next, err := tx.ListOrders(ctx, s.Merchant, store.OrderFilter{Before: orders[0].ID})
			if err != nil || len(next) != 1 || next[0].ID != orders[1].ID {
				t.Errorf("the next page has %d orders, %v", len(next), err)
			}
		}
		lowest, err7 := tx.LowestPrice(ctx, products[0], s.Now.Add(-30*24*time.Hour))
		if lowest != EUR(1750) {
			t.Errorf("the lowest price is %s, want 17.50 EUR", lowest)
		}
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
}

func apart(t *testing.T, s *Shop) {
	s.Stock("mug", 2000, 3)
	contact, address := s.Shopper()
	w, _ := s.Watch(contact, address, "mug", commerce.BackInStock, nil)
	order := s.Checkout(s.Quote(contact, "mug", 1).Quote, Manual).Order
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		other, err := tx.SetMerchant(ctx, "other", "Other")
		if err != nil {
			return err
		}
		_, product := tx.Product(ctx, other, "mug")
		_, watch := tx.Watch(ctx, other, w.ID)
		_, bought := tx.Order(ctx, other, order.ID)
		for name, err := range map[string]error{"product": product, "watch": watch, "order": bought} {
			if !errors.Is(err, commerce.ErrNotFound) {
				t.Errorf("%s: got %v, want not found", name, err)
			}
		}
		return nil
	})
}

func constrained(t *testing.T, s *Shop) {
	p := s.Stock("mug", 2000, 3)
	contact, _ := s.Shopper()
	s.Checkout(s.Quote(contact, "mug", 2).Quote, Manual)
	for _, set := range []string{"held = -1", "held = 4", "on_hand = 1", "price_minor = 0"} {
		if _, err := s.Store.DB().Exec("UPDATE products SET "+set+" WHERE key = $1", p.Key); err == nil {
			t.Errorf("the database took %s", set)
		}
	}
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		ok, err := tx.MoveStock(ctx, commerce.Movement{Merchant: s.Merchant, Product: p.Key, Held: 2, Cause: "hold", At: s.Now})
		if ok {
			t.Error("held two more of one")
		}
		return err
	})
	if got := s.Restock("mug", 0); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	counted(t, s, s.Product("mug"), 2, 2)
}
