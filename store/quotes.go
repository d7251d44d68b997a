package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

type quoteRow struct {
	Key          int64
	ID           commerce.QuoteID
	Merchant     commerce.MerchantID `db:"merchant_id"`
	Product      int64               `db:"product_key"`
	Contact      int64               `db:"contact_key"`
	Conversation int64               `db:"conversation_key"`
	Quantity     int
	Unit         int64 `db:"unit_minor"`
	Total        int64 `db:"total_minor"`
	Currency     money.Currency
	Kind         commerce.QuoteKind
	Cause        string
	Created      int64 `db:"created_ms"`
	Expires      int64 `db:"expires_ms"`
}

// scan reads selectQuotes.
func (r *quoteRow) scan(scan func(...any) error) error {
	return scan(&r.Key, &r.ID, &r.Merchant, &r.Product, &r.Contact, &r.Conversation, &r.Quantity, &r.Unit, &r.Total, &r.Currency, &r.Kind,
		&r.Cause, &r.Created, &r.Expires)
}

func (r *quoteRow) quote() commerce.Quote {
	return commerce.Quote{
		Merchant: r.Merchant, Key: r.Key, ID: r.ID, Product: r.Product, Contact: r.Contact, Conversation: r.Conversation,
		Quantity: r.Quantity, Unit: money.New(r.Unit, r.Currency), Total: money.New(r.Total, r.Currency), Kind: r.Kind,
		Cause: r.Cause, Created: at(r.Created), Expires: at(r.Expires),
	}
}

const (
	selectQuotes = `
	SELECT key, id, merchant_id, product_key, contact_key, conversation_key, quantity, unit_minor, total_minor, currency, kind,
		cause, created_ms, expires_ms
	FROM quotes`

	quoteByID = selectQuotes + `
	WHERE merchant_id = $1 AND id = $2`

	quoteByKey = selectQuotes + `
	WHERE merchant_id = $1 AND key = $2`

	quoteByCause = selectQuotes + `
	WHERE merchant_id = $1 AND cause = $2 AND cause <> ''`

	liveDeal = selectQuotes + `
	WHERE merchant_id = $1 AND contact_key = $2 AND product_key = $3 AND kind = 'deal' AND expires_ms > $4
		AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.quote_key = quotes.key)
	ORDER BY unit_minor, key
	LIMIT 1`

	dealtPieces = `
	SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT)
	FROM quotes
	WHERE merchant_id = $1 AND product_key = $2 AND contact_key <> $3 AND kind = 'deal' AND expires_ms > $4
		AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.quote_key = quotes.key)`

	insertQuote = `
	INSERT INTO quotes (id, merchant_id, product_key, contact_key, conversation_key, quantity, unit_minor, total_minor, currency,
		kind, cause, created_ms, expires_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
	RETURNING key`
)

func (tx *Tx) quote(ctx context.Context, query string, args ...any) (commerce.Quote, error) {
	var row quoteRow
	err := tx.get(ctx, "load quote", &row, query, args...)
	return row.quote(), err
}

// AddQuote inserts a quote and gives it its key and id.
func (tx *Tx) AddQuote(ctx context.Context, q *commerce.Quote) error {
	q.ID = commerce.QuoteID(tx.NewID("qte"))
	if q.Cause != "" { // two with one cause are refused, and the one who asked has to hear of it
		return tx.get(ctx, "add quote", &q.Key, insertQuote, q.ID, q.Merchant, q.Product, q.Contact, q.Conversation, q.Quantity,
			q.Unit.Minor, q.Total.Minor, q.Unit.Currency, q.Kind, q.Cause, ms(q.Created), ms(q.Expires))
	}
	var err error
	if q.Key, err = tx.newKey(ctx, inQuotes); err != nil {
		return err
	}
	tx.add(inQuotes, q.Key, string(q.ID), int64(q.Merchant), q.Product, q.Contact, q.Conversation, int64(q.Quantity), q.Unit.Minor,
		q.Total.Minor, string(q.Unit.Currency), string(q.Kind), q.Cause, ms(q.Created), ms(q.Expires))
	return nil
}

// Quote loads a quote by its public id.
func (tx *Tx) Quote(ctx context.Context, merchant commerce.MerchantID, id commerce.QuoteID) (commerce.Quote, error) {
	if q, ok := tx.group.quote(merchant, id); ok {
		return q, nil
	}
	return tx.quote(ctx, quoteByID, merchant, id)
}

// QuoteByKey loads a quote.
func (tx *Tx) QuoteByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (commerce.Quote, error) {
	return tx.quote(ctx, quoteByKey, merchant, key)
}

// QuoteByCause loads the quote that a command made.
func (tx *Tx) QuoteByCause(ctx context.Context, merchant commerce.MerchantID, cause string) (commerce.Quote, error) {
	return tx.quote(ctx, quoteByCause, merchant, cause)
}

// LiveDeal loads the contact's cheapest deal on a product that can still be used.
func (tx *Tx) LiveDeal(ctx context.Context, merchant commerce.MerchantID, contact, product int64, now time.Time) (commerce.Quote, error) {
	return tx.quote(ctx, liveDeal, merchant, contact, product, ms(now))
}

// DealtPieces counts the pieces that unused deals of contacts other than except wait for.
func (tx *Tx) DealtPieces(ctx context.Context, merchant commerce.MerchantID, product, except int64, now time.Time) (int, error) {
	var n int
	err := tx.get(ctx, "count dealt pieces", &n, dealtPieces, merchant, product, except, ms(now))
	return n, err
}
