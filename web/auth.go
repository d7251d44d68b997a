package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/commerce"
	"parley/store"
)

// Scopes are what an API key can be allowed. "*" stands for all of them.
func Scopes() []string {
	return []string{
		"products:read", "products:write", "policy", "watches", "conversations:read", "conversations:write",
		"orders:read", "orders:write", "offers",
	}
}

// NewKeySecret makes the secret of an API key. Its beginning lets scanners for leaked secrets know it.
func NewKeySecret() string { return "parley_" + store.NewSecret() }

// caller is who makes a request: a person of the staff or an API key.
type caller struct {
	merchant commerce.MerchantID
	actor    string // stf_… or key_…
	person   store.Person
	scopes   []string // of a key
}

// may says whether a key has a scope.
func (c caller) may(scope string) bool {
	return slices.Contains(c.scopes, scope) || slices.Contains(c.scopes, "*")
}

type callerKey struct{}

// callerOf is who the gate admitted. It panics on a public route, which has no caller.
func callerOf(r *http.Request) caller { return r.Context().Value(callerKey{}).(caller) }

// storeGate admits staff by their session cookie and keys by their secret.
type storeGate struct {
	store *store.Store
	now   func() time.Time
}

// Admit looks the caller up and compares what they may with what is wanted.
func (g storeGate) Admit(r *http.Request, want Permission) (*http.Request, error) {
	var who caller
	var err error
	switch {
	case want.Scope() != "":
		who, err = g.key(r, want.Scope())
	case want.Role() != "":
		who, err = g.person(r, want.Role())
	default:
		return nil, &Problem{Status: http.StatusUnauthorized}
	}
	if err != nil {
		return nil, err
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, who)), nil
}

func (g storeGate) key(r *http.Request, scope string) (caller, error) {
	kind, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") || secret == "" {
		return caller{}, &Problem{Status: http.StatusUnauthorized}
	}
	var key store.Key
	err := g.store.View(r.Context(), func(tx *store.Tx) (err error) {
		key, err = tx.KeyOf(r.Context(), strings.TrimSpace(secret))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return caller{}, &Problem{Status: http.StatusUnauthorized, Err: err}
	}
	if err != nil {
		return caller{}, fmt.Errorf("admit key: %w", err)
	}
	who := caller{merchant: key.Merchant, actor: key.ID, scopes: key.Scopes}
	if !who.may(scope) {
		return caller{}, &Problem{Status: http.StatusForbidden, Sentence: fmt.Sprintf("The key %q does not have the scope %s.", key.Name, scope)}
	}
	return who, g.noteUse(r.Context(), key)
}

// noteUse keeps when a key was last used, to the minute: most requests write nothing.
func (g storeGate) noteUse(ctx context.Context, key store.Key) error {
	if key.IsUseNoted(g.now()) {
		return nil
	}
	if err := g.store.Tx(ctx, func(tx *store.Tx) error { return tx.TouchKey(ctx, key.ID) }); err != nil {
		return fmt.Errorf("note the use of key %s: %w", key.ID, err)
	}
	return nil
}

func (g storeGate) person(r *http.Request, role string) (caller, error) {
	secret := sessionOf(r)
	if secret == "" {
		return caller{}, &Problem{Status: http.StatusUnauthorized}
	}
	var p store.Person
	err := g.store.View(r.Context(), func(tx *store.Tx) (err error) {
		p, err = tx.SessionPerson(r.Context(), secret)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return caller{}, &Problem{Status: http.StatusUnauthorized, Err: err}
	}
	if err != nil {
		return caller{}, fmt.Errorf("admit staff: %w", err)
	}
	if role == store.RoleAdmin && p.Role != store.RoleAdmin {
		return caller{}, &Problem{Status: http.StatusForbidden, Sentence: "Only an admin can see this page."}
	}
	return caller{merchant: p.Merchant, actor: p.ID, person: p}, nil
}

// The session's cookie. A browser takes the first name only over https, and then nobody else can have set it.
const (
	secureCookie = "__Host-parley_staff"
	plainCookie  = "parley_staff"
)

func sessionCookie(r *http.Request, secret string) *http.Cookie {
	c := &http.Cookie{Name: plainCookie, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if isHTTPS(r) {
		c.Name, c.Secure = secureCookie, true
	}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// sessionOf is the secret of the request's session, "" without one.
func sessionOf(r *http.Request) string {
	c, err := r.Cookie(sessionCookie(r, "").Name)
	if err != nil {
		return ""
	}
	return c.Value
}
