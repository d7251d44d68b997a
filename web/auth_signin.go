package web

import (
	"errors"
	"fmt"
	"net/http"

	"parley/store"
)

type signInView struct {
	Page   staffPage
	Secret string // of the link; "" on the page that tells how to get one
	Over   bool   // the link was used or has expired
}

// signInHelp is where people land who are not signed in.
func (s *Server) signInHelp(w http.ResponseWriter, r *http.Request) error {
	return s.renderStaff(w, http.StatusOK, "signin.html", signInView{Page: s.strangerPage("Sign in")})
}

// signInPage shows one button. It never uses the link up: previews and scanners follow links too.
func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
	view := signInView{Page: s.strangerPage("Sign in"), Secret: r.PathValue("secret")}
	var valid bool
	err := s.reading(r.Context(), func(tx *store.Tx) (err error) {
		valid, err = tx.SignInValid(r.Context(), view.Secret)
		return err
	})
	if err != nil {
		return fmt.Errorf("look up sign-in: %w", err)
	}
	if !valid {
		return s.signInOver(w)
	}
	return s.renderStaff(w, http.StatusOK, "signin.html", view)
}

func (s *Server) signInOver(w http.ResponseWriter) error {
	return s.renderStaff(w, http.StatusGone, "signin.html", signInView{Page: s.strangerPage("This link has ended"), Over: true})
}

// signIn uses the link up. A session that the browser had before ends.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	ctx, old, session := r.Context(), sessionOf(r), ""
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) (err error) {
		var p store.Person
		if session, p, err = tx.SignIn(ctx, r.PathValue("secret")); err != nil {
			return err
		}
		if old != "" {
			if err := tx.SignOut(ctx, old); err != nil {
				return err
			}
		}
		return tx.Event(ctx, p.Merchant, "staff_signed_in", p.ID, nil)
	})
	if errors.Is(err, store.ErrNotFound) {
		return s.signInOver(w)
	}
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	http.SetCookie(w, sessionCookie(r, session))
	http.Redirect(w, r, "/inbox", http.StatusSeeOther)
	return nil
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error { return tx.SignOut(ctx, sessionOf(r)) }); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	http.SetCookie(w, sessionCookie(r, ""))
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}
