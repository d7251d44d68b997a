// Package paymenttest is the suite that every payment provider passes.
package paymenttest

import (
	"context"
	"strings"
	"testing"

	"parley/commerce/money"
	"parley/commerce/payment"
)

// Amounts are those that the provider under test treats in a known way; zero for what it cannot do.
type Amounts struct {
	Paid, Declined, Pending money.Amount
}

// Run checks what trade relies on.
func Run(t *testing.T, p payment.Provider, amounts Amounts) {
	t.Helper()
	info := p.Info()
	t.Run("it has a name, and always the same description", func(t *testing.T) {
		if info.Name == "" || info.Name != strings.ToLower(info.Name) {
			t.Errorf("got name %q, want lower-case text", info.Name)
		}
		if again := p.Info(); again != info {
			t.Errorf("got %+v and then %+v", info, again)
		}
	})
	for _, c := range []struct {
		name   string
		amount money.Amount
		want   payment.State
	}{{"paid", amounts.Paid, payment.Paid}, {"declined", amounts.Declined, payment.Declined}, {"pending", amounts.Pending, payment.Pending}} {
		if c.amount.IsZero() {
			continue
		}
		t.Run("a charge is "+c.name+", and so is its repeat", func(t *testing.T) { charge(t, p, c.amount, c.want) })
	}
	if info.Refunds && !amounts.Paid.IsZero() {
		t.Run("what was paid goes back once", func(t *testing.T) { refund(t, p, amounts.Paid) })
	}
	if !info.Refunds {
		t.Run("a refund waits for a person", func(t *testing.T) {
			got, err := p.Refund(t.Context(), payment.Refund{Order: "ord_1", Amount: money.New(1000, "EUR"), Key: "r"})
			if err != nil || got.State != payment.Pending {
				t.Errorf("got %+v, %v, want pending", got, err)
			}
		})
	}
	if info.Outside {
		t.Run("it gives up when the context ends", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if got, err := p.Charge(ctx, payment.Charge{Order: "ord_2", Amount: amounts.Paid, Key: "c2"}); err == nil {
				t.Errorf("got %+v and no error", got)
			}
		})
	}
	t.Run("instructions name what a test is", func(t *testing.T) {
		for _, locale := range []string{"en", "de", "", "xx"} {
			text := p.Instructions(payment.Charge{Order: "ord_3", Amount: money.New(3550, "EUR"), Locale: locale})
			if info.Test && !strings.Contains(text, "TEST") {
				t.Errorf("in %q: %q does not say TEST", locale, text)
			}
			if !info.Outside && !strings.Contains(text, "ord_3") {
				t.Errorf("in %q: %q does not name the order", locale, text)
			}
		}
	})
}

func charge(t *testing.T, p payment.Provider, amount money.Amount, want payment.State) {
	c := payment.Charge{Order: "ord_" + string(want), Amount: amount, Key: "charge-" + string(want)}
	first, err := p.Charge(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if first.State != want {
		t.Errorf("got %s, want %s", first.State, want)
	}
	if want == payment.Declined && first.Cause == "" {
		t.Error("declined without a cause")
	}
	if strings.ContainsAny(first.Cause, " \n") {
		t.Errorf("the cause %q is a text, not a code", first.Cause)
	}
	second, err := p.Charge(t.Context(), c)
	if err != nil || second != first {
		t.Errorf("the same key: got %+v, %v, then %+v", first, err, second)
	}
}

func refund(t *testing.T, p payment.Provider, amount money.Amount) {
	paid, err := p.Charge(t.Context(), payment.Charge{Order: "ord_back", Amount: amount, Key: "charge-back"})
	if err != nil || paid.State != payment.Paid {
		t.Fatalf("got %+v, %v, want paid", paid, err)
	}
	r := payment.Refund{Order: "ord_back", Reference: paid.Reference, Amount: amount, Key: "refund-back"}
	first, err := p.Refund(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := p.Refund(t.Context(), r); err != nil || second != first {
		t.Errorf("the same key: got %+v, then %+v, %v", first, second, err)
	}
}
