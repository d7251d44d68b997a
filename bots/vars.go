package bots

import (
	"strconv"
	"strings"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/conversation"
)

// vars are the facts that an outcome of trade brings into a conversation, in the canonical forms of conversation.Vars.
func (h *House) vars(o commerce.Outcome) conversation.Vars {
	v := conversation.Vars{}
	if o.Product.SKU != "" {
		h.product(v, o.Product)
		v["price"] = o.Price.String()
	}
	if o.Quote.ID != "" {
		h.quote(v, o.Quote)
	}
	if o.Offer.ID != "" {
		v["offer"] = string(o.Offer.ID)
		v["offer.amount"] = o.Offer.Amount.String()
		v["quantity"] = strconv.Itoa(o.Offer.Quantity)
		v["expires"] = o.Offer.Expires.UTC().Format(time.RFC3339)
		if !o.Offer.Counter.IsZero() {
			v["counter"] = o.Offer.Counter.String()
			if o.Quote.ID == "" {
				amount(v, "total", o.Offer.Counter, o.Offer.Quantity)
			}
		}
	}
	v["last_try"] = truth(o.LastTry)
	if o.Order.ID != "" {
		v["order"] = string(o.Order.ID)
		v["order.status"] = string(o.Order.State)
		v["quantity"] = strconv.Itoa(o.Order.Items[0].Quantity)
		v["total"] = o.Order.Total.String()
		v["payment.test"] = truth(o.Order.Test)
	}
	return v
}

func (h *House) product(v conversation.Vars, p commerce.Product) {
	v["product.sku"] = p.SKU
	v["product.title"] = p.Title
	v["product.description"] = p.Description
	v["product.url"] = h.absolute(p.URL)
	v["product.image"] = h.absolute(p.Image)
	v["product.stock"] = strconv.Itoa(p.Available())
}

func (h *House) quote(v conversation.Vars, q commerce.Quote) {
	v["quote"] = string(q.ID)
	v["quantity"] = strconv.Itoa(q.Quantity)
	v["price"] = q.Unit.String()
	v["total"] = q.Total.String()
	v["buy_url"] = h.buyLink(q)
	v["expires"] = q.Expires.UTC().Format(time.RFC3339)
}

// watchVars are the facts of a watch that was armed.
func (h *House) watchVars(w commerce.Watch, p commerce.Product, name string) conversation.Vars {
	v := conversation.Vars{"watch": string(w.ID), "event": w.Event, "contact.name": name, "price": p.Price.String()}
	h.product(v, p)
	if !w.Threshold.IsZero() {
		v["threshold"] = w.Threshold.String()
	}
	return v
}

// absolute makes a path of our own shop an address that works in a messenger.
func (h *House) absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return h.publicURL() + address
	}
	return address
}

func amount(v conversation.Vars, name string, unit money.Amount, quantity int) {
	if total, err := unit.Times(quantity); err == nil {
		v[name] = total.String()
	}
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return ""
}
