package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/store"
	"parley/web"
)

// office is a server over a real store, with two merchants so that one can try the other's ids.
type office struct {
	t       *testing.T
	db      *store.Store
	house   *fakeHouse
	server  *web.Server
	handler http.Handler
	ours    shop
	theirs  shop
}

// shop is one merchant with a key that may do everything, an admin who is signed in, and a row of each kind.
type shop struct {
	merchant                                  commerce.MerchantID
	key, session                              string
	admin                                     store.Person
	sku, thread, contact, watch, order, offer string
	threadKey, contactKey, addressKey         int64
	account                                   string
}

func openOffice(t *testing.T) *office {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, "sqlite://"+filepath.Join(t.TempDir(), "parley.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &office{t: t, db: db, house: &fakeHouse{db: db, policy: commerce.Policy{Currency: "EUR", Offers: commerce.OffersAsk}}}
	o.server = web.New(web.Options{
		BackOffice: web.BackOffice{Store: db, House: o.house}, Shop: web.Shop{Name: "Corner"}, PublicURL: "http://parley.example",
		PublicPosts: web.Rate{Burst: 1000},
	})
	o.handler = o.server.Handler()
	o.ours, o.theirs = o.openShop("ours"), o.openShop("theirs")
	return o
}

func (o *office) openShop(name string) shop {
	o.t.Helper()
	ctx := o.t.Context()
	s := shop{sku: "LAMP-1", key: web.NewKeySecret(), account: name + "-chat"}
	o.write(func(tx *store.Tx) (err error) {
		if s.merchant, err = tx.SetMerchant(ctx, name, name); err != nil {
			return err
		}
		if err := tx.SetAccount(ctx, s.merchant, store.Account{Name: s.account, Adapter: "webchat", State: "ready"}); err != nil {
			return err
		}
		if _, err := tx.AddKey(ctx, s.merchant, "all of "+name, []string{"*"}, s.key); err != nil {
			return err
		}
		s.admin, err = tx.SetStaff(ctx, s.merchant, "ana@"+name+".example", store.RoleAdmin)
		return err
	})
	s.session = o.session(s.merchant, s.admin.ID)
	title, price, stock := "Lamp Heron", money.New(2000, "EUR"), 5
	floor, accept := money.New(1400, "EUR"), money.New(1800, "EUR")
	_, err := o.house.PutProduct(ctx, s.merchant, commerce.ProductChange{SKU: s.sku, Title: &title, Price: &price, Stock: &stock, Floor: &floor, AutoAccept: &accept})
	if err != nil {
		o.t.Fatal(err)
	}
	th := o.say(s, "visitor-1", "<b>Is it & waterproof?</b>")
	s.thread, s.threadKey, s.contact, s.contactKey, s.addressKey = th.ID, th.Key, th.Contact.ID, th.ContactKey, th.AddressKey
	o.write(func(tx *store.Tx) error {
		w, _, err := commerce.CreateWatch(ctx, tx, commerce.WatchCommand{
			Merchant: s.merchant, Contact: s.contactKey, Address: s.addressKey, SKU: s.sku, Event: commerce.PriceBelow,
			Fields: map[string]string{"threshold": "15.00 EUR"},
		}, o.house.policy, tx.Now())
		s.watch = string(w.ID)
		return err
	})
	s.order = o.buy(s)
	s.offer = o.offer(s, 1500)
	return s
}

func (o *office) write(fn func(*store.Tx) error) {
	o.t.Helper()
	if err := o.db.Tx(o.t.Context(), fn); err != nil {
		o.t.Fatal(err)
	}
}

// session signs a person of the staff in.
func (o *office) session(merchant commerce.MerchantID, staff string) (session string) {
	o.t.Helper()
	ctx := o.t.Context()
	o.write(func(tx *store.Tx) error {
		link, err := tx.AddSignIn(ctx, merchant, staff, time.Hour)
		if err != nil {
			return err
		}
		session, _, err = tx.SignIn(ctx, link)
		return err
	})
	return session
}

// say lets a visitor write in the web chat and asks for a person.
func (o *office) say(s shop, visitor, text string) (out *store.Thread) {
	o.t.Helper()
	turn := store.Turn{Merchant: s.merchant, Channel: "webchat", Event: conversation.Event{
		Kind: conversation.Text, Account: s.account, Chat: visitor, Sender: visitor, SenderName: "Ana <i>A</i>", ID: store.NewID("evt"), Text: text,
	}}
	turn.Apply = func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		if _, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromContact, Kind: "text", Text: text}, ""); err != nil {
			return err
		}
		if th.Owner == store.Bot {
			th.Owner, th.Waiting, th.Reason = store.Waiting, tx.Now(), "asks about <the> lamp"
		}
		th.Session.Vars = conversation.Vars{"product.sku": s.sku}
		out = th
		return tx.Event(ctx, s.merchant, "message_in", th.ID, nil)
	}
	if _, err := o.db.ApplyTurns(o.t.Context(), []store.Turn{turn}); err != nil {
		o.t.Fatal(err)
	}
	return out
}

