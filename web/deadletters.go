package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"parley/store"
)

type lettersView struct {
	Page     staffPage
	Letters  []store.Letter
	Account  string   // the one that is shown; "" for all
	Accounts []string // those with dead letters on this page
	Next     string   // the address of the next page; "" on the last
}

// lettersShown is how many dead letters stand on a page.
const lettersShown = 100

// letters lists what was tried and given up, with why, and buttons to have it sent again.
func (s *Server) letters(w http.ResponseWriter, r *http.Request) error {
	ctx, who, q := r.Context(), callerOf(r), r.URL.Query()
	view := lettersView{Account: q.Get("account")}
	if !isClean(view.Account) {
		return &Problem{Status: http.StatusBadRequest}
	}
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64) // a slip shows the first page
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		if view.Page, err = s.staffPage(ctx, tx, r, "admin", "Dead letters"); err != nil {
			return err
		}
		view.Page.URL = "/admin/letters"
		view.Letters, err = tx.DeadLetters(ctx, who.merchant, store.LetterFilter{Account: view.Account, Before: before, Limit: lettersShown + 1})
		return err
	})
	if err != nil {
		return fmt.Errorf("show dead letters: %w", err)
	}
	if len(view.Letters) > lettersShown {
		view.Letters = view.Letters[:lettersShown]
		q.Set("before", strconv.FormatInt(view.Letters[lettersShown-1].Key, 10))
		view.Next = "/admin/letters?" + q.Encode()
	}
	for _, l := range view.Letters {
		if !slices.Contains(view.Accounts, l.Account) {
			view.Accounts = append(view.Accounts, l.Account)
		}
	}
	return s.renderStaff(w, http.StatusOK, "letters.html", view)
}

// resendLetter sends one message again, resendLetters all of an account. Pressed twice they find nothing left to do.
func (s *Server) resendLetter(w http.ResponseWriter, r *http.Request) error {
	return s.resend(w, r, store.LetterFilter{Message: r.PathValue("id")})
}

func (s *Server) resendLetters(w http.ResponseWriter, r *http.Request) error {
	account := r.PostFormValue("account")
	if account == "" || !isClean(account) {
		return &Problem{Status: http.StatusBadRequest, Sentence: "Pick the account whose messages are to be sent again."}
	}
	return s.resend(w, r, store.LetterFilter{Account: account})
}

func (s *Server) resend(w http.ResponseWriter, r *http.Request, f store.LetterFilter) error {
	ctx, who := r.Context(), callerOf(r)
	if !isClean(f.Message) {
		return &Problem{Status: http.StatusNotFound}
	}
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		_, err := tx.Resend(ctx, who.merchant, f, who.actor)
		return err
	})
	if err != nil {
		return fmt.Errorf("send dead letters again: %w", err)
	}
	return redirectDone(w, r, "/admin/letters", "resent")
}
