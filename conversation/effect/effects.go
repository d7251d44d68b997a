package effect

import (
	"fmt"
	"strconv"
	"time"

	"parley/commerce/money"
)

// Say sends one message. Flows write it as `say:` with `choices:`, not as `do: say`; Step builds it.
// Text and labels are rendered already.
type Say struct {
	Text    string
	Choices []Option
	Image   string
	Class   string // conversation.Class
}

// Option mirrors conversation.Option without its opaque value.
type Option struct{ ID, Label string }

// Lookup loads a product's present title, price and stock.
type Lookup struct{ SKU string }

// Quote makes an offer to sell at the present price, which checkout then takes.
type Quote struct {
	SKU      string
	Quantity int
}

// Checkout places the order for a quote: stock is held and the payment begins. However often the same quote is
// checked out, there is one order.
type Checkout struct{ Quote string }

// Confirm arms the watch that a deep link's token belongs to.
type Confirm struct{ Token string }

// Offer is a price the shopper names. Amount zero with an empty currency never happens: the flow has one from the words.
type Offer struct {
	SKU      string
	Quantity int
	Amount   money.Amount // for one piece; without a currency it is in the product's
}

// Accept takes the shop's counteroffer; what it answers with carries a quote at that price.
type Accept struct{ Offer string }

// FindOrder loads the contact's latest order.
type FindOrder struct{}

// CancelOrder cancels the contact's order while that is still possible.
type CancelOrder struct{ Order string }

// HandOff asks for a person. Until one answers and gives back, the bot says nothing more.
type HandOff struct{ Reason string }

// Stop ends all messages to this address; Resume allows them again.
type (
	Stop   struct{}
	Resume struct{}
)

// Remind raises Event in this state after a while, unless the conversation has moved on.
type Remind struct {
	After time.Duration
	Event string
}

func (Say) effect()         {}
func (Lookup) effect()      {}
func (Quote) effect()       {}
func (Checkout) effect()    {}
func (Confirm) effect()     {}
func (Offer) effect()       {}
func (Accept) effect()      {}
func (FindOrder) effect()   {}
func (CancelOrder) effect() {}
func (HandOff) effect()     {}
func (Stop) effect()        {}
func (Resume) effect()      {}
func (Remind) effect()      {}

// productVars are set by every outcome that speaks of a product; price is the price in force for this contact.
var productVars = []string{"product.sku", "product.title", "product.description", "product.url", "product.image", "product.stock", "price"}

// ProductVars are the variables that everything which speaks of a product brings.
func ProductVars() []string { return append([]string{}, productVars...) }

func with(more ...string) []string { return append(append([]string{}, productVars...), more...) }

