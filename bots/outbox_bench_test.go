package bots

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// null is a network that takes everything at once.
type null struct {
	sent atomic.Int64
	want int64
	all  chan struct{}
}

func (*null) Limits() adapters.Limits { return adapters.Limits{} }

func (*null) Run(ctx context.Context, _ adapters.Sink) error {
	<-ctx.Done()
	return nil
}

func (n *null) Send(context.Context, adapters.Part) (adapters.Sent, error) {
	i := n.sent.Add(1)
	if i == n.want {
		close(n.all)
	}
	return adapters.Sent{ID: fmt.Sprint(i)}, nil
}

// BenchmarkDrain sends what waits in the table, one part to each chat, and notes it: per part.
func BenchmarkDrain(b *testing.B) {
	for _, class := range []conversation.Class{conversation.Answer, conversation.Notification} {
		b.Run(string(class), func(b *testing.B) {
			s, err := store.Open(b.Context(), "sqlite://"+b.TempDir()+"/parley.db", store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			drain(b, s, class)
		})
	}
	b.Run("postgres", func(b *testing.B) {
		s, err := store.Open(b.Context(), storetest.PostgresURL(b), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		drain(b, s, conversation.Notification)
	})
}

func drain(b *testing.B, s *store.Store, class conversation.Class) {
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	net := &null{want: int64(b.N), all: make(chan struct{})}
	m := Merchant{Name: "demo", Title: "Demo", Flows: builtInFlows(b), Payment: newTill(), Accounts: []Account{{Name: "chat", Channel: "webchat", Messenger: net}}}
	err := s.Tx(ctx, func(tx *store.Tx) (err error) {
		m.ID, err = tx.SetMerchant(ctx, "demo", "Demo")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for from := 0; from < b.N; from += 256 {
		var turns []store.Turn
		for i := from; i < min(from+256, b.N); i++ {
			chat := fmt.Sprint("chat", i)
			turns = append(turns, store.Turn{Merchant: m.ID, Channel: "webchat", Event: conversation.Event{Account: "chat", Chat: chat, Sender: chat},
				Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
					msg := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: "Harbour mug now costs €17.00", Class: class}
					var err error
					if msg.Key, err = tx.AddMessage(ctx, th, msg, ""); err != nil {
						return err
					}
					_, err = tx.AddParts(ctx, th, msg, []store.Part{{Text: msg.Text}}, time.Time{}, false)
					return err
				}})
		}
		if _, err := s.ApplyTurns(ctx, turns); err != nil {
			b.Fatal(err)
		}
	}
	house, err := New(Options{Store: s, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "" }, Merchants: []Merchant{m}})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	before, ended := cpu(), make(chan error, 1)
	go func() { ended <- house.Run(ctx, nil) }()
	select {
	case <-net.all:
	case <-time.After(10 * time.Minute):
		b.Fatalf("%d of %d parts were sent", net.sent.Load(), b.N)
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.StopTimer()
	var left int
	if err := s.DB().Get(&left, `SELECT COUNT(*) FROM parts WHERE state <> 'sent'`); err != nil || left != 0 {
		b.Fatalf("%d parts are not noted as sent, %v", left, err)
	}
}

// cpu is the time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
