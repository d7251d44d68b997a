// Package commerce decides about trade: what a product costs and whether it is there, whose watch fires, which offer is
// taken, when an order is paid. A decision reads and writes through Tx inside the caller's transaction, and its answer is
// an Outcome that package bots carries back into the conversation as an event.
//
// What does not belong here: I/O, clocks (now is an argument), words for shoppers (the flows have those), messengers, and
// calls to payment providers: a charge is a task that this package leaves behind and package bots runs after the commit.
package commerce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce/money"
)

// MerchantID is the key of a merchant. It is the first argument of whatever reads or writes rows.
type MerchantID int64

// Public ids: a prefix and 26 characters that sort by time. Keys (int64) stay inside.
type (
	WatchID      string // wat_…
	OccurrenceID string // occ_…
	QuoteID      string // qte_…
	OrderID      string // ord_…
	OfferID      string // ofr_…
)

var (
	// ErrNotFound says that this merchant has no such thing.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the thing is no longer in a state in which this can be done; the error's text says why.
	ErrConflict = errors.New("no longer possible")
)

// Invalid is a value that a person or a program gave us and that we cannot take. Problem is a sentence for them.
type Invalid struct {
	Field   string // as the API names it: price, offers.floor, threshold
	Problem string
	Err     error // ErrNotFound where the value names something that is not there; otherwise nil
}

func (e *Invalid) Error() string { return e.Field + ": " + e.Problem }

func (e *Invalid) Unwrap() error { return e.Err }

func invalid(field, format string, args ...any) *Invalid {
	return &Invalid{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Tx is what the decisions need of a transaction; *store.Tx is one. A method that finds nothing returns ErrNotFound. A row
// that is added gets its Key and ID there.
type Tx interface {
	Catalogue
	Watches
	Deliveries
	Quotes
	Orders
	Offers
	// Event appends a change of state. Data holds ids and figures, never names or texts.
	Event(ctx context.Context, merchant MerchantID, kind, subject string, data map[string]any) error
}

// Catalogue keeps products, their prices and their stock.
type Catalogue interface {
	// LockProduct loads a product and keeps everybody else from changing it until the transaction ends. Every decision about
	// a product begins with it, so that two of them follow each other.
	LockProduct(ctx context.Context, merchant MerchantID, sku string) (Product, error)
	LockProductByKey(ctx context.Context, merchant MerchantID, key int64) (Product, error)
	// ProductByKey only reads it.
	ProductByKey(ctx context.Context, merchant MerchantID, key int64) (Product, error)
	AddProduct(ctx context.Context, p *Product) error
	// SaveProduct writes all but the stock and the wave.
	SaveProduct(ctx context.Context, p Product) error
	// SaveWave writes the product's Wave alone.
	SaveWave(ctx context.Context, p Product) error
	AddPrice(ctx context.Context, p Product, at time.Time) error
	// MoveStock changes the counters in one conditional statement and counts the movement. It says false, and changes
	// nothing, when the stock does not allow it: held would leave 0…on_hand.
	MoveStock(ctx context.Context, m Movement) (bool, error)
}

// Watches keeps who wants to be told what.
type Watches interface {
	AddWatch(ctx context.Context, w *Watch) error
	SaveWatch(ctx context.Context, w Watch) error
	Watch(ctx context.Context, merchant MerchantID, id WatchID) (Watch, error)
	WatchByKey(ctx context.Context, merchant MerchantID, key int64) (Watch, error)
	// WatchByToken finds the watch whose link carries the token with this hash.
	WatchByToken(ctx context.Context, merchant MerchantID, hash string) (Watch, error)
	// StandingWatch is the contact's watch of this product and event that is armed or has fired.
	StandingWatch(ctx context.Context, merchant MerchantID, contact, product int64, event string) (Watch, error)
	// CountWatches counts those of a contact that are armed or pending.
	CountWatches(ctx context.Context, merchant MerchantID, contact int64) (int, error)
}

// Quotes keeps what was offered to whom at which price.
type Quotes interface {
	AddQuote(ctx context.Context, q *Quote) error
	Quote(ctx context.Context, merchant MerchantID, id QuoteID) (Quote, error)
	QuoteByKey(ctx context.Context, merchant MerchantID, key int64) (Quote, error)
	QuoteByCause(ctx context.Context, merchant MerchantID, cause string) (Quote, error)
	// LiveDeal is the contact's unexpired deal on a product that no order has used; the cheapest, if there are several.
	LiveDeal(ctx context.Context, merchant MerchantID, contact, product int64, now time.Time) (Quote, error)
	// DealtPieces counts the pieces of a product that unused deals of other contacts wait for.
	DealtPieces(ctx context.Context, merchant MerchantID, product, except int64, now time.Time) (int, error)
}

// Orders keeps orders and their payments.
type Orders interface {
	AddOrder(ctx context.Context, o *Order) error
	SaveOrder(ctx context.Context, o Order) error
	Order(ctx context.Context, merchant MerchantID, id OrderID) (Order, error)
	OrderByQuote(ctx context.Context, merchant MerchantID, quote int64) (Order, error)
	LatestOrder(ctx context.Context, merchant MerchantID, contact int64) (Order, error)
	// OverdueOrders are those that wait for a payment longer than their hold lasts, in the order of their products.
	OverdueOrders(ctx context.Context, now time.Time, limit int) ([]Order, error)
	AddPayment(ctx context.Context, e PaymentEntry) error
	AddPaymentTask(ctx context.Context, t *PaymentTask) error
	PaymentTasks(ctx context.Context, merchant MerchantID, order int64) ([]PaymentTask, error)
	SavePaymentTask(ctx context.Context, t PaymentTask) error
}

// Offers keeps what shoppers offered and what they were answered.
type Offers interface {
	AddOffer(ctx context.Context, o *Offer) error
	SaveOffer(ctx context.Context, o Offer) error
	Offer(ctx context.Context, merchant MerchantID, id OfferID) (Offer, error)
	OfferByCause(ctx context.Context, merchant MerchantID, cause string) (Offer, error)
	// OffersOf are a contact's offers for a product since a time, oldest first.
	OffersOf(ctx context.Context, merchant MerchantID, contact, product int64, since time.Time) ([]Offer, error)
	// OverdueOffers are those that nobody answered in time, in the order of their products.
	OverdueOffers(ctx context.Context, now time.Time, limit int) ([]Offer, error)
}

// Outcome is what came of a command. Name is the event that the conversation gets, one of those that package effect lists;
// it is "" when the answer comes later (a payment that has to be asked for first).
type Outcome struct {
	Name    string
	Repeat  bool // the command was carried out before: nothing changed now
	Product Product
	Price   money.Amount // the price of one piece in force for this shopper
	Quote   Quote
	Order   Order
	Offer   Offer
	LastTry bool // the shopper's next offer for this product will be the last
	Owed    bool // money that was paid has to go back, and a person has to see to it
	// Raised are the occurrences that the change of stock brought about; whoever watches is told of them next.
	Raised []Occurrence
}
