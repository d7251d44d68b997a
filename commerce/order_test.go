package commerce_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/commerce/payment"
	"parley/store"
	"parley/store/storetest"
)

func stock(t *testing.T, shop *storetest.Shop, onHand, held int) {
	t.Helper()
	if p := shop.Product("mug"); p.OnHand != onHand || p.Held != held {
		t.Errorf("got %d on hand and %d held, want %d and %d", p.OnHand, p.Held, onHand, held)
	}
}

// ledger is the payments of an order, line by line.
func ledger(t *testing.T, shop *storetest.Shop, o commerce.Order) (kinds []string) {
	t.Helper()
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		lines, err := tx.Payments(ctx, shop.Merchant, o.Key)
		for _, line := range lines {
			kinds = append(kinds, line.Kind)
		}
		return err
	})
	return kinds
}

func TestQuoteIsThePriceInForce(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	if out := shop.Quote(contact, "mug", 3); out.Name != "quoted" || out.Quote.Total != eur(6000) || out.Quote.Kind != commerce.ListQuote {
		t.Errorf("got %q, %s", out.Name, out.Quote.Total)
	}
	if out := shop.Quote(contact, "mug", 6); out.Name != "sold_out" {
		t.Errorf("six of five: got %q", out.Name)
	}
	if out := shop.Quote(contact, "cup", 1); out.Name != "no_product" {
		t.Errorf("an unknown product: got %q", out.Name)
	}
}

func TestQuoteOfTheSameCauseIsTheSame(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		c := commerce.QuoteCommand{Merchant: shop.Merchant, Contact: contact, SKU: "mug", Cause: "press"}
		first, err := commerce.MakeQuote(ctx, tx, c, shop.Policy, shop.Now)
		if err != nil {
			return err
		}
		again, err := commerce.MakeQuote(ctx, tx, c, shop.Policy, shop.Now)
		if again.Quote.ID != first.Quote.ID || first.Repeat || !again.Repeat {
			t.Errorf("got %s and %s", first.Quote.ID, again.Quote.ID)
		}
		return err
	})
}

func TestCheckoutNeverMovesMoneyAtAPriceTheShopperDidNotSee(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*storetest.Shop)
		want   string
		total  int64
	}{
		{"nothing has changed", func(*storetest.Shop) {}, "payment_due", 4000},
		{"the price fell", func(s *storetest.Shop) { s.Reprice("mug", 1500) }, "payment_due", 4000},
		{"the price rose", func(s *storetest.Shop) { s.Reprice("mug", 2500) }, "quote_expired", 0},
		{"a day has passed", func(s *storetest.Shop) { s.Now = s.Now.Add(24 * time.Hour) }, "quote_expired", 0},
		{"one is left of two", func(s *storetest.Shop) { s.Restock("mug", 1) }, "sold_out", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := open(t)
			shop.Stock("mug", 2000, 2)
			contact, _ := shop.Shopper()
			quote := shop.Quote(contact, "mug", 2).Quote
			c.change(shop)
			out := shop.Checkout(quote, storetest.Manual)
			if out.Name != c.want || out.Order.Total.Minor != c.total {
				t.Errorf("got %q over %s, want %q over %d", out.Name, out.Order.Total, c.want, c.total)
			}
			if c.want == "quote_expired" && out.Price != shop.Product("mug").Price {
				t.Errorf("got the price %s, want the present one", out.Price)
			}
		})
	}
}

func TestQuoteIsItsContactsAlone(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 2)
	contact, _ := shop.Shopper()
	stranger, _ := shop.Shopper()
	quote := shop.Quote(contact, "mug", 1).Quote
	quote.Contact = stranger
	if out := shop.Checkout(quote, storetest.Manual); out.Name != "quote_expired" || out.Order.ID != "" {
		t.Errorf("a stranger got %q", out.Name)
	}
	if out := shop.Checkout(commerce.Quote{ID: "qte_forged"}, storetest.Manual); out.Name != "quote_expired" {
		t.Errorf("a forged quote got %q", out.Name)
	}
	stock(t, shop, 2, 0)
}

