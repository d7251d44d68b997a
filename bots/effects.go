package bots

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/conversation/effect"
	"parley/store"
)

// carry does what a step asked for, in the turn's transaction, and returns the outcome that the conversation gets; nil for
// what has none, or whose outcome comes later.
func (t *turn) carry(ctx context.Context, eff effect.Effect, place conversation.Context) (*conversation.Event, error) {
	now, who := t.tx.Now(), t.th
	switch e := eff.(type) {
	case effect.Say:
		_, err := t.say(ctx, store.FromBot, reply(e), &place)
		return nil, err

	case effect.Lookup:
		return t.traded(ctx, place)(t.lookUp(ctx, e.SKU))
	case effect.Quote:
		return t.traded(ctx, place)(commerce.MakeQuote(ctx, t.tx, commerce.QuoteCommand{
			Merchant: t.m.ID, Contact: who.ContactKey, Conversation: who.Key, SKU: e.SKU, Quantity: e.Quantity,
		}, t.m.Policy, now))
	case effect.Checkout:
		return t.checkout(ctx, e, place)
	case effect.Offer:
		return t.offer(ctx, e, place)
	case effect.Accept:
		return t.traded(ctx, place)(commerce.AcceptCounter(ctx, t.tx, commerce.AcceptCommand{
			Merchant: t.m.ID, Offer: commerce.OfferID(e.Offer), Contact: who.ContactKey,
		}, t.m.Policy, now))
	case effect.FindOrder:
		return t.traded(ctx, place)(commerce.FindOrder(ctx, t.tx, t.m.ID, who.ContactKey))
	case effect.CancelOrder:
		return t.cancelled(ctx, e, place)
	case effect.Confirm:
		return t.confirm(ctx, e, place)

	case effect.HandOff:
		return t.outcome("handed_off", nil, place), t.handOff(ctx, e.Reason)
	case effect.Stop:
		who.Address.State = conversation.Stopped
		if err := t.tx.RevokeConsents(ctx, t.m.ID, who.AddressKey); err != nil {
			return nil, err
		}
		if err := t.tx.DropQueued(ctx, who.Key, "the contact said stop"); err != nil {
			return nil, err
		}
		return t.outcome("stopped", nil, place), t.tx.Event(ctx, t.m.ID, "stopped", who.Address.ID, nil)
	case effect.Resume:
		return t.resume(ctx, place)
	case effect.Remind:
		due := now.Add(e.After)
		if e.After < t.house.poll { // the clock looks by itself once per poll
			t.tx.AfterCommit(t.house.wakeClock)
		}
		place.Vars = conversation.Vars{"entered": place.Vars["entered"]} // all that a timeout looks at
		return nil, t.tx.SetTimer(ctx, who, e.Event, place, due)
	}
	return nil, fmt.Errorf("no way to carry out an effect of type %T", eff)
}

func reply(e effect.Say) conversation.Reply {
	r := conversation.Reply{Text: e.Text, Image: e.Image, Class: conversation.Class(e.Class)}
	for _, c := range e.Choices {
		r.Choices = append(r.Choices, conversation.Option{ID: c.ID, Label: c.Label})
	}
	return r
}

func (t *turn) outcome(name string, vars conversation.Vars, place conversation.Context) *conversation.Event {
	return &conversation.Event{Kind: conversation.Outcome, Account: t.account.Name, Chat: t.th.Chat, Name: name, Vars: vars, Context: &place, At: t.tx.Now()}
}

// traded turns what trade answered into the event for the conversation.
func (t *turn) traded(_ context.Context, place conversation.Context) func(commerce.Outcome, error) (*conversation.Event, error) {
	return func(o commerce.Outcome, err error) (*conversation.Event, error) {
		if err != nil {
			return nil, err
		}
		t.raised(o.Raised)
		if o.Name == "" {
			return nil, nil
		}
		return t.outcome(o.Name, t.house.vars(o), place), nil
	}
}

// raised wakes the clock for deliveries that a change of stock brought about.
func (t *turn) raised(raised []commerce.Occurrence) {
	if len(raised) > 0 {
		t.tx.AfterCommit(t.house.wakeClock)
	}
}

// checkout places the order of a quote. Where a provider has to be asked, the conversation waits for its answer in place.
func (t *turn) checkout(ctx context.Context, e effect.Checkout, place conversation.Context) (*conversation.Event, error) {
	o, invoiced, err := t.order(ctx, commerce.CheckoutCommand{
		Merchant: t.m.ID, Quote: commerce.QuoteID(e.Quote), Contact: t.th.ContactKey, Conversation: t.th.Key,
		Provider: t.m.Payment.Info(), Cause: t.cause,
	})
	if err != nil {
		return nil, err
	}
	if invoiced {
		return nil, t.bill(ctx, o, place)
	}
	if o.Order.ID != "" {
		if err := t.tx.Await(ctx, t.th, string(o.Order.ID), place); err != nil {
			return nil, err
		}
		t.tx.AfterCommit(t.house.wakeClock) // a provider is to be asked, or a notification has done its work
	}
	event, err := t.traded(ctx, place)(o, nil)
	if event != nil && o.Name == "payment_due" {
		event.Vars["payment.instructions"] = t.m.Payment.Instructions(charge(o.Order, t.th.Session.Language))
	}
	return event, err
}

