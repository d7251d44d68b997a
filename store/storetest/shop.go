package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/store"
)

// Shop is a merchant in a store, with a clock of its own, for tests of trade.
type Shop struct {
	Store    *store.Store
	Merchant commerce.MerchantID
	Policy   commerce.Policy
	Now      time.Time

	t    testing.TB
	next atomic.Int64
}

// Providers for tests: one that collects by itself, and one for which a person confirms.
var (
	Online = payment.Info{Name: "test", Outside: true, Test: true, Refunds: true}
	Manual = payment.Info{Name: "manual"}
)

// NewShop opens a shop that trades in EUR.
func NewShop(t testing.TB, s *store.Store) *Shop {
	shop := &Shop{Store: s, Policy: commerce.Policy{Currency: "EUR"}, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), t: t}
	shop.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		shop.Merchant, err = tx.SetMerchant(ctx, "demo", "Demo")
		return err
	})
	return shop
}

// EUR is an amount of cents.
func EUR(cents int64) money.Amount { return money.New(cents, "EUR") }

// Do runs f in a transaction and fails the test when it fails.
func (s *Shop) Do(f func(ctx context.Context, tx *store.Tx) error) {
	s.t.Helper()
	if err := s.Try(f); err != nil {
		s.t.Fatal(err)
	}
}

// Try runs f in a transaction.
func (s *Shop) Try(f func(ctx context.Context, tx *store.Tx) error) error {
	ctx := s.t.Context()
	return s.Store.Tx(ctx, func(tx *store.Tx) error { return f(ctx, tx) })
}

// Put makes or changes a product and says what that raised.
func (s *Shop) Put(c commerce.ProductChange) (p commerce.Product, raised []commerce.Occurrence) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		p, raised, err = commerce.PutProduct(ctx, tx, s.Merchant, c, s.Policy, s.Now)
		return err
	})
	return p, raised
}

// Stock puts a new product with a price and a stock.
func (s *Shop) Stock(sku string, cents int64, stock int) commerce.Product {
	s.t.Helper()
	title, price := "A "+sku, EUR(cents)
	p, _ := s.Put(commerce.ProductChange{SKU: sku, Title: &title, Price: &price, Stock: &stock})
	return p
}

// Reprice changes the price of a product and says what that raised.
func (s *Shop) Reprice(sku string, cents int64) []commerce.Occurrence {
	s.t.Helper()
	price := EUR(cents)
	_, raised := s.Put(commerce.ProductChange{SKU: sku, Price: &price})
	return raised
}

// Restock sets the figure available and says what that raised.
func (s *Shop) Restock(sku string, stock int) []commerce.Occurrence {
	s.t.Helper()
	_, raised := s.Put(commerce.ProductChange{SKU: sku, Stock: &stock})
	return raised
}

// Product reads a product.
func (s *Shop) Product(sku string) (p commerce.Product) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = tx.Product(ctx, s.Merchant, sku)
		return err
	})
	return p
}

// Shopper makes a contact with an address that takes messages and a consent to alerts.
func (s *Shop) Shopper() (contact, address int64) {
	s.t.Helper()
	n := s.next.Add(1)
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		a := conversation.Address{Account: "chat", Channel: "webchat", NetworkID: fmt.Sprintf("vis_%d", n), State: conversation.Verified}
		if address, contact, err = tx.AddressFor(ctx, s.Merchant, a, conversation.Contact{}); err != nil {
			return err
		}
		return tx.AddConsent(ctx, s.Merchant, contact, address, conversation.Consent{Purpose: conversation.Alert, Wording: "Tell me.", At: s.Now})
	})
	return contact, address
}

// Quote offers a shopper pieces at the price in force.
func (s *Shop) Quote(contact int64, sku string, quantity int) commerce.Outcome {
	s.t.Helper()
	var out commerce.Outcome
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.QuoteCommand{Merchant: s.Merchant, Contact: contact, SKU: sku, Quantity: quantity}
		out, err = commerce.MakeQuote(ctx, tx, c, s.Policy, s.Now)
		return err
	})
	return out
}

