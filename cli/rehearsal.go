package cli

import (
	"fmt"
	"strconv"
	"time"

	"parley/commerce/money"
	"parley/conversation"
	"parley/conversation/effect"
)

// rehearsal is a shop of one product that answers effects as the real one would, in memory and for nothing. It holds to the
// rules a flow can notice (stock, floor, three tries) and no more; what counts is decided in package commerce.
type rehearsal struct {
	now   func() time.Time
	sku   string
	title string
	price money.Amount
	was   money.Amount
	floor money.Amount
	auto  money.Amount
	stock int

	quotes  map[string]deal
	offers  map[string]deal
	orders  []deal
	tried   int
	counter int
}

// deal is a price for a number of pieces: as a quote, an offer or an order.
type deal struct {
	id       string
	price    money.Amount
	quantity int
	status   string
}

// tries is how often a shopper may name a price.
const tries = 3

func newRehearsal(now func() time.Time) *rehearsal {
	euro := func(minor int64) money.Amount { return money.New(minor, "EUR") }
	return &rehearsal{
		now: now, sku: "sample-mug", title: "Sample mug", stock: 5,
		price: euro(2000), was: euro(2400), floor: euro(1400), auto: euro(1800),
		quotes: map[string]deal{}, offers: map[string]deal{},
	}
}

// answer carries an effect out. Effects that have no outcome answer with the empty name.
func (r *rehearsal) answer(e effect.Effect) (outcome string, vars conversation.Vars, err error) {
	switch e := e.(type) {
	case effect.Lookup:
		return r.lookup(e)
	case effect.Quote:
		return r.quote(e)
	case effect.Checkout:
		return r.checkout(e)
	case effect.Offer:
		return r.offer(e)
	case effect.Accept:
		return r.accept(e)
	case effect.FindOrder:
		return r.findOrder()
	case effect.CancelOrder:
		return r.cancelOrder(e)
	case effect.Confirm:
		return "watching", merge(r.product(), r.watch()), nil
	case effect.HandOff:
		return "handed_off", nil, nil
	case effect.Stop:
		return "stopped", nil, nil
	case effect.Resume:
		return "resumed", nil, nil
	case effect.Say, effect.Remind:
		return "", nil, nil
	}
	return "", nil, fmt.Errorf("the rehearsal has no answer to %T", e)
}

// happening gives the variables that a trigger brings.
func (r *rehearsal) happening(trigger string) (conversation.Vars, error) {
	vars, err := r.quoteVars(r.price, 1)
	if err != nil {
		return nil, err
	}
	offer := r.next("ofr")
	r.offers[offer] = deal{id: offer, price: r.auto, quantity: 1}
	return merge(vars, r.watch(), conversation.Vars{
		"event": trigger, "was": r.was.String(), "offer": offer, "offer.amount": r.floor.String(), "counter": r.auto.String(), "expires": r.expiry(),
	}), nil
}

func (r *rehearsal) lookup(e effect.Lookup) (string, conversation.Vars, error) {
	if e.SKU != r.sku && e.SKU != "" {
		return "no_product", nil, nil
	}
	return "found", r.product(), nil
}

func (r *rehearsal) quote(e effect.Quote) (string, conversation.Vars, error) {
	if r.stock < e.Quantity {
		return "sold_out", r.product(), nil
	}
	vars, err := r.quoteVars(r.price, e.Quantity)
	return "quoted", vars, err
}

func (r *rehearsal) checkout(e effect.Checkout) (string, conversation.Vars, error) {
	q, ok := r.quotes[e.Quote]
	if !ok {
		return "quote_expired", r.product(), nil
	}
	if q.status == "" { // the first time; later times find the same order
		if r.stock < q.quantity {
			return "sold_out", r.product(), nil
		}
		r.stock -= q.quantity
		q.status = r.next("ord")
		r.quotes[e.Quote] = q
		r.orders = append(r.orders, deal{id: q.status, price: q.price, quantity: q.quantity, status: "paid"})
	}
	vars, err := r.dealVars(q)
	return "paid", merge(vars, conversation.Vars{"order": q.status, "payment.test": "true"}), err
}