// buy places an order that a person has to mark as paid.
func (o *office) buy(s shop) (order string) {
	o.t.Helper()
	ctx := o.t.Context()
	o.write(func(tx *store.Tx) error {
		quote, err := commerce.MakeQuote(ctx, tx, commerce.QuoteCommand{Merchant: s.merchant, Contact: s.contactKey, Conversation: s.threadKey, SKU: s.sku}, o.house.policy, tx.Now())
		if err != nil {
			return err
		}
		out, err := commerce.Checkout(ctx, tx, commerce.CheckoutCommand{Merchant: s.merchant, Quote: quote.Quote.ID, Provider: payment.Info{Name: "manual"}}, o.house.policy, tx.Now())
		order = string(out.Order.ID)
		return err
	})
	return order
}

// offer lets a shopper name a price, which waits for the shop.
func (o *office) offer(s shop, minor int64) (offer string) {
	o.t.Helper()
	ctx := o.t.Context()
	o.write(func(tx *store.Tx) error {
		out, err := commerce.MakeOffer(ctx, tx, commerce.OfferCommand{
			Merchant: s.merchant, Contact: s.contactKey, Conversation: s.threadKey, SKU: s.sku, Amount: money.New(minor, "EUR"),
		}, o.house.policy, tx.Now())
		if err == nil && out.Name != "asked" {
			err = fmt.Errorf("the offer was answered with %s", out.Name)
		}
		offer = string(out.Offer.ID)
		return err
	})
	return offer
}

// ask makes a request of the API.
func (o *office) ask(key, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	o.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return w
}

