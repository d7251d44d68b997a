package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// offerRow is an offer that waits for the shop.
type offerRow struct {
	Page         staffPage
	ID           string
	Name         string // of the shopper
	Title, SKU   string
	Quantity     int
	Offered      money.Amount // for one piece
	List         money.Amount
	Floor        money.Amount // zero when the product has none of its own
	Expires      time.Time
	Conversation string
	Back         string
	Wrong        *wrongForm
}

// IsBelowFloor says that the shopper offers less than the product's own floor.
func (o offerRow) IsBelowFloor() bool {
	return !o.Floor.IsZero() && o.Floor.Currency == o.Offered.Currency && o.Offered.Minor < o.Floor.Minor
}

func offerRows(ctx context.Context, tx *store.Tx, offers []commerce.Offer, page staffPage, back string, wrong *wrongForm) ([]offerRow, error) {
	rows := make([]offerRow, 0, len(offers))
	for _, o := range offers {
		p, err := tx.ProductByKey(ctx, o.Merchant, o.Product)
		if err != nil {
			return nil, err
		}
		who, err := tx.ContactByKey(ctx, o.Merchant, o.Contact)
		if err != nil {
			return nil, err
		}
		row := offerRow{
			Page: page, ID: string(o.ID), Name: nameOf(who.Name), Title: p.Title, SKU: p.SKU, Quantity: o.Quantity, Offered: o.Amount,
			List: p.Price, Floor: p.Floor, Expires: o.Expires, Back: back, Wrong: wrong.of(string(o.ID)),
		}
		if row.Conversation, err = threadID(ctx, tx, o.Merchant, o.Conversation); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (s *Server) acceptOffer(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, "accepted", s.opt.BackOffice.House.AcceptOffer)
}

func (s *Server) declineOffer(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, "declined", s.opt.BackOffice.House.DeclineOffer)
}

func (s *Server) counterOffer(w http.ResponseWriter, r *http.Request) error {
	id, who := r.PathValue("id"), callerOf(r)
	offer, err := s.loadOffer(r.Context(), who.merchant, id)
	if err != nil {
		return err
	}
	typed := clean(r.PostFormValue("price"))
	price, problem := amountTyped(typed, offer.Price.Currency)
	if problem != "" {
		return s.refuseOffer(w, r, wrongForm{id, typed, fmt.Sprintf("Type a price in %s, like %s.", offer.Price.Currency, money.New(offer.Price.Minor, offer.Price.Currency).Decimal())})
	}
	return s.decide(w, r, "countered", func(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error) {
		return s.opt.BackOffice.House.CounterOffer(ctx, merchant, offer, staff, price)
	})
}

// decide lets the house answer an offer, and goes back to where the form stood.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, done string, answer func(context.Context, commerce.MerchantID, string, string) (commerce.Offer, error)) error {
	id, who := r.PathValue("id"), callerOf(r)
	before, err := s.loadOffer(r.Context(), who.merchant, id)
	if err != nil {
		return err
	}
	_, err = answer(r.Context(), who.merchant, id, who.actor)
	if bad, ok := errors.AsType[*commerce.Invalid](err); ok {
		return s.refuseOffer(w, r, wrongForm{id, clean(r.PostFormValue("price")), sentence(bad.Problem)})
	}
	if errors.Is(err, commerce.ErrConflict) {
		if now, lost := s.loadOffer(r.Context(), who.merchant, id); lost == nil {
			before = now
		}
		return &Problem{Status: http.StatusConflict, Sentence: whyNotDecided(before), Err: err}
	}
	if err != nil {
		return fmt.Errorf("answer offer %s: %w", id, err)
	}
	back := backOf(r)
	if strings.HasPrefix(back, "/inbox/offers/") {
		back = "/inbox"
	}
	return redirectDone(w, r, back, done)
}

// refuseOffer shows the page again that the form stood on, with what was typed and what is wrong with it.
func (s *Server) refuseOffer(w http.ResponseWriter, r *http.Request, wrong wrongForm) error {
	id, inThread := strings.CutPrefix(backOf(r), "/inbox/")
	if inThread && strings.HasPrefix(id, "cnv_") {
		view, err := s.threadView(r, id, &wrong)
		if err != nil {
			return err
		}
		return s.renderStaff(w, http.StatusBadRequest, "thread.html", view)
	}
	view, err := s.inboxView(r, &wrong)
	if err != nil {
		return err
	}
	return s.renderStaff(w, http.StatusBadRequest, "inbox.html", view)
}
