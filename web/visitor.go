package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"parley/commerce"
)

// Visitors knows the people whom a browser stands for. The secret is theirs alone, the id may be shown to anybody.
type Visitors interface {
	New(ctx context.Context) (secret, id string, err error)
	// Lookup answers commerce.ErrNotFound for a secret that belongs to nobody.
	Lookup(ctx context.Context, secret string) (id string, err error)
}

const visitorCookie = "parley_visitor"

// visitor is whose cookie the request carries; "" when it carries none that we know.
func (s *Server) visitor(r *http.Request) (string, error) {
	cookie, err := r.Cookie(visitorCookie)
	if err != nil || cookie.Value == "" || len(cookie.Value) > 256 {
		return "", nil
	}
	id, err := s.opt.Visitors.Lookup(r.Context(), cookie.Value)
	if errors.Is(err, commerce.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up the visitor: %w", err)
	}
	return id, nil
}

// greet is visitor, and makes a new one where there is none.
func (s *Server) greet(w http.ResponseWriter, r *http.Request) (string, error) {
	if s.opt.Visitors == nil {
		return "", unavailable()
	}
	id, err := s.visitor(r)
	if err != nil || id != "" {
		return id, err
	}
	if !s.mayStart(r) {
		return "", &Problem{Status: http.StatusTooManyRequests}
	}
	secret, id, err := s.opt.Visitors.New(r.Context())
	if err != nil {
		return "", fmt.Errorf("make a visitor: %w", err)
	}
	http.SetCookie(w, cookieFor(r, secret))
	return id, nil
}

// mayStart counts a new visitor against the caller's address, as a post is.
func (s *Server) mayStart(r *http.Request) bool {
	return r.Method != http.MethodGet || s.posts.take(s.caller(r)) == 0
}

// cookieFor is the visitor's cookie. Inside the frame on somebody else's site a browser keeps it only as None, Secure and
// Partitioned; over plain http it keeps Secure only on this very machine, and Safari not even there.
func cookieFor(r *http.Request, secret string) *http.Cookie {
	c := &http.Cookie{Name: visitorCookie, Value: secret, Path: "/", HttpOnly: true, MaxAge: int((400 * 24 * time.Hour).Seconds())}
	if isHTTPS(r) || isThisMachine(r.Host) && !isWebKit(r.UserAgent()) {
		c.Secure, c.SameSite, c.Partitioned = true, http.SameSiteNoneMode, true
	} else {
		c.SameSite = http.SameSiteLaxMode
	}
	return c
}

func isThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// isWebKit recognises Safari and whatever else runs on it (everything on iOS).
func isWebKit(agent string) bool {
	return strings.Contains(agent, "AppleWebKit/") && !strings.Contains(agent, "Chrome/") && !strings.Contains(agent, "Chromium/")
}
