// Package payment is the contract between trade and whoever collects the money. A provider is a folder beside this file;
// package paymenttest holds the suite that each passes.
//
// What does not belong here: deciding what is owed (package commerce), and card numbers, which never reach us.
package payment

import (
	"context"

	"parley/commerce/money"
)

// State is how a charge or a refund stands.
type State string

const (
	Paid     State = "paid"     // the money is ours, or has gone back
	Declined State = "declined" // it will not come; another charge would be needed
	Pending  State = "pending"  // not known yet: a person confirms, a transfer is under way
)

// Charge asks for the money of one order.
type Charge struct {
	Order  string // public id, which the shopper may see
	Amount money.Amount
	Key    string // idempotency key: the same key is the same charge, however often it is asked for
	Locale string // language of what the shopper reads: en, de
}

// Refund asks to give money back.
type Refund struct {
	Order     string
	Reference string // of the charge, as its Result gave it
	Amount    money.Amount
	Key       string
}

// Result is what a provider answers.
type Result struct {
	State     State
	Reference string // the provider's own id; "" when it has none
	Cause     string // with Declined: a code such as card_declined, never a text for shoppers
}

// Info describes a provider to trade and to whoever writes to the shopper.
type Info struct {
	Name    string
	Outside bool // Charge asks somebody else and may take time: it runs after the commit, as a task
	Test    bool // no money moves; every message, page and export must say so
	Refunds bool // Refund gives the money back by itself; without it a person has to
}

// Provider collects money. Its methods may be called from several goroutines.
type Provider interface {
	Info() Info
	// Charge collects. An error means that the outcome is not known: ask again with the same Key.
	Charge(ctx context.Context, c Charge) (Result, error)
	// Refund gives back, under the same rule. A provider whose Info says no Refunds answers Pending.
	Refund(ctx context.Context, r Refund) (Result, error)
	// Instructions tells the shopper how to pay, in the language of the charge; "" when there is nothing to tell.
	Instructions(c Charge) string
}
