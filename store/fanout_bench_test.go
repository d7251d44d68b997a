package store_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"parley/store"
	"parley/store/storetest"
)

// BenchmarkFanout queues a million watchers of one product. It tells CPU and time, how long the longest chunk held the write lock, and
// on SQLite how large a row is.
func BenchmarkFanout(b *testing.B) {
	const watchers = 1_000_000
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			dsn := "sqlite://" + b.TempDir() + "/fanout.db"
			if name == "postgres" {
				dsn = storetest.PostgresURL(b)
			}
			s, err := store.Open(b.Context(), dsn, store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			shop := storetest.NewShop(b, s)
			shop.Stock("mug", 2000, watchers)
			shop.Crowd("mug", watchers, 1800)
			b.ResetTimer()
			for b.Loop() {
				queue(b, shop, watchers)
			}
		})
	}
}

func queue(b *testing.B, shop *storetest.Shop, watchers int) {
	shop.Reprice("mug", 2000)
	if raised := shop.Reprice("mug", 1700); len(raised) != 1 {
		b.Fatalf("got %v, want one occurrence", raised)
	}
	began, used := time.Now(), processTime()
	var chunks []time.Duration
	n := shop.Store.NewPace()
	for chunk(shop, n.Size(), &chunks) {
		n.Took(chunks[len(chunks)-1])
	}
	longest := slices.Max(chunks)
	took, cpu := time.Since(began), processTime()-used
	slices.Sort(chunks)
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-chunk")
	b.ReportMetric(float64(chunks[len(chunks)/2].Microseconds())/1000, "ms/median-chunk")
	b.ReportMetric(cpu.Seconds(), "CPU-s")
	b.ReportMetric(took.Seconds(), "s")
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		all, err := tx.Fanouts(ctx, shop.Merchant, 0, 1)
		if err == nil && (len(all) != 1 || all[0].Total != watchers) {
			err = fmt.Errorf("got %+v, want %d queued", all, watchers)
		}
		if err == nil {
			err = tx.CancelFanout(ctx, shop.Merchant, all[0].ID)
		}
		return err
	})
	if shop.Store.Dialect() == store.SQLite {
		var size int64
		if err := shop.Store.DB().Get(&size, `SELECT sum(pgsize) FROM dbstat WHERE name = 'deliveries'`); err == nil {
			b.ReportMetric(float64(size)/float64(watchers), "B/row")
		}
	}
	for chunk(shop, 20_000, &chunks) {
	}
}

// chunk spreads one chunk and notes how long that took; false when there is nothing to spread.
func chunk(shop *storetest.Shop, n int, took *[]time.Duration) (more bool) {
	began := time.Now()
	shop.Do(func(ctx context.Context, tx *store.Tx) (err error) {
		more, err = spreadSome(ctx, tx, n)
		return err
	})
	*took = append(*took, time.Since(began))
	return more
}

// processTime is the CPU time of this process; the database server's is not in it.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
