package conversation

import "parley/commerce/money"

// Invoice is a request for money that the network itself collects. It hangs on an Option: choosing that pays it, and Event.Payment
// names it from then on.
type Invoice struct {
	ID          string       `json:"id"` // opaque, at most 64 bytes
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Total       money.Amount `json:"total"`
}

// Payment is what a network says of the money for an Invoice.
type Payment struct {
	Invoice   string       `json:"invoice"`             // Invoice.ID
	Amount    money.Amount `json:"amount"`              //
	Reference string       `json:"reference,omitempty"` // the network's id of the payment: the same one is the same money; empty until it has come
	Note      string       `json:"note,omitempty"`      // what whoever has to look for the money elsewhere needs to know
}
