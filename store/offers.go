package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

type offerRow struct {
	Key          int64
	ID           commerce.OfferID
	Merchant     commerce.MerchantID `db:"merchant_id"`
	Product      int64               `db:"product_key"`
	Contact      int64               `db:"contact_key"`
	Conversation int64               `db:"conversation_key"`
	Quantity     int
	Amount       int64 `db:"amount_minor"`
	Counter      int64 `db:"counter_minor"`
	Currency     money.Currency
	State        commerce.OfferState
	Answer       string
	LastTry      int   `db:"last_try"`
	Quote        int64 `db:"quote_key"`
	Actor        string
	Cause        string
	Created      int64 `db:"created_ms"`
	Changed      int64 `db:"changed_ms"`
	Expires      int64 `db:"expires_ms"`
}

func (r offerRow) offer() commerce.Offer {
	return commerce.Offer{
		Merchant: r.Merchant, Key: r.Key, ID: r.ID, Product: r.Product, Contact: r.Contact, Conversation: r.Conversation,
		Quantity: r.Quantity, Amount: money.New(r.Amount, r.Currency), Counter: orNone(r.Counter, r.Currency), State: r.State,
		Answer: r.Answer, LastTry: r.LastTry != 0, Quote: r.Quote, Actor: r.Actor, Cause: r.Cause, Created: at(r.Created),
		Changed: at(r.Changed), Expires: at(r.Expires),
	}
}

const (
	selectOffers = `
	SELECT key, id, merchant_id, product_key, contact_key, conversation_key, quantity, amount_minor, counter_minor, currency,
		state, answer, last_try, quote_key, actor, cause, created_ms, changed_ms, expires_ms
	FROM offers`

	offerByID = selectOffers + `
	WHERE merchant_id = $1 AND id = $2`

	offerByCause = selectOffers + `
	WHERE merchant_id = $1 AND cause = $2 AND cause <> ''`

	offersOf = selectOffers + `
	WHERE merchant_id = $1 AND contact_key = $2 AND product_key = $3 AND created_ms >= $4
	ORDER BY key`

	overdueOffers = selectOffers + `
	WHERE state IN ('open', 'countered') AND expires_ms <= $1
	ORDER BY product_key, key
	LIMIT $2`

	// Newest first; an empty filter value is no filter.
	listOffers = selectOffers + `
	WHERE merchant_id = $1 AND (state = $2 OR $2 = '') AND (conversation_key = $3 OR $3 = 0) AND (id < $4 OR $4 = '')
	ORDER BY id DESC
	LIMIT $5`

	insertOffer = `
	INSERT INTO offers (id, merchant_id, product_key, contact_key, conversation_key, quantity, amount_minor, counter_minor,
		currency, state, answer, last_try, quote_key, actor, cause, created_ms, changed_ms, expires_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
	RETURNING key`

	updateOffer = `
	UPDATE offers
	SET counter_minor = $3, state = $4, quote_key = $5, actor = $6, changed_ms = $7, expires_ms = $8
	WHERE merchant_id = $1 AND key = $2`
)

func (tx *Tx) offer(ctx context.Context, query string, args ...any) (commerce.Offer, error) {
	var row offerRow
	err := tx.get(ctx, "load offer", &row, query, args...)
	return row.offer(), err
}

func (tx *Tx) offers(ctx context.Context, query string, args ...any) ([]commerce.Offer, error) {
	var rows []offerRow
	if err := tx.list(ctx, "list offers", &rows, query, args...); err != nil {
		return nil, err
	}
	offers := make([]commerce.Offer, len(rows))
	for i, row := range rows {
		offers[i] = row.offer()
	}
	return offers, nil
}

// AddOffer inserts an offer and gives it its key and id.
func (tx *Tx) AddOffer(ctx context.Context, o *commerce.Offer) error {
	o.ID = commerce.OfferID(tx.NewID("ofr"))
	return tx.get(ctx, "add offer", &o.Key, insertOffer, o.ID, o.Merchant, o.Product, o.Contact, o.Conversation, o.Quantity,
		o.Amount.Minor, o.Counter.Minor, o.Amount.Currency, o.State, o.Answer, flag(o.LastTry), o.Quote, o.Actor, o.Cause,
		ms(o.Created), ms(o.Changed), ms(o.Expires))
}

// SaveOffer writes what changes in an offer's life.
func (tx *Tx) SaveOffer(ctx context.Context, o commerce.Offer) error {
	return tx.exec(ctx, "save offer "+string(o.ID), updateOffer, o.Merchant, o.Key, o.Counter.Minor, o.State, o.Quote, o.Actor,
		ms(o.Changed), ms(o.Expires))
}

// Offer loads an offer by its public id.
func (tx *Tx) Offer(ctx context.Context, merchant commerce.MerchantID, id commerce.OfferID) (commerce.Offer, error) {
	return tx.offer(ctx, offerByID, merchant, id)
}

// OfferByCause loads the offer that a command made.
func (tx *Tx) OfferByCause(ctx context.Context, merchant commerce.MerchantID, cause string) (commerce.Offer, error) {
	return tx.offer(ctx, offerByCause, merchant, cause)
}

// OffersOf lists a contact's offers for a product since a time, oldest first.
func (tx *Tx) OffersOf(ctx context.Context, merchant commerce.MerchantID, contact, product int64, since time.Time) ([]commerce.Offer, error) {
	return tx.offers(ctx, offersOf, merchant, contact, product, ms(since))
}

// OverdueOffers lists the offers of all merchants that nobody answered in time.
func (tx *Tx) OverdueOffers(ctx context.Context, now time.Time, limit int) ([]commerce.Offer, error) {
	return tx.offers(ctx, overdueOffers, ms(now), limit)
}

// OfferFilter narrows a list. The zero value means every offer.
type OfferFilter struct {
	State        commerce.OfferState
	Conversation int64            // key
	Before       commerce.OfferID // the last one of the page before
	Limit        int
}

// ListOffers lists a merchant's offers, newest first.
func (tx *Tx) ListOffers(ctx context.Context, merchant commerce.MerchantID, f OfferFilter) ([]commerce.Offer, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	return tx.offers(ctx, listOffers, merchant, f.State, f.Conversation, f.Before, f.Limit)
}
