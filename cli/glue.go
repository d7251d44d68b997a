package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/adapters/webchat"
	"parley/bots"
	"parley/commerce"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/store"
	"parley/web"
)

// What web and webchat ask for, answered by the store and the house. web knows neither bots nor adapters, so their types are
// turned into each other here.

// pages is what the web server is made of. The public pages (widget, chat, shop) are those of the config's first merchant.
func (in *installation) pages(p *plan) web.Options {
	m, cfg := p.merchants[0], p.cfg.Merchants[0]
	v := visitors{in.store, m.ID}
	o := web.Options{
		Log: in.log, Catalogue: catalogue{in.store, m.ID}, Subscriber: subscriber{in, m.ID}, Visitors: v, Buyer: buyer{in.house},
		Hooks: in.house.Hook, Ready: in.ready, PublicURL: p.cfg.Web.PublicURL,
		Shop: web.Shop{Name: cfg.Title, Languages: languages(cfg.DefaultLanguage, cfg.Languages)}, Origins: cfg.Origins, Proxies: p.cfg.Web.TrustedProxies,
		BackOffice: web.BackOffice{Store: in.store, House: office{in.house, in}, Flows: p.reports, Pairing: in.pairings, Metrics: in.metrics},
	}
	for _, a := range m.Accounts {
		spec, _ := specNamed(a.Channel)
		if a.Channel == "console" {
			continue
		}
		o.Channels = append(o.Channels, web.Channel{
			Account: a.Name, Adapter: a.Channel, Title: spec.Title, Typed: spec.Typed, MayWriteFirst: spec.MayWriteFirst,
			Consent: commerce.Words(cfg.Policy.ConsentText),
		})
		if chat, ok := a.Messenger.(*webchat.Messenger); ok && o.ChatSocket == nil {
			o.ChatSocket = chat.Socket()
		}
	}
	if in.demo != nil {
		o.Demo, o.Shelves = true, in.demo.shelves
	}
	return o
}

// languages puts the default first.
func languages(first string, all []string) []string {
	out := []string{first}
	for _, l := range all {
		if l != first {
			out = append(out, l)
		}
	}
	return out
}

// ready says whether requests can be served: the database answers and the bots run.
func (in *installation) ready(ctx context.Context) error {
	if !in.serving.Load() {
		return errors.New("the bots are starting or stopping")
	}
	return in.store.Ping(ctx)
}

// visitors are the web visitors of a merchant.
type visitors struct {
	store    *store.Store
	merchant commerce.MerchantID
}

func (v visitors) New(ctx context.Context) (secret, id string, err error) {
	err = v.store.Tx(ctx, func(tx *store.Tx) error {
		secret, id, err = tx.AddVisitor(ctx, v.merchant)
		return err
	})
	return secret, id, err
}

func (v visitors) Lookup(ctx context.Context, secret string) (id string, err error) {
	err = v.store.View(ctx, func(tx *store.Tx) error {
		id, err = tx.Visitor(ctx, v.merchant, secret)
		return err
	})
	return id, err
}

// Visitor is Lookup in webchat's words.
func (v visitors) Visitor(ctx context.Context, secret string) (string, error) {
	id, err := v.Lookup(ctx, secret)
	if errors.Is(err, store.ErrNotFound) {
		return "", webchat.ErrUnknownVisitor
	}
	return id, err
}

// chatHistory is what was said in the web chats of one account.
type chatHistory struct {
	store    *store.Store
	merchant commerce.MerchantID
	account  string
}

func (h chatHistory) After(ctx context.Context, visitor, messageID string, limit int) ([]webchat.Message, error) {
	var out []webchat.Message
	err := h.store.View(ctx, func(tx *store.Tx) error {
		th, err := tx.ThreadOfChat(ctx, h.merchant, h.account, visitor)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		after, n := messageID, limit
		if after == "" {
			n = -limit
		}
		messages, err := tx.Messages(ctx, h.merchant, th.Key, after, n)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if shown, ok := chatMessage(m); ok {
				out = append(out, shown)
			}
		}
		return nil
	})
	return out, err
}

// Edited are the changed ones among the last lines.
func (h chatHistory) Edited(ctx context.Context, visitor string, limit int) ([]webchat.Message, error) {
	var out []webchat.Message
	err := h.store.View(ctx, func(tx *store.Tx) error {
		th, err := tx.ThreadOfChat(ctx, h.merchant, h.account, visitor)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		messages, err := tx.EditedMessages(ctx, h.merchant, th.Key, limit)
		for _, m := range messages {
			if shown, ok := chatMessage(m); ok {
				out = append(out, shown)
			}
		}
		return err
	})
	return out, err
}

// chatMessage is a line of a transcript as its visitor sees it; marks are for staff only.
func chatMessage(m store.Message) (webchat.Message, bool) {
	out := webchat.Message{ID: m.ID, Text: m.Text, Choices: m.Choices, Image: m.Image, At: m.At}
	if m.Closed {
		out.Choices = nil
	}
	switch m.Author {
	case store.FromSystem:
		return out, false
	case store.FromContact:
		if m.Kind == string(conversation.Start) {
			return out, false
		}
		out.ID, out.From = m.Network, "contact"
	case store.FromBot:
		out.From = "bot"
	default:
		out.From = "staff"
	}
	return out, true
}

// catalogue shows a merchant's products.
type catalogue struct {
	store    *store.Store
	merchant commerce.MerchantID
}

