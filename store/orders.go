package store

import (
	"context"
	"fmt"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

type orderRow struct {
	Key          int64
	ID           commerce.OrderID
	Merchant     commerce.MerchantID `db:"merchant_id"`
	Quote        int64               `db:"quote_key"`
	Contact      int64               `db:"contact_key"`
	Conversation int64               `db:"conversation_key"`
	State        commerce.OrderState
	Total        int64 `db:"total_minor"`
	Currency     money.Currency
	Provider     string
	Outside      int
	Refunds      int
	Test         int
	Reference    string
	HoldExpires  int64 `db:"hold_expires_ms"`
	Paid         int64 `db:"paid_ms"`
	Created      int64 `db:"created_ms"`
	Changed      int64 `db:"changed_ms"`
}

func (r orderRow) order() commerce.Order {
	return commerce.Order{
		Merchant: r.Merchant, Key: r.Key, ID: r.ID, Quote: r.Quote, Contact: r.Contact, Conversation: r.Conversation,
		State: r.State, Total: money.New(r.Total, r.Currency), Provider: r.Provider, Outside: r.Outside != 0,
		Refunds: r.Refunds != 0, Test: r.Test != 0, Reference: r.Reference, HoldExpires: at(r.HoldExpires), PaidAt: at(r.Paid),
		Created: at(r.Created), Changed: at(r.Changed),
	}
}

const (
	selectOrders = `
	SELECT key, id, merchant_id, quote_key, contact_key, conversation_key, state, total_minor, currency, provider, outside,
		refunds, test, reference, hold_expires_ms, paid_ms, created_ms, changed_ms
	FROM orders`

	orderByID = selectOrders + `
	WHERE merchant_id = $1 AND id = $2`

	orderByQuote = selectOrders + `
	WHERE merchant_id = $1 AND quote_key = $2`

	latestOrder = selectOrders + `
	WHERE merchant_id = $1 AND contact_key = $2
	ORDER BY key DESC
	LIMIT 1`

	overdueOrders = selectOrders + `
	WHERE state = 'awaiting_payment' AND hold_expires_ms <= $1
	ORDER BY (SELECT MIN(product_key) FROM order_items WHERE order_key = orders.key), key
	LIMIT $2`

	// Newest first; an empty filter value is no filter.
	listOrders = selectOrders + `
	WHERE merchant_id = $1 AND (state = $2 OR $2 = '') AND (contact_key = $3 OR $3 = 0) AND (id < $4 OR $4 = '')
	ORDER BY id DESC
	LIMIT $5`

	insertOrder = `
	INSERT INTO orders (id, merchant_id, quote_key, contact_key, conversation_key, state, total_minor, currency, provider, outside,
		refunds, test, reference, hold_expires_ms, paid_ms, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
	RETURNING key`

	insertItem = `
	INSERT INTO order_items (order_key, position, product_key, sku, quantity, price_minor)
	VALUES ($1, $2, $3, $4, $5, $6)`

	selectItems = `
	SELECT product_key, sku, quantity, price_minor
	FROM order_items
	WHERE order_key = $1
	ORDER BY position`

	updateOrder = `
	UPDATE orders
	SET state = $3, reference = $4, hold_expires_ms = $5, paid_ms = $6, changed_ms = $7
	WHERE merchant_id = $1 AND key = $2`
)

func (tx *Tx) order(ctx context.Context, query string, args ...any) (commerce.Order, error) {
	var row orderRow
	if err := tx.get(ctx, "load order", &row, query, args...); err != nil {
		return commerce.Order{}, err
	}
	o := row.order()
	return o, tx.items(ctx, &o)
}

func (tx *Tx) items(ctx context.Context, o *commerce.Order) error {
	var rows []struct {
		Product  int64 `db:"product_key"`
		SKU      string
		Quantity int
		Price    int64 `db:"price_minor"`
	}
	if err := tx.list(ctx, "load items of "+string(o.ID), &rows, selectItems, o.Key); err != nil {
		return err
	}
	for _, r := range rows {
		o.Items = append(o.Items, commerce.Item{Product: r.Product, SKU: r.SKU, Quantity: r.Quantity, Price: money.New(r.Price, o.Total.Currency)})
	}
	return nil
}

func (tx *Tx) orders(ctx context.Context, query string, args ...any) ([]commerce.Order, error) {
	var rows []orderRow
	if err := tx.list(ctx, "list orders", &rows, query, args...); err != nil {
		return nil, err
	}
	orders := make([]commerce.Order, len(rows))
	for i, row := range rows {
		orders[i] = row.order()
		if err := tx.items(ctx, &orders[i]); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// AddOrder inserts an order with its items and gives it its key and id. A quote that has an order already breaks a unique
// constraint.
func (tx *Tx) AddOrder(ctx context.Context, o *commerce.Order) error {
	tx.group.ordered(o.Quote)
	o.ID = commerce.OrderID(tx.NewID("ord"))
	err := tx.get(ctx, "add order", &o.Key, insertOrder, o.ID, o.Merchant, o.Quote, o.Contact, o.Conversation, o.State,
		o.Total.Minor, o.Total.Currency, o.Provider, flag(o.Outside), flag(o.Refunds), flag(o.Test), o.Reference,
		ms(o.HoldExpires), ms(o.PaidAt), ms(o.Created), ms(o.Changed))
	for i, item := range o.Items {
		if err != nil {
			break
		}
		err = tx.exec(ctx, "add order item", insertItem, o.Key, i+1, item.Product, item.SKU, item.Quantity, item.Price.Minor)
	}
	if err != nil {
		return err
	}
	return tx.noticeOrder(ctx, o.Quote)
}

// SaveOrder writes what changes in an order's life.
func (tx *Tx) SaveOrder(ctx context.Context, o commerce.Order) error {
	err := tx.exec(ctx, "save order "+string(o.ID), updateOrder, o.Merchant, o.Key, o.State, o.Reference, ms(o.HoldExpires),
		ms(o.PaidAt), ms(o.Changed))
	if err != nil {
		return err
	}
	return tx.noticeOrder(ctx, o.Quote)
}

// Order loads an order by its public id.
func (tx *Tx) Order(ctx context.Context, merchant commerce.MerchantID, id commerce.OrderID) (commerce.Order, error) {
	return tx.order(ctx, orderByID, merchant, id)
}

// OrderByQuote loads the order that a quote became.
func (tx *Tx) OrderByQuote(ctx context.Context, merchant commerce.MerchantID, quote int64) (commerce.Order, error) {
	free, err := tx.group.isFree(ctx, tx, quote)
	if err == nil && free {
		err = fmt.Errorf("load order: %w", ErrNotFound)
	}
	if err != nil {
		return commerce.Order{}, err
	}
	return tx.order(ctx, orderByQuote, merchant, quote)
}

// LatestOrder loads the order that a contact placed last.
func (tx *Tx) LatestOrder(ctx context.Context, merchant commerce.MerchantID, contact int64) (commerce.Order, error) {
	return tx.order(ctx, latestOrder, merchant, contact)
}

// OverdueOrders lists the unpaid orders of all merchants whose hold has ended.
func (tx *Tx) OverdueOrders(ctx context.Context, now time.Time, limit int) ([]commerce.Order, error) {
	return tx.orders(ctx, overdueOrders, ms(now), limit)
}

// OrderFilter narrows a list. The zero value means every order.
type OrderFilter struct {
	State   commerce.OrderState
	Contact int64            // key
	Before  commerce.OrderID // the last one of the page before
	Limit   int
}

// ListOrders lists a merchant's orders, newest first.
func (tx *Tx) ListOrders(ctx context.Context, merchant commerce.MerchantID, f OrderFilter) ([]commerce.Order, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	return tx.orders(ctx, listOrders, merchant, f.State, f.Contact, f.Before, f.Limit)
}