// offer makes the shopper's offer. One that waits for the merchant is shown in their inbox.
func (t *turn) offer(ctx context.Context, e effect.Offer, place conversation.Context) (*conversation.Event, error) {
	o, err := commerce.MakeOffer(ctx, t.tx, commerce.OfferCommand{
		Merchant: t.m.ID, Contact: t.th.ContactKey, Conversation: t.th.Key, SKU: e.SKU, Quantity: e.Quantity, Amount: e.Amount, Cause: t.cause,
	}, t.m.Policy, t.tx.Now())
	var refused *commerce.Invalid
	if errors.As(err, &refused) { // an amount no product costs: the flow asks for a price again
		return t.outcome("declined", t.house.vars(o), place), nil
	}
	return t.traded(ctx, place)(o, err)
}

// confirm arms the watch of the deep link by which the contact came. What the form knew of the person moves to who opened it.
func (t *turn) confirm(ctx context.Context, e effect.Confirm, place conversation.Context) (*conversation.Event, error) {
	hash := tokenHash(e.Token)
	before, err := t.tx.WatchByToken(ctx, t.m.ID, hash)
	if errors.Is(err, commerce.ErrNotFound) {
		return t.outcome("link_expired", nil, place), nil
	}
	if err != nil {
		return nil, err
	}
	w, p, raised, err := commerce.ArmWatch(ctx, t.tx, commerce.ArmCommand{
		Merchant: t.m.ID, TokenHash: hash, Contact: t.th.ContactKey, Address: t.th.AddressKey,
	}, t.m.Policy, t.tx.Now())
	if errors.Is(err, commerce.ErrConflict) {
		return t.outcome("link_expired", nil, place), nil
	}
	if err != nil {
		return nil, err
	}
	if before.Contact != t.th.ContactKey {
		if err := t.adopt(ctx, before.Contact); err != nil {
			return nil, err
		}
	}
	t.raised(raised)
	return t.outcome("watching", t.house.watchVars(w, p, t.th.Contact.Name), place), nil
}

// adopt takes over what a form's contact said about themselves and agreed to: opening the link proved that they are this one.
func (t *turn) adopt(ctx context.Context, formContact int64) error {
	form, err := t.tx.ContactByKey(ctx, t.m.ID, formContact)
	if err != nil {
		return err
	}
	c := &t.th.Contact
	if form.Name != "" {
		c.Name = form.Name
	}
	if c.LanguageSource != "text" && form.Language != "" {
		c.Language, c.LanguageSource = form.Language, "form"
		t.th.Session.Language = form.Language
	}
	if c.TimeZone == "" {
		c.TimeZone, c.TimeZoneSource = form.TimeZone, form.TimeZoneSource
	}
	if c.ExternalIDs == nil {
		c.ExternalIDs = map[string]string{}
	}
	for k, v := range form.ExternalIDs {
		c.ExternalIDs[k] = v
	}
	if t.th.Address.State == conversation.Stopped { // they ticked the box anew and opened the link themselves
		t.th.Address.State = conversation.Verified
	}
	return t.tx.BindConsents(ctx, t.m.ID, formContact, t.th.ContactKey, t.th.AddressKey)
}

// resume allows messages again. Saying start is itself the consent, and its evidence.
func (t *turn) resume(ctx context.Context, place conversation.Context) (*conversation.Event, error) {
	t.th.Address.State = conversation.Verified
	if err := t.tx.SetAddressState(ctx, t.m.ID, t.th.AddressKey, conversation.Verified); err != nil {
		return nil, err
	}
	has, err := t.tx.MayAlert(ctx, t.m.ID, t.th.ContactKey, t.th.AddressKey)
	if err == nil && !has {
		err = t.tx.AddConsent(ctx, t.m.ID, t.th.ContactKey, t.th.AddressKey, conversation.Consent{
			Purpose: conversation.Alert, Wording: "START", Version: "chat", At: t.tx.Now(), Evidence: map[string]string{"turn": t.cause},
		})
	}
	if err != nil {
		return nil, err
	}
	return t.outcome("resumed", nil, place), t.tx.Event(ctx, t.m.ID, "resumed", t.th.Address.ID, nil)
}

// soon is how long a loop waits before it tries again what failed.
const soon = time.Second

// lookUp shows a product as it is now, at the price in force for this contact.
func (t *turn) lookUp(ctx context.Context, sku string) (commerce.Outcome, error) {
	p, err := t.tx.LockProduct(ctx, t.m.ID, sku)
	if errors.Is(err, commerce.ErrNotFound) {
		return commerce.Outcome{Name: "no_product"}, nil
	}
	if err != nil {
		return commerce.Outcome{}, err
	}
	o := commerce.Outcome{Name: "found", Product: p, Price: p.Price}
	deal, err := t.tx.LiveDeal(ctx, t.m.ID, t.th.ContactKey, p.Key, t.tx.Now())
	if err == nil {
		o.Price = deal.Unit
	} else if !errors.Is(err, commerce.ErrNotFound) {
		return o, err
	}
	return o, nil
}
