// Package test is the payment provider for trying things out: no money moves, and its Info says so, so that every message,
// page and export can carry the mark TEST. A live shop refuses it.
//
// The amount decides what happens: one whose minor units end in 13 (€20.13) is declined, every other is paid.
//
// What does not belong here: remembering charges. The same key is the same charge because the answer follows from the
// charge alone.
package test

import (
	"context"
	"fmt"

	"parley/commerce/payment"
)

// Name is how the config calls this provider.
const Name = "test"

// Provider plays a provider. The zero value works.
type Provider struct{}

var _ payment.Provider = Provider{}

// Info marks everything as a test.
func (Provider) Info() payment.Info {
	return payment.Info{Name: Name, Outside: true, Test: true, Refunds: true}
}

// Charge pays or declines at once, by the amount.
func (Provider) Charge(ctx context.Context, c payment.Charge) (payment.Result, error) {
	if err := ctx.Err(); err != nil {
		return payment.Result{}, fmt.Errorf("charge %s: %w", c.Order, err)
	}
	if c.Amount.Minor <= 0 || c.Amount.Currency == "" {
		return payment.Result{State: payment.Declined, Cause: "invalid_amount"}, nil
	}
	if c.Amount.Minor%100 == 13 {
		return payment.Result{State: payment.Declined, Reference: "TEST-" + c.Key, Cause: "card_declined"}, nil
	}
	return payment.Result{State: payment.Paid, Reference: "TEST-" + c.Key}, nil
}

// Refund always succeeds.
func (Provider) Refund(ctx context.Context, r payment.Refund) (payment.Result, error) {
	if err := ctx.Err(); err != nil {
		return payment.Result{}, fmt.Errorf("refund %s: %w", r.Order, err)
	}
	return payment.Result{State: payment.Paid, Reference: "TEST-" + r.Key}, nil
}

// Instructions says that nothing has to be paid.
func (Provider) Instructions(c payment.Charge) string {
	if c.Locale == "de" {
		return "TEST: Es wird kein Geld bewegt."
	}
	return "TEST: no money moves."
}
