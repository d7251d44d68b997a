package web

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"rsc.io/qr"

	"parley/commerce"
	"parley/store"
)

// Pairing links phones to accounts. What it does is shown on the page as it goes on: each change appends an event.
type Pairing interface {
	// CanPair says that the account is the merchant's and of a kind that a phone is linked to.
	CanPair(merchant commerce.MerchantID, account string) bool
	// Begin asks for a code to scan or, with a phone number, for one to type on that phone. It does not wait.
	Begin(merchant commerce.MerchantID, account, phone string)
	// State is how the latest pairing of the account stands.
	State(account string) PairState
}

// Steps of a pairing.
const (
	PairNone    = ""        // none is under way
	PairWaiting = "waiting" // for the first code
	PairCode    = "code"    // a code is there to be scanned or typed
	PairLinked  = "linked"
	PairFailed  = "failed"
)

// PairState is how a pairing stands.
type PairState struct {
	Step    string
	Code    string // the text of a QR, or letters to type
	Typed   bool   // the code is to be typed
	Number  int    // grows with each change
	Problem string // of PairFailed, for the admin
}

type pairView struct {
	Page    staffPage
	Account store.Account
	State   PairState
	Picture template.URL // the code as a QR; "" for one to type
	Phone   string       // as it was typed
	Problem string       // with what was typed
}

// pairPage shows the code that a phone is to scan, and renews itself while the code changes.
func (s *Server) pairPage(w http.ResponseWriter, r *http.Request) error {
	return s.showPairing(w, r, http.StatusOK, "", "")
}

func (s *Server) showPairing(w http.ResponseWriter, r *http.Request, status int, phone, problem string) error {
	ctx, who, name := r.Context(), callerOf(r), r.PathValue("account")
	if s.opt.BackOffice.Pairing == nil || !s.opt.BackOffice.Pairing.CanPair(who.merchant, name) {
		return fmt.Errorf("pair account %s: %w", name, commerce.ErrNotFound)
	}
	view := pairView{State: s.opt.BackOffice.Pairing.State(name), Phone: phone, Problem: problem}
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		if view.Page, err = s.staffPage(ctx, tx, r, "admin", "Link a phone"); err != nil {
			return err
		}
		view.Page.URL = "/admin/accounts/" + url.PathEscape(name) + "/pair"
		all, err := tx.Accounts(ctx, who.merchant)
		for _, a := range all {
			if a.Name == name {
				view.Account = a
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("pair account %s: %w", name, err)
	}
	view.Account.Name = name
	if view.State.Step == PairCode && !view.State.Typed {
		if view.Picture, err = qrPicture(view.State.Code); err != nil {
			return fmt.Errorf("draw the code for account %s: %w", name, err)
		}
	}
	return s.renderStaff(w, status, "pair.html", view)
}

// pair begins to link a phone.
func (s *Server) pair(w http.ResponseWriter, r *http.Request) error {
	who, name, typed := callerOf(r), r.PathValue("account"), clean(r.PostFormValue("phone"))
	if s.opt.BackOffice.Pairing == nil || !s.opt.BackOffice.Pairing.CanPair(who.merchant, name) {
		return fmt.Errorf("pair account %s: %w", name, commerce.ErrNotFound)
	}
	phone := ""
	if typed != "" {
		var ok bool
		if phone, ok = PhoneNumber(typed); !ok {
			return s.showPairing(w, r, http.StatusBadRequest, typed, "Type the number with its country, like +49 151 23456789.")
		}
	}
	ctx := r.Context()
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		return tx.Event(ctx, who.merchant, "pairing_begun", name, map[string]any{"by": who.actor})
	})
	if err != nil {
		return fmt.Errorf("pair account %s: %w", name, err)
	}
	s.opt.BackOffice.Pairing.Begin(who.merchant, name, phone)
	http.Redirect(w, r, "/admin/accounts/"+url.PathEscape(name)+"/pair", http.StatusSeeOther)
	return nil
}

// PhoneNumber reads a phone number with its country, as people type it, and returns its digits.
func PhoneNumber(typed string) (digits string, ok bool) {
	digits = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(" +-()./", r):
			return -1
		case r < '0' || r > '9':
			return 'x'
		}
		return r
	}, strings.TrimSpace(typed))
	digits = strings.TrimPrefix(digits, "00")
	ok = len(digits) >= 7 && len(digits) <= 15 && !strings.HasPrefix(digits, "0") && !strings.Contains(digits, "x")
	return digits, ok
}

// quietZone is the white around a QR that readers need, in modules.
const quietZone = 4

// qrPicture draws a QR as an SVG within the page, so that the code stands at no address of its own.
func qrPicture(text string) (template.URL, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", err
	}
	var path bytes.Buffer
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	size := code.Size + 2*quietZone
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`, size, size, size, size, path.String())
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))), nil
}
