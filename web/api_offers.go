package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

type apiOffer struct {
	ID           string        `json:"id"`
	Status       string        `json:"status"`
	SKU          string        `json:"sku"`
	Quantity     int           `json:"quantity"`
	Price        money.Amount  `json:"price"`             // what the shopper offers for one piece
	Counter      *money.Amount `json:"counter,omitempty"` // what the shop named for one piece
	Contact      apiContact    `json:"contact"`
	Conversation string        `json:"conversation,omitempty"`
	Created      time.Time     `json:"created_at"`
	Expires      time.Time     `json:"expires_at"`
}

// offerStates are the words of the API for where an offer stands.
func offerStates() []string {
	return []string{
		string(commerce.OfferOpen), string(commerce.OfferCountered), string(commerce.OfferAccepted), string(commerce.OfferDeclined),
		string(commerce.OfferExpired), string(commerce.OfferVoid),
	}
}

func showOffer(ctx context.Context, tx *store.Tx, o commerce.Offer) (apiOffer, error) {
	who, err := tx.ContactByKey(ctx, o.Merchant, o.Contact)
	if err != nil {
		return apiOffer{}, err
	}
	p, err := tx.ProductByKey(ctx, o.Merchant, o.Product)
	if err != nil {
		return apiOffer{}, err
	}
	out := apiOffer{
		ID: string(o.ID), Status: string(o.State), SKU: p.SKU, Quantity: o.Quantity, Price: o.Amount, Contact: showContact(who),
		Created: o.Created, Expires: o.Expires,
	}
	if !o.Counter.IsZero() {
		out.Counter = &o.Counter
	}
	out.Conversation, err = threadID(ctx, tx, o.Merchant, o.Conversation)
	return out, err
}

func (s *Server) apiOffers(ctx context.Context, c apiCall) (int, any, error) {
	q, err := c.query("status", "limit", "cursor")
	if err != nil {
		return 0, nil, err
	}
	after, limit, err := readPage(q)
	if err != nil {
		return 0, nil, err
	}
	status, err := readStatus(q.Get("status"), offerStates())
	if err != nil {
		return 0, nil, err
	}
	page := apiList{}
	err = s.reading(ctx, func(tx *store.Tx) error {
		offers, err := tx.ListOffers(ctx, c.merchant, store.OfferFilter{State: commerce.OfferState(status), Before: commerce.OfferID(after), Limit: limit + 1})
		if err != nil {
			return err
		}
		show := func(o commerce.Offer) (apiOffer, error) { return showOffer(ctx, tx, o) }
		page, err = pageOf(offers, limit, func(o commerce.Offer) string { return string(o.ID) }, show)
		return err
	})
	return http.StatusOK, page, err
}

func (s *Server) apiAcceptOffer(ctx context.Context, c apiCall) (int, any, error) {
	if err := c.nothing(); err != nil {
		return 0, nil, err
	}
	return s.decideOffer(ctx, c, s.opt.BackOffice.House.AcceptOffer)
}

func (s *Server) apiDeclineOffer(ctx context.Context, c apiCall) (int, any, error) {
	if err := c.nothing(); err != nil {
		return 0, nil, err
	}
	return s.decideOffer(ctx, c, s.opt.BackOffice.House.DeclineOffer)
}

func (s *Server) apiCounterOffer(ctx context.Context, c apiCall) (int, any, error) {
	o, err := c.object()
	if err != nil {
		return 0, nil, err
	}
	o.need("price")
	price := o.amount("price")
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	return s.decideOffer(ctx, c, func(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error) {
		return s.opt.BackOffice.House.CounterOffer(ctx, merchant, offer, staff, *price)
	})
}

// decideOffer lets the house answer an offer and shows how it stands then.
func (s *Server) decideOffer(ctx context.Context, c apiCall, decide func(context.Context, commerce.MerchantID, string, string) (commerce.Offer, error)) (int, any, error) {
	id := c.PathValue("id")
	if _, err := s.loadOffer(ctx, c.merchant, id); err != nil {
		return 0, nil, err
	}
	_, err := decide(ctx, c.merchant, id, c.actor)
	if errors.Is(err, commerce.ErrConflict) {
		now, lost := s.loadOffer(ctx, c.merchant, id)
		if lost != nil {
			return 0, nil, lost
		}
		err = &Problem{Status: http.StatusConflict, Sentence: whyNotDecided(now), Err: err}
	}
	if err != nil {
		return 0, nil, err
	}
	out, err := s.loadOffer(ctx, c.merchant, id)
	return http.StatusOK, out, err
}

func whyNotDecided(o apiOffer) string {
	switch commerce.OfferState(o.Status) {
	case commerce.OfferOpen:
		return "There is not enough in stock for this offer."
	case commerce.OfferCountered:
		return "The shop has named a price; it is the shopper's turn."
	}
	return "The offer is " + o.Status + " and can no longer be answered."
}

func (s *Server) loadOffer(ctx context.Context, merchant commerce.MerchantID, id string) (out apiOffer, err error) {
	err = s.reading(ctx, func(tx *store.Tx) error {
		o, err := tx.Offer(ctx, merchant, commerce.OfferID(id))
		if err != nil {
			return err
		}
		out, err = showOffer(ctx, tx, o)
		return err
	})
	return out, notFound(err, "offer", id)
}
