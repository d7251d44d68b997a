package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// house is what the pages ask: a small shop in memory that notes what was asked of it.
type house struct {
	mu         sync.Mutex
	products   []commerce.Product
	visitors   map[string]string // secret to id
	subscribed []Subscription
	refuse     error
	offers     map[string]BuyOffer
	bought     map[string]int
}

func newHouse() *house {
	return &house{
		products: []commerce.Product{
			{SKU: "mug", Title: "Mug <b>", Description: "Holds tea.", Image: "/static/demo/mug-harbour.png", Price: money.New(1750, "EUR"), OnHand: 4},
			{SKU: "lamp", Title: "Lamp", Image: "/static/demo/lamp-heron.png", Price: money.New(8900, "EUR"), WasPrice: money.New(9900, "EUR"), AutoAccept: money.New(8000, "EUR")},
		},
		visitors: map[string]string{}, bought: map[string]int{},
		offers: map[string]BuyOffer{
			"good": {State: BuyOpen, Title: "Mug", Image: "/static/demo/mug-harbour.png", Quantity: 1, Unit: money.New(1750, "EUR"), Total: money.New(1750, "EUR"), Expires: noon.Add(3 * time.Hour)},
			"old":  {State: BuyExpired, Title: "Mug"},
			"gone": {State: BuySoldOut, Title: "Mug"},
			"gut":  {State: BuyOpen, Title: "Becher", Quantity: 2, Unit: money.New(1750, "EUR"), Total: money.New(3500, "EUR"), Expires: noon.Add(30 * time.Minute), Language: "de"},
		},
	}
}

func (h *house) Products(context.Context) ([]commerce.Product, error) {
	return slices.Clone(h.products), nil
}

func (h *house) Product(_ context.Context, sku string) (commerce.Product, error) {
	for _, p := range h.products {
		if p.SKU == sku {
			return p, nil
		}
	}
	return commerce.Product{}, fmt.Errorf("load product %s: %w", sku, commerce.ErrNotFound)
}

func (h *house) New(context.Context) (secret, id string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.visitors) + 1
	secret, id = fmt.Sprintf("secret-%d", n), fmt.Sprintf("vis_%d", n)
	h.visitors[secret] = id
	return secret, id, nil
}

func (h *house) Lookup(_ context.Context, secret string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id, ok := h.visitors[secret]; ok {
		return id, nil
	}
	return "", commerce.ErrNotFound
}

func (h *house) Subscribe(_ context.Context, s Subscription) (Subscribed, error) {
	if h.refuse != nil {
		return Subscribed{}, h.refuse
	}
	h.subscribed = append(h.subscribed, s)
	if s.Account == "telegram" {
		return Subscribed{ID: "wat_1", State: "pending", Link: "https://t.me/shop?start=abc"}, nil
	}
	return Subscribed{ID: "wat_1", State: "armed"}, nil
}

func (h *house) Offer(_ context.Context, token string) (BuyOffer, error) {
	o, ok := h.offers[token]
	if !ok {
		return BuyOffer{}, commerce.ErrNotFound
	}
	if h.bought[token] > 0 {
		o.State, o.Receipt = BuyDone, h.receipt(o)
	}
	return o, nil
}

func (h *house) Buy(_ context.Context, token string) (Receipt, error) {
	o := h.offers[token]
	switch o.State {
	case BuyExpired:
		return Receipt{Outcome: "quote_expired"}, nil
	case BuySoldOut:
		return Receipt{Outcome: "sold_out"}, nil
	}
	h.bought[token]++
	return h.receipt(o), nil
}

func (h *house) receipt(o BuyOffer) Receipt {
	return Receipt{Outcome: "paid", Order: "ord_7", Total: o.Total, Test: true}
}

func (h *house) purchases() (n int) {
	for _, times := range h.bought {
		n += times
	}
	return n
}

func consent(text string) commerce.Words {
	return commerce.Words{"en": text + " EN", "de": text + " DE"}
}

// newShop is a server over the house, as `parley demo` would make it.
func newShop(t *testing.T, change func(*Options)) (*Server, *house) {
	t.Helper()
	h := newHouse()
	opt := Options{
		Now: func() time.Time { return noon }, Catalogue: h, Subscriber: h, Visitors: h, Buyer: h, Demo: true,
		ChatSocket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		Shop:       Shop{Name: "Shop", Languages: []string{"en", "de"}},
		Shelves:    []Shelf{{"Kitchen", []string{"mug"}}, {"Light", []string{"lamp"}}},
		Channels: []Channel{
			{Account: "web", Adapter: "webchat", Title: "Web chat", MayWriteFirst: true, Consent: consent("write to me here")},
			{Account: "telegram", Adapter: "telegram", Title: "Telegram", Consent: consent("write to me on Telegram")},
			{Account: "wa", Adapter: "whatsapp", Title: "WhatsApp", Typed: "phone number", MayWriteFirst: true, Consent: consent("write to me on WhatsApp")},
		},
	}
	if change != nil {
		change(&opt)
	}
	return New(opt), h
}

// ask sends one request. Headers are pairs.
func ask(s *Server, method, address, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://parley.example"+address, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func get(s *Server, address string, headers ...string) *httptest.ResponseRecorder {
	return ask(s, "GET", address, "", headers...)
}

const formType = "application/x-www-form-urlencoded"

func postForm(s *Server, address string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	return ask(s, "POST", address, form.Encode(), append([]string{"Content-Type", formType}, headers...)...)
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, want int) {
	t.Helper()
	if w.Code != want {
		t.Fatalf("got status %d, want %d; the answer was:\n%s", w.Code, want, w.Body)
	}
}

func wantText(t *testing.T, w *httptest.ResponseRecorder, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("the answer lacks %q:\n%s", text, w.Body)
		}
	}
}

func wantNoText(t *testing.T, w *httptest.ResponseRecorder, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(w.Body.String(), text) {
			t.Errorf("the answer has %q:\n%s", text, w.Body)
		}
	}
}

func newRequest(method, address string) *http.Request {
	return httptest.NewRequest(method, "http://parley.example"+address, nil)
}

func askHandler(h http.Handler, method, address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest(method, address))
	return w
}