// Checkout buys what a quote offers.
func (s *Shop) Checkout(q commerce.Quote, by payment.Info) commerce.Outcome {
	s.t.Helper()
	out, err := s.TryCheckout(q, by)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// TryCheckout is Checkout for goroutines, which must not end the test.
func (s *Shop) TryCheckout(q commerce.Quote, by payment.Info) (out commerce.Outcome, err error) {
	err = s.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.CheckoutCommand{Merchant: s.Merchant, Quote: q.ID, Contact: q.Contact, Provider: by, Cause: "test"}
		out, err = commerce.Checkout(ctx, tx, c, s.Policy, s.Now)
		return err
	})
	return out, err
}

// Settle brings a provider's answer.
func (s *Shop) Settle(id commerce.OrderID, state payment.State) (out commerce.Outcome) {
	s.t.Helper()
	out, err := s.TrySettle(id, state)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// TrySettle is Settle for goroutines.
func (s *Shop) TrySettle(id commerce.OrderID, state payment.State) (out commerce.Outcome, err error) {
	err = s.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = commerce.SettlePayment(ctx, tx, s.Merchant, id, payment.Result{State: state, Reference: "ref", Cause: "code"}, s.Now)
		return err
	})
	return out, err
}

// Cancel ends an order for the shop.
func (s *Shop) Cancel(id commerce.OrderID, contact int64) (out commerce.Outcome) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = commerce.CancelOrder(ctx, tx, commerce.CancelCommand{Merchant: s.Merchant, Order: id, Contact: contact}, s.Policy, s.Now)
		return err
	})
	return out
}

// Watch makes an armed watch and says what that raised.
func (s *Shop) Watch(contact, address int64, sku, event string, fields map[string]string) (w commerce.Watch, raised []commerce.Occurrence) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.WatchCommand{Merchant: s.Merchant, Contact: contact, Address: address, SKU: sku, Event: event, Fields: fields}
		w, raised, err = commerce.CreateWatch(ctx, tx, c, s.Policy, s.Now)
		return err
	})
	return w, raised
}

// Spread goes over all watches that an occurrence may concern.
func (s *Shop) Spread() {
	s.t.Helper()
	for more := true; more; {
		s.Do(func(ctx context.Context, tx *store.Tx) error {
			keys, err := tx.ToSpread(ctx, 1)
			if more = len(keys) > 0; err != nil || !more {
				return err
			}
			_, err = tx.SpreadChunk(ctx, keys[0], 2) // small, so that there are several
			return err
		})
	}
}

// Waiting is a delivery and the filter that finds it.
type Waiting struct {
	commerce.Delivery
	Filter commerce.DueFilter
}

// Due spreads what has happened and lists the deliveries that can be made now.
func (s *Shop) Due() (due []Waiting) {
	s.t.Helper()
	s.Spread()
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		lane, err := tx.Lane(ctx, "chat")
		if err != nil {
			return err
		}
		keys, err := tx.DueSingles(ctx, lane, 1000)
		if err != nil {
			return err
		}
		many, err := tx.OpenFanouts(ctx, s.Merchant, 0, 1000)
		if err != nil {
			return err
		}
		for _, key := range append(keys, many...) {
			for _, held := range []bool{true, false} {
				f := commerce.DueFilter{Merchant: s.Merchant, Occurrence: key, Lane: lane, Held: held, At: s.Now, Limit: 1000}
				ds, err := tx.DueDeliveries(ctx, f)
				if err != nil {
					return err
				}
				for _, d := range ds {
					due = append(due, Waiting{d, f})
				}
			}
		}
		return nil
	})
	return due
}

// Render ends a delivery and says what it has to tell.
func (s *Shop) Render(d Waiting) (a commerce.Alert) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) error {
		b, err := commerce.LoadBatch(ctx, tx, d.Filter)
		if err != nil {
			return err
		}
		a, err = b.Tell(ctx, tx, d.Watch.Key, s.Policy, s.Now)
		return err
	})
	return a
}

