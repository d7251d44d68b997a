package flow

import "parley/conversation/effect"

// Word is an event that a flow can name, with what it means and which variables come with it.
type Word struct {
	Name string
	Doc  string
	Sets []string
}

// Intents are read from a shopper's words by package understand. A merchant adds own ones in bot.yaml.
var Intents = []Word{
	{Name: "stop", Doc: "no more messages; taken before anything else when it is the whole message"},
	{Name: "start", Doc: "messages again"},
	{Name: "help", Doc: "what can I do here?"},
	{Name: "human", Doc: "a person, please"},
	{Name: "cancel", Doc: "call this off"},
	{Name: "yes", Doc: "agreed"},
	{Name: "no", Doc: "not agreed"},
	{Name: "buy", Doc: "wants it"},
	{Name: "offer", Doc: "wants to name a price"},
	{Name: "price", Doc: "asks what it costs"},
	{Name: "stock", Doc: "asks whether it is there"},
	{Name: "order", Doc: "asks about an order"},
	{Name: "question", Doc: "asks something else"},
	{Name: "greeting", Doc: "says hello, or opened the chat"},
	{Name: "thanks", Doc: "says thank you"},
	{Name: "language_en", Doc: "wants English; the language is switched already"},
	{Name: "language_de", Doc: "wants German; the language is switched already"},
}

// Signals are raised by the conversation itself.
var Signals = []Word{
	{Name: "amount", Doc: "named a price, without doubt about the figure", Sets: []string{"amount"}},
	{Name: "ambiguous_amount", Doc: `named a figure that could be two ("1.234")`},
	{Name: "quantity", Doc: "named how many, and another number than so far", Sets: []string{"quantity"}},
	{Name: "text", Doc: "wrote anything at all; tried last, in on: only", Sets: []string{"text"}},
	{Name: "link", Doc: "came by a deep link", Sets: []string{"token"}},
	{Name: "misunderstood", Doc: "wrote what nothing else takes, for the first time in a row", Sets: []string{"text"}},
	{Name: "lost", Doc: "was misunderstood twice in a row or more often", Sets: []string{"text"}},
	{Name: "returned", Doc: "staff have given the conversation back to the bot"},
}

var watchVars = []string{"watch", "event", "threshold", "contact.name"}

var dealVars = []string{"quote", "quantity", "total", "buy_url"}

// Triggers are what happens in trade. Each begins the flow that lists it under starts_on, wherever the conversation is.
var Triggers = []Word{
	{Name: "subscribed", Doc: "a watch is armed on a channel where we may write first", Sets: join(effect.ProductVars(), watchVars)},
	{Name: "link_bought", Doc: "the shopper pressed the button on the page of a buy link", Sets: join(effect.ProductVars(), dealVars)},
	{Name: "order_cancelled", Doc: "the shop cancelled the order", Sets: join(effect.ProductVars(), []string{"order", "quantity", "total", "payment.test"})},
	{Name: "price_below", Doc: "the price fell to the watch's threshold", Sets: join(effect.ProductVars(), watchVars, dealVars, []string{"was"})},
	{Name: "back_in_stock", Doc: "it can be bought again", Sets: join(effect.ProductVars(), watchVars, dealVars)},
	{Name: "offer_accepted", Doc: "the shop took the shopper's offer", Sets: join(effect.ProductVars(), dealVars, []string{"offer", "offer.amount", "expires"})},
	{Name: "offer_countered", Doc: "the shop named another price", Sets: join(effect.ProductVars(), dealVars, []string{"offer", "offer.amount", "counter", "expires"})},
	{Name: "offer_declined", Doc: "the shop declined the shopper's offer", Sets: join(effect.ProductVars(), []string{"offer", "offer.amount", "last_try"})},
}

// Builtins are variables that no effect brings.
var Builtins = []Word{
	{Name: "text", Doc: "what the shopper wrote last"},
	{Name: "amount", Doc: "the price they named last"},
	{Name: "quantity", Doc: "how many they named last"},
	{Name: "token", Doc: "of the deep link they came by"},
	{Name: "contact.name", Doc: "the shopper's name, as far as known"},
	{Name: "contact.time_zone", Doc: "the shopper's time zone, as far as known"},
	{Name: "shop.name", Doc: "from bot.yaml"},
	{Name: "language", Doc: "en or de"},
	{Name: "entered", Doc: "when the present state was entered, if it has after:"},
}

// amountVars hold money and want the filter money; countVars are numbers that {% if %} may compare.
var (
	amountVars = []string{"price", "was", "total", "counter", "offer.amount", "amount", "threshold"}
	timeVars   = []string{"expires", "entered"}
	countVars  = []string{"quantity", "product.stock"}
)

func join(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func names(words []Word) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = w.Name
	}
	return all
}

// productBound are the variables that speak of one product.
func productBound() []string {
	var all []string
	for _, e := range effect.All {
		all = append(all, e.Sets...)
	}
	for _, t := range Triggers {
		all = append(all, t.Sets...)
	}
	bound := all[:0]
	for _, v := range all {
		if v != "contact.name" {
			bound = append(bound, v)
		}
	}
	return append(bound, "amount")
}
