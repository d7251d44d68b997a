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

// BenchmarkTold tells b.N watchers of a price: from the change of the price to the last message taken by a network that takes all. Some
// have talked with the shop before, some only left their address.
func BenchmarkTold(b *testing.B) {
	for _, who := range []string{"talked", "new"} {
		b.Run("sqlite/"+who, func(b *testing.B) { benchTold(b, "sqlite://"+b.TempDir()+"/p.db", who == "talked") })
		b.Run("postgres/"+who, func(b *testing.B) { benchTold(b, storetest.PostgresURL(b), who == "talked") })
	}
}

const talkedOnce = `
	INSERT INTO conversations (id, merchant_id, account, channel, chat, contact_key, address_key, session, created_ms, changed_ms)
	SELECT 'cnv_' || key, merchant_id, account, channel, network_id, contact_key, key, '{"flow":"","state":""}', created_ms, created_ms
	FROM addresses
	WHERE id LIKE 'adr_crowd%'`

func benchTold(b *testing.B, dsn string, talked bool) {
	db, err := store.Open(b.Context(), dsn, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	shop := storetest.NewShop(b, db)
	shop.Stock("mug", 2000, b.N)
	shop.Crowd("mug", b.N, 1800)
	if talked {
		if _, err := db.DB().ExecContext(b.Context(), talkedOnce); err != nil {
			b.Fatal(err)
		}
	}
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