// Told tells whoever is to be told now, and says how many were.
func (s *Shop) Told() (n int) {
	s.t.Helper()
	for _, d := range s.Due() {
		if a := s.Render(d); a.Dropped == "" && !a.Repeat {
			n++
		}
	}
	return n
}

// Offer names a price.
func (s *Shop) Offer(contact int64, sku string, amount money.Amount, quantity int) (out commerce.Outcome) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		c := commerce.OfferCommand{Merchant: s.Merchant, Contact: contact, SKU: sku, Amount: amount, Quantity: quantity}
		out, err = commerce.MakeOffer(ctx, tx, c, s.Policy, s.Now)
		return err
	})
	return out
}

// Accept takes a counteroffer.
func (s *Shop) Accept(contact int64, id commerce.OfferID) (out commerce.Outcome) {
	s.t.Helper()
	s.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = commerce.AcceptCounter(ctx, tx, commerce.AcceptCommand{Merchant: s.Merchant, Offer: id, Contact: contact}, s.Policy, s.Now)
		return err
	})
	return out
}

// Crowd makes n shoppers on the account "chat" who watch a product's price, in bulk.
func (s *Shop) Crowd(sku string, n int, cents int64) {
	s.t.Helper()
	s.Shopper() // makes what belongs to the account
	p := s.Product(sku)
	numbers := `WITH RECURSIVE numbers (n) AS (SELECT CAST($1 AS BIGINT) + 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2)`
	const chunk = 50_000
	first := s.next.Add(int64(n)) - int64(n) + 1_000_000_000
	var lane, base int64
	s.bulk(`INSERT INTO lanes (account) VALUES ('chat') ON CONFLICT DO NOTHING`)
	for _, get := range []struct {
		to    *int64
		query string
	}{{&lane, `SELECT key FROM lanes WHERE account = 'chat'`}, {&base, `SELECT COALESCE(max(key), 0) + 1000 FROM contacts`}} {
		if err := s.Store.DB().GetContext(s.t.Context(), get.to, get.query); err != nil {
			s.t.Fatal(err)
		}
	}
	at := s.Now.UnixMilli()
	for from := 0; from < n; from += chunk {
		to := min(n, from+chunk)
		s.bulk(numbers+`
	INSERT INTO contacts (key, id, merchant_id, created_ms)
	SELECT n + $3, 'con_crowd' || (n + $3), $4, $5 FROM numbers`, from, to, base, s.Merchant, at)
		s.bulk(numbers+`
	INSERT INTO addresses (key, id, merchant_id, contact_key, account, channel, network_id, state, created_ms)
	SELECT n + $3, 'adr_crowd' || (n + $3), $4, n + $3, 'chat', 'webchat', 'vis_' || (n + $6), 'verified', $5 FROM numbers`,
			from, to, base, s.Merchant, at, first)
		s.bulk(numbers+`
	INSERT INTO consents (merchant_id, contact_key, address_key, purpose, wording, version, evidence, at_ms)
	SELECT $4, n + $3, n + $3, 'alert', 'Tell me.', '1', '{}', $5 FROM numbers`, from, to, base, s.Merchant, at)
		s.bulk(numbers+`
	INSERT INTO watches (id, merchant_id, product_key, contact_key, address_key, event, fields, currency, threshold_minor, rearm_minor,
		state, created_ms, changed_ms, lane)
	SELECT 'wat_crowd' || (n + $3), $4, $6, n + $3, n + $3, 'price_below', '{}', 'EUR', $7, $8, 'armed', $5, $5, $9 FROM numbers`,
			from, to, base, s.Merchant, at, p.Key, cents, cents+(cents+19)/20, lane)
	}
}

func (s *Shop) bulk(query string, args ...any) {
	s.t.Helper()
	if _, err := s.Store.DB().ExecContext(s.t.Context(), query, args...); err != nil {
		s.t.Fatal(err)
	}
}
