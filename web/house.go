package web

import (
	"context"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// BackOffice is what the staff's pages and the REST API need. Without a Store neither is served.
type BackOffice struct {
	Store *store.Store // read directly; keys, staff and sessions are written as well
	House House        // everything that acts on talk and trade
	Flows FlowReports  // nil when /admin need not tell of flows
	// Pairing links phones to accounts; nil where no account needs that.
	Pairing Pairing
	// Metrics are figures of how the bots work since the process began, those of one name beside each other; nil when nobody counts.
	Metrics func() []Metric
}

// Metric is one figure of how the bots work. Nothing in it tells of a person.
type Metric struct {
	Name, Help    string // a counter ends in _total, a histogram in _seconds or _size
	Account, Lane string // "" where it is not of one
	Value         float64
	// Of a histogram: the upper bounds of its buckets, how many stand in each (one more than bounds), and the sum of what was
	// observed. Elsewhere nil.
	Bounds []float64
	Counts []int64
	Sum    float64
}

// House acts for staff and API keys. Package bots implements it: whatever has to reach a shopper goes through it. What the
// merchant does not have is commerce.ErrNotFound or store.ErrNotFound, a refused value *commerce.Invalid, and what can no
// longer be done commerce.ErrConflict.
//
// Staff, by and note are those of who acts: the id of a person (stf_…) or of an API key (key_…).
type House interface {
	// PutProduct creates or changes a product and tells whoever waits for that.
	PutProduct(ctx context.Context, merchant commerce.MerchantID, change commerce.ProductChange) (commerce.Product, error)
	// Subscribe keeps a wish that the merchant vouches for. Address is as the key's owner gave it; on web chat it is a visitor's
	// public id and stands in Visitor as well. Refused fields are named as Subscriber names them.
	Subscribe(ctx context.Context, merchant commerce.MerchantID, s Subscription) (Subscribed, error)
	// CancelWatch ends a watch. Cancelling twice is not an error.
	CancelWatch(ctx context.Context, merchant commerce.MerchantID, id string) error

	// Say speaks in a conversation and takes it over: from then on the bot is silent.
	Say(ctx context.Context, merchant commerce.MerchantID, conversation, staff, text string) (store.Message, error)
	TakeOver(ctx context.Context, merchant commerce.MerchantID, conversation, staff string) error
	// Return gives a conversation back to the bot. Returning twice is not an error.
	Return(ctx context.Context, merchant commerce.MerchantID, conversation, staff string) error

	AcceptOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error)
	DeclineOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error)
	CounterOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string, price money.Amount) (commerce.Offer, error)

	CancelOrder(ctx context.Context, merchant commerce.MerchantID, order, by string) (commerce.Order, error)
	// MarkPaid says that the money of an order has come. The note tells where it can be found again.
	MarkPaid(ctx context.Context, merchant commerce.MerchantID, order, by, note string) (commerce.Order, error)
}

// FlowReports tells /admin about the flows that run.
type FlowReports interface {
	Flows(ctx context.Context, merchant commerce.MerchantID) (FlowReport, error)
}

// FlowReport is the set of flows that new conversations begin in.
type FlowReport struct {
	Hash     string   // of the set's content
	Source   string   // the folder, or "built in"
	Flows    []string // their names
	Problems []string // as `parley check` prints them
}
