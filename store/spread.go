package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

// Spreading goes over a product's watches in chunks, each a short transaction that also moves the cursor: after a crash it goes on
// where it was, and adds nobody twice. First the watches that prices since then arm again are armed; nobody is told meanwhile, so
// that a watch which has just been told is not taken for one that was told before.

type spreadRow struct {
	Key      int64
	ID       commerce.OccurrenceID
	Merchant commerce.MerchantID `db:"merchant_id"`
	Product  int64               `db:"product_key"`
	Event    string
	State    string
	Paused   int
	Price    int64 `db:"price_minor"`
	Currency money.Currency
	Has      int   `db:"available"`
	High     int64 `db:"high_minor"`
	Low      int64 `db:"low_minor"`
	Lane     int64 `db:"cursor_lane"`
	At       int64 `db:"cursor_key"`
	Found    int64 `db:"deliveries"`
	Told     int64 `db:"announced"`
}

const (
	toSpread = `
	SELECT key
	FROM occurrences
	WHERE state IN ('arming', 'spreading', 'cancelling') AND paused = 0
	ORDER BY key
	LIMIT $1`

	lockOccurrence = `
	SELECT key, id, merchant_id, product_key, event, state, paused, price_minor, currency, available, high_minor, low_minor, cursor_lane,
		cursor_key, deliveries, announced
	FROM occurrences
	WHERE key = $1`

	// The last key of a chunk: $2 watches, or as many as are left, from cursor on. It is what bounds a chunk, whoever of them is met.
	chunkOfFired = `
	SELECT key
	FROM watches
	WHERE product_key = $1 AND event = $2 AND state = 'fired' AND key > $3
	ORDER BY key
	LIMIT 1 OFFSET $4`

	chunkBelow = `
	SELECT key
	FROM watches
	WHERE product_key = $1 AND lane = $2 AND event = 'price_below' AND state = 'armed' AND key > $3
	ORDER BY key
	LIMIT 1 OFFSET $4`

	chunkBack = `
	SELECT key
	FROM watches
	WHERE product_key = $1 AND lane = $2 AND event = 'back_in_stock' AND state = 'armed' AND key > $3
	ORDER BY key
	LIMIT 1 OFFSET $4`

	laneBelow = `
	SELECT lane
	FROM watches
	WHERE product_key = $1 AND event = 'price_below' AND state = 'armed' AND lane > $2
	ORDER BY lane
	LIMIT 1`

	laneBack = `
	SELECT lane
	FROM watches
	WHERE product_key = $1 AND event = 'back_in_stock' AND state = 'armed' AND lane > $2
	ORDER BY lane
	LIMIT 1`

	armByPrice = `
	UPDATE watches
	SET state = 'armed'
	WHERE product_key = $1 AND event = 'price_below' AND state = 'fired' AND key > $2 AND key <= $3 AND currency = $4
		AND (rearm_minor <= $5 OR lower_minor >= $6)`

	armByStock = `
	UPDATE watches
	SET state = 'armed'
	WHERE product_key = $1 AND event = 'back_in_stock' AND state = 'fired' AND key > $2 AND key <= $3`

	spreadByPrice = `
	INSERT INTO deliveries (occurrence_key, lane, watch_key)
	SELECT $1, lane, key
	FROM watches
	WHERE product_key = $2 AND lane = $3 AND event = 'price_below' AND state = 'armed' AND key > $4 AND key <= $5
		AND threshold_minor >= $6 AND currency = $7 AND quantity <= $8
	ORDER BY key`

	spreadByStock = `
	INSERT INTO deliveries (occurrence_key, lane, watch_key)
	SELECT $1, lane, key
	FROM watches
	WHERE product_key = $2 AND lane = $3 AND event = 'back_in_stock' AND state = 'armed' AND key > $4 AND key <= $5 AND quantity <= $6
	ORDER BY key`

	// Some of a chunk wait already when the occurrence goes over all watches again. To ask that costs one look into the index, and to
	// insert unlessTheyWait costs Postgres twice as much as to insert.
	someWait = `
	SELECT COUNT(*)
	FROM (
		SELECT 1
		FROM deliveries
		WHERE occurrence_key = $1 AND lane = $2 AND watch_key > $3 AND watch_key <= $4
		LIMIT 1) chunk`

	unlessTheyWait = `
	ON CONFLICT DO NOTHING`

	moveCursor = `
	UPDATE occurrences
	SET state = $2, cursor_lane = $3, cursor_key = $4, deliveries = $5, announced = $6
	WHERE key = $1`
)

// toTheEnd is a key behind all keys.
const toTheEnd = 1<<63 - 1

// ToSpread lists occurrences that SpreadChunk has to do with, of all merchants, the oldest first.
func (tx *Tx) ToSpread(ctx context.Context, limit int) ([]int64, error) {
	var keys []int64
	err := tx.list(ctx, "list occurrences to spread", &keys, toSpread, limit)
	return keys, err
}