// visit makes a request of a browser in which somebody is signed in.
func (o *office) visit(session, method, path, form string) *httptest.ResponseRecorder {
	o.t.Helper()
	r := httptest.NewRequest(method, "http://parley.example"+path, strings.NewReader(form))
	if session != "" {
		r.AddCookie(&http.Cookie{Name: "parley_staff", Value: session})
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return w
}

// fakeHouse acts as package bots does, but for sending: it writes what a test then looks for.
type fakeHouse struct {
	db     *store.Store
	policy commerce.Policy

	subscribed []web.Subscription
	hold       chan struct{} // when it is there, Say waits for it
	saying     chan struct{} // and tells here that it waits
}

var _ web.House = (*fakeHouse)(nil)

func (h *fakeHouse) tx(ctx context.Context, fn func(*store.Tx) error) error { return h.db.Tx(ctx, fn) }

func (h *fakeHouse) PutProduct(ctx context.Context, merchant commerce.MerchantID, change commerce.ProductChange) (p commerce.Product, err error) {
	err = h.tx(ctx, func(tx *store.Tx) (err error) {
		p, _, err = commerce.PutProduct(ctx, tx, merchant, change, h.policy, tx.Now())
		return err
	})
	return p, err
}

func (h *fakeHouse) Subscribe(ctx context.Context, merchant commerce.MerchantID, s web.Subscription) (web.Subscribed, error) {
	h.subscribed = append(h.subscribed, s)
	var out web.Subscribed
	err := h.tx(ctx, func(tx *store.Tx) error {
		address, contact, err := tx.AddressFor(ctx, merchant, conversation.Address{Account: s.Account, Channel: "webchat", NetworkID: s.Address, State: conversation.Linked},
			conversation.Contact{Name: s.Name})
		if err != nil {
			return err
		}
		w, _, err := commerce.CreateWatch(ctx, tx, commerce.WatchCommand{
			Merchant: merchant, Contact: contact, Address: address, SKU: s.SKU, Event: s.Event, Fields: s.Fields,
		}, h.policy, tx.Now())
		out = web.Subscribed{ID: string(w.ID), State: string(w.State)}
		return err
	})
	return out, err
}

func (h *fakeHouse) CancelWatch(ctx context.Context, merchant commerce.MerchantID, id string) error {
	return h.tx(ctx, func(tx *store.Tx) error {
		_, err := commerce.CancelWatch(ctx, tx, merchant, commerce.WatchID(id), tx.Now())
		return err
	})
}

func (h *fakeHouse) change(ctx context.Context, merchant commerce.MerchantID, id, kind string, fn func(*store.Tx, *store.Thread) error) error {
	return h.tx(ctx, func(tx *store.Tx) error {
		th, err := tx.LockThread(ctx, merchant, id)
		if err != nil {
			return err
		}
		if err := fn(tx, th); err != nil {
			return err
		}
		if err := tx.SaveThread(ctx, th); err != nil {
			return err
		}
		return tx.Event(ctx, merchant, kind, id, nil)
	})
}

func (h *fakeHouse) Say(ctx context.Context, merchant commerce.MerchantID, id, staff, text string) (m store.Message, err error) {
	if h.hold != nil {
		h.saying <- struct{}{}
		<-h.hold
	}
	err = h.change(ctx, merchant, id, "message_out", func(tx *store.Tx, th *store.Thread) error {
		th.Owner, th.Waiting = staff, time.Time{}
		m = store.Message{ID: store.NewID("msg"), Author: staff, Kind: "reply", Text: text, At: tx.Now()}
		_, err := tx.AddMessage(ctx, th, m, "")
		return err
	})
	return m, err
}

func (h *fakeHouse) TakeOver(ctx context.Context, merchant commerce.MerchantID, id, staff string) error {
	return h.change(ctx, merchant, id, "taken", func(_ *store.Tx, th *store.Thread) error {
		th.Owner, th.Waiting = staff, time.Time{}
		return nil
	})
}

func (h *fakeHouse) Return(ctx context.Context, merchant commerce.MerchantID, id, _ string) error {
	return h.change(ctx, merchant, id, "returned", func(_ *store.Tx, th *store.Thread) error {
		th.Owner, th.Waiting, th.Reason = store.Bot, time.Time{}, ""
		return nil
	})
}

func (h *fakeHouse) decide(ctx context.Context, fn func(*store.Tx) (commerce.Outcome, error)) (o commerce.Offer, err error) {
	err = h.tx(ctx, func(tx *store.Tx) error {
		out, err := fn(tx)
		o = out.Offer
		return err
	})
	return o, err
}

func (h *fakeHouse) AcceptOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error) {
	return h.decide(ctx, func(tx *store.Tx) (commerce.Outcome, error) {
		return commerce.AcceptOffer(ctx, tx, commerce.StaffAnswer{Merchant: merchant, Offer: commerce.OfferID(offer), Actor: staff}, h.policy, tx.Now())
	})
}

func (h *fakeHouse) DeclineOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string) (commerce.Offer, error) {
	return h.decide(ctx, func(tx *store.Tx) (commerce.Outcome, error) {
		return commerce.DeclineOffer(ctx, tx, commerce.StaffAnswer{Merchant: merchant, Offer: commerce.OfferID(offer), Actor: staff}, tx.Now())
	})
}

func (h *fakeHouse) CounterOffer(ctx context.Context, merchant commerce.MerchantID, offer, staff string, price money.Amount) (commerce.Offer, error) {
	return h.decide(ctx, func(tx *store.Tx) (commerce.Outcome, error) {
		return commerce.CounterOffer(ctx, tx, commerce.StaffAnswer{Merchant: merchant, Offer: commerce.OfferID(offer), Actor: staff, Price: price}, h.policy, tx.Now())
	})
}

func (h *fakeHouse) CancelOrder(ctx context.Context, merchant commerce.MerchantID, order, by string) (o commerce.Order, err error) {
	err = h.tx(ctx, func(tx *store.Tx) error {
		out, err := commerce.CancelOrder(ctx, tx, commerce.CancelCommand{Merchant: merchant, Order: commerce.OrderID(order), Actor: by}, h.policy, tx.Now())
		if err == nil && out.Name != "cancelled" {
			return fmt.Errorf("cancel %s: %w", order, commerce.ErrConflict)
		}
		o = out.Order
		return err
	})
	return o, err
}

func (h *fakeHouse) MarkPaid(ctx context.Context, merchant commerce.MerchantID, order, by, note string) (o commerce.Order, err error) {
	err = h.tx(ctx, func(tx *store.Tx) error {
		out, err := commerce.MarkPaid(ctx, tx, commerce.MarkPaidCommand{Merchant: merchant, Order: commerce.OrderID(order), Actor: by, Note: note}, tx.Now())
		o = out.Order
		return err
	})
	return o, err
}
