package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

// Buyer sells by link. A token that we did not make, or made for nothing that still exists, is commerce.ErrNotFound.
type Buyer interface {
	// Offer is the offer as it stands now. It changes nothing.
	Offer(ctx context.Context, token string) (BuyOffer, error)
	// Buy places the order. Again, it changes nothing and answers with the same receipt.
	Buy(ctx context.Context, token string) (Receipt, error)
}

// BuyState says where an offer stands.
type BuyState string

const (
	BuyOpen    BuyState = "open"
	BuySoldOut BuyState = "sold_out"
	BuyExpired BuyState = "expired"
	BuyDone    BuyState = "bought" // BuyOffer.Receipt tells
)

// BuyOffer is what a link offers. Nothing in it is personal: previewers see it too.
type BuyOffer struct {
	State       BuyState
	Title       string
	Image       string // absolute, or a path on our own site; "" for none
	Quantity    int
	Unit, Total money.Amount
	Expires     time.Time
	Language    string // the contact's; "" when unknown
	Test        bool   // no money moves
	Receipt     Receipt
}

// Receipt is what came of buying, in the outcomes of the effect checkout: paid, payment_due, payment_declined, sold_out,
// quote_expired; or "" while the payment is under way.
type Receipt struct {
	Outcome      string
	Order        string
	Total        money.Amount
	Instructions string // how to pay, with payment_due
	Test         bool
}

type buyView struct {
	Page    PageView
	Offer   BuyOffer
	Left    string // the time left, in words
	Image   string
	Receipt *Receipt
	Refused bool
}

// buyPage shows the live offer. It never acts: whatever follows links may look.
func (s *Server) buyPage(w http.ResponseWriter, r *http.Request) error {
	view, err := s.buyView(w, r)
	if err != nil {
		return err
	}
	status := http.StatusOK
	switch view.Offer.State {
	case BuyExpired:
		status = http.StatusGone
	case BuyDone:
		view.Receipt = &view.Offer.Receipt
	}
	return s.render(w, status, "buy.html", view)
}

// buy sells, if a person pressed the button on our page.
func (s *Server) buy(w http.ResponseWriter, r *http.Request) error {
	view, err := s.buyView(w, r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	if status, why := s.suspect(r); status != 0 {
		s.log.InfoContext(r.Context(), "purchase by link refused", "why", why)
		view.Refused = true
		return s.render(w, status, "buy.html", view)
	}
	receipt, err := s.opt.Buyer.Buy(r.Context(), r.PathValue("token"))
	if err != nil {
		return lostLink(s, view.Page, fmt.Errorf("buy by link: %w", err))
	}
	view.Receipt = &receipt
	status := http.StatusOK
	switch receipt.Outcome {
	case "sold_out":
		status = http.StatusConflict
	case "quote_expired":
		status = http.StatusGone
	}
	return s.render(w, status, "buy.html", view)
}

func (s *Server) buyView(w http.ResponseWriter, r *http.Request) (buyView, error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	if s.opt.Buyer == nil {
		return buyView{}, unavailable()
	}
	page := s.page(r, "")
	offer, err := s.opt.Buyer.Offer(r.Context(), r.PathValue("token"))
	if err != nil {
		return buyView{}, lostLink(s, page, fmt.Errorf("show the offer of a link: %w", err))
	}
	if words := s.words[offer.Language]; words != nil && r.URL.Query().Get("lang") == "" {
		page.Lang, page.words = offer.Language, words
	}
	page.Languages = nil // their addresses would hold the token
	page.Title = offer.Title
	if page.Title == "" {
		page.Title = page.words.say("buy.title")
	}
	view := buyView{Page: page, Offer: offer, Image: page.Absolute(offer.Image)}
	if offer.State == BuyOpen {
		view.Left = page.words.left(offer.Expires.Sub(s.now()))
	}
	return view, nil
}

// lostLink tells of a link that was never ours, or whose offer is gone from the books.
func lostLink(s *Server, page PageView, err error) error {
	if errors.Is(err, commerce.ErrNotFound) {
		return &Problem{Status: http.StatusNotFound, Sentence: page.words.say("buy.unknown"), Err: err}
	}
	return err
}
