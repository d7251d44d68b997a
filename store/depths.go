package store

import (
	"context"
	"time"
)

// Depth is how much of an account waits in a lane to be sent, what is under way included, and how long the oldest that is due has
// waited.
type Depth struct {
	Account string
	Lane    Lane
	Parts   int64
	Age     time.Duration
}

const (
	countOpen = `
	SELECT account, lane, COUNT(*) AS count
	FROM parts
	WHERE state IN ('queued', 'sending')
	GROUP BY account, lane
	ORDER BY account, lane`

	oldestDue = `
	SELECT COALESCE((SELECT changed_ms FROM parts
			WHERE account = $1 AND state IN ('queued', 'sending') AND state = 'queued' AND lane = $3 AND due_ms = 0
			ORDER BY key LIMIT 1), $2) AS fresh,
		COALESCE((SELECT due_ms FROM parts
			WHERE account = $1 AND state IN ('queued', 'sending') AND state = 'queued' AND lane = $3 AND due_ms > 0 AND due_ms <= $2
			ORDER BY due_ms LIMIT 1), $2) AS again`
)

// Depths lists the lanes in which something waits, over all merchants.
func (tx *Tx) Depths(ctx context.Context) ([]Depth, error) {
	var rows []struct {
		Account string
		Lane    Lane
		Count   int64
	}
	if err := tx.list(ctx, "count what waits", &rows, countOpen); err != nil {
		return nil, err
	}
	now := tx.now.UnixMilli()
	out := make([]Depth, len(rows))
	for i, r := range rows {
		var since struct{ Fresh, Again int64 }
		if err := tx.get(ctx, "find what has waited longest", &since, oldestDue, r.Account, now, r.Lane); err != nil {
			return nil, err
		}
		out[i] = Depth{Account: r.Account, Lane: r.Lane, Parts: r.Count, Age: time.Duration(now-min(since.Fresh, since.Again)) * time.Millisecond}
	}
	return out, nil
}
