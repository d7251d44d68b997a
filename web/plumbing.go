package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"parley/commerce"
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
			return line(w, http.StatusServiceUnavailable, "not ready")
		}
	}
	return line(w, http.StatusOK, "ready")
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
