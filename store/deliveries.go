package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

// Due is a delivery with what is needed to address it.
type Due struct {
	commerce.Delivery
	Account   string // "" when the address is gone
	NetworkID string
	TimeZone  string // the contact's
}

const (
	// What decides about a delivery, in the order in which people asked: of the watch nothing but that.
	decidingColumns = `w.key, w.id, w.contact_key, w.address_key, w.event, w.currency, w.threshold_minor, w.quantity, w.not_at_night,
		w.state, w.epoch, chunk.lane, chunk.due_ms,
		CASE WHEN a.state IN ('linked', 'verified') AND EXISTS (
			SELECT 1
			FROM consents n
			WHERE n.merchant_id = w.merchant_id AND n.contact_key = w.contact_key AND n.purpose = 'alert' AND n.revoked_ms = 0
				AND n.address_key IN (0, w.address_key)) THEN 1 ELSE 0 END AS may`

	dueColumns = `
	SELECT ` + decidingColumns + `, COALESCE(a.account, '') AS account, COALESCE(a.network_id, '') AS network_id,
		COALESCE((SELECT c.time_zone FROM contacts c WHERE c.key = w.contact_key AND w.not_at_night = 1), '') AS time_zone
	FROM (`

	dueJoins = `) chunk
	JOIN watches w ON w.key = chunk.watch_key
	LEFT JOIN addresses a ON a.key = w.address_key
	WHERE w.merchant_id = $1
	ORDER BY chunk.due_ms, chunk.watch_key`

	waitingDeliveries = dueColumns + waitingChunk + dueJoins
	heldDeliveries    = dueColumns + heldChunk + dueJoins
	waitingDecisions  = `
	SELECT ` + decidingColumns + `
	FROM (` + waitingChunk + dueJoins
	heldDecisions = `
	SELECT ` + decidingColumns + `
	FROM (` + heldChunk + dueJoins

	waitingChunk = `
		SELECT lane, watch_key, 0 AS due_ms
		FROM deliveries
		WHERE occurrence_key = $2 AND lane = $3 AND watch_key >= $5
		ORDER BY watch_key
		LIMIT $4`

	heldChunk = `
		SELECT lane, watch_key, due_ms
		FROM held
		WHERE occurrence_key = $2 AND lane = $3 AND due_ms <= $5
		ORDER BY due_ms, watch_key
		LIMIT $4`

	holdDelivery = `
	INSERT INTO held (occurrence_key, lane, due_ms, watch_key, single)
	SELECT key, $2, $3, $4, single
	FROM occurrences
	WHERE key = $1
	ON CONFLICT DO NOTHING`

	removeHeld = `
	DELETE FROM held
	WHERE occurrence_key = $1 AND lane = $2 AND due_ms <= $3 AND watch_key IN `

	addTallies = `
	INSERT INTO tallies (occurrence_key, outcome, n)
	SELECT column1, column2, SUM(column3)
	FROM (%s) t
	WHERE true
	GROUP BY column1, column2
	ON CONFLICT (occurrence_key, outcome) DO UPDATE
	SET n = tallies.n + excluded.n`
)

// Due lists deliveries with whatever is needed to tell them. Their watches lack what is of no concern to that.
func (tx *Tx) Due(ctx context.Context, f commerce.DueFilter) ([]Due, error) {
	query, from := waitingDeliveries, f.From
	if f.Held {
		query, from = heldDeliveries, ms(f.At)
	}
	out := make([]Due, 0, f.Limit)
	err := tx.each(ctx, "list due deliveries", func(scan func(...any) error) error {
		var d Due
		if err := scanDelivery(&d.Delivery, f, scan, &d.Account, &d.NetworkID, &d.TimeZone); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	}, query, f.Merchant, f.Occurrence, f.Lane, f.Limit, from)
	return out, err
}

// scanDelivery reads a delivery, and what stands behind it in its row.
func scanDelivery(d *commerce.Delivery, f commerce.DueFilter, scan func(...any) error, others ...any) error {
	w := &d.Watch
	var threshold, due int64
	var night, may int
	var currency money.Currency
	err := scan(append([]any{&w.Key, &w.ID, &w.Contact, &w.Address, &w.Event, &currency, &threshold, &w.Quantity, &night, &w.State, &w.Epoch,
		&d.Lane, &due, &may}, others...)...)
	w.Merchant, w.Threshold, w.NotAtNight = f.Merchant, orNone(threshold, currency), night != 0
	d.Occurrence, d.Due, d.Held, d.May = f.Occurrence, at(due), f.Held, may != 0
	return err
}

// DueDeliveries lists deliveries for a decision about them. Their watches lack what is of no concern to that.
func (tx *Tx) DueDeliveries(ctx context.Context, f commerce.DueFilter) ([]commerce.Delivery, error) {
	query, from := waitingDecisions, f.From
	if f.Held {
		query, from = heldDecisions, ms(f.At)
	}
	out := make([]commerce.Delivery, 0, f.Limit)
	err := tx.each(ctx, "list deliveries to decide about", func(scan func(...any) error) error {
		var d commerce.Delivery
		if err := scanDelivery(&d, f, scan); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	}, query, f.Merchant, f.Occurrence, f.Lane, f.Limit, from)
	return out, err
}

// FinishDeliveries removes deliveries of one occurrence and lane and counts what became of them.
func (tx *Tx) FinishDeliveries(ctx context.Context, outcome string, ds []commerce.Delivery) error {
	if err := tx.removeDeliveries(ctx, ds); err != nil {
		return err
	}
	tx.tally(ds[0].Occurrence, outcome, int64(len(ds)))
	return nil
}

