package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

// Fanout is how far the telling of an occurrence has come.
type Fanout struct {
	Key      int64
	ID       commerce.OccurrenceID
	Merchant commerce.MerchantID
	Product  int64
	SKU      string
	Event    string
	Price    money.Amount
	State    string // spreading, sending, paused, done or cancelled
	Total    int    // who was found so far
	Sent     int
	Dropped  map[string]int // by cause, as commerce lists them
	Waiting  int
	Rate     float64   // handled per second, lately
	Finish   time.Time // when it will be through at that rate; zero when nothing moves, or it is through
	NextWave time.Time // when it goes on, where it waits for the next wave; else zero
	Started  time.Time
	Ended    time.Time // zero while it is at work
}

type fanoutRow struct {
	Key      int64
	ID       commerce.OccurrenceID
	Merchant commerce.MerchantID `db:"merchant_id"`
	Product  int64               `db:"product_key"`
	SKU      string
	Event    string
	Price    int64 `db:"price_minor"`
	Currency money.Currency
	State    string
	Paused   int
	Total    int   `db:"deliveries"`
	WasAt    int64 `db:"was_ms"`
	Was      int   `db:"was_handled"`
	At       int64 `db:"at_ms"`
	Done     int64 `db:"done_ms"`
	OnHand   int   `db:"on_hand"`
	Held     int
	WaveTold int   `db:"wave_told"`
	WaveEnds int64 `db:"wave_ends_ms"`
}

const (
	selectFanouts = `
	SELECT o.key, o.id, o.merchant_id, o.product_key, p.sku, o.event, o.price_minor, o.currency, o.state, o.paused, o.deliveries, o.was_ms,
		o.was_handled, o.at_ms, o.done_ms, p.on_hand, p.held, p.wave_told, p.wave_ends_ms
	FROM occurrences o
	JOIN products p ON p.key = o.product_key
	WHERE o.merchant_id = $1 AND o.single <> 1`

	listFanouts = selectFanouts + ` AND o.key < $2 ORDER BY o.key DESC LIMIT $3`
	fanoutByID  = selectFanouts + ` AND o.id = $2`

	talliesOf = `SELECT outcome, n FROM tallies WHERE occurrence_key = $1`

	dueSingles = `
	SELECT DISTINCT occurrence_key
	FROM (
		SELECT occurrence_key
		FROM held
		WHERE lane = $1 AND single = 1 AND due_ms <= $2
		ORDER BY due_ms
		LIMIT $3) chunk`

	openFanouts = `
	SELECT key
	FROM occurrences
	WHERE merchant_id = $1 AND single = 0 AND state IN ('spreading', 'sending') AND paused = 0 AND key > $2
	ORDER BY key
	LIMIT $3`

	handled = `COALESCE((SELECT SUM(t.n) FROM tallies t WHERE t.occurrence_key = occurrences.key), 0)`

	markFanouts = `
	UPDATE occurrences
	SET was_ms = CASE WHEN mark_ms = 0 THEN $1 ELSE mark_ms END,
		was_handled = CASE WHEN mark_ms = 0 THEN ` + handled + ` ELSE mark_handled END,
		mark_ms = $1, mark_handled = ` + handled + `
	WHERE single = 0 AND state IN ('spreading', 'sending') AND paused = 0`

	endOccurrence = `
	UPDATE occurrences
	SET state = 'done', done_ms = $2
	WHERE key = $1 AND state = 'sending'`

	dropEmpty = `
	DELETE FROM occurrences
	WHERE key = $1 AND state = 'done' AND deliveries = 0`
)

func (tx *Tx) fanout(ctx context.Context, r fanoutRow) (Fanout, error) {
	f := Fanout{
		Key: r.Key, ID: r.ID, Merchant: r.Merchant, Product: r.Product, SKU: r.SKU, Event: r.Event, Price: money.New(r.Price, r.Currency),
		State: r.State, Total: r.Total, Dropped: map[string]int{}, Started: at(r.At), Ended: at(r.Done),
	}
	var tallies []struct {
		Outcome string
		N       int
	}
	if err := tx.list(ctx, "count what was told", &tallies, talliesOf, r.Key); err != nil {
		return f, err
	}
	handled := 0
	for _, t := range tallies {
		handled += t.N
		if t.Outcome == commerce.DeliverySent {
			f.Sent = t.N
		} else {
			f.Dropped[t.Outcome] = t.N
		}
	}
	switch {
	case r.State == "cancelling":
		f.State = "cancelled"
	case r.State == "arming":
		f.State = "spreading"
	}
	if f.Ended.IsZero() {
		f.Waiting = max(0, f.Total-handled)
		if r.Paused != 0 && f.State != "cancelled" {
			f.State = "paused"
		}
	}
	product := commerce.Product{OnHand: r.OnHand, Held: r.Held, Wave: commerce.Wave{Told: r.WaveTold, Ends: at(r.WaveEnds)}}
	if f.Waiting > 0 && f.State == "sending" && tx.now.Before(product.Wave.Ends) && product.WaveRoom(tx.now) == 0 {
		f.NextWave = product.Wave.Ends
	}
	if past := tx.now.Sub(at(r.WasAt)).Seconds(); f.Ended.IsZero() && f.State != "paused" && r.WasAt != 0 && past > 0 {
		f.Rate = float64(max(0, handled-r.Was)) / past
		if f.Rate > 0 && f.State == "sending" {
			f.Finish = tx.now.Add(time.Duration(float64(f.Waiting) / f.Rate * float64(time.Second)))
		}
	}
	return f, nil
}

