package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

const (
	rearmByPrice = `
	UPDATE watches
	SET state = 'armed'
	WHERE product_key = $1 AND event = 'price_below' AND state = 'fired' AND currency = $2
		AND (rearm_minor <= $3 OR lower_minor >= $3)`

	rearmByStock = `
	UPDATE watches
	SET state = 'armed'
	WHERE product_key = $1 AND event = 'back_in_stock' AND state = 'fired'`

	// The watches that an occurrence concerns: $1 product, $2 available, $3 the one watch that is meant or 0.
	armedByStock = `
	FROM watches
	WHERE product_key = $1 AND event = 'back_in_stock' AND state = 'armed' AND quantity <= $2 AND (key = $3 OR $3 = 0)`

	// And $4 price, $5 currency.
	armedByPrice = `
	FROM watches
	WHERE product_key = $1 AND event = 'price_below' AND state = 'armed' AND quantity <= $2 AND (key = $3 OR $3 = 0)
		AND threshold_minor >= $4 AND currency = $5`

	fireByStock = `
	UPDATE watches
	SET state = 'fired', epoch = epoch + 1, occurrence_key = $4, told_minor = $5, lower_minor = $6, changed_ms = $7
	WHERE key IN (SELECT key ` + armedByStock + `)`

	fireByPrice = `
	UPDATE watches
	SET state = 'fired', epoch = epoch + 1, occurrence_key = $6, told_minor = $7, lower_minor = $8, changed_ms = $9
	WHERE key IN (SELECT key ` + armedByPrice + `)`

	insertOccurrence = `
	INSERT INTO occurrences (id, merchant_id, product_key, event, price_minor, was_minor, currency, available, deliveries, at_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
	RETURNING key`

	insertDeliveries = `
	INSERT INTO deliveries (merchant_id, occurrence_key, watch_key, epoch, product_key, contact_key, address_key, not_at_night, state, due_ms)
	SELECT merchant_id, occurrence_key, key, epoch, product_key, contact_key, address_key, not_at_night, 'due', changed_ms
	FROM watches
	WHERE product_key = $1 AND occurrence_key = $2 AND state = 'fired'`

	countDeliveries = `
	UPDATE occurrences
	SET deliveries = $2
	WHERE key = $1`

	occurrenceByKey = `
	SELECT key, id, merchant_id, product_key, event, price_minor, was_minor, currency, available, deliveries, at_ms
	FROM occurrences
	WHERE merchant_id = $1 AND key = $2`
)

// RearmWatches arms the fired watches of a product that its price or its empty shelf arms again.
func (tx *Tx) RearmWatches(ctx context.Context, p commerce.Product, event string) error {
	switch {
	case event == commerce.PriceBelow:
		return tx.exec(ctx, "rearm watches of "+p.SKU, rearmByPrice, p.Key, p.Price.Currency, p.Price.Minor)
	case p.Available() == 0:
		return tx.exec(ctx, "rearm watches of "+p.SKU, rearmByStock, p.Key)
	}
	return nil
}

// FireWatches disarms the watches that an occurrence concerns and makes their deliveries, in as many statements however many
// they are. With none it leaves no trace.
func (tx *Tx) FireWatches(ctx context.Context, o *commerce.Occurrence, only int64) error {
	armed, fire, args := armedByStock, fireByStock, []any{o.Product, o.Available, only}
	if o.Event == commerce.PriceBelow {
		armed, fire, args = armedByPrice, fireByPrice, append(args, o.Price.Minor, o.Price.Currency)
	}
	var n int
	if err := tx.get(ctx, "count watches that fire", &n, "SELECT COUNT(*)"+armed, args...); err != nil || n == 0 {
		return err
	}
	o.ID = commerce.OccurrenceID(tx.NewID("occ"))
	err := tx.get(ctx, "add occurrence", &o.Key, insertOccurrence, o.ID, o.Merchant, o.Product, o.Event, o.Price.Minor,
		o.WasPrice.Minor, o.Price.Currency, o.Available, ms(o.At))
	if err != nil {
		return err
	}
	if err := tx.exec(ctx, "fire watches", fire, append(args, o.Key, o.Price.Minor, o.Lower.Minor, ms(o.At))...); err != nil {
		return err
	}
	made, err := tx.count(ctx, "add deliveries", insertDeliveries, o.Product, o.Key)
	if err != nil {
		return err
	}
	o.Deliveries = int(made)
	return tx.exec(ctx, "count deliveries", countDeliveries, o.Key, made)
}

