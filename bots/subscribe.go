package bots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// Subscription is a person's wish to be told of something, as a form or an API client gave it.
type Subscription struct {
	Merchant   commerce.MerchantID
	SKU        string
	Event      string
	Fields     map[string]string
	Name       string
	Account    string // the account or, when the merchant has one account of it, the channel
	Address    string // what they typed, or on web chat the public id of a visitor
	Proven     bool   // their cookie proves that the address is theirs
	Language   string
	TimeZone   string
	NotAtNight bool
	Consent    conversation.Consent
	External   map[string]string
}

// Subscribed is what came of it: armed, or pending until Link is opened.
type Subscribed struct {
	Watch commerce.Watch
	Link  string
}

// Subscribe stores a contact, their consent and their watch. Where the address is proven and the bot may write first the watch is
// armed at once and the chat is told so; elsewhere it waits until its owner opens the link. A value that cannot be taken is a
// *commerce.Invalid.
func (h *House) Subscribe(ctx context.Context, s Subscription) (done Subscribed, err error) {
	m, err := h.merchant(s.Merchant)
	if err != nil {
		return done, err
	}
	a, err := h.accountFor(m, s.Account)
	if err != nil {
		return done, err
	}
	if s.Consent.Wording == "" {
		return done, &commerce.Invalid{Field: "consent", Problem: "without consent nobody may be written to"}
	}
	if s.Consent.Purpose == "" {
		s.Consent.Purpose = conversation.Alert
	}
	if s.Consent.At.IsZero() {
		s.Consent.At = h.now()
	}
	if s.TimeZone != "" {
		if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
			return done, &commerce.Invalid{Field: "time_zone", Problem: fmt.Sprintf("%q is not a time zone like Europe/Berlin", s.TimeZone)}
		}
	}
	s.Name, s.Language = clean(s.Name), m.Flows.Speaks(s.Language)
	if s.Proven && a.MayWriteFirst {
		return h.subscribeNow(ctx, a, s)
	}
	return h.subscribeByLink(ctx, a, s)
}

// accountFor finds a merchant's account by its name or by its channel.
func (h *House) accountFor(m *Merchant, name string) (*account, error) {
	if a := h.account(name); a != nil && a.merchant.ID == m.ID {
		return a, nil
	}
	var found *account
	for _, candidate := range m.Accounts {
		if candidate.Channel != name {
			continue
		}
		if found != nil {
			return nil, &commerce.Invalid{Field: "channel", Problem: fmt.Sprintf("there are several accounts of %s: name one", name)}
		}
		found = h.account(candidate.Name)
	}
	if found == nil {
		return nil, &commerce.Invalid{Field: "channel", Problem: fmt.Sprintf("this shop is not on %q", name)}
	}
	return found, nil
}

func (s Subscription) contact() conversation.Contact {
	c := conversation.Contact{Name: s.Name, Language: s.Language, TimeZone: s.TimeZone, ExternalIDs: s.External}
	if c.Language != "" {
		c.LanguageSource = "form"
	}
	if c.TimeZone != "" {
		c.TimeZoneSource = "form"
	}
	return c
}

// subscribeNow arms the watch in the conversation itself, as a turn of it.
func (h *House) subscribeNow(ctx context.Context, a *account, s Subscription) (done Subscribed, err error) {
	if s.Address == "" {
		return done, &commerce.Invalid{Field: "address", Problem: "the address is missing"}
	}
	var refused error
	turn := h.internal(a, s.Address, s.Address, func(ctx context.Context, t *turn) error {
		refused = nil
		t.remember(s)
		if err := t.tx.AddConsent(ctx, s.Merchant, t.th.ContactKey, t.th.AddressKey, s.Consent); err != nil {
			return err
		}
		t.theirs, t.th.Address.State = true, conversation.Verified // they are there, and ticked the box
		w, raised, err := commerce.CreateWatch(ctx, t.tx, commerce.WatchCommand{
			Merchant: s.Merchant, Contact: t.th.ContactKey, Address: t.th.AddressKey, SKU: s.SKU, Event: s.Event, Fields: s.Fields, NotAtNight: s.NotAtNight,
		}, t.m.Policy, t.tx.Now())
		if err != nil {
			refused = err
			return err
		}
		p, err := t.tx.LockProductByKey(ctx, s.Merchant, w.Product)
		if err != nil {
			return err
		}
		done = Subscribed{Watch: w}
		t.raised(raised)
		return t.run(ctx, conversation.Event{Kind: conversation.Trigger, Account: a.Name, Chat: t.th.Chat, Name: "subscribed",
			Vars: h.watchVars(w, p, t.th.Contact.Name), At: t.tx.Now()})
	}, nil)
	// Not by the inbox: a refusal is for whoever filled in the form, and must not be parked.
	err = h.store.Alone(ctx, turn)
	if refused != nil {
		return Subscribed{}, refused
	}
	return done, err
}

