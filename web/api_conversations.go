package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

type apiContact struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Language string `json:"language,omitempty"`
}

func showContact(c conversation.Contact) apiContact { return apiContact{c.ID, c.Name, c.Language} }

type apiConversation struct {
	ID      string     `json:"id"`
	Account string     `json:"account"`
	Channel string     `json:"channel"`
	Contact apiContact `json:"contact"`
	Owner   string     `json:"owner"`           // bot, waiting or staff
	Staff   string     `json:"staff,omitempty"` // who, with owner staff
	Reason  string     `json:"reason,omitempty"`
	Waiting *time.Time `json:"waiting_since,omitempty"`
	Created time.Time  `json:"created_at"`
	Changed time.Time  `json:"changed_at"`
}

func showConversation(th *store.Thread) apiConversation {
	c := apiConversation{
		ID: th.ID, Account: th.Account, Channel: th.Channel, Contact: showContact(th.Contact), Owner: th.Owner, Reason: th.Reason,
		Waiting: timeOrNone(th.Waiting), Created: th.Created, Changed: th.Changed,
	}
	if th.Owner != store.Bot && th.Owner != store.Waiting {
		c.Owner, c.Staff = "staff", th.Owner
	}
	return c
}

func timeOrNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type apiMessage struct {
	ID      string      `json:"id"`
	From    string      `json:"from"` // contact, bot, staff or system
	Staff   string      `json:"staff,omitempty"`
	Text    string      `json:"text"`
	Choices []apiChoice `json:"choices,omitempty"`
	Image   string      `json:"image,omitempty"`
	State   string      `json:"state,omitempty"`
	At      time.Time   `json:"at"`
}

type apiChoice struct {
	Label string `json:"label"`
}

func showMessage(m store.Message) apiMessage {
	out := apiMessage{ID: m.ID, From: m.Author, Text: m.Text, Image: m.Image, State: m.State, At: m.At}
	switch m.Author {
	case store.FromContact, store.FromBot, store.FromSystem:
	default:
		out.From, out.Staff = "staff", m.Author
	}
	for _, choice := range m.Choices {
		out.Choices = append(out.Choices, apiChoice{choice.Label})
	}
	return out
}

func (s *Server) apiConversations(ctx context.Context, c apiCall) (int, any, error) {
	q, err := c.query("contact", "limit", "cursor")
	if err != nil {
		return 0, nil, err
	}
	before, limit, err := readKeyPage(q)
	if err != nil {
		return 0, nil, err
	}
	page := apiList{}
	err = s.reading(ctx, func(tx *store.Tx) error {
		threads, err := tx.Threads(ctx, c.merchant, store.ThreadFilter{Contact: q.Get("contact"), Before: before, Limit: limit + 1})
		if err != nil {
			return err
		}
		page, err = pageOf(threads, limit, func(th *store.Thread) string { return atKey(th.Key) }, surely(showConversation))
		return err
	})
	return http.StatusOK, page, err
}

func (s *Server) apiMessages(ctx context.Context, c apiCall) (int, any, error) {
	q, err := c.query("limit", "cursor")
	if err != nil {
		return 0, nil, err
	}
	after, limit, err := readPage(q)
	if err != nil {
		return 0, nil, err
	}
	page := apiList{}
	err = s.reading(ctx, func(tx *store.Tx) error {
		th, err := tx.Thread(ctx, c.merchant, c.PathValue("id"))
		if err != nil {
			return err
		}
		messages, err := tx.Messages(ctx, c.merchant, th.Key, after, limit+1)
		if err != nil {
			return err
		}
		page, err = pageOf(messages, limit, func(m store.Message) string { return m.ID }, surely(showMessage))
		return err
	})
	return http.StatusOK, page, notFound(err, "conversation", c.PathValue("id"))
}

// maxSaid is how long a message of staff may be, in characters.
const maxSaid = 4096

func (s *Server) apiSay(ctx context.Context, c apiCall) (int, any, error) {
	o, err := c.object()
	if err != nil {
		return 0, nil, err
	}
	text := strings.TrimSpace(o.word("text", maxSaid))
	if o.need("text"); text == "" && len(*o.problems) == 0 {
		o.complain("text", "is empty")
	}
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	if _, err := s.loadThread(ctx, c.merchant, c.PathValue("id")); err != nil {
		return 0, nil, err
	}
	m, err := s.opt.BackOffice.House.Say(ctx, c.merchant, c.PathValue("id"), c.actor, text)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, showMessage(m), nil
}

func (s *Server) apiReturn(ctx context.Context, c apiCall) (int, any, error) {
	if err := c.nothing(); err != nil {
		return 0, nil, err
	}
	id := c.PathValue("id")
	if _, err := s.loadThread(ctx, c.merchant, id); err != nil {
		return 0, nil, err
	}
	if err := s.opt.BackOffice.House.Return(ctx, c.merchant, id, c.actor); err != nil {
		return 0, nil, err
	}
	th, err := s.loadThread(ctx, c.merchant, id)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, showConversation(th), nil
}

// loadThread is asked before the house acts as well, so that another merchant's conversation is never found.
func (s *Server) loadThread(ctx context.Context, merchant commerce.MerchantID, id string) (th *store.Thread, err error) {
	err = s.reading(ctx, func(tx *store.Tx) (err error) {
		th, err = tx.Thread(ctx, merchant, id)
		return err
	})
	return th, notFound(err, "conversation", id)
}
