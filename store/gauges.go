package store

import "context"

// Gauge is one figure of how things stand, with the label it belongs to ("" for none).
type Gauge struct {
	Name, Label, Value string
	Count              int64
}

// Gauges counts what waits and what failed, over all merchants: for monitoring, so nothing in it tells of a person.
func (tx *Tx) Gauges(ctx context.Context) ([]Gauge, error) {
	var out []Gauge
	for _, q := range []struct{ name, label, query string }{
		{"parley_dead_letters", "account", `SELECT account AS value, count(*) AS count FROM parts WHERE state IN ('failed', 'unknown') AND attempts > 0 AND edit = 0 GROUP BY account ORDER BY account`},
		{"parley_account_ready", "account", `SELECT name AS value, CASE WHEN state = 'ready' THEN 1 ELSE 0 END AS count FROM accounts ORDER BY name`},
		{"parley_conversations_waiting", "", `SELECT '' AS value, count(*) AS count FROM conversations WHERE owner = 'waiting' AND owner <> 'bot'`},
		{"parley_events_parked", "", `SELECT '' AS value, count(*) AS count FROM parked WHERE done_ms = 0`},
		{"parley_deliveries_due", "", `SELECT '' AS value, (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM held) AS count`},
	} {
		var rows []struct {
			Value string
			Count int64
		}
		if err := tx.list(ctx, "count "+q.name, &rows, q.query); err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, Gauge{q.name, q.label, r.Value, r.Count})
		}
	}
	return out, nil
}
