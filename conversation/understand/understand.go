// Package understand reads what a shopper typed: intents, amounts, quantities, numbers that pick a choice, and the language.
// It is grammar and word lists, not guessing: what it is not sure of it leaves out, so that money never moves on a hunch.
//
// What does not belong here: what to do about it (package conversation and the flows).
package understand

import "parley/commerce/money"

// Options is what the reader knows beforehand.
type Options struct {
	Language string         // of the contact; decides how "1.234" is read; empty means unknown
	Currency money.Currency // that a bare number, "bucks" or "Euronen" is in; empty leaves amounts without one
	List     money.Amount   // the price talked about, for "10 off", "10 %", "half price"; zero when there is none
	Phrases  *Phrases       // intents of the merchant's own; nil for none
}

// Reading is what a text says. The zero Reading is "nothing understood".
type Reading struct {
	// Intents are names of what is wanted, surest first: stop, start, help, human, cancel, yes, no, buy, offer, price,
	// stock, order, question, greeting, thanks, language_en, language_de, and the merchant's own. Stop comes first
	// whenever the whole message says it.
	Intents   []string
	Amount    money.Amount // for one piece, with its own currency if the text names one; valid when HasAmount
	HasAmount bool
	Ambiguous bool   // there is a number that could be two amounts ("1.234"): ask back, never act
	Quantity  int    // named beside or without an amount; 0 when none is named
	Number    int    // the whole message is this small number, as when picking from a list; 0 otherwise
	Language  string // "en" or "de" when the words tell; empty when they do not
}