func TestRepeatedCheckoutTellsHowTheOrderStands(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(*storetest.Shop, commerce.Order)
		want  string
		price int64
	}{
		{"being charged", func(*storetest.Shop, commerce.Order) {}, "", 2000},
		{"paid", func(s *storetest.Shop, o commerce.Order) { s.Settle(o.ID, payment.Paid) }, "paid", 2000},
		{"declined", func(s *storetest.Shop, o commerce.Order) { s.Settle(o.ID, payment.Declined) }, "payment_declined", 2000},
		{"cancelled", func(s *storetest.Shop, o commerce.Order) { s.Cancel(o.ID, 0) }, "quote_expired", 2500},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := open(t)
			shop.Stock("mug", 2000, 5)
			contact, _ := shop.Shopper()
			quote := shop.Quote(contact, "mug", 1).Quote
			order := shop.Checkout(quote, storetest.Online).Order
			c.do(shop, order)
			shop.Reprice("mug", 2500)
			before, events := shop.Product("mug"), kinds(t, shop)
			out := shop.Checkout(quote, storetest.Online)
			if out.Name != c.want || out.Order.ID != order.ID || !out.Repeat || out.Price != eur(c.price) {
				t.Errorf("got %q, order %s, repeat %v, price %s", out.Name, out.Order.ID, out.Repeat, out.Price)
			}
			if diff := cmp.Diff(before, shop.Product("mug")); diff != "" {
				t.Errorf("the repeat changed the product:\n%s", diff)
			}
			if !cmp.Equal(events, kinds(t, shop)) {
				t.Error("the repeat left an event")
			}
		})
	}
}

func TestPaymentTurnsTheHoldIntoASaleOrFreesIt(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	buy := func() commerce.Order {
		return shop.Checkout(shop.Quote(contact, "mug", 2).Quote, storetest.Online).Order
	}
	paid := buy()
	stock(t, shop, 5, 2)
	if out := shop.Settle(paid.ID, payment.Pending); out.Name != "payment_due" {
		t.Errorf("pending: got %q", out.Name)
	}
	if out := shop.Settle(paid.ID, payment.Paid); out.Name != "paid" || out.Order.State != commerce.Paid || out.Order.HoldExpires != (time.Time{}) {
		t.Errorf("paid: got %q, %+v", out.Name, out.Order)
	}
	stock(t, shop, 3, 0)
	declined := buy()
	if out := shop.Settle(declined.ID, payment.Declined); out.Name != "payment_declined" {
		t.Errorf("declined: got %q", out.Name)
	}
	stock(t, shop, 3, 0)
	for _, again := range []struct {
		order commerce.Order
		state payment.State
	}{{paid, payment.Paid}, {paid, payment.Declined}, {declined, payment.Declined}} {
		if out := shop.Settle(again.order.ID, again.state); !out.Repeat {
			t.Errorf("settled again as %s: got %q, want a repeat", again.state, out.Name)
		}
	}
	stock(t, shop, 3, 0)
	if got, want := ledger(t, shop, paid), []string{"intent", "paid"}; !cmp.Equal(got, want) {
		t.Errorf("got ledger %v, want %v", got, want)
	}
	if got, want := ledger(t, shop, declined), []string{"intent", "declined"}; !cmp.Equal(got, want) {
		t.Errorf("got ledger %v, want %v", got, want)
	}
}

func TestUnpaidOrdersExpireByTheirProvider(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	online := shop.Checkout(shop.Quote(contact, "mug", 1).Quote, storetest.Online).Order
	shop.Checkout(shop.Quote(contact, "mug", 1).Quote, storetest.Manual)
	expire := func() (n int) {
		shop.Do(func(ctx context.Context, tx *store.Tx) error {
			outs, err := commerce.ExpireHolds(ctx, tx, shop.Now, 10)
			n = len(outs)
			return err
		})
		return n
	}
	for _, c := range []struct {
		after time.Duration
		want  int
		held  int
	}{{9 * time.Minute, 0, 2}, {time.Minute, 1, 1}, {6 * 24 * time.Hour, 0, 1}, {24 * time.Hour, 1, 0}} {
		shop.Now = shop.Now.Add(c.after)
		if got := expire(); got != c.want {
			t.Errorf("after %s: %d expired, want %d", c.after, got, c.want)
		}
		stock(t, shop, 5, c.held)
	}
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		tasks, err := tx.PaymentTasks(ctx, shop.Merchant, online.Key)
		if len(tasks) != 1 || tasks[0].State != commerce.TaskDropped {
			t.Errorf("got tasks %+v, want the untried charge dropped", tasks)
		}
		return err
	})
}

func TestMoneyThatComesLateBuysWhatIsThereOrGoesBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(*storetest.Shop, commerce.Order)
		stock int
		want  string
		state commerce.OrderState
		lines []string
	}{
		{"expired, still there", expireAll, 1, "paid", commerce.Paid, []string{"intent", "expired", "paid"}},
		{"expired, gone", expireAll, 0, "sold_out", commerce.Expired, []string{"intent", "expired", "paid", "refund_due"}},
		{"cancelled", func(s *storetest.Shop, o commerce.Order) { s.Cancel(o.ID, 0) }, 1, "", commerce.Cancelled,
			[]string{"intent", "cancelled", "paid", "refund_due"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := open(t)
			shop.Stock("mug", 2000, 1)
			contact, _ := shop.Shopper()
			order := shop.Checkout(shop.Quote(contact, "mug", 1).Quote, storetest.Online).Order
			c.end(shop, order)
			shop.Restock("mug", c.stock)
			out := shop.Settle(order.ID, payment.Paid)
			if out.Name != c.want || out.Order.State != c.state {
				t.Errorf("got %q, %s, want %q, %s", out.Name, out.Order.State, c.want, c.state)
			}
			shop.Settle(order.ID, payment.Paid)
			if got := ledger(t, shop, order); !cmp.Equal(got, c.lines) {
				t.Errorf("got ledger %v, want %v", got, c.lines)
			}
		})
	}
}

