package store

import (
	"context"
	"strconv"
	"time"
)

// Outlook says what of an account waits to be sent.
type Outlook struct {
	Ready [Lanes]bool // something of the lane is due, though it may be behind another of its conversation
	Waits bool        // anything is queued at all
	Next  time.Time   // when the next part that is not due yet will be; the zero time for none
}

// outlook probes the index in each lane for something that was never tried, something that is to be tried again by now, and the
// first of what is due later: the same few steps whatever waits. $2 is now.
const outlook = `
	SELECT ` + inLane0 + fresh + ` AS fresh0, ` + inLane0 + again + ` AS again0, ` + inLane0 + later + ` AS later0,
		` + inLane1 + fresh + ` AS fresh1, ` + inLane1 + again + ` AS again1, ` + inLane1 + later + ` AS later1,
		` + inLane2 + fresh + ` AS fresh2, ` + inLane2 + again + ` AS again2, ` + inLane2 + later + ` AS later2`

const (
	firstQueued = `COALESCE((SELECT due_ms FROM parts WHERE account = $1 AND state IN ('queued', 'sending') AND state = 'queued'`
	inLane0     = firstQueued + ` AND lane = 0`
	inLane1     = firstQueued + ` AND lane = 1`
	inLane2     = firstQueued + ` AND lane = 2`
	fresh       = ` AND due_ms = 0 LIMIT 1), -1)`
	again       = ` AND due_ms > 0 AND due_ms <= $2 LIMIT 1), -1)`
	later       = ` AND due_ms > $2 ORDER BY due_ms LIMIT 1), -1)`
)

// Outlook looks at what an account has queued.
func (tx *Tx) Outlook(ctx context.Context, account string) (Outlook, error) {
	var row struct{ Fresh0, Again0, Later0, Fresh1, Again1, Later1, Fresh2, Again2, Later2 int64 }
	if err := tx.get(ctx, "look at what is queued", &row, outlook, account, tx.now.UnixMilli()); err != nil {
		return Outlook{}, err
	}
	var out Outlook
	for lane, f := range [Lanes]struct{ fresh, again, later int64 }{
		{row.Fresh0, row.Again0, row.Later0}, {row.Fresh1, row.Again1, row.Later1}, {row.Fresh2, row.Again2, row.Later2},
	} {
		out.Ready[lane] = f.fresh >= 0 || f.again >= 0
		out.Waits = out.Waits || out.Ready[lane] || f.later >= 0
		if f.later >= 0 && (out.Next.IsZero() || at(f.later).Before(out.Next)) {
			out.Next = at(f.later)
		}
	}
	return out, nil
}

// CountQueued counts what an account has queued in a lane, up to most.
func (tx *Tx) CountQueued(ctx context.Context, account string, lane Lane, most int) (int, error) {
	var n int
	err := tx.get(ctx, "count queued parts", &n, countQueued(most), account, lane)
	return n, err
}

func countQueued(most int) string {
	return `
	SELECT COUNT(*)
	FROM (SELECT 1 FROM parts WHERE account = $1 AND state IN ('queued', 'sending') AND state = 'queued' AND lane = $2
		LIMIT ` + strconv.Itoa(most) + `) AS given`
}