func (c catalogue) Products(ctx context.Context) (all []commerce.Product, err error) {
	err = c.store.View(ctx, func(tx *store.Tx) error {
		for after := ""; ; {
			page, err := tx.Products(ctx, c.merchant, after, 200)
			if err != nil || len(page) == 0 {
				return err
			}
			all = append(all, page...)
			after = page[len(page)-1].SKU
		}
	})
	return all, err
}

func (c catalogue) Product(ctx context.Context, sku string) (p commerce.Product, err error) {
	err = c.store.View(ctx, func(tx *store.Tx) error {
		p, err = tx.Product(ctx, c.merchant, sku)
		return err
	})
	return p, err
}

// subscriber keeps what visitors of the widget want.
type subscriber struct {
	in       *installation
	merchant commerce.MerchantID
}

func (s subscriber) Subscribe(ctx context.Context, wish web.Subscription) (web.Subscribed, error) {
	want := subscription(s.merchant, wish)
	// The cookie proves who the visitor is, not whose number they typed.
	if want.Address == "" {
		want.Address, want.Proven = wish.Visitor, wish.Visitor != ""
	}
	return subscribed(s.in.house.Subscribe(ctx, want))
}

func subscription(merchant commerce.MerchantID, wish web.Subscription) bots.Subscription {
	return bots.Subscription{
		Merchant: merchant, SKU: wish.SKU, Event: wish.Event, Fields: wish.Fields, Name: wish.Name, Account: wish.Account, Address: wish.Address,
		Language: wish.Language, TimeZone: wish.TimeZone, NotAtNight: wish.NotAtNight, External: wish.External,
		Consent: conversation.Consent{Purpose: conversation.Alert, Wording: wish.Consent.Text, Version: wish.Consent.Version, At: wish.Consent.At, Evidence: wish.Consent.Evidence},
	}
}

func subscribed(done bots.Subscribed, err error) (web.Subscribed, error) {
	if err != nil {
		return web.Subscribed{}, err
	}
	state := string(done.Watch.State)
	if done.Watch.State == commerce.WatchFired {
		state = string(commerce.WatchArmed) // it was, and has told already
	}
	return web.Subscribed{ID: string(done.Watch.ID), State: state, Link: done.Link}, nil
}

// office acts for staff and API keys.
type office struct {
	*bots.House
	in *installation
}

// Subscribe takes the word of the key's owner for who the address belongs to; on web chat it must be a visitor of this shop.
func (o office) Subscribe(ctx context.Context, merchant commerce.MerchantID, wish web.Subscription) (web.Subscribed, error) {
	want := subscription(merchant, wish)
	if wish.Visitor != "" {
		known := false
		err := o.in.store.View(ctx, func(tx *store.Tx) (err error) {
			known, err = tx.HasVisitor(ctx, merchant, wish.Visitor)
			return err
		})
		if err != nil {
			return web.Subscribed{}, err
		}
		if !known {
			return web.Subscribed{}, &commerce.Invalid{Field: "address", Problem: "no visitor of this shop has this id"}
		}
		want.Address, want.Proven = wish.Visitor, true
	}
	return subscribed(o.House.Subscribe(ctx, want))
}

// buyer sells by link.
type buyer struct{ house *bots.House }

func (b buyer) Offer(ctx context.Context, token string) (web.BuyOffer, error) {
	o, err := b.house.LinkOffer(ctx, token)
	if err != nil {
		return web.BuyOffer{}, err
	}
	out := web.BuyOffer{
		State: web.BuyExpired, Title: o.Product.Title, Image: o.Product.Image, Quantity: o.Quote.Quantity, Unit: o.Quote.Unit, Total: o.Quote.Total,
		Expires: o.Quote.Expires, Language: o.Language, Test: o.Test,
	}
	switch {
	case o.Order.ID != "":
		out.State = web.BuyDone
		out.Receipt = web.Receipt{Outcome: o.Outcome, Order: string(o.Order.ID), Total: o.Order.Total, Instructions: o.Instructions, Test: o.Order.Test}
	case o.Open:
		out.State = web.BuyOpen
	case o.SoldOut:
		out.State = web.BuySoldOut
	}
	return out, nil
}

func (b buyer) Buy(ctx context.Context, token string) (web.Receipt, error) {
	o, instructions, err := b.house.BuyByLink(ctx, token)
	if err != nil {
		return web.Receipt{}, err
	}
	return web.Receipt{Outcome: o.Name, Order: string(o.Order.ID), Total: o.Order.Total, Instructions: instructions, Test: o.Order.Test}, nil
}

// flowReport is what /admin tells of a merchant's flows.
type flowReport struct {
	merchant commerce.MerchantID
	source   string
	set      *flow.Set
	found    findings
}

type flowReports []flowReport

func (r flowReports) Flows(_ context.Context, merchant commerce.MerchantID) (web.FlowReport, error) {
	i := slices.IndexFunc(r, func(f flowReport) bool { return f.merchant == merchant })
	if i < 0 {
		return web.FlowReport{}, fmt.Errorf("flows of merchant %d: %w", merchant, commerce.ErrNotFound)
	}
	out := web.FlowReport{Hash: r[i].set.Hash, Source: r[i].source}
	for _, f := range r[i].set.Flows {
		out.Flows = append(out.Flows, f.Name)
	}
	for _, f := range r[i].found {
		out.Problems = append(out.Problems, f.line)
	}
	return out, nil
}