// Fanouts lists how the telling of occurrences goes, the newest first, before a key (0: from the newest).
func (tx *Tx) Fanouts(ctx context.Context, merchant commerce.MerchantID, before int64, limit int) ([]Fanout, error) {
	if before == 0 {
		before = toTheEnd
	}
	var rows []fanoutRow
	if err := tx.list(ctx, "list fan-outs", &rows, listFanouts, merchant, before, limit); err != nil {
		return nil, err
	}
	out := make([]Fanout, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = tx.fanout(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Fanout loads one by the public id of its occurrence.
func (tx *Tx) Fanout(ctx context.Context, merchant commerce.MerchantID, id commerce.OccurrenceID) (Fanout, error) {
	var row fanoutRow
	if err := tx.get(ctx, "load fan-out", &row, fanoutByID, merchant, id); err != nil {
		return Fanout{}, err
	}
	return tx.fanout(ctx, row)
}

// PauseFanout has it stop, or go on, after what is under way. One that is over is ErrConflict; doing it twice is no error.
func (tx *Tx) PauseFanout(ctx context.Context, merchant commerce.MerchantID, id commerce.OccurrenceID, pause bool) error {
	n, err := tx.count(ctx, "pause fan-out", `
	UPDATE occurrences
	SET paused = $3, was_ms = 0, mark_ms = 0
	WHERE merchant_id = $1 AND id = $2 AND single = 0 AND `+isOpen, merchant, id, flag(pause))
	return tx.orOver(ctx, merchant, id, n, err)
}

// CancelFanout ends it for good: who was not told yet is not told, and their watches wait for the next change. Cancelling twice is no
// error; one that is done is ErrConflict.
func (tx *Tx) CancelFanout(ctx context.Context, merchant commerce.MerchantID, id commerce.OccurrenceID) error {
	n, err := tx.count(ctx, "cancel fan-out", `
	UPDATE occurrences
	SET state = 'cancelling', paused = 0
	WHERE merchant_id = $1 AND id = $2 AND single = 0 AND `+isOpen, merchant, id)
	if err == nil && n == 0 {
		f, err := tx.Fanout(ctx, merchant, id)
		if err != nil || f.State == "cancelled" {
			return err
		}
	}
	return tx.orOver(ctx, merchant, id, n, err)
}

func (tx *Tx) orOver(ctx context.Context, merchant commerce.MerchantID, id commerce.OccurrenceID, n int64, err error) error {
	if err != nil || n > 0 {
		return err
	}
	f, err := tx.Fanout(ctx, merchant, id)
	if err != nil {
		return err
	}
	return fmt.Errorf("fan-out %s is %s: %w", id, f.State, commerce.ErrConflict)
}

// DueSingles lists occurrences for one watch that are to be told in a lane.
func (tx *Tx) DueSingles(ctx context.Context, lane int64, limit int) (keys []int64, err error) {
	err = tx.list(ctx, "list single occurrences", &keys, dueSingles, lane, tx.now.UnixMilli(), limit)
	return keys, err
}

// OpenFanouts lists a merchant's occurrences that are being told to many, up to a limit: from the one after a key on, and around again.
func (tx *Tx) OpenFanouts(ctx context.Context, merchant commerce.MerchantID, after int64, limit int) (keys []int64, err error) {
	if err = tx.list(ctx, "list open occurrences", &keys, openFanouts, merchant, after, limit); err != nil || after == 0 || len(keys) == limit {
		return keys, err
	}
	var first []int64
	if err = tx.list(ctx, "list open occurrences", &first, openFanouts, merchant, 0, limit-len(keys)); err != nil {
		return nil, err
	}
	for _, key := range first {
		if key <= after {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// HasDeliveries says that some of an occurrence's deliveries wait.
func (tx *Tx) HasDeliveries(ctx context.Context, occurrence int64) (bool, error) {
	var n int
	err := tx.get(ctx, "look for deliveries", &n, aDelivery, occurrence)
	return n > 0, err
}

// EndOccurrence ends one of which all were told. One that concerned nobody leaves no trace.
func (tx *Tx) EndOccurrence(ctx context.Context, key int64) error {
	var state string
	err := tx.get(ctx, "lock occurrence", &state, `SELECT state FROM occurrences WHERE key = $1`+tx.forUpdate(), key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || state != "sending" {
		return err
	}
	if waits, err := tx.HasDeliveries(ctx, key); err != nil || waits {
		return err
	}
	if err := tx.exec(ctx, "end occurrence", endOccurrence, key, tx.now.UnixMilli()); err != nil {
		return err
	}
	return tx.exec(ctx, "drop empty occurrence", dropEmpty, key)
}

// MarkFanouts notes how far all that are being told are. A rate is taken since the mark before the last: call it every half minute.
func (tx *Tx) MarkFanouts(ctx context.Context) error {
	return tx.exec(ctx, "mark fan-outs", markFanouts, tx.now.UnixMilli())
}

// StrayLanes lists the lanes in which deliveries of an occurrence wait for an account that is not among accounts.
func (tx *Tx) StrayLanes(ctx context.Context, occurrence int64, accounts []string) ([]int64, error) {
	lanes, err := tx.lanesOf(ctx, occurrence)
	if err != nil {
		return nil, err
	}
	var stray []int64
	for _, lane := range lanes {
		var n int
		err := tx.get(ctx, "find account of lane", &n, `SELECT COUNT(*) FROM lanes WHERE key = $1 AND account IN `+tx.names("$2"), lane, toJSON(accounts))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			stray = append(stray, lane)
		}
	}
	return stray, nil
}
