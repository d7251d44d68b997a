package web

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// staffRoutes are the pages of the staff: signing in, the inbox, orders, and the admin's page.
func (s *Server) staffRoutes() []Route {
	merchant := func(pattern string, handle func(http.ResponseWriter, *http.Request) error) Route {
		return Route{Pattern: pattern, Allow: Staff(store.RoleMerchant), Surface: Page, Handle: s.present(handle), Fail: s.failStaff}
	}
	admin := func(pattern string, handle func(http.ResponseWriter, *http.Request) error) Route {
		return Route{Pattern: pattern, Allow: Staff(store.RoleAdmin), Surface: Page, Handle: s.present(handle), Fail: s.failStaff}
	}
	return []Route{
		{Pattern: "GET /sign-in", Allow: Public(), Surface: Page, Handle: s.signInHelp, Fail: s.failStaff},
		{Pattern: "GET /sign-in/{secret}", Allow: Public(), Surface: Page, Handle: s.signInPage, Fail: s.failStaff},
		{Pattern: "POST /sign-in/{secret}", Allow: Public(), Surface: Page, Handle: s.signIn, Fail: s.failStaff, Limited: true},
		merchant("POST /sign-out", s.signOut),

		merchant("GET /inbox", s.inbox),
		merchant("GET /inbox/{id}", s.thread),
		merchant("POST /inbox/{id}/reply", s.reply),
		merchant("POST /inbox/{id}/take", s.takeOver),
		merchant("POST /inbox/{id}/return", s.giveBack),
		merchant("POST /inbox/offers/{id}/accept", s.acceptOffer),
		merchant("POST /inbox/offers/{id}/decline", s.declineOffer),
		merchant("POST /inbox/offers/{id}/counter", s.counterOffer),
		merchant("GET /inbox/orders", s.orders),
		merchant("POST /inbox/orders/{id}/paid", s.markPaid),
		merchant("POST /inbox/orders/{id}/cancel", s.cancelOrder),
		{Pattern: "GET /inbox/events", Allow: Staff(store.RoleMerchant), Surface: Raw, Handle: s.events},

		admin("GET /admin", s.admin),
		admin("POST /admin/keys", s.addKey),
		admin("POST /admin/keys/{id}/revoke", s.revokeKey),
		admin("POST /admin/staff", s.invite),
		admin("POST /admin/staff/{id}/sign-out", s.signOutEverywhere),
		admin("POST /admin/staff/{id}/remove", s.removeStaff),
		admin("GET /admin/fanouts", s.fanouts),
		admin("POST /admin/fanouts/{id}/pause", s.fanoutButton("pause", "paused")),
		admin("POST /admin/fanouts/{id}/resume", s.fanoutButton("resume", "resumed")),
		admin("POST /admin/fanouts/{id}/cancel", s.fanoutButton("cancel", "ended")),
		admin("GET /admin/accounts/{account}/pair", s.pairPage),
		admin("POST /admin/accounts/{account}/pair", s.pair),
		admin("GET /admin/letters", s.letters),
		admin("POST /admin/letters/resend", s.resendLetters),
		admin("POST /admin/letters/{id}/resend", s.resendLetter),
	}
}

// present notes that the person is there, so that their session goes on. Pages that renew themselves do not count.
func (s *Server) present(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Sec-Fetch-Dest") != "empty" {
			ctx := r.Context()
			if err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error { return tx.Touch(ctx, sessionOf(r)) }); err != nil {
				return fmt.Errorf("note presence: %w", err)
			}
		}
		return handle(w, r)
	}
}

// staffPage is what the layout of the staff's pages needs. Those pages are in English.
type staffPage struct {
	Title   string
	Shop    string
	Demo    bool
	Here    string // inbox, orders or admin
	URL     string // of this page, for its renewal
	Person  store.Person
	Known   bool // somebody is signed in
	Waiting int  // conversations and offers that wait
	After   int64
	Done    string // what has just been done
}

// IsAdmin says whether the person may see the admin's page.
func (p staffPage) IsAdmin() bool { return p.Person.Role == store.RoleAdmin }

// Money is an amount as the staff read it.
func (p staffPage) Money(a money.Amount) string { return a.Format("en") }

// Stamp is a time for the attribute datetime.
func (p staffPage) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Clock is a time as it reads without JavaScript, which shows it in the zone of the reader.
func (p staffPage) Clock(t time.Time) string { return t.UTC().Format("2 Jan 15:04 UTC") }

func (s *Server) strangerPage(title string) staffPage {
	return staffPage{Title: title, Shop: s.opt.Shop.Name, Demo: s.opt.Demo}
}

// staffPage loads what every page of somebody who is signed in shows.
func (s *Server) staffPage(ctx context.Context, tx *store.Tx, r *http.Request, here, title string) (staffPage, error) {
	who := callerOf(r)
	p := s.strangerPage(title)
	p.Here, p.Person, p.Known, p.Done = here, who.person, true, doneSentence(r.URL.Query().Get("done"))
	var err error
	if p.After, err = tx.LastEvent(ctx, who.merchant); err != nil {
		return p, err
	}
	p.Waiting, err = s.countWaiting(ctx, tx, who.merchant)
	return p, err
}

