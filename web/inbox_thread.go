package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// transcriptSize is how many of the latest messages a thread shows.
const transcriptSize = 200

type threadView struct {
	Page     staffPage
	Queue    queueView
	ID       string
	Name     string
	Owner    string // bot, waiting, mine or theirs
	OwnerID  string // as the conversation has it; the reply says what its writer saw
	Holder   string // the name, with theirs
	Reason   string
	Waiting  time.Time
	Messages []messageRow
	Card     contactCard
	Draft    string
	Problem  string // why the reply was not sent
}

// Doing says who speaks.
func (v threadView) Doing() string {
	switch v.Owner {
	case "bot":
		return "The bot answers here."
	case "waiting":
		return "Waits for a person; the bot is silent."
	case "mine":
		return "You have this conversation; the bot is silent."
	}
	return v.Holder + " has this conversation; the bot is silent."
}

// messageRow is a line of a transcript.
type messageRow struct {
	ID, From, Who, Text string // From: contact, bot, staff or system
	Choices             []string
	Image               string
	State               string // only what staff should know of: failed, unknown, queued
	At                  time.Time
}

// contactCard is what is known of the person.
type contactCard struct {
	ID, Name, Channel, Account, Address string
	Language, Zone, LocalTime           string
	Stopped                             bool
	Product                             *productRow
	Orders                              []orderRow
}

// productRow is what they talk of.
type productRow struct {
	SKU, Title, URL string
	Price           money.Amount
	Stock           int
}

func (s *Server) thread(w http.ResponseWriter, r *http.Request) error {
	view, err := s.threadView(r, r.PathValue("id"), nil)
	if err != nil {
		return err
	}
	return s.renderStaff(w, http.StatusOK, "thread.html", view)
}

func (s *Server) threadView(r *http.Request, id string, wrong *wrongForm) (view threadView, err error) {
	ctx, who := r.Context(), callerOf(r)
	err = s.reading(ctx, func(tx *store.Tx) error {
		th, err := tx.Thread(ctx, who.merchant, id)
		if err != nil {
			return fmt.Errorf("show conversation: %w", err)
		}
		view.ID, view.Name, view.Reason, view.Waiting = th.ID, nameOf(th.Contact.Name), th.Reason, th.Waiting
		if view.Page, err = s.staffPage(ctx, tx, r, "inbox", view.Name); err != nil {
			return err
		}
		view.Page.URL = "/inbox/" + th.ID
		if view.Queue, err = s.queue(ctx, tx, who, view.Page, false, th.ID, wrong); err != nil {
			return err
		}
		names, err := s.staffNames(ctx, tx, who.merchant)
		if err != nil {
			return err
		}
		view.OwnerID = th.Owner
		switch th.Owner {
		case store.Bot, store.Waiting:
			view.Owner = th.Owner
		case who.actor:
			view.Owner = "mine"
		default:
			view.Owner, view.Holder = "theirs", names.of(th.Owner)
		}
		messages, err := tx.Messages(ctx, who.merchant, th.Key, "", -transcriptSize)
		if err != nil {
			return err
		}
		for _, m := range messages {
			view.Messages = append(view.Messages, showLine(m, names, view.Name))
		}
		view.Card, err = s.card(ctx, tx, th, view.Page)
		return err
	})
	return view, err
}

func showLine(m store.Message, names staffNames, contact string) messageRow {
	row := messageRow{ID: m.ID, From: m.Author, Text: m.Text, Image: m.Image, At: m.At}
	switch m.Author {
	case store.FromContact:
		row.Who = contact
	case store.FromBot:
		row.Who = "Bot"
	case store.FromSystem:
		row.Text = markWords(m.Text, names)
	default:
		row.From, row.Who = "staff", names.of(m.Author)
	}
	switch m.State {
	case string(store.Failed), string(store.Unknown), string(store.Queued):
		row.State = m.State
	}
	for _, choice := range m.Choices {
		row.Choices = append(row.Choices, choice.Label)
	}
	return row
}

// markWords is a mark of the transcript for people. A mark is a word, and where somebody of the staff did it their id.
func markWords(mark string, names staffNames) string {
	word, actor, _ := strings.Cut(mark, " ")
	who := "Staff"
	if name, ok := names[actor]; ok {
		who = name
	}
	switch word {
	case "handed_off":
		return "The bot has handed over to a person"
	case "taken":
		return who + " took over"
	case "returned":
		return who + " gave the conversation back to the bot"
	}
	return mark
}

// cardOrders is how many of a contact's orders stand beside a thread.
const cardOrders = 5