// remember takes what the form says about the person.
func (t *turn) remember(s Subscription) {
	c, form := &t.th.Contact, s.contact()
	if form.Name != "" {
		c.Name = form.Name
	}
	if form.Language != "" && c.LanguageSource != "text" {
		c.Language, c.LanguageSource = form.Language, "form"
		t.th.Session.Language = form.Language
	}
	if form.TimeZone != "" {
		c.TimeZone, c.TimeZoneSource = form.TimeZone, "form"
	}
	if c.ExternalIDs == nil {
		c.ExternalIDs = map[string]string{}
	}
	for k, v := range s.External {
		c.ExternalIDs[k] = v
	}
}

// subscribeByLink keeps the wish until the owner of the address opens the link. What was typed is only typed.
func (h *House) subscribeByLink(ctx context.Context, a *account, s Subscription) (done Subscribed, err error) {
	linker, ok := a.Messenger.(adapters.Linker)
	if !ok {
		return done, &commerce.Invalid{Field: "channel", Problem: fmt.Sprintf("on %s a person has to begin the chat themselves", a.Channel)}
	}
	token := store.NewSecret()
	link := linker.Link(token)
	if link == "" {
		return done, &commerce.Invalid{Field: "channel", Problem: fmt.Sprintf("%s is not connected at the moment; try again in a minute, or pick another way", a.Channel)}
	}
	err = h.store.Tx(ctx, func(tx *store.Tx) error {
		contact, err := tx.AddContact(ctx, s.Merchant, s.contact())
		if err != nil {
			return err
		}
		if err := tx.AddConsent(ctx, s.Merchant, contact, 0, s.Consent); err != nil {
			return err
		}
		w, _, err := commerce.CreateWatch(ctx, tx, commerce.WatchCommand{
			Merchant: s.Merchant, Contact: contact, SKU: s.SKU, Event: s.Event, Fields: s.Fields, NotAtNight: s.NotAtNight, TokenHash: tokenHash(token),
		}, a.merchant.Policy, tx.Now())
		done = Subscribed{Watch: w, Link: link}
		return err
	})
	if err != nil {
		return Subscribed{}, err
	}
	return done, nil
}

// tokenHash is how the token of a deep link is kept.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// CancelWatch ends a watch for good.
func (h *House) CancelWatch(ctx context.Context, merchant commerce.MerchantID, id string) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		_, err := commerce.CancelWatch(ctx, tx, merchant, commerce.WatchID(id), tx.Now())
		tx.AfterCommit(h.wakeClock)
		return err
	})
}

// PutProduct creates or changes a product and has those told who waited for that.
func (h *House) PutProduct(ctx context.Context, merchant commerce.MerchantID, change commerce.ProductChange) (p commerce.Product, err error) {
	m, err := h.merchant(merchant)
	if err != nil {
		return p, err
	}
	err = h.store.Tx(ctx, func(tx *store.Tx) error {
		p, _, err = commerce.PutProduct(ctx, tx, merchant, change, m.Policy, tx.Now())
		tx.AfterCommit(h.wakeClock) // somebody may wait for this, or what somebody was told no longer holds
		return err
	})
	return p, err
}
