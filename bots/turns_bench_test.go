package bots

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// sink is a network that takes everything at once.
type sink struct {
	sent atomic.Int64
}

func (*sink) Limits() adapters.Limits                        { return chatty }
func (*sink) Run(ctx context.Context, _ adapters.Sink) error { <-ctx.Done(); return nil }
func (s *sink) Send(context.Context, adapters.Part) (adapters.Sent, error) {
	return adapters.Sent{ID: fmt.Sprint(s.sent.Add(1))}, nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTurns is the house without networks: an event comes in, the shop's bot answers, the answer is taken, that is noted.
func BenchmarkTurns(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint("sqlite/", clients), func(b *testing.B) {
			benchTurns(b, "sqlite://"+filepath.Join(b.TempDir(), "p.db"), clients)
		})
		b.Run(fmt.Sprint("postgres/", clients), func(b *testing.B) { benchTurns(b, storetest.PostgresURL(b), clients) })
	}
}

func benchTurns(b *testing.B, dsn string, clients int) {
	ctx, cancel := context.WithCancel(context.Background())
	db, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	net := &sink{}
	m := Merchant{Name: "demo", Title: "Demo", Flows: builtInFlows(b), Payment: newTill(),
		Accounts: []Account{{Name: "chat", Channel: "webchat", Messenger: net, MayWriteFirst: true}}}
	err = db.Tx(ctx, func(tx *store.Tx) (err error) {
		m.ID, err = tx.SetMerchant(ctx, "demo", "Demo")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Options{Store: db, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "" }, Merchants: []Merchant{m}})
	if err != nil {
		b.Fatal(err)
	}
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.Run(ctx, ready) }()
	<-ready
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	var next atomic.Int64
	take := h.Sink("chat")
	turns := func(n int64, clients int) {
		last := next.Load() + n
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for {
					i := next.Add(1)
					if i > last {
						return
					}
					chat := fmt.Sprint("visitor", i*7919%5000)
					e := conversation.Event{Kind: conversation.Text, Chat: chat, Sender: chat, ID: fmt.Sprint("in", i), Text: "help"}
					if err := take(ctx, []conversation.Event{e}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		next.Store(last)
	}
	turns(5000, 256)
	b.ReportAllocs()
	b.ResetTimer()
	before, sent, commits := cpuTime(), net.sent.Load(), h.inbox.commits.Load()
	turns(int64(b.N), clients)
	for net.sent.Load()-sent < int64(b.N) {
		runtime.Gosched()
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1000, "µs-cpu/turn")
	b.ReportMetric(float64(b.N)/float64(h.inbox.commits.Load()-commits), "turns/commit")
}
