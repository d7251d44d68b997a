package store

import (
	"context"
	"fmt"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

var _ commerce.Tx = (*Tx)(nil)

type productRow struct {
	Key         int64
	Merchant    commerce.MerchantID `db:"merchant_id"`
	SKU         string
	Title       string
	Description string
	URL         string
	Image       string
	Currency    money.Currency
	Price       int64 `db:"price_minor"`
	Was         int64 `db:"was_minor"`
	Floor       int64 `db:"floor_minor"`
	Accept      int64 `db:"accept_minor"`
	OnHand      int   `db:"on_hand"`
	Held        int
	WaveTold    int   `db:"wave_told"`
	WaveEnds    int64 `db:"wave_ends_ms"`
	Version     int64
	Created     int64 `db:"created_ms"`
	Changed     int64 `db:"changed_ms"`
}

func (r productRow) product() commerce.Product {
	return commerce.Product{
		Merchant: r.Merchant, Key: r.Key, SKU: r.SKU, Title: r.Title, Description: r.Description, URL: r.URL, Image: r.Image,
		Price: money.New(r.Price, r.Currency), WasPrice: orNone(r.Was, r.Currency), Floor: orNone(r.Floor, r.Currency),
		AutoAccept: orNone(r.Accept, r.Currency), OnHand: r.OnHand, Held: r.Held, Wave: commerce.Wave{Told: r.WaveTold, Ends: at(r.WaveEnds)},
		Version: r.Version, Created: at(r.Created), Changed: at(r.Changed),
	}
}

// orNone is an amount of which the tables keep 0 for none.
func orNone(minor int64, c money.Currency) money.Amount {
	if minor == 0 {
		return money.Amount{}
	}
	return money.New(minor, c)
}

const (
	selectProducts = `
	SELECT key, merchant_id, sku, title, description, url, image, currency, price_minor, was_minor, floor_minor, accept_minor,
		on_hand, held, wave_told, wave_ends_ms, version, created_ms, changed_ms
	FROM products`

	productBySKU = selectProducts + `
	WHERE merchant_id = $1 AND sku = $2`

	productByKey = selectProducts + `
	WHERE merchant_id = $1 AND key = $2`

	listProducts = selectProducts + `
	WHERE merchant_id = $1 AND sku > $2
	ORDER BY sku
	LIMIT $3`

	insertProduct = `
	INSERT INTO products (merchant_id, sku, title, description, url, image, currency, price_minor, was_minor, floor_minor,
		accept_minor, version, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13)
	RETURNING key`

	updateProduct = `
	UPDATE products
	SET title = $3, description = $4, url = $5, image = $6, currency = $7, price_minor = $8, was_minor = $9, floor_minor = $10,
		accept_minor = $11, version = $12, changed_ms = $13, unseen = 1
	WHERE merchant_id = $1 AND key = $2`

	insertPrice = `
	INSERT INTO prices (merchant_id, product_key, price_minor, currency, at_ms)
	VALUES ($1, $2, $3, $4, $5)`

	// The one place where stock changes: the condition and the change are one statement.
	moveStock = `
	UPDATE products
	SET on_hand = on_hand + $3, held = held + $4, unseen = CASE WHEN $3 < $4 THEN 1 ELSE unseen END
	WHERE merchant_id = $1 AND key = $2 AND held + $4 >= 0 AND held + $4 <= on_hand + $3`

	insertMovement = `
	INSERT INTO stock_movements (merchant_id, product_key, on_hand, held, cause, order_key, at_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`

	lowestPrice = `
	SELECT COALESCE(MIN(price_minor), 0)
	FROM prices
	WHERE merchant_id = $1 AND product_key = $2 AND currency = $3 AND at_ms >= $4`
)

func (tx *Tx) product(ctx context.Context, query string, merchant commerce.MerchantID, which any) (commerce.Product, error) {
	var row productRow
	err := tx.get(ctx, fmt.Sprintf("load product %v", which), &row, query, merchant, which)
	return row.product(), err
}

// Product reads a product without locking it.
func (tx *Tx) Product(ctx context.Context, merchant commerce.MerchantID, sku string) (commerce.Product, error) {
	return tx.product(ctx, productBySKU, merchant, sku)
}

// ProductByKey reads a product without locking it.
func (tx *Tx) ProductByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (commerce.Product, error) {
	return tx.product(ctx, productByKey, merchant, key)
}

// LockProduct loads a product for a decision about it.
func (tx *Tx) LockProduct(ctx context.Context, merchant commerce.MerchantID, sku string) (commerce.Product, error) {
	for _, p := range tx.products {
		if p.Merchant == merchant && p.SKU == sku {
			return p, nil
		}
	}
	return tx.lockProduct(ctx, productBySKU, merchant, sku)
}

// LockProductByKey loads a product for a decision about it.
func (tx *Tx) LockProductByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (commerce.Product, error) {
	if p, ok := tx.products[key]; ok && p.Merchant == merchant {
		return p, nil
	}
	return tx.lockProduct(ctx, productByKey, merchant, key)
}

// productsAtHand is how many products a transaction keeps at hand.
const productsAtHand = 32

// lockProduct loads a product and keeps it at hand: the turns of a group are often about the same one, which stays as it is while it
// is locked and this transaction does not change it.
func (tx *Tx) lockProduct(ctx context.Context, query string, merchant commerce.MerchantID, which any) (commerce.Product, error) {
	p, err := tx.product(ctx, query+tx.forUpdate(), merchant, which)
	if err == nil {
		if tx.products == nil || len(tx.products) == productsAtHand {
			tx.products = map[int64]commerce.Product{}
		}
		tx.products[p.Key] = p
	}
	return p, err
}

// Products lists a merchant's products by their article number, from the one after the given.
func (tx *Tx) Products(ctx context.Context, merchant commerce.MerchantID, after string, limit int) ([]commerce.Product, error) {
	var rows []productRow
	if err := tx.list(ctx, "list products", &rows, listProducts, merchant, after, limit); err != nil {
		return nil, err
	}
	products := make([]commerce.Product, len(rows))
	for i, row := range rows {
		products[i] = row.product()
	}
	return products, nil
}

// AddProduct inserts a product without stock and gives it its key. MoveStock brings the stock.
func (tx *Tx) AddProduct(ctx context.Context, p *commerce.Product) error {
	p.Version = 1
	return tx.get(ctx, "add product "+p.SKU, &p.Key, insertProduct, p.Merchant, p.SKU, p.Title, p.Description, p.URL, p.Image,
		p.Price.Currency, p.Price.Minor, p.WasPrice.Minor, p.Floor.Minor, p.AutoAccept.Minor, ms(p.Created), ms(p.Changed))
}

// SaveProduct writes all but the stock and the wave.
func (tx *Tx) SaveProduct(ctx context.Context, p commerce.Product) error {
	return tx.exec(ctx, "save product "+p.SKU, updateProduct, p.Merchant, p.Key, p.Title, p.Description, p.URL, p.Image,
		p.Price.Currency, p.Price.Minor, p.WasPrice.Minor, p.Floor.Minor, p.AutoAccept.Minor, p.Version, ms(p.Changed))
}

// SaveWave writes who was told of a product lately.
func (tx *Tx) SaveWave(ctx context.Context, p commerce.Product) error {
	return tx.exec(ctx, "save wave of "+p.SKU, `UPDATE products SET wave_told = $2, wave_ends_ms = $3 WHERE key = $1`, p.Key, p.Wave.Told, ms(p.Wave.Ends))
}

// AddPrice appends the product's price to its history.
func (tx *Tx) AddPrice(ctx context.Context, p commerce.Product, when time.Time) error {
	return tx.exec(ctx, "keep price of "+p.SKU, insertPrice, p.Merchant, p.Key, p.Price.Minor, p.Price.Currency, ms(when))
}

// LowestPrice is the lowest price that a product was given since a time; zero when it was given none. Price reductions in the
// European Union are measured against that of the last 30 days.
func (tx *Tx) LowestPrice(ctx context.Context, p commerce.Product, since time.Time) (money.Amount, error) {
	var minor int64
	err := tx.get(ctx, "find lowest price of "+p.SKU, &minor, lowestPrice, p.Merchant, p.Key, p.Price.Currency, ms(since))
	return orNone(minor, p.Price.Currency), err
}

// MoveStock changes the stock if it allows that, and counts the movement.
func (tx *Tx) MoveStock(ctx context.Context, m commerce.Movement) (bool, error) {
	n, err := tx.count(ctx, "move stock", moveStock, m.Merchant, m.Product, m.OnHand, m.Held)
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.exec(ctx, "count stock movement", insertMovement, m.Merchant, m.Product, m.OnHand, m.Held, m.Cause, m.Order, ms(m.At))
}
