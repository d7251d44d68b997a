package manual_test

import (
	"testing"

	"parley/commerce/money"
	"parley/commerce/payment"
	"parley/commerce/payment/manual"
	"parley/commerce/payment/paymenttest"
)

func TestProviderKeepsTheContract(t *testing.T) {
	paymenttest.Run(t, manual.Provider{}, paymenttest.Amounts{Pending: money.New(2000, "EUR")})
}

func TestInstructionsAreInTheShoppersLanguageOrEnglish(t *testing.T) {
	p := manual.Provider{Texts: map[string]string{"en": "Send {total} for {order}.", "de": "{total} für {order} überweisen."}}
	for _, c := range []struct{ locale, want string }{
		{"en", "Send €35.50 for ord_1."},
		{"de", "35,50\u00a0€ für ord_1 überweisen."},
		{"fr", "Send €35.50 for ord_1."},
	} {
		got := p.Instructions(payment.Charge{Order: "ord_1", Amount: money.New(3550, "EUR"), Locale: c.locale})
		if got != c.want {
			t.Errorf("in %s: got %q, want %q", c.locale, got, c.want)
		}
	}
}