func (r *rehearsal) offer(e effect.Offer) (string, conversation.Vars, error) {
	if e.Amount.Currency == "" {
		e.Amount.Currency = r.price.Currency
	}
	if e.Amount.Currency != r.price.Currency {
		return "wrong_currency", r.product(), nil
	}
	if r.stock < e.Quantity {
		return "sold_out", r.product(), nil
	}
	if r.tried >= tries {
		return "tries_used", r.product(), nil
	}
	r.tried++
	vars := merge(r.product(), conversation.Vars{"offer.amount": e.Amount.String(), "quantity": strconv.Itoa(e.Quantity), "expires": r.expiry()})
	if r.tried == tries-1 {
		vars["last_try"] = "true"
	}
	switch {
	case e.Amount.Minor < r.floor.Minor:
		return "declined", vars, nil
	case e.Amount.Minor < r.auto.Minor:
		id := r.next("ofr")
		r.offers[id] = deal{id: id, price: r.auto, quantity: e.Quantity}
		total, err := r.auto.Times(e.Quantity)
		vars["offer"], vars["counter"], vars["total"] = id, r.auto.String(), total.String()
		return "countered", vars, err
	}
	price := money.New(min(e.Amount.Minor, r.price.Minor), r.price.Currency)
	sold, err := r.quoteVars(price, e.Quantity)
	return "accepted", merge(vars, sold), err
}

func (r *rehearsal) accept(e effect.Accept) (string, conversation.Vars, error) {
	o, ok := r.offers[e.Offer]
	if !ok {
		return "offer_expired", r.product(), nil
	}
	if r.stock < o.quantity {
		return "sold_out", r.product(), nil
	}
	vars, err := r.quoteVars(o.price, o.quantity)
	return "accepted", merge(vars, conversation.Vars{"offer": o.id, "expires": r.expiry()}), err
}

func (r *rehearsal) findOrder() (string, conversation.Vars, error) {
	if len(r.orders) == 0 {
		return "no_order", nil, nil
	}
	o := r.orders[len(r.orders)-1]
	total, err := o.price.Times(o.quantity)
	return "order_found", conversation.Vars{
		"order": o.id, "order.status": o.status, "product.title": r.title, "quantity": strconv.Itoa(o.quantity), "total": total.String(),
	}, err
}

func (r *rehearsal) cancelOrder(e effect.CancelOrder) (string, conversation.Vars, error) {
	for i, o := range r.orders {
		if o.id != e.Order {
			continue
		}
		if o.status != "cancelled" {
			r.orders[i].status = "cancelled"
			r.stock += o.quantity
		}
		total, err := o.price.Times(o.quantity)
		return "cancelled", conversation.Vars{"order": o.id, "total": total.String()}, err
	}
	return "no_order", nil, nil
}

func (r *rehearsal) product() conversation.Vars {
	return conversation.Vars{
		"product.sku": r.sku, "product.title": r.title, "product.stock": strconv.Itoa(r.stock), "price": r.price.String(),
		"product.description": "Stoneware, 300 ml. It exists in this rehearsal only.", "product.url": "https://shop.example/p/" + r.sku,
	}
}

func (r *rehearsal) watch() conversation.Vars {
	return conversation.Vars{"watch": "wat_rehearsal", "event": "price_below", "threshold": r.price.String(), "contact.name": "Robin"}
}

// dealVars are the product's variables with the deal's own price.
func (r *rehearsal) dealVars(d deal) (conversation.Vars, error) {
	total, err := d.price.Times(d.quantity)
	if err != nil {
		return nil, fmt.Errorf("rehearse a deal for %d: %w", d.quantity, err)
	}
	return merge(r.product(), conversation.Vars{"price": d.price.String(), "quantity": strconv.Itoa(d.quantity), "total": total.String()}), nil
}

// quoteVars are those of a deal that can be bought.
func (r *rehearsal) quoteVars(price money.Amount, quantity int) (conversation.Vars, error) {
	q := deal{id: r.next("qte"), price: price, quantity: quantity}
	r.quotes[q.id] = q
	vars, err := r.dealVars(q)
	return merge(vars, conversation.Vars{"quote": q.id, "buy_url": "https://shop.example/b/rehearsal"}), err
}

func (r *rehearsal) next(prefix string) string {
	r.counter++
	return fmt.Sprintf("%s_rehearsal%d", prefix, r.counter)
}

func (r *rehearsal) expiry() string { return r.now().Add(48 * time.Hour).UTC().Format(time.RFC3339) }

func merge(all ...conversation.Vars) conversation.Vars {
	out := conversation.Vars{}
	for _, vars := range all {
		for name, value := range vars {
			out[name] = value
		}
	}
	return out
}