// SpreadChunk goes over the next watches of an occurrence, n of them at most, and says whether there is more to go over. Of one that
// is cancelled it removes deliveries instead.
func (tx *Tx) SpreadChunk(ctx context.Context, key int64, n int) (more bool, err error) {
	var o spreadRow
	err = tx.get(ctx, "load occurrence", &o, lockOccurrence+tx.forUpdate(), key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || o.Paused != 0 {
		return false, err
	}
	switch o.State {
	case "arming":
		err = tx.armChunk(ctx, &o, n)
	case "spreading":
		err = tx.spreadChunk(ctx, &o, n)
	case "cancelling":
		return tx.clearChunk(ctx, key, commerce.DropStopped, n)
	default:
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("spread occurrence %s: %w", o.ID, err)
	}
	err = tx.exec(ctx, "move cursor of occurrence", moveCursor, o.Key, o.State, o.Lane, o.At, o.Found, o.Told)
	return o.State != "sending", err
}

// upTo finds the last key of the chunk that a query bounds, and whether it is the last one.
func (tx *Tx) upTo(ctx context.Context, query string, args ...any) (key int64, last bool, err error) {
	err = tx.get(ctx, "bound chunk", &key, query, args...)
	if errors.Is(err, ErrNotFound) {
		return toTheEnd, true, nil
	}
	return key, false, err
}

func (tx *Tx) armChunk(ctx context.Context, o *spreadRow, n int) error {
	to, last, err := tx.upTo(ctx, chunkOfFired, o.Product, o.Event, o.At, n-1)
	if err != nil {
		return err
	}
	if o.Event == commerce.PriceBelow {
		err = tx.exec(ctx, "arm watches", armByPrice, o.Product, o.At, to, o.Currency, o.High, o.Low)
	} else {
		err = tx.exec(ctx, "arm watches", armByStock, o.Product, o.At, to)
	}
	o.At = to
	if last {
		o.State, o.Lane, o.At = "spreading", 0, 0
	}
	return err
}

func (tx *Tx) spreadChunk(ctx context.Context, o *spreadRow, n int) error {
	chunk, lane := chunkBelow, laneBelow
	if o.Event != commerce.PriceBelow {
		chunk, lane = chunkBack, laneBack
	}
	if o.At == 0 { // a lane begins
		err := tx.get(ctx, "find next lane", &o.Lane, lane, o.Product, o.Lane)
		if errors.Is(err, ErrNotFound) || err == nil && o.Has < 1 {
			return tx.spreadAll(ctx, o)
		}
		if err != nil {
			return err
		}
	}
	to, last, err := tx.upTo(ctx, chunk, o.Product, o.Lane, o.At, n-1)
	if err != nil {
		return err
	}
	// The row of the occurrence is locked, and nothing else adds its deliveries: those that wait can only become fewer.
	var wait int
	if err := tx.get(ctx, "look for deliveries in chunk", &wait, someWait, o.Key, o.Lane, o.At, to); err != nil {
		return err
	}
	unless := ""
	if wait > 0 {
		unless = unlessTheyWait
	}
	var added int64
	if o.Event == commerce.PriceBelow {
		added, err = tx.count(ctx, "add deliveries", spreadByPrice+unless, o.Key, o.Product, o.Lane, o.At, to, o.Price, o.Currency, o.Has)
	} else {
		added, err = tx.count(ctx, "add deliveries", spreadByStock+unless, o.Key, o.Product, o.Lane, o.At, to, o.Has)
	}
	o.Found, o.At = o.Found+added, to
	if last {
		o.At = 0
	}
	return err
}

// spreadAll notes that all watches were gone over, and that whoever was found is about to be told.
func (tx *Tx) spreadAll(ctx context.Context, o *spreadRow) error {
	o.State, o.Lane, o.At = "sending", 0, 0
	if o.Found == o.Told {
		return nil
	}
	p, err := tx.ProductByKey(ctx, o.Merchant, o.Product)
	if err != nil {
		return err
	}
	err = tx.Event(ctx, o.Merchant, o.Event, string(o.ID), map[string]any{
		"sku": p.SKU, "price": money.New(o.Price, o.Currency), "stock": o.Has, "deliveries": o.Found - o.Told,
	})
	o.Told = o.Found
	return err
}

// Pace says how many watches a chunk may have so that its transaction is short: others wait for it.
type Pace struct {
	size int
	time time.Duration // that a chunk may take, more or less
}

// NewPace begins with a cautious size. On SQLite all who write wait for a chunk. On Postgres only who changes the product does, and
// there a chunk costs about two milliseconds however few it has.
func (s *Store) NewPace() *Pace {
	if s.dialect == Postgres {
		return &Pace{size: 4000, time: 15 * time.Millisecond}
	}
	return &Pace{size: 4000, time: 10 * time.Millisecond}
}

// Size is how many the next chunk may have.
func (p *Pace) Size() int { return p.size }

// Took learns from how long the last one took.
func (p *Pace) Took(d time.Duration) {
	fit := int(float64(p.size) * float64(p.time) / float64(max(d, time.Millisecond)))
	p.size = min(max((3*p.size+fit)/4, 500), 20_000)
}
