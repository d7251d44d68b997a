// Package manual is for shops that are paid by transfer, invoice or in cash: the shopper reads how to pay, and a person
// of the shop marks the order paid. It never says that a payment succeeded.
//
// What does not belong here: watching a bank account.
package manual

import (
	"context"
	"strings"

	"parley/commerce/payment"
)

// Name is how the config calls this provider.
const Name = "manual"

// Provider tells shoppers how to pay. Texts are the instructions by language, with {order} and {total} where the order's
// number and its total belong; a language that is missing reads the English one, and the zero value a plain sentence.
type Provider struct {
	Texts map[string]string
}

var _ payment.Provider = Provider{}

// Info says that a person confirms the payment.
func (Provider) Info() payment.Info { return payment.Info{Name: Name} }

// Charge waits for a person.
func (Provider) Charge(context.Context, payment.Charge) (payment.Result, error) {
	return payment.Result{State: payment.Pending}, nil
}

// Refund waits for a person as well.
func (Provider) Refund(context.Context, payment.Refund) (payment.Result, error) {
	return payment.Result{State: payment.Pending}, nil
}

// Instructions is how to pay this order.
func (p Provider) Instructions(c payment.Charge) string {
	text, ok := p.Texts[c.Locale]
	if !ok {
		text, ok = p.Texts["en"]
	}
	switch {
	case ok:
	case c.Locale == "de":
		text = "Bitte zahlen Sie {total} und geben Sie {order} als Verwendungszweck an."
	default:
		text = "Please pay {total} and give {order} as the reference."
	}
	return strings.NewReplacer("{order}", c.Order, "{total}", c.Amount.Format(c.Locale)).Replace(text)
}
