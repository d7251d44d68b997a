package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"parley/commerce"
	"parley/store"
)

func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) error {
	return line(w, http.StatusOK, "ok")
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if s.opt.Ready != nil {
		if err := s.opt.Ready(ctx); err != nil {
			s.log.WarnContext(ctx, "not ready", "problem", err)
			why := "not ready"
			switch {
			case errors.Is(err, store.ErrDiskFull):
				why += ": the disk of the database is full; what is there can be read, and as soon as there is room it goes on"
			case errors.Is(err, store.ErrUnwritable):
				why += ": the database cannot be written"
			}
			return line(w, http.StatusServiceUnavailable, why)
		}
	}
	text := "ready"
	if _, verbose := r.URL.Query()["verbose"]; verbose && s.opt.BackOffice.Store != nil {
		accounts, err := s.accountLines(ctx)
		if err != nil {
			return fmt.Errorf("list the accounts: %w", err)
		}
		text += accounts
	}
	return line(w, http.StatusOK, text)
}

// accountLines lists the accounts, one a line. Why one failed is for the admin: this page is public. An account that failed does
// not make us unready, since the others go on.
func (s *Server) accountLines(ctx context.Context) (string, error) {
	var all []store.Account
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.AllAccounts(ctx)
		return err
	})
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "\naccount %s (%s): %s since %s", a.Name, a.Adapter, a.State, a.Changed.Format(time.RFC3339))
	}
	return b.String(), err
}

// robots keeps crawlers off whatever is not the shop.
func (s *Server) robots(w http.ResponseWriter, _ *http.Request) error {
	return line(w, http.StatusOK, "User-agent: *\nDisallow: /b/\nDisallow: /chat\nDisallow: /widget/\nDisallow: /inbox\nDisallow: /admin\nDisallow: /api/")
}

// hook hands a network's call to its account.
func (s *Server) hook(w http.ResponseWriter, r *http.Request) error {
	var h http.Handler
	if s.opt.Hooks != nil {
		h = s.opt.Hooks(r.PathValue("account"))
	}
	if h == nil {
		return commerce.ErrNotFound
	}
	h.ServeHTTP(w, r)
	return nil
}

func line(w http.ResponseWriter, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
	return nil
}

// unavailable is for a part that main did not give us.
func unavailable() error { return &Problem{Status: http.StatusServiceUnavailable} }