// Occurrence loads an occurrence.
func (tx *Tx) Occurrence(ctx context.Context, merchant commerce.MerchantID, key int64) (commerce.Occurrence, error) {
	var row struct {
		Key        int64
		ID         commerce.OccurrenceID
		Merchant   commerce.MerchantID `db:"merchant_id"`
		Product    int64               `db:"product_key"`
		Event      string
		Price      int64 `db:"price_minor"`
		Was        int64 `db:"was_minor"`
		Currency   money.Currency
		Available  int
		Deliveries int
		At         int64 `db:"at_ms"`
	}
	err := tx.get(ctx, "load occurrence", &row, occurrenceByKey, merchant, key)
	return commerce.Occurrence{
		Merchant: row.Merchant, Key: row.Key, ID: row.ID, Product: row.Product, Event: row.Event,
		Price: money.New(row.Price, row.Currency), WasPrice: orNone(row.Was, row.Currency), Available: row.Available,
		Deliveries: row.Deliveries, At: at(row.At),
	}, err
}

type deliveryRow struct {
	Key        int64
	Merchant   commerce.MerchantID `db:"merchant_id"`
	Occurrence int64               `db:"occurrence_key"`
	Watch      int64               `db:"watch_key"`
	Product    int64               `db:"product_key"`
	Contact    int64               `db:"contact_key"`
	Address    int64               `db:"address_key"`
	NotAtNight int                 `db:"not_at_night"`
	State      commerce.DeliveryState
	Cause      string
	Due        int64 `db:"due_ms"`
}

func (r deliveryRow) delivery() commerce.Delivery {
	return commerce.Delivery{
		Merchant: r.Merchant, Key: r.Key, Occurrence: r.Occurrence, Watch: r.Watch, Product: r.Product, Contact: r.Contact,
		Address: r.Address, NotAtNight: r.NotAtNight != 0, State: r.State, Cause: r.Cause, Due: at(r.Due),
	}
}

const (
	selectDeliveries = `
	SELECT key, merchant_id, occurrence_key, watch_key, product_key, contact_key, address_key, not_at_night, state, cause, due_ms
	FROM deliveries`

	deliveryByKey = selectDeliveries + `
	WHERE merchant_id = $1 AND key = $2`

	dueDeliveries = selectDeliveries + `
	WHERE state = 'due' AND due_ms <= $1
	ORDER BY due_ms, key
	LIMIT $2`

	finishDelivery = `
	UPDATE deliveries
	SET state = $3, cause = $4, done_ms = $5
	WHERE merchant_id = $1 AND key = $2`

	postponeDelivery = `
	UPDATE deliveries
	SET due_ms = $2
	WHERE key = $1 AND state = 'due'`
)

// DueDeliveries lists what is to be told by now, of all merchants, first come first served.
func (tx *Tx) DueDeliveries(ctx context.Context, now time.Time, limit int) ([]commerce.Delivery, error) {
	var rows []deliveryRow
	if err := tx.list(ctx, "list due deliveries", &rows, dueDeliveries, ms(now), limit); err != nil {
		return nil, err
	}
	deliveries := make([]commerce.Delivery, len(rows))
	for i, row := range rows {
		deliveries[i] = row.delivery()
	}
	return deliveries, nil
}

// LockDelivery loads a delivery and keeps others from rendering it too.
func (tx *Tx) LockDelivery(ctx context.Context, merchant commerce.MerchantID, key int64) (commerce.Delivery, error) {
	var row deliveryRow
	err := tx.get(ctx, "load delivery", &row, deliveryByKey+tx.forUpdate(), merchant, key)
	return row.delivery(), err
}

// FinishDelivery writes how a delivery ended.
func (tx *Tx) FinishDelivery(ctx context.Context, d commerce.Delivery, when time.Time) error {
	return tx.exec(ctx, "finish delivery", finishDelivery, d.Merchant, d.Key, d.State, d.Cause, ms(when))
}

// PostponeDelivery holds a delivery back until a time, the end of the night, say.
func (tx *Tx) PostponeDelivery(ctx context.Context, key int64, until time.Time) error {
	return tx.exec(ctx, "postpone delivery", postponeDelivery, key, ms(until))
}
