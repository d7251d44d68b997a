package test_test

import (
	"testing"

	"parley/commerce/money"
	"parley/commerce/payment/paymenttest"
	"parley/commerce/payment/test"
)

func TestProviderKeepsTheContract(t *testing.T) {
	paymenttest.Run(t, test.Provider{}, paymenttest.Amounts{Paid: money.New(2000, "EUR"), Declined: money.New(2013, "EUR")})
}