func expireAll(s *storetest.Shop, _ commerce.Order) {
	s.Now = s.Now.Add(time.Hour)
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		_, err := commerce.ExpireHolds(ctx, tx, s.Now, 10)
		return err
	})
}

func TestCancelReturnsTheStockAndThePayment(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	stranger, _ := shop.Shopper()
	unpaid := shop.Checkout(shop.Quote(contact, "mug", 2).Quote, storetest.Online).Order
	if out := shop.Cancel(unpaid.ID, stranger); out.Name != "no_order" {
		t.Errorf("a stranger got %q", out.Name)
	}
	if out := shop.Cancel(unpaid.ID, contact); out.Name != "cancelled" || out.Repeat {
		t.Errorf("unpaid: got %q", out.Name)
	}
	stock(t, shop, 5, 0)
	if out := shop.Cancel(unpaid.ID, contact); out.Name != "cancelled" || !out.Repeat {
		t.Errorf("again: got %q, repeat %v", out.Name, out.Repeat)
	}
	stock(t, shop, 5, 0)

	paid := shop.Checkout(shop.Quote(contact, "mug", 2).Quote, storetest.Online).Order
	shop.Settle(paid.ID, payment.Paid)
	shop.Now = shop.Now.Add(16 * time.Minute)
	if out := shop.Cancel(paid.ID, contact); out.Name != "too_late" {
		t.Errorf("a shopper after 16 minutes: got %q", out.Name)
	}
	if out := shop.Cancel(paid.ID, 0); out.Name != "cancelled" {
		t.Errorf("the shop after 16 minutes: got %q", out.Name)
	}
	stock(t, shop, 5, 0)
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		for range 2 {
			r := payment.Result{State: payment.Paid, Reference: "back"}
			if _, err := commerce.SettleRefund(ctx, tx, shop.Merchant, paid.ID, r, shop.Now); err != nil {
				return err
			}
		}
		return nil
	})
	if got, want := ledger(t, shop, paid), []string{"intent", "paid", "cancelled", "refund_due", "refunded"}; !cmp.Equal(got, want) {
		t.Errorf("got ledger %v, want %v", got, want)
	}
}

func TestOnlyAPersonWithAReasonMarksAManualOrderPaid(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	manual := shop.Checkout(shop.Quote(contact, "mug", 1).Quote, storetest.Manual).Order
	online := shop.Checkout(shop.Quote(contact, "mug", 1).Quote, storetest.Online).Order
	gone := shop.Checkout(shop.Quote(contact, "mug", 1).Quote, storetest.Manual).Order
	shop.Cancel(gone.ID, 0)
	mark := func(id commerce.OrderID, note string) (out commerce.Outcome, err error) {
		err = shop.Try(func(ctx context.Context, tx *store.Tx) (err error) {
			out, err = commerce.MarkPaid(ctx, tx, commerce.MarkPaidCommand{Merchant: shop.Merchant, Order: id, Actor: "stf_1", Note: note}, shop.Now)
			return err
		})
		return out, err
	}
	var refused *commerce.Invalid
	if _, err := mark(manual.ID, " "); !errors.As(err, &refused) || refused.Field != "note" {
		t.Errorf("without a note: got %v", err)
	}
	for _, id := range []commerce.OrderID{online.ID, gone.ID} {
		if _, err := mark(id, "bank statement 7"); !errors.Is(err, commerce.ErrConflict) {
			t.Errorf("%s: got %v, want a conflict", id, err)
		}
	}
	if _, err := mark("ord_unknown", "bank statement 7"); !errors.Is(err, commerce.ErrNotFound) {
		t.Errorf("an unknown order: got %v", err)
	}
	if out, err := mark(manual.ID, "bank statement 7"); err != nil || out.Name != "paid" {
		t.Errorf("got %q, %v, want paid", out.Name, err)
	}
	stock(t, shop, 4, 1)
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		lines, err := tx.Payments(ctx, shop.Merchant, manual.Key)
		i := slices.IndexFunc(lines, func(e commerce.PaymentEntry) bool { return e.Kind == "paid" })
		if i < 0 || lines[i].Actor != "stf_1" || lines[i].Note != "bank statement 7" {
			t.Errorf("the ledger does not say who said so and why: %+v", lines)
		}
		return err
	})
}
