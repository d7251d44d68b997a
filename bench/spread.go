package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"parley/bench/raw"
	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// policy is that of a shop which haggles with nobody.
var policy = commerce.Policy{Currency: "EUR"}

// spreadJob queues a fan-out through the store alone: the database's address and its process, the product. The price falls to what
// the watchers wait for; afterwards it is back, and nobody is queued. Its note is the bytes of a row.
func spreadJob(ctx context.Context, args []string) error {
	s, err := store.Open(ctx, args[0], store.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	var merchant commerce.MerchantID
	if err := s.DB().GetContext(ctx, &merchant, `SELECT min(key) FROM merchants`); err != nil {
		return err
	}
	f := &spreading{store: s, merchant: merchant, sku: args[2]}
	if err := f.price(ctx, 1700); err != nil {
		return err
	}
	o, used := outcome{}, cpuWith(args[1])
	cpu, began := used(), time.Now()
	if o.Times, err = f.spread(ctx); err != nil {
		return err
	}
	o.CPU, o.Wall = used()-cpu, time.Since(began)
	err = s.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Fanouts(ctx, merchant, 0, 1)
		if err == nil && len(all) == 1 {
			o.Ops = int64(all[0].Total)
		}
		return err
	})
	if err != nil {
		return err
	}
	bytes := `SELECT sum(pgsize) FROM dbstat WHERE name = 'deliveries'`
	if s.Dialect() == store.Postgres {
		bytes = `SELECT pg_total_relation_size('deliveries')`
	}
	var size float64
	if err := s.DB().GetContext(ctx, &size, bytes); err == nil && o.Ops > 0 {
		o.Note = strconv.FormatFloat(size/float64(o.Ops), 'f', 1, 64)
	}
	if err := tell(o); err != nil {
		return err
	}
	return f.clear(ctx)
}

// spreading is one product's fan-out.
type spreading struct {
	store    *store.Store
	merchant commerce.MerchantID
	sku      string
}

func (f *spreading) price(ctx context.Context, minor int64) error {
	price := money.New(minor, "EUR")
	return f.store.Tx(ctx, func(tx *store.Tx) error {
		_, _, err := commerce.PutProduct(ctx, tx, f.merchant, commerce.ProductChange{SKU: f.sku, Price: &price}, policy, tx.Now())
		return err
	})
}

// spread does chunk after chunk and returns how long each held the write lock.
func (f *spreading) spread(ctx context.Context) ([]time.Duration, error) {
	var took []time.Duration
	pace := f.store.NewPace()
	for more := true; more; {
		at := time.Now()
		err := f.store.Tx(ctx, func(tx *store.Tx) error {
			keys, err := tx.ToSpread(ctx, 1)
			if more = len(keys) > 0; err != nil || !more {
				return err
			}
			_, err = tx.SpreadChunk(ctx, keys[0], pace.Size())
			return err
		})
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(at))
		pace.Took(time.Since(at))
	}
	return took, nil
}

// clear forgets the fan-out and brings the price back, by hand: the product takes its time for it.
func (f *spreading) clear(ctx context.Context) error {
	empty := `DELETE FROM deliveries`
	if f.store.Dialect() == store.Postgres {
		empty = `TRUNCATE deliveries`
	}
	for _, q := range []string{
		empty,
		`UPDATE occurrences SET state = 'cancelled', done_ms = at_ms`,
		`UPDATE products SET price_minor = 2000`,
	} {
		if _, err := f.store.DB().ExecContext(ctx, q); err != nil {
			return fmt.Errorf("forget the fan-out: %w", err)
		}
	}
	return nil
}

// bareJob is the same with nothing around it: the database's address, which must be empty, and its process, how many watchers. It tells the
// queueing, and in its note the bytes of a row and how many rows a second are claimed and marked.
func bareJob(ctx context.Context, args []string) (err error) {
	watchers, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	f, err := raw.OpenFanout(ctx, args[0], watchers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	o, used := outcome{Ops: int64(watchers)}, cpuWith(args[1])
	cpu, began := used(), time.Now()
	if o.Times, err = f.Queue(ctx, 10_000); err != nil {
		return err
	}
	o.CPU, o.Wall = used()-cpu, time.Since(began)
	bytes, err := f.RowBytes(ctx)
	if err != nil {
		return err
	}
	at := time.Now()
	n, err := f.Drain(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	o.Note = fmt.Sprintf("%.1f %.0f", bytes, float64(n)/time.Since(at).Seconds())
	return tell(o)
}

// noted reads the n-th of the numbers in a note.
func noted(note string, n int) float64 {
	fields := strings.Fields(note)
	if n >= len(fields) {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(fields[n], 64)
	return f
}