// doneSentence is what is said after a redirect. Only what is listed is said, whatever stands in the address.
func doneSentence(done string) string {
	return map[string]string{
		"sent":      "Sent. The bot keeps silent in this conversation until you give it back.",
		"taken":     "You have this conversation now; the bot keeps silent.",
		"returned":  "The bot has the conversation again.",
		"accepted":  "Accepted. The price is kept for this shopper for 24 hours.",
		"declined":  "Declined. The shopper has been told.",
		"countered": "Your price has been sent to the shopper.",
		"paid":      "Marked as paid.",
		"cancelled": "The order is cancelled and its stock is free again.",
		"signedout": "Signed out everywhere. The sign-in links that were not used yet have ended, too.",
		"paused":    "Paused. What is under way still arrives.",
		"resumed":   "It goes on.",
		"ended":     "Cancelled. Whoever was not told yet is not told of this.",
		"removed":   "Removed from the staff. Conversations that were theirs wait for somebody else.",
		"resent":    "Queued again. What cannot be delivered comes back here.",
		"revoked":   "The key has been revoked. Whatever uses it is refused from now on.",
	}[done]
}

func (s *Server) countWaiting(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID) (int, error) {
	threads, err := tx.Threads(ctx, merchant, store.ThreadFilter{Owned: true, Limit: queueSize})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, th := range threads {
		if th.Owner == store.Waiting {
			n++
		}
	}
	offers, err := tx.ListOffers(ctx, merchant, store.OfferFilter{State: commerce.OfferOpen, Limit: queueSize})
	return n + len(offers), err
}

// loadStaffPages reads the templates in templates/staff, each with the staff's layout and the parts around it.
func loadStaffPages(static files) pages {
	layout := template.New("layout.html").Funcs(template.FuncMap{"asset": static.address})
	template.Must(layout.ParseFS(templates, "templates/staff/layout.html", "templates/staff/parts.html"))
	names, err := fs.Glob(templates, "templates/staff/*.html")
	if err != nil {
		panic("list the staff's templates: " + err.Error())
	}
	all := pages{}
	for _, name := range names {
		if base := path.Base(name); base != "layout.html" && base != "parts.html" {
			all[base] = template.Must(template.Must(layout.Clone()).ParseFS(templates, name))
		}
	}
	return all
}

func (s *Server) renderStaff(w http.ResponseWriter, status int, name string, view any) error {
	page, ok := s.staffPages[name]
	if !ok {
		return fmt.Errorf("render %s: there is no such template", name)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout.html", view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the caller may have hung up; that is no problem of ours
	return nil
}

type staffProblemView struct {
	Page     staffPage
	Sentence string
	Typed    string // what was typed into the form that failed, so that it is not lost
	Back     string
}

// failStaff answers an error on a page of the staff. Whoever is not signed in is sent to sign in; what they typed comes back.
func (s *Server) failStaff(w http.ResponseWriter, r *http.Request, err error) {
	p := problemForAPI(err)
	if p.Status == statusGone {
		return
	}
	if p.Status == http.StatusUnauthorized && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	if p.Status >= 500 {
		s.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "problem", err)
	}
	title, text := staffProblem(p.Status)
	view := staffProblemView{Page: s.strangerPage(title), Sentence: text, Back: backOf(r)}
	if p.Sentence != "" {
		view.Sentence = sentence(p.Sentence)
	}
	if r.PostForm == nil && r.Method == http.MethodPost {
		_ = r.ParseForm() // an unreadable form has nothing to show
	}
	view.Typed = r.PostForm.Get("text") + r.PostForm.Get("note")
	if err := s.renderStaff(w, p.Status, "problem.html", view); err != nil {
		s.log.ErrorContext(r.Context(), "problem page not rendered", "problem", err)
		http.Error(w, view.Sentence, p.Status)
	}
}

func staffProblem(status int) (title, sentence string) {
	switch status {
	case http.StatusUnauthorized:
		return "Please sign in again", "Your session has ended, and nothing was sent. Sign in with a new link and try again."
	case http.StatusForbidden:
		return "Not for you", "Your role does not allow this, or the request came from another site."
	case http.StatusNotFound:
		return "Nothing here", "There is nothing at this address. It may have been removed."
	case http.StatusConflict:
		return "No longer possible", "Things have changed meanwhile. Go back to see how they stand."
	case http.StatusBadRequest:
		return "That could not be taken", "Some of it needs another look."
	case http.StatusRequestEntityTooLarge:
		return "Too much", "That was larger than we can take."
	case http.StatusTooManyRequests:
		return "A moment, please", "That was a bit fast. Wait a little and try again."
	}
	return "Our mistake", "Something went wrong on our side. It has been logged; please try again."
}

// backOf is the page of the staff that a form was sent from.
func backOf(r *http.Request) string {
	for _, back := range []string{r.PostFormValue("back"), strings.TrimPrefix(r.Header.Get("Referer"), originOf(r.Header.Get("Referer")))} {
		back, _, _ = strings.Cut(back, "?")
		if back == "/admin" || strings.HasPrefix(back, "/admin/accounts/") && !strings.ContainsAny(back, "\\\r\n") || back == "/inbox" || strings.HasPrefix(back, "/inbox/") && !strings.ContainsAny(back, "\\\r\n") {
			return back
		}
	}
	return "/inbox"
}
