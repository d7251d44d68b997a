package web

import (
	"testing"

	"parley/commerce/money"
)

func TestAmountsAreReadAsTyped(t *testing.T) {
	tests := []struct {
		typed string
		c     money.Currency
		want  string // canonical, or the key of the problem
	}{
		{"17,50", "EUR", "17.50 EUR"}, {"17.50", "EUR", "17.50 EUR"}, {"17.5", "EUR", "17.50 EUR"}, {"17", "EUR", "17.00 EUR"},
		{"€17.50", "EUR", "17.50 EUR"}, {"17,50 €", "EUR", "17.50 EUR"}, {"EUR 17.50", "EUR", "17.50 EUR"}, {"17,50 Euro", "EUR", "17.50 EUR"},
		{"1.234,50", "EUR", "1234.50 EUR"}, {"1,234.50", "EUR", "1234.50 EUR"}, {"1.234", "EUR", "1234.00 EUR"}, {"1,234,567", "EUR", "1234567.00 EUR"},
		{"1 234,50", "EUR", "1234.50 EUR"}, {"1'234.50", "CHF", "1234.50 CHF"}, {"1750", "JPY", "1750 JPY"}, {"1,750", "JPY", "1750 JPY"}, {"1.234", "KWD", "1.234 KWD"},
		{"", "EUR", "wrong.amount"}, {"cheap", "EUR", "wrong.amount"}, {"17.", "EUR", "wrong.amount"}, {"17,505", "EUR", "17505.00 EUR"}, {"17.5050", "EUR", "wrong.amount"},
		{"1.23.45", "EUR", "wrong.amount"}, {"12,34,56", "EUR", "wrong.amount"}, {"17.5", "JPY", "wrong.amount"}, {"99999999999999999999", "EUR", "wrong.amount"},
		{"0", "EUR", "wrong.positive"}, {"0,00", "EUR", "wrong.positive"}, {"-5", "EUR", "wrong.positive"}, {"$17.50", "EUR", "wrong.currency"}, {"17.50 USD", "EUR", "wrong.currency"},
		{"17 apples", "EUR", "wrong.amount"}, {"1e5", "EUR", "wrong.amount"}, {"１７", "EUR", "wrong.amount"},
	}
	for _, test := range tests {
		got, problem := amountTyped(test.typed, test.c)
		if problem == "" {
			problem = got.String()
		}
		if problem != test.want {
			t.Errorf("%q in %s: got %s, want %s", test.typed, test.c, problem, test.want)
		}
	}
}
