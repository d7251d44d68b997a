package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/conversation"
	"parley/store"
)

type apiWatch struct {
	ID        string        `json:"id"`
	State     string        `json:"state"` // pending, armed, fired or cancelled
	SKU       string        `json:"sku"`
	Event     string        `json:"event"`
	Threshold *money.Amount `json:"threshold,omitempty"`
	Quantity  int           `json:"quantity,omitempty"`
	Contact   apiContact    `json:"contact"`
	Created   time.Time     `json:"created_at"`
}

func (s *Server) apiSubscribe(ctx context.Context, c apiCall) (int, any, error) {
	wish, channel, err := s.readSubscription(c)
	if err != nil {
		return 0, nil, err
	}
	account, err := s.accountFor(ctx, c.merchant, channel)
	if err != nil {
		return 0, nil, err
	}
	wish.Account = account.Name
	if account.Adapter == "webchat" {
		wish.Visitor = wish.Address
	}
	done, err := s.opt.BackOffice.House.Subscribe(ctx, c.merchant, wish)
	if bad, ok := errors.AsType[*commerce.Invalid](err); ok && slices.Contains([]string{"name", "channel", "address"}, bad.Field) {
		err = &commerce.Invalid{Field: "contact." + bad.Field, Problem: bad.Problem, Err: bad.Err}
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, done, nil
}

// readSubscription reads the body of POST /watches. The channel is as the caller named it.
func (s *Server) readSubscription(c apiCall) (wish Subscription, channel string, err error) {
	if _, err := c.query(); err != nil {
		return wish, "", err
	}
	o, err := c.object()
	if err != nil {
		return wish, "", err
	}
	o.need("sku", "event", "contact", "consent")
	wish = Subscription{SKU: o.word("sku", 64), Event: o.word("event", 64), Fields: map[string]string{}, NotAtNight: o.flag("not_at_night")}
	if a := o.amount("threshold"); a != nil {
		wish.Fields["threshold"] = a.String()
	}
	if n := o.count("quantity"); n != nil {
		wish.Fields["quantity"] = strconv.Itoa(*n)
	}
	if who := o.object("contact"); who != nil {
		who.need("name", "channel")
		wish.Name, channel, wish.Address = clean(who.word("name", 120)), who.word("channel", 64), strings.TrimSpace(who.word("address", 256))
		wish.TimeZone, wish.Language = who.zone("time_zone"), who.word("language", 16)
		who.finish()
	}
	if agreed := o.object("consent"); agreed != nil {
		wish.Consent = s.readConsent(agreed, c.actor)
	}
	return wish, channel, o.done()
}

func (s *Server) readConsent(o *object, actor string) Consent {
	o.need("purpose", "text", "at")
	purpose := o.word("purpose", 64)
	if _, given := o.take("purpose"); given && purpose != string(conversation.Alert) {
		o.complain("purpose", "must be %q: a watch needs the consent to just that", conversation.Alert)
	}
	consent := Consent{Text: o.word("text", 4000), At: o.time("at"), Evidence: map[string]string{"form": "api", "key": actor}}
	if _, given := o.take("text"); given && strings.TrimSpace(consent.Text) == "" {
		o.complain("text", "must be the words that the person agreed to")
	}
	if consent.At.After(s.now().Add(5 * time.Minute)) {
		o.complain("at", "lies in the future")
	}
	consent.Version = wordingVersion(consent.Text)
	o.finish()
	return consent
}

// zone is an IANA time zone, "" when it is absent.
func (o *object) zone(name string) string {
	zone := o.word(name, 64)
	if zone == "" {
		return ""
	}
	if at, err := time.LoadLocation(zone); err != nil || at == time.Local {
		o.complain(name, "%s is not a time zone like Europe/Berlin", quoted(zone))
		return ""
	}
	return zone
}

// accountFor finds the account that a channel stands for: by its own name, or by its adapter's when only one has it.
func (s *Server) accountFor(ctx context.Context, merchant commerce.MerchantID, channel string) (store.Account, error) {
	var accounts []store.Account
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		accounts, err = tx.Accounts(ctx, merchant)
		return err
	})
	if err != nil {
		return store.Account{}, err
	}
	var names []string
	var same []store.Account
	for _, a := range accounts {
		if a.Name == channel {
			return a, nil
		}
		if a.Adapter == channel {
			same = append(same, a)
		}
		names = append(names, a.Name)
	}
	if len(same) == 1 {
		return same[0], nil
	}
	sentence := fmt.Sprintf("there is no channel %s; known are %s", quoted(channel), strings.Join(names, ", "))
	if len(same) > 1 {
		sentence = fmt.Sprintf("there are several channels of the kind %s; name one of %s", quoted(channel), strings.Join(names, ", "))
	}
	return store.Account{}, badFields(Field{"contact.channel", sentence})
}

func (s *Server) apiWatch(ctx context.Context, c apiCall) (int, any, error) {
	if _, err := c.query(); err != nil {
		return 0, nil, err
	}
	out, err := s.loadWatch(ctx, c)
	return http.StatusOK, out, err
}

func (s *Server) loadWatch(ctx context.Context, c apiCall) (out apiWatch, err error) {
	err = s.reading(ctx, func(tx *store.Tx) error {
		w, err := tx.Watch(ctx, c.merchant, commerce.WatchID(c.PathValue("id")))
		if err != nil {
			return err
		}
		p, err := tx.ProductByKey(ctx, c.merchant, w.Product)
		if err != nil {
			return err
		}
		who, err := tx.ContactByKey(ctx, c.merchant, w.Contact)
		if err != nil {
			return err
		}
		out = apiWatch{ID: string(w.ID), State: string(w.State), SKU: p.SKU, Event: w.Event, Contact: showContact(who), Created: w.Created}
		if !w.Threshold.IsZero() {
			out.Threshold = &w.Threshold
		}
		if w.Fields["quantity"] != "" {
			out.Quantity = w.Quantity
		}
		return nil
	})
	return out, notFound(err, "watch", c.PathValue("id"))
}

// notFound says what it is that is not there.
func notFound(err error, what, id string) error {
	if isMissing(err) {
		return &Problem{Status: http.StatusNotFound, Sentence: "There is no " + what + " " + quoted(id) + ".", Err: err}
	}
	return err
}

func (s *Server) apiCancelWatch(ctx context.Context, c apiCall) (int, any, error) {
	if _, err := s.loadWatch(ctx, c); err != nil {
		return 0, nil, err
	}
	if err := s.opt.BackOffice.House.CancelWatch(ctx, c.merchant, c.PathValue("id")); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}
