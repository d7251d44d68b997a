package bots

import (
	"context"
	"log/slog"
	"testing"

	"parley/adapters"
	"parley/store"
	"parley/store/storetest"
)

// openBench runs a house with one account, the merchant's of shop, until stop is called.
func openBench(b *testing.B, db *store.Store, shop *storetest.Shop, m adapters.Messenger) (h *House, stop func()) {
	b.Helper()
	h, err := New(Options{Store: db, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "" },
		Merchants: []Merchant{{ID: shop.Merchant, Name: "demo", Title: "Demo", Policy: shop.Policy, Flows: builtInFlows(b), Payment: newTill(),
			Accounts: []Account{{Name: "chat", Channel: "webchat", Messenger: m, MayWriteFirst: true}}}}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.Run(ctx, ready) }()
	<-ready
	return h, func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}