func (s *Server) card(ctx context.Context, tx *store.Tx, th *store.Thread, page staffPage) (contactCard, error) {
	c := th.Contact
	card := contactCard{
		ID: c.ID, Name: nameOf(c.Name), Channel: th.Channel, Account: th.Account, Address: shorten(clean(th.Address.NetworkID), 60),
		Language: c.Language, Zone: c.TimeZone, Stopped: th.Address.State == "stopped" || th.Address.State == "blocked",
	}
	if zone, err := time.LoadLocation(c.TimeZone); err == nil && c.TimeZone != "" {
		card.LocalTime = s.now().In(zone).Format("15:04")
	}
	if sku := th.Session.Vars["product.sku"]; sku != "" {
		p, err := tx.Product(ctx, th.Merchant, sku)
		if err != nil && !isMissing(err) {
			return card, err
		}
		if err == nil {
			card.Product = &productRow{SKU: p.SKU, Title: p.Title, URL: p.URL, Price: p.Price, Stock: p.Available()}
		}
	}
	orders, err := tx.ListOrders(ctx, th.Merchant, store.OrderFilter{Contact: th.ContactKey, Limit: cardOrders})
	if err != nil {
		return card, err
	}
	card.Orders, err = orderRows(ctx, tx, orders, page, nil)
	return card, err
}

// reply lets a person speak. The form tells which owner its writer saw: when somebody else has taken over meanwhile nothing
// is sent, and the words come back with that news.
func (s *Server) reply(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	id, who := r.PathValue("id"), callerOf(r)
	th, err := s.loadThread(r.Context(), who.merchant, id)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n"))
	stranger := th.Owner != who.actor && th.Owner != store.Bot && th.Owner != store.Waiting
	switch {
	case text == "":
		return s.refuseReply(w, r, http.StatusBadRequest, "There is nothing to send yet.")
	case strings.IndexFunc(text, isControl) >= 0 || !utf8.ValidString(text):
		return s.refuseReply(w, r, http.StatusBadRequest, "The text holds control characters; take them out and send it again.")
	case utf8.RuneCountInString(text) > maxSaid:
		return s.refuseReply(w, r, http.StatusBadRequest, fmt.Sprintf("That is %d characters, and %d are possible. Nothing was sent.", utf8.RuneCountInString(text), maxSaid))
	case stranger && r.PostForm.Get("owner") != th.Owner:
		return s.refuseReply(w, r, http.StatusConflict, "Somebody else has taken this conversation meanwhile. Nothing was sent; send it again to take over.")
	}
	_, err = s.opt.BackOffice.House.Say(r.Context(), who.merchant, id, who.actor, text)
	if bad, ok := errors.AsType[*commerce.Invalid](err); ok {
		return s.refuseReply(w, r, http.StatusBadRequest, sentence(bad.Problem))
	}
	if errors.Is(err, commerce.ErrConflict) {
		return s.refuseReply(w, r, http.StatusConflict, "This message cannot be sent now: the person has stopped messages, or their channel does not take any.")
	}
	if err != nil {
		return fmt.Errorf("reply in %s: %w", id, err)
	}
	return redirectDone(w, r, "/inbox/"+id, "sent")
}

func (s *Server) refuseReply(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	view, err := s.threadView(r, r.PathValue("id"), nil)
	if err != nil {
		return err
	}
	view.Draft, view.Problem = r.PostForm.Get("text"), problem
	return s.renderStaff(w, status, "thread.html", view)
}

func (s *Server) takeOver(w http.ResponseWriter, r *http.Request) error {
	return s.turn(w, r, "taken", s.opt.BackOffice.House.TakeOver)
}

func (s *Server) giveBack(w http.ResponseWriter, r *http.Request) error {
	return s.turn(w, r, "returned", s.opt.BackOffice.House.Return)
}

// turn changes who speaks in a conversation.
func (s *Server) turn(w http.ResponseWriter, r *http.Request, done string, change func(context.Context, commerce.MerchantID, string, string) error) error {
	id, who := r.PathValue("id"), callerOf(r)
	if _, err := s.loadThread(r.Context(), who.merchant, id); err != nil {
		return err
	}
	if err := change(r.Context(), who.merchant, id, who.actor); err != nil {
		return fmt.Errorf("change speaker of %s: %w", id, err)
	}
	return redirectDone(w, r, "/inbox/"+id, done)
}

// redirectDone shows a page again after a form was taken, so that reloading it does nothing twice.
func redirectDone(w http.ResponseWriter, r *http.Request, page, done string) error {
	http.Redirect(w, r, page+"?done="+done, http.StatusSeeOther)
	return nil
}