// removeDeliveries takes deliveries of one occurrence and lane out of where they wait. All are held, or none is.
func (tx *Tx) removeDeliveries(ctx context.Context, ds []commerce.Delivery) error {
	first := ds[0]
	if !first.Held {
		for _, d := range ds {
			tx.add(inTold, d.Occurrence, d.Lane, d.Watch.Key)
		}
		return nil
	}
	keys, last := make([]int64, len(ds)), first.Due
	for i, d := range ds {
		keys[i] = d.Watch.Key
		if d.Due.After(last) {
			last = d.Due
		}
	}
	return tx.exec(ctx, "remove held deliveries", removeHeld+tx.keys("$4"), first.Occurrence, first.Lane, ms(last), toJSON(keys))
}

// tally counts what became of deliveries.
func (tx *Tx) tally(occurrence int64, outcome string, n int64) {
	tx.add(inTallies, occurrence, outcome, n)
}

// HoldDeliveries holds deliveries of one occurrence and lane back until a time: the end of the night, say.
func (tx *Tx) HoldDeliveries(ctx context.Context, ds []commerce.Delivery, until time.Time) error {
	if err := tx.removeDeliveries(ctx, ds); err != nil {
		return err
	}
	for _, d := range ds {
		if err := tx.exec(ctx, "hold delivery", holdDelivery, d.Occurrence, d.Lane, ms(until), d.Watch.Key); err != nil {
			return err
		}
	}
	return nil
}

// MoveDelivery puts a delivery into the lane where its watch's address is by now.
func (tx *Tx) MoveDelivery(ctx context.Context, d commerce.Delivery) error {
	if err := tx.removeDeliveries(ctx, []commerce.Delivery{d}); err != nil {
		return err
	}
	return tx.exec(ctx, "move delivery", holdOne, d.Occurrence, d.Watch.Key)
}

// FireWatch notes that an armed watch is told at a price.
func (tx *Tx) FireWatch(_ context.Context, w commerce.Watch, o commerce.Occurrence) error {
	tx.add(inFired, w.Key, string(commerce.WatchFired), int64(w.Epoch), o.Key, w.Told.Minor, commerce.Lower(w.Told.Minor), ms(w.Changed))
	return nil
}

const (
	aDelivery = `
	SELECT COUNT(*)
	FROM (
		SELECT 1 FROM deliveries WHERE occurrence_key = $1
		UNION ALL
		SELECT 1 FROM held WHERE occurrence_key = $1
		LIMIT 1) chunk`

	chunkOfDeliveries = `SELECT watch_key FROM deliveries WHERE occurrence_key = $1 AND lane = $2 ORDER BY watch_key LIMIT 1 OFFSET $3`
	nextLane          = `SELECT lane FROM deliveries WHERE occurrence_key = $1 AND lane > $2 ORDER BY lane LIMIT 1`
	nextHeldLane      = `SELECT lane FROM held WHERE occurrence_key = $1 AND lane > $2 ORDER BY lane LIMIT 1`

	clearDeliveries = `
	DELETE FROM deliveries
	WHERE occurrence_key = $1 AND lane = $2 AND watch_key <= $3`

	clearHeld = `
	DELETE FROM held
	WHERE occurrence_key = $1 AND lane = $2`
)

// clearChunk removes about n deliveries of an occurrence and says whether there are more.
func (tx *Tx) clearChunk(ctx context.Context, occurrence int64, outcome string, n int) (more bool, err error) {
	lanes, err := tx.lanesOf(ctx, occurrence)
	if err != nil {
		return false, err
	}
	if len(lanes) == 0 {
		return false, tx.exec(ctx, "end cancelled occurrence", `UPDATE occurrences SET state = 'cancelled', done_ms = $2 WHERE key = $1 AND state = 'cancelling'`,
			occurrence, tx.now.UnixMilli())
	}
	return true, tx.ClearLane(ctx, occurrence, lanes[0], outcome, n)
}

// ClearLane drops about n deliveries of an occurrence that wait in a lane.
func (tx *Tx) ClearLane(ctx context.Context, occurrence, lane int64, outcome string, n int) error {
	to, _, err := tx.upTo(ctx, chunkOfDeliveries, occurrence, lane, n-1)
	if err != nil {
		return err
	}
	gone, err := tx.count(ctx, "clear deliveries", clearDeliveries, occurrence, lane, to)
	if err != nil {
		return err
	}
	if gone == 0 {
		if gone, err = tx.count(ctx, "clear held deliveries", clearHeld, occurrence, lane); err != nil || gone == 0 {
			return err
		}
	}
	tx.tally(occurrence, outcome, gone)
	return nil
}

// lanesOf lists the lanes in which deliveries of an occurrence wait, held ones too.
func (tx *Tx) lanesOf(ctx context.Context, occurrence int64) ([]int64, error) {
	var lanes []int64
	for _, query := range []string{nextLane, nextHeldLane} {
		lane := int64(-1)
		for {
			err := tx.get(ctx, "find lane of occurrence", &lane, query, occurrence, lane)
			if errors.Is(err, ErrNotFound) {
				break
			}
			if err != nil {
				return nil, err
			}
			if !slices.Contains(lanes, lane) {
				lanes = append(lanes, lane)
			}
		}
	}
	return lanes, nil
}
