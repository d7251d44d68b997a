package bots

import (
	"context"
	"fmt"

	"parley/commerce"
	"parley/commerce/money"
	"parley/conversation"
	"parley/store"
)

// AcceptOffer takes a shopper's offer as a person of the shop; the shopper is told, with a button to buy at that price.
func (h *House) AcceptOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error) {
	return h.answer(ctx, merchant, offer, "offer_accepted", func(tx *store.Tx, m *Merchant) (commerce.Outcome, error) {
		return commerce.AcceptOffer(ctx, tx, commerce.StaffAnswer{Merchant: merchant, Offer: commerce.OfferID(offer), Actor: staff}, m.Policy, tx.Now())
	})
}

// DeclineOffer refuses a shopper's offer; the shopper is told.
func (h *House) DeclineOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error) {
	return h.answer(ctx, merchant, offer, "offer_declined", func(tx *store.Tx, _ *Merchant) (commerce.Outcome, error) {
		return commerce.DeclineOffer(ctx, tx, commerce.StaffAnswer{Merchant: merchant, Offer: commerce.OfferID(offer), Actor: staff}, tx.Now())
	})
}

// CounterOffer names the shopper another price for one piece; the shopper is told.
func (h *House) CounterOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string, price money.Amount) (commerce.Offer, error) {
	return h.answer(ctx, merchant, offer, "offer_countered", func(tx *store.Tx, m *Merchant) (commerce.Outcome, error) {
		return commerce.CounterOffer(ctx, tx, commerce.StaffAnswer{Merchant: merchant, Offer: commerce.OfferID(offer), Actor: staff, Price: price}, m.Policy, tx.Now())
	})
}

// answer decides about an offer and tells its shopper, in one transaction.
func (h *House) answer(ctx context.Context, merchant commerce.MerchantID, id, trigger string, decide func(*store.Tx, *Merchant) (commerce.Outcome, error)) (offer commerce.Offer, err error) {
	m, err := h.merchant(merchant)
	if err != nil {
		return offer, err
	}
	err = h.store.View(ctx, func(tx *store.Tx) error {
		offer, err = tx.Offer(ctx, merchant, commerce.OfferID(id))
		return err
	})
	if err != nil {
		return offer, err
	}
	th, a, err := h.threadOf(ctx, merchant, offer.Conversation)
	if err != nil {
		return offer, err
	}
	if a == nil {
		return offer, fmt.Errorf("account %s is no longer in the config: %w", th.Account, commerce.ErrConflict)
	}
	err = h.desk(ctx, merchant, th.ID, func(t *turn) error {
		o, err := decide(t.tx, m)
		if err != nil {
			return err
		}
		offer = o.Offer
		if o.Name == "sold_out" {
			return fmt.Errorf("it is sold out by now: %w", commerce.ErrConflict)
		}
		if o.Repeat {
			return nil
		}
		t.raised(o.Raised)
		return t.run(ctx, conversation.Event{Kind: conversation.Trigger, Account: a.Name, Chat: t.th.Chat, Name: trigger, Vars: h.vars(o), At: t.tx.Now()})
	})
	return offer, err
}

// CancelOrder ends an order as the shop; the stock comes back, and paid money goes back.
func (h *House) CancelOrder(ctx context.Context, merchant commerce.MerchantID, order, by string) (commerce.Order, error) {
	m, err := h.merchant(merchant)
	if err != nil {
		return commerce.Order{}, err
	}
	return h.decided(ctx, merchant, order, "order_cancelled", func(tx *store.Tx) (commerce.Outcome, error) {
		o, err := commerce.CancelOrder(ctx, tx, commerce.CancelCommand{Merchant: merchant, Order: commerce.OrderID(order), Actor: by, Cause: "shop"}, m.Policy, tx.Now())
		switch {
		case err != nil:
			return o, err
		case o.Name == "no_order":
			return o, fmt.Errorf("order %s: %w", order, commerce.ErrNotFound)
		case o.Name == "too_late":
			return o, fmt.Errorf("the order is %s: %w", o.Order.State, commerce.ErrConflict)
		}
		return o, nil
	})
}

// decided carries out what the shop decided about an order and tells the conversation that the order is spoken of in.
func (h *House) decided(ctx context.Context, merchant commerce.MerchantID, id, trigger string, decide func(*store.Tx) (commerce.Outcome, error)) (order commerce.Order, err error) {
	err = h.store.View(ctx, func(tx *store.Tx) error {
		order, err = tx.Order(ctx, merchant, commerce.OrderID(id))
		return err
	})
	if err != nil {
		return order, err
	}
	var a *account
	var th *store.Thread
	if order.Conversation != 0 {
		if th, a, err = h.threadOf(ctx, merchant, order.Conversation); err != nil {
			return order, err
		}
	}
	if a == nil {
		return order, h.store.Tx(ctx, func(tx *store.Tx) error {
			o, err := decide(tx)
			order = o.Order
			if len(o.Raised) > 0 {
				tx.AfterCommit(h.wakeClock)
			}
			return err
		})
	}
	err = h.desk(ctx, merchant, th.ID, func(t *turn) error {
		o, err := decide(t.tx)
		if err != nil {
			return err
		}
		order = o.Order
		t.raised(o.Raised)
		if o.Repeat {
			return nil
		}
		return t.run(ctx, conversation.Event{Kind: conversation.Trigger, Account: a.Name, Chat: t.th.Chat, Name: trigger, Vars: h.vars(o), At: t.tx.Now()})
	})
	h.wakeClock() // a refund may be left to do
	return order, err
}

// MarkPaid says that the money of an order has come; the note tells how that is known. The shopper gets their receipt.
func (h *House) MarkPaid(ctx context.Context, merchant commerce.MerchantID, order, by, note string) (paid commerce.Order, err error) {
	err = h.settled(ctx, merchant, commerce.OrderID(order), func(tx *store.Tx) (commerce.Outcome, error) {
		o, err := commerce.MarkPaid(ctx, tx, commerce.MarkPaidCommand{Merchant: merchant, Order: commerce.OrderID(order), Actor: by, Note: note}, tx.Now())
		paid = o.Order
		return o, err
	})
	return paid, err
}