// All are the effects a flow may ask for by `do:`.
var All = []Spec{
	{
		Name: "lookup", Doc: "Loads a product's present title, price and stock.",
		Args:     []Arg{{Name: "sku", Doc: "the product", Default: "{{ product.sku }}"}},
		Outcomes: []string{"found", "no_product"}, Sets: productVars,
		New: func(a map[string]string) (Effect, error) { return Lookup{SKU: a["sku"]}, nil },
	},
	{
		Name: "quote", Doc: "Makes an offer to sell at the present price, which checkout then takes.",
		Args: []Arg{
			{Name: "sku", Doc: "the product", Default: "{{ product.sku }}"},
			{Name: "quantity", Doc: "how many", Default: "{{ quantity }}"},
		},
		Outcomes: []string{"quoted", "sold_out", "no_product"}, Sets: with("quote", "quantity", "total", "buy_url"),
		New: func(a map[string]string) (Effect, error) {
			n, err := quantity(a["quantity"])
			return Quote{SKU: a["sku"], Quantity: n}, err
		},
	},
	{
		Name: "checkout", Doc: "Places the order for a quote and begins the payment. Once, however often it is asked.",
		Args:     []Arg{{Name: "quote", Doc: "the quote", Default: "{{ quote }}"}},
		Outcomes: []string{"paid", "payment_due", "payment_declined", "sold_out", "quote_expired"},
		Sets:     with("order", "quantity", "total", "payment.instructions", "payment.test"),
		New:      func(a map[string]string) (Effect, error) { return Checkout{Quote: a["quote"]}, nil },
	},
	{
		Name: "confirm", Doc: "Arms the watch that the deep link's token belongs to.",
		Args:     []Arg{{Name: "token", Doc: "the token of the link", Default: "{{ token }}"}},
		Outcomes: []string{"watching", "link_expired"}, Sets: with("watch", "event", "threshold", "contact.name"),
		New: func(a map[string]string) (Effect, error) { return Confirm{Token: a["token"]}, nil },
	},
	{
		Name: "offer", Doc: "Makes the shopper's offer: the shop's policy answers, or a person does.",
		Args: []Arg{
			{Name: "sku", Doc: "the product", Default: "{{ product.sku }}"},
			{Name: "amount", Doc: "the price for one piece", Default: "{{ amount }}"},
			{Name: "quantity", Doc: "how many", Default: "{{ quantity }}"},
		},
		Outcomes: []string{"accepted", "countered", "declined", "asked", "tries_used", "wrong_currency", "not_negotiable", "sold_out", "no_product"},
		Sets:     with("offer", "offer.amount", "counter", "quote", "quantity", "total", "buy_url", "last_try", "expires"),
		New: func(a map[string]string) (Effect, error) {
			n, err := quantity(a["quantity"])
			if err != nil {
				return nil, err
			}
			amount, err := money.Parse(a["amount"])
			return Offer{SKU: a["sku"], Quantity: n, Amount: amount}, err
		},
	},
	{
		Name: "accept", Doc: "Takes the shop's counteroffer.",
		Args:     []Arg{{Name: "offer", Doc: "the offer", Default: "{{ offer }}"}},
		Outcomes: []string{"accepted", "offer_expired", "sold_out"},
		Sets:     with("offer", "quote", "quantity", "total", "buy_url", "expires"),
		New:      func(a map[string]string) (Effect, error) { return Accept{Offer: a["offer"]}, nil },
	},
	{
		Name: "find_order", Doc: "Loads the contact's latest order.",
		Outcomes: []string{"order_found", "no_order"}, Sets: []string{"order", "order.status", "product.title", "quantity", "total"},
		New: func(map[string]string) (Effect, error) { return FindOrder{}, nil },
	},
	{
		Name: "cancel_order", Doc: "Cancels the contact's order while that is still possible.",
		Args:     []Arg{{Name: "order", Doc: "the order", Default: "{{ order }}"}},
		Outcomes: []string{"cancelled", "too_late", "no_order"}, Sets: []string{"order", "total"},
		New: func(a map[string]string) (Effect, error) { return CancelOrder{Order: a["order"]}, nil },
	},
	{
		Name: "hand_off", Doc: "Asks for a person of the shop; the bot is silent from then on.",
		Args:     []Arg{{Name: "reason", Doc: "what staff read above the thread"}},
		Outcomes: []string{"handed_off"},
		New:      func(a map[string]string) (Effect, error) { return HandOff{Reason: a["reason"]}, nil },
	},
	{
		Name: "stop", Doc: "Ends all messages to this address.", Outcomes: []string{"stopped"},
		New: func(map[string]string) (Effect, error) { return Stop{}, nil },
	},
	{
		Name: "resume", Doc: "Allows messages again.", Outcomes: []string{"resumed"},
		New: func(map[string]string) (Effect, error) { return Resume{}, nil },
	},
}

// quantity reads a count; empty means one.
func quantity(s string) (int, error) {
	if s == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 999 {
		return 0, fmt.Errorf("quantity %q is not a count from 1 to 999", s)
	}
	return n, nil
}
