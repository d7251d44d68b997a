package store_test

import (
	"testing"
	"time"

	"parley/store"
	"parley/store/storetest"
)

func TestDeliveriesThatWaitSurviveTheUpgradeToFanouts(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { upgrade(t, "sqlite://"+t.TempDir()+"/p.db") })
	t.Run("postgres", func(t *testing.T) { upgrade(t, storetest.PostgresURL(t)) })
}

func upgrade(t *testing.T, dsn string) {
	ctx := t.Context()
	s, err := store.Open(ctx, dsn, store.Options{SkipMigrate: true, SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.UpTo(ctx, 5); err != nil {
		t.Fatal(err)
	}
	night := time.Now().Add(time.Hour).UnixMilli()
	for _, statement := range []string{
		`INSERT INTO merchants (key, name, title, created_ms) VALUES (1, 'demo', 'Demo', 0)`,
		`INSERT INTO contacts (key, id, merchant_id, created_ms) VALUES (1, 'con_1', 1, 0), (2, 'con_2', 1, 0), (3, 'con_3', 1, 0)`,
		`INSERT INTO addresses (key, id, merchant_id, contact_key, account, channel, network_id, state, created_ms)
			VALUES (1, 'adr_1', 1, 1, 'chat', 'webchat', 'a', 'verified', 0), (2, 'adr_2', 1, 2, 'chat', 'webchat', 'b', 'verified', 0),
				(3, 'adr_3', 1, 3, 'chat', 'webchat', 'c', 'verified', 0)`,
		`INSERT INTO products (key, merchant_id, sku, title, currency, price_minor, on_hand, created_ms, changed_ms) VALUES (1, 1, 'mug', 'Mug', 'EUR', 1700, 5, 0, 0)`,
		`INSERT INTO watches (key, id, merchant_id, product_key, contact_key, address_key, event, currency, threshold_minor, state, epoch, created_ms, changed_ms)
			VALUES (1, 'wat_1', 1, 1, 1, 1, 'price_below', 'EUR', 1800, 'fired', 1, 0, 0), (2, 'wat_2', 1, 1, 2, 2, 'price_below', 'EUR', 1800, 'fired', 1, 0, 0),
				(3, 'wat_3', 1, 1, 3, 3, 'price_below', 'EUR', 1800, 'fired', 1, 0, 0)`,
		`INSERT INTO occurrences (key, id, merchant_id, product_key, event, price_minor, was_minor, currency, available, deliveries, at_ms)
			VALUES (1, 'occ_1', 1, 1, 'price_below', 1700, 2000, 'EUR', 5, 3, 1)`,
		`INSERT INTO deliveries (merchant_id, occurrence_key, watch_key, epoch, product_key, contact_key, address_key, not_at_night, state, due_ms)
			VALUES (1, 1, 1, 1, 1, 1, 1, 0, 'sent', 1), (1, 1, 2, 1, 1, 2, 2, 0, 'due', 1)`,
	} {
		if _, err := s.DB().ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.DB().ExecContext(ctx, `
	INSERT INTO deliveries (merchant_id, occurrence_key, watch_key, epoch, product_key, contact_key, address_key, not_at_night, state, due_ms)
	VALUES (1, 1, 3, 1, 1, 3, 3, 1, 'due', $1)`, night)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	var held []struct {
		Watch int64 `db:"watch_key"`
		Due   int64 `db:"due_ms"`
		State string
		Lane  int64
	}
	err = s.DB().Select(&held, `
	SELECT h.watch_key, h.due_ms, w.state, w.lane
	FROM held h
	JOIN watches w ON w.key = h.watch_key AND w.lane = h.lane
	ORDER BY h.watch_key`)
	if err != nil {
		t.Fatal(err)
	}
	if len(held) != 2 || held[0].Watch != 2 || held[0].Due != 1 || held[1].Watch != 3 || held[1].Due != night {
		t.Errorf("got %+v, want the two that were due", held)
	}
	for _, h := range held {
		if h.State != "armed" || h.Lane == 0 {
			t.Errorf("watch %d is %s in lane %d, want it armed in the lane of its account", h.Watch, h.State, h.Lane)
		}
	}
	var sent int
	if err := s.DB().Get(&sent, `SELECT n FROM tallies WHERE occurrence_key = 1 AND outcome = 'sent'`); err != nil || sent != 1 {
		t.Errorf("%d were counted as sent, %v, want 1", sent, err)
	}
}
