package cli

import (
	"parley/adapters/all"
	"parley/config"
)

// kinds are the settings of everything a config can plug in: the messengers built in and the payment providers.
func kinds() config.Kinds {
	k := config.Kinds{
		Adapters: map[string][]config.Field{},
		Payments: map[string][]config.Field{"test": nil, "manual": manualFields},
	}
	for _, spec := range all.All() {
		k.Adapters[spec.Name] = spec.Fields
	}
	return k
}

// manualFields are what an admin may say about paying by invoice, transfer or cash.
var manualFields = []config.Field{{
	Name: "instructions", Type: config.Texts, Enum: []string{"en", "de"},
	Sample: `{en: "Please transfer {total} to DE00 0000, reference {order}."}`,
	Doc:    "How to pay, per language, as the shopper reads it after ordering.",
}}
