package commerce_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/commerce/money"
	"parley/commerce/payment"
	"parley/store"
	"parley/store/storetest"
)

// collector is a network that takes money by invoice and gives none back.
var collector = payment.Info{Name: "telegram", Outside: true}

func approve(shop *storetest.Shop, q commerce.Quote, total money.Amount) (out commerce.Outcome, why commerce.Ending) {
	shop.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.CheckoutCommand{Merchant: shop.Merchant, Quote: q.ID, Contact: q.Contact, Provider: collector}
		out, why, err = commerce.ApproveInvoice(ctx, tx, c, total, shop.Policy, shop.Now)
		return err
	})
	return out, why
}

func settle(shop *storetest.Shop, q commerce.Quote, total money.Amount, reference string) (out commerce.Outcome, err error) {
	err = shop.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.InvoicePaid{Merchant: shop.Merchant, Quote: q.ID, Amount: total, Reference: reference, Note: "at the provider: x", Provider: collector}
		out, err = commerce.SettleInvoice(ctx, tx, c, shop.Policy, shop.Now)
		return err
	})
	return out, err
}

func invoice(t *testing.T, stock int) (*storetest.Shop, commerce.Quote) {
	t.Helper()
	shop := open(t)
	shop.Stock("mug", 2000, stock)
	contact, _ := shop.Shopper()
	return shop, shop.Quote(contact, "mug", 2).Quote
}

func TestInvoiceIsOpenedWithoutOrderingAnything(t *testing.T) {
	shop, quote := invoice(t, 2)
	see := func() (out commerce.Outcome, payable bool) {
		shop.Do(func(ctx context.Context, tx *store.Tx) (err error) {
			c := commerce.CheckoutCommand{Merchant: shop.Merchant, Quote: quote.ID, Contact: quote.Contact, Provider: collector}
			out, payable, err = commerce.OpenInvoice(ctx, tx, c, shop.Now)
			return err
		})
		return out, payable
	}
	if out, payable := see(); !payable || out.Quote.Total != eur(4000) || out.Order.ID != "" {
		t.Errorf("got %+v, %v, want an invoice over €40", out, payable)
	}
	stock(t, shop, 2, 0)
	approve(shop, quote, eur(4000))
	if _, payable := see(); !payable {
		t.Error("while the order waits for its money the invoice can be opened again")
	}
	if _, err := settle(shop, quote, eur(4000), "A"); err != nil {
		t.Fatal(err)
	}
	if out, payable := see(); payable || out.Name != "paid" {
		t.Errorf("got %q, %v, want the receipt", out.Name, payable)
	}
}

func TestApprovalPlacesOneOrderAndHoldsItsStockLongerEachTime(t *testing.T) {
	shop, quote := invoice(t, 2)
	first, why := approve(shop, quote, eur(4000))
	if why != "" || first.Order.State != commerce.AwaitingPayment || first.Order.Provider != "telegram" {
		t.Fatalf("got %q, %+v", why, first.Order)
	}
	stock(t, shop, 2, 2)
	shop.Now = shop.Now.Add(9 * time.Minute)
	again, why := approve(shop, quote, eur(4000))
	if why != "" || !again.Repeat || again.Order.ID != first.Order.ID || !again.Order.HoldExpires.Equal(shop.Now.Add(10*time.Minute)) {
		t.Errorf("got %q, %+v, want the same order, held until ten minutes from now", why, again.Order)
	}
	stock(t, shop, 2, 2)
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		tasks, err := tx.PaymentTasks(ctx, shop.Merchant, first.Order.Key)
		if len(tasks) != 0 {
			t.Errorf("got %+v, want nobody asked to charge", tasks)
		}
		return err
	})
}

func TestApprovalSaysWhyNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*storetest.Shop, *commerce.Quote)
		total  int64
		want   commerce.Ending
	}{
		{"another's", func(s *storetest.Shop, q *commerce.Quote) { q.Contact, _ = s.Shopper() }, 4000, commerce.EndedExpired},
		{"forged", func(_ *storetest.Shop, q *commerce.Quote) { q.ID = "qte_forged" }, 4000, commerce.EndedExpired},
		{"another sum", func(*storetest.Shop, *commerce.Quote) {}, 3999, commerce.EndedDearer},
		{"the price rose", func(s *storetest.Shop, _ *commerce.Quote) { s.Reprice("mug", 2500) }, 4000, commerce.EndedDearer},
		{"one is left of two", func(s *storetest.Shop, _ *commerce.Quote) { s.Restock("mug", 1) }, 4000, commerce.EndedSoldOut},
		{"a day has passed", func(s *storetest.Shop, _ *commerce.Quote) { s.Now = s.Now.Add(24 * time.Hour) }, 4000, commerce.EndedExpired},
		{"bought by link", func(s *storetest.Shop, q *commerce.Quote) { s.Checkout(*q, storetest.Online) }, 4000, commerce.EndedOrdered},
		{"the hold has ended", func(s *storetest.Shop, q *commerce.Quote) {
			approve(s, *q, eur(4000))
			s.Now = s.Now.Add(11 * time.Minute)
			s.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := commerce.ExpireHolds(ctx, tx, s.Now, 10)
				return err
			})
		}, 4000, commerce.EndedUsed},
		{"the hold is about to be ended", func(s *storetest.Shop, q *commerce.Quote) {
			approve(s, *q, eur(4000))
			s.Now = s.Now.Add(11 * time.Minute)
		}, 4000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop, quote := invoice(t, 2)
			c.change(shop, &quote)
			if _, got := approve(shop, quote, eur(c.total)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMoneyForAnInvoiceIsWrittenDownOncePerPayment(t *testing.T) {
	shop, quote := invoice(t, 2)
	approve(shop, quote, eur(4000))
	out, err := settle(shop, quote, eur(4000), "A")
	if err != nil || out.Name != "paid" || out.Repeat || out.Order.Reference != "A" {
		t.Fatalf("got %q, %+v, %v", out.Name, out.Order, err)
	}
	stock(t, shop, 0, 0)
	if again, err := settle(shop, quote, eur(4000), "A"); err != nil || !again.Repeat {
		t.Errorf("got %+v, %v, want a repeat", again, err)
	}
	second, err := settle(shop, quote, eur(4000), "B")
	if err != nil || !second.Owed || second.Repeat {
		t.Errorf("another payment: got %+v, %v, want it owed", second, err)
	}
	if again, err := settle(shop, quote, eur(4000), "B"); err != nil || !again.Repeat {
		t.Errorf("got %+v, %v, want a repeat", again, err)
	}
	want := []string{"intent", "paid", "paid", "refund_due"}
	if diff := cmp.Diff(want, ledger(t, shop, out.Order)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	// The payment that it was paid by goes back beside the other one.
	cancelled := shop.Cancel(out.Order.ID, 0)
	if cancelled.Name != "cancelled" || !cancelled.Owed || cancelled.Order.Reference != "A" {
		t.Errorf("got %+v, want the first payment owed as well", cancelled)
	}
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		tasks, err := tx.PaymentTasks(ctx, shop.Merchant, out.Order.Key)
		var refunds []string
		for _, task := range tasks {
			refunds = append(refunds, task.Kind+" "+task.Reference+" "+task.State)
		}
		if slices.Sort(refunds); !slices.Equal(refunds, []string{"refund A failed", "refund B failed"}) {
			t.Errorf("got %q, want both left to a person", refunds)
		}
		return err
	})
}

func TestMoneyThatComesLateTakesTheStockAnewOrGoesBack(t *testing.T) {
	for _, c := range []struct {
		name string
		left int // in stock when it comes
		want string
		owed bool
	}{{"still there", 2, "paid", false}, {"gone", 1, "sold_out", true}} {
		t.Run(c.name, func(t *testing.T) {
			shop, quote := invoice(t, 2)
			approve(shop, quote, eur(4000))
			shop.Now = shop.Now.Add(11 * time.Minute)
			shop.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := commerce.ExpireHolds(ctx, tx, shop.Now, 10)
				return err
			})
			shop.Restock("mug", c.left)
			out, err := settle(shop, quote, eur(4000), "A")
			if err != nil || out.Name != c.want || out.Owed != c.owed {
				t.Errorf("got %q, owed %v, %v, want %q, %v", out.Name, out.Owed, err, c.want, c.owed)
			}
			if again, err := settle(shop, quote, eur(4000), "A"); err != nil || !again.Repeat {
				t.Errorf("got %+v, %v, want a repeat", again, err)
			}
		})
	}
}

func TestMoneyThatNobodyAskedForIsAnOrderOfItsOwn(t *testing.T) {
	shop, quote := invoice(t, 2)
	out, err := settle(shop, quote, eur(4000), "A")
	if err != nil || out.Name != "paid" {
		t.Fatalf("got %q, %v, want it sold, as it is there", out.Name, err)
	}
	stock(t, shop, 0, 0)
}

func TestMoneyThatFitsNothingIsLeftToAPerson(t *testing.T) {
	shop, quote := invoice(t, 2)
	if _, err := settle(shop, quote, eur(3999), "A"); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("another sum: got %v", err)
	}
	quote.ID = "qte_forged"
	if _, err := settle(shop, quote, eur(4000), "A"); !errors.Is(err, commerce.ErrNotFound) {
		t.Errorf("an unknown invoice: got %v", err)
	}
	stock(t, shop, 2, 0)
}
