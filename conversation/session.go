package conversation

// Vars are the facts a session carries, by dotted name: "product.title", "price", "quote". Every value is text in a
// canonical form so that storing and reading loses nothing: amounts as money.Amount.String ("17.20 EUR"), times in
// RFC 3339 UTC, counts in decimal, truth as "true" or "". A name that is absent reads as "".
type Vars map[string]string

// Session is where a conversation stands. The zero Session is idle: no flow has begun.
//
// Flow and Hash pin the flow and the version of the set it was compiled from, until the flow ends. Back is where the
// shopper was, and what was known there, when the present flow began; states with `return: true` lead back there. It is nil in a
// flow without such a state.
type Session struct {
	Flow     string `json:"flow,omitempty"`
	Hash     string `json:"hash,omitempty"`
	State    string `json:"state,omitempty"`
	Vars     Vars   `json:"vars,omitempty"`
	Language string `json:"language,omitempty"` // of the contact, "en" or "de"; empty means the set's default
	Misses   int    `json:"misses,omitempty"`   // misunderstandings in a row

	Back *Context `json:"back,omitempty"`
}
