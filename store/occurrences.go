package store

import (
	"context"
	"errors"

	"parley/commerce"
	"parley/commerce/money"
)

const (
	// isOpen holds for an occurrence that is being told. It must be repeated to the letter: see occurrences_open.
	isOpen = `state IN ('arming', 'spreading', 'sending')`

	openOccurrence = `
	SELECT key, id, state, currency, high_minor, low_minor
	FROM occurrences
	WHERE product_key = $1 AND event = $2 AND single = 0 AND ` + isOpen

	insertOccurrence = `
	INSERT INTO occurrences (id, merchant_id, product_key, event, price_minor, was_minor, currency, available, deliveries, at_ms,
		state, single, high_minor, low_minor, announced)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $5, $5, $9)
	RETURNING key`

	// An occurrence that is at work goes over all watches again: those that wait already are not added twice.
	raiseAgain = `
	UPDATE occurrences
	SET state = $2, price_minor = $3, currency = $4, available = $5, high_minor = $6, low_minor = $7, cursor_lane = 0, cursor_key = 0
	WHERE key = $1`

	occurrenceByKey = `
	SELECT key, id, merchant_id, product_key, event, price_minor, was_minor, currency, available, deliveries, state, paused, single, at_ms
	FROM occurrences
	WHERE merchant_id = $1 AND key = $2`

	metByPrice = `
	SELECT COUNT(*)
	FROM (
		SELECT 1
		FROM watches
		WHERE product_key = $1 AND event = 'price_below' AND state = 'armed' AND threshold_minor >= $2 AND currency = $3 AND quantity <= $4
		LIMIT 1) chunk`

	metByStock = `
	SELECT COUNT(*)
	FROM (
		SELECT 1
		FROM watches
		WHERE product_key = $1 AND event = 'back_in_stock' AND state = 'armed' AND quantity <= $2
		LIMIT 1) chunk`

	// Where more have fired than are worth looking at here, they are looked at in chunks, later.
	armsByPrice = `
	SELECT COUNT(*)
	FROM (
		SELECT currency, rearm_minor, lower_minor, row_number() OVER () AS n
		FROM watches
		WHERE product_key = $1 AND event = 'price_below' AND state = 'fired'
		LIMIT 1000) chunk
	WHERE n = 1000 OR currency = $3 AND (rearm_minor <= $2 OR lower_minor >= $2)`

	armsByStock = `
	SELECT COUNT(*)
	FROM (
		SELECT 1
		FROM watches
		WHERE product_key = $1 AND event = 'back_in_stock' AND state = 'fired'
		LIMIT 1) chunk`

	isArming = `
	SELECT COUNT(*)
	FROM occurrences
	WHERE product_key = $1 AND event = $2 AND single = 0 AND ` + isOpen + ` AND state = 'arming'`

	holdOne = `
	INSERT INTO held (occurrence_key, lane, due_ms, watch_key, single)
	SELECT o.key, w.lane, 0, w.key, o.single
	FROM occurrences o
	JOIN watches w ON w.key = $2
	WHERE o.key = $1
	ON CONFLICT DO NOTHING`
)

// Raise keeps what happened when somebody has to be told of it, or is armed by it. It looks at a handful of rows, however many
// watch, and changes one.
func (tx *Tx) Raise(ctx context.Context, o *commerce.Occurrence) (bool, error) {
	var open struct {
		Key      int64
		ID       commerce.OccurrenceID
		State    string
		Currency money.Currency
		High     int64 `db:"high_minor"`
		Low      int64 `db:"low_minor"`
	}
	err := tx.get(ctx, "find open occurrence", &open, openOccurrence+tx.forUpdate(), o.Product, o.Event)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	high, low, state := o.Price.Minor, o.Price.Minor, "arming"
	if open.State == state { // what the prices since then arm is not forgotten
		if open.Currency == o.Price.Currency {
			high, low = max(high, open.High), min(low, open.Low)
		}
	} else {
		arms, met, err := tx.concerns(ctx, *o)
		if err != nil || !arms && !met {
			return false, err
		}
		if !arms {
			state = "spreading"
		}
	}
	if open.Key == 0 {
		return true, tx.addOccurrence(ctx, o, state)
	}
	o.Key, o.ID, o.Open = open.Key, open.ID, true
	return true, tx.exec(ctx, "raise occurrence again", raiseAgain, o.Key, state, o.Price.Minor, o.Price.Currency, o.Available, high, low)
}

// concerns says whether what happened arms watches that have fired, and whether it meets one that is armed.
func (tx *Tx) concerns(ctx context.Context, o commerce.Occurrence) (arms, met bool, err error) {
	var n int
	switch {
	case o.Event == commerce.PriceBelow:
		err = tx.get(ctx, "look for watches to arm", &n, armsByPrice, o.Product, o.Price.Minor, o.Price.Currency)
	case o.Available == 0:
		err = tx.get(ctx, "look for watches to arm", &n, armsByStock, o.Product)
	}
	arms = n > 0
	if err != nil || o.Available < 1 { // nobody is called to an empty shelf; the watches stay armed
		return arms, false, err
	}
	if o.Event == commerce.PriceBelow {
		err = tx.get(ctx, "look for watches to tell", &n, metByPrice, o.Product, o.Price.Minor, o.Price.Currency, o.Available)
	} else {
		err = tx.get(ctx, "look for watches to tell", &n, metByStock, o.Product, o.Available)
	}
	return arms, n > 0, err
}

func (tx *Tx) addOccurrence(ctx context.Context, o *commerce.Occurrence, state string) error {
	o.ID, o.Open = commerce.OccurrenceID(tx.NewID("occ")), true
	return tx.get(ctx, "add occurrence", &o.Key, insertOccurrence, o.ID, o.Merchant, o.Product, o.Event, o.Price.Minor,
		o.WasPrice.Minor, o.Price.Currency, o.Available, o.Deliveries, ms(o.At), state, flag(o.Single))
}

// RaiseFor keeps what happened for one watch, ahead of what is told to many.
func (tx *Tx) RaiseFor(ctx context.Context, o *commerce.Occurrence, w commerce.Watch) error {
	o.Single, o.Deliveries = true, 1
	if err := tx.addOccurrence(ctx, o, "sending"); err != nil {
		return err
	}
	return tx.exec(ctx, "add delivery", holdOne, o.Key, w.Key)
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
		State      string
		Paused     int
		Single     int
		At         int64 `db:"at_ms"`
	}
	err := tx.get(ctx, "load occurrence", &row, occurrenceByKey, merchant, key)
	return commerce.Occurrence{
		Merchant: row.Merchant, Key: row.Key, ID: row.ID, Product: row.Product, Event: row.Event,
		Price: money.New(row.Price, row.Currency), WasPrice: orNone(row.Was, row.Currency), Available: row.Available,
		Deliveries: row.Deliveries, Open: row.State == "spreading" || row.State == "sending", Paused: row.Paused != 0,
		Single: row.Single != 0, At: at(row.At),
	}, err
}

// IsArming says that fired watches of a product and event are being armed again.
func (tx *Tx) IsArming(ctx context.Context, product int64, event string) (bool, error) {
	var n int
	err := tx.get(ctx, "look for arming", &n, isArming, product, event)
	return n > 0, err
}
