package bots

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// LinkOffer is what the link of a quote offers at this moment.
type LinkOffer struct {
	Product  commerce.Product
	Quote    commerce.Quote
	Order    commerce.Order // when it was bought; else the zero Order
	Open     bool           // it can be bought now
	SoldOut  bool
	Language string
	Test     bool
	// Outcome is how a bought order stands, in the words of commerce.Checkout; Instructions how to pay it.
	Outcome      string
	Instructions string
}

// LinkOffer looks at what a buy link's token offers. It changes nothing. A token that is not ours is commerce.ErrNotFound.
func (h *House) LinkOffer(ctx context.Context, token string) (o LinkOffer, err error) {
	merchant, id, err := h.quoteOf(token)
	if err != nil {
		return o, err
	}
	m, err := h.merchant(merchant)
	if err != nil {
		return o, fmt.Errorf("%w: %w", commerce.ErrNotFound, err)
	}
	err = h.store.View(ctx, func(tx *store.Tx) error {
		if o.Quote, err = tx.Quote(ctx, merchant, id); err != nil {
			return err
		}
		if o.Product, err = tx.ProductByKey(ctx, merchant, o.Quote.Product); err != nil {
			return err
		}
		contact, err := tx.ContactByKey(ctx, merchant, o.Quote.Contact)
		if err != nil {
			return err
		}
		o.Language = contact.Language
		o.Order, err = tx.OrderByQuote(ctx, merchant, o.Quote.Key)
		if errors.Is(err, commerce.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return o, err
	}
	o.Test = m.Payment.Info().Test
	if o.Order.ID != "" {
		if o.Outcome = o.Order.Outcome(); o.Outcome == "payment_due" {
			o.Instructions = m.Payment.Instructions(charge(o.Order, o.Language))
		}
	}
	o.SoldOut = o.Product.Available() < o.Quote.Quantity
	o.Open = o.Order.ID == "" && o.Quote.Ending(o.Product, h.now()) == ""
	return o, nil
}

// quoteOf reads a token. An expired one still names its quote: whoever bought by it may look at the receipt again.
func (h *House) quoteOf(token string) (commerce.MerchantID, commerce.QuoteID, error) {
	merchant, bits, err := h.keys.verify(purposeBuy, token, h.now())
	if err != nil && !errors.Is(err, ErrLinkExpired) {
		return 0, "", fmt.Errorf("%w: %w", commerce.ErrNotFound, err)
	}
	return merchant, commerce.QuoteID(store.FormatID("qte", bits)), nil
}

// receiptTime is how long a buyer waits on the page for a provider's answer.
const receiptTime = 5 * time.Second

// BuyByLink buys what a link offers, in the conversation that the link was sent to, so that the receipt stands there as well. Its
// outcome is that of commerce.Checkout, or "" while the payment is still under way. Buying again changes nothing.
func (h *House) BuyByLink(ctx context.Context, token string) (o commerce.Outcome, instructions string, err error) {
	merchant, id, err := h.quoteOf(token)
	if err != nil {
		return o, "", err
	}
	m, err := h.merchant(merchant)
	if err != nil {
		return o, "", fmt.Errorf("%w: %w", commerce.ErrNotFound, err)
	}
	var q commerce.Quote
	var th *store.Thread
	err = h.store.View(ctx, func(tx *store.Tx) error {
		if q, err = tx.Quote(ctx, merchant, id); err != nil {
			return err
		}
		th, err = tx.ThreadOfContact(ctx, merchant, q.Contact, q.Conversation)
		return err
	})
	if err != nil {
		return o, "", err
	}
	settled := make(chan struct{}, 1)
	defer h.store.OnEvents(func() { nudge(settled) })()
	if err := h.buyIn(ctx, m, th, q); err != nil {
		return o, "", err
	}
	deadline := time.NewTimer(receiptTime)
	defer deadline.Stop()
	for {
		// The order exists by now, or the quote was refused: asking again changes nothing and tells how it stands.
		err := h.store.Tx(ctx, func(tx *store.Tx) error {
			o, err = commerce.Checkout(ctx, tx, commerce.CheckoutCommand{Merchant: merchant, Quote: id, Provider: m.Payment.Info()}, m.Policy, tx.Now())
			return err
		})
		if err != nil {
			return o, "", err
		}
		if o.Name != "" || o.Order.ID == "" {
			break
		}
		select {
		case <-ctx.Done():
			return o, "", ctx.Err()
		case <-deadline.C:
			return o, "", nil
		case <-settled:
		}
	}
	if o.Name == "payment_due" {
		instructions = m.Payment.Instructions(charge(o.Order, th.Contact.Language))
	}
	return o, instructions, nil
}

// buyIn presses the button of a quote in its conversation.
func (h *House) buyIn(ctx context.Context, m *Merchant, th *store.Thread, q commerce.Quote) error {
	if a := h.account(th.Account); a == nil || a.merchant.ID != m.ID {
		return fmt.Errorf("account %s is no longer in the config: %w", th.Account, commerce.ErrConflict)
	}
	return h.desk(ctx, m.ID, th.ID, func(t *turn) error {
		_, err := t.tx.OrderByQuote(ctx, m.ID, q.Key)
		if err == nil {
			return nil // bought before: no second receipt in the chat
		}
		if !errors.Is(err, commerce.ErrNotFound) {
			return err
		}
		p, err := t.tx.LockProductByKey(ctx, m.ID, q.Product)
		if err != nil {
			return err
		}
		vars := conversation.Vars{}
		h.product(vars, p)
		h.quote(vars, q)
		t.cause, t.onPage = "link:"+string(q.ID), true
		return t.run(ctx, conversation.Event{Kind: conversation.Trigger, Account: th.Account, Chat: th.Chat, Name: "link_bought", Vars: vars, At: t.tx.Now()})
	})
}
