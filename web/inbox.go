package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/commerce"
	"parley/store"
)

// queueSize is how many conversations, and how many offers, a list of the inbox shows.
const queueSize = 100

// queueView is the list beside every page of the inbox.
type queueView struct {
	Page    staffPage
	All     bool        // every conversation, not only those that concern staff
	Current string      // the conversation that is open
	Waiting []threadRow // for a person, the longest first
	Held    []threadRow // that staff have
	Others  []threadRow // the bot's, when All
	Offers  []offerRow  // that wait for the shop
}

// IsEmpty says that nothing is listed.
func (q queueView) IsEmpty() bool {
	return len(q.Waiting)+len(q.Held)+len(q.Others)+len(q.Offers) == 0
}

// threadRow is a conversation in a list.
type threadRow struct {
	ID, Name, Channel, Reason string
	Last                      string    // the latest words, shortened
	Since                     time.Time // it waits, or when it changed
	Owner                     string    // who of the staff has it
	Mine, Current             bool
}

// Stamp is the time since when, for the attribute datetime.
func (t threadRow) Stamp() string { return staffPage{}.Stamp(t.Since) }

// Clock is Stamp for people.
func (t threadRow) Clock() string { return staffPage{}.Clock(t.Since) }

type inboxView struct {
	Page  staffPage
	Queue queueView
}

func (s *Server) inbox(w http.ResponseWriter, r *http.Request) error {
	view, err := s.inboxView(r, nil)
	if err != nil {
		return err
	}
	return s.renderStaff(w, http.StatusOK, "inbox.html", view)
}

func (s *Server) inboxView(r *http.Request, wrong *wrongForm) (view inboxView, err error) {
	ctx := r.Context()
	err = s.reading(ctx, func(tx *store.Tx) error {
		if view.Page, err = s.staffPage(ctx, tx, r, "inbox", "Inbox"); err != nil {
			return err
		}
		view.Page.URL = "/inbox"
		all := r.Method == http.MethodGet && r.URL.Query().Get("view") == "all"
		if all {
			view.Page.URL = "/inbox?view=all"
		}
		view.Queue, err = s.queue(ctx, tx, callerOf(r), view.Page, all, "", wrong)
		return err
	})
	return view, err
}

func (s *Server) queue(ctx context.Context, tx *store.Tx, who caller, page staffPage, all bool, current string, wrong *wrongForm) (queueView, error) {
	q := queueView{Page: page, All: all, Current: current}
	names, err := s.staffNames(ctx, tx, who.merchant)
	if err != nil {
		return q, err
	}
	threads, err := tx.Threads(ctx, who.merchant, store.ThreadFilter{Owned: !all, Limit: queueSize})
	if err != nil {
		return q, err
	}
	for _, th := range threads {
		row, err := showThread(ctx, tx, th)
		if err != nil {
			return q, err
		}
		row.Current = th.ID == current
		switch th.Owner {
		case store.Waiting:
			q.Waiting = append(q.Waiting, row)
		case store.Bot:
			q.Others = append(q.Others, row)
		default:
			row.Owner, row.Mine = names.of(th.Owner), th.Owner == who.actor
			q.Held = append(q.Held, row)
		}
	}
	slices.SortStableFunc(q.Waiting, func(a, b threadRow) int { return a.Since.Compare(b.Since) })
	slices.SortStableFunc(q.Held, func(a, b threadRow) int { return b.Since.Compare(a.Since) })
	offers, err := tx.ListOffers(ctx, who.merchant, store.OfferFilter{State: commerce.OfferOpen, Limit: queueSize})
	if err != nil {
		return q, err
	}
	slices.Reverse(offers) // the one that has waited longest first
	back := "/inbox"
	if current != "" {
		back += "/" + current
	}
	q.Offers, err = offerRows(ctx, tx, offers, page, back, wrong)
	return q, err
}

func showThread(ctx context.Context, tx *store.Tx, th *store.Thread) (threadRow, error) {
	row := threadRow{ID: th.ID, Name: nameOf(th.Contact.Name), Channel: th.Channel, Reason: th.Reason, Since: th.Changed}
	if !th.Waiting.IsZero() {
		row.Since = th.Waiting
	}
	last, err := tx.Messages(ctx, th.Merchant, th.Key, "", -4)
	if err != nil {
		return row, err
	}
	for _, m := range slices.Backward(last) {
		if m.Author == store.FromSystem || m.Author == store.FromBot && row.Last != "" {
			continue
		}
		row.Last = shorten(m.Text, 90)
		if m.Author != store.FromBot { // what people said tells more than what the bot answered
			break
		}
	}
	return row, nil
}

// nameOf is what a contact is called on a page.
func nameOf(name string) string {
	if name = clean(name); name == "" {
		return "Somebody"
	}
	return shorten(name, 60)
}

// shorten keeps at most n characters on one line.
func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n-1])) + "…"
}

// staffNames tells who an id of the staff is: a person who signs in, one who works in a room of a messenger, or an API key.
type staffNames map[string]string

func (s *Server) staffNames(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID) (staffNames, error) {
	people, err := tx.Staff(ctx, merchant)
	if err != nil {
		return nil, err
	}
	keys, err := tx.Keys(ctx, merchant)
	if err != nil {
		return nil, err
	}
	names, err := tx.DeskPeople(ctx, merchant)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		names[p.ID], _, _ = strings.Cut(p.Email, "@")
	}
	for _, k := range keys {
		names[k.ID] = k.Name + " (API)"
	}
	return names, nil
}

func (n staffNames) of(id string) string {
	if name, ok := n[id]; ok {
		return name
	}
	return "staff"
}

// wrongForm is a form that could not be taken: it is shown again with what was typed and what is wrong with it.
type wrongForm struct {
	Subject  string // the id of what it is about
	Typed    string
	Sentence string
}

// of is the form's mistake when it is about that subject.
func (f *wrongForm) of(subject string) *wrongForm {
	if f == nil || f.Subject != subject {
		return nil
	}
	return f
}
