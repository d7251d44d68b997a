package bots

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/store"
	"parley/store/storetest"
)

// writesFirst is a null network with buttons.
type writesFirst struct{ *null }

func (writesFirst) Limits() adapters.Limits { return chatty }

// BenchmarkTold tells b.N watchers of a price: from the change of the price to the last message taken by a network that takes all.
func BenchmarkTold(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchTold(b, "sqlite://"+b.TempDir()+"/p.db") })
	b.Run("postgres", func(b *testing.B) { benchTold(b, storetest.PostgresURL(b)) })
}

func benchTold(b *testing.B, dsn string) {
	db, err := store.Open(b.Context(), dsn, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	shop := storetest.NewShop(b, db)
	shop.Stock("mug", 2000, b.N)
	shop.Crowd("mug", b.N, 1800)
	net := writesFirst{&null{want: int64(b.N), all: make(chan struct{})}}
	h, err := New(Options{Store: db, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "" },
		Merchants: []Merchant{{ID: shop.Merchant, Name: "demo", Title: "Demo", Policy: shop.Policy, Flows: builtInFlows(b), Payment: newTill(),
			Accounts: []Account{{Name: "chat", Channel: "webchat", Messenger: net, MayWriteFirst: true}}}}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.Run(ctx, ready) }()
	<-ready
	price, used := storetest.EUR(1700), cpuTime()
	b.ResetTimer()
	if _, err := h.PutProduct(ctx, shop.Merchant, commerce.ProductChange{SKU: "mug", Price: &price}); err != nil {
		b.Fatal(err)
	}
	select {
	case <-net.all:
	case <-time.After(5 * time.Minute):
		b.Errorf("%d of %d were told", net.sent.Load(), b.N)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime()-used).Microseconds())/float64(b.N), "CPU-µs/op")
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
}
