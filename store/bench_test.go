package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// cpuTime is what this process has used; a Postgres server's work is not in it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkApplyTurns stores turns that hear and answer, of 5000 conversations, in groups of a size.
func BenchmarkApplyTurns(b *testing.B) {
	for _, size := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprint("sqlite/", size), func(b *testing.B) {
			benchTurns(b, "sqlite://"+filepath.Join(b.TempDir(), "p.db"), size)
		})
		b.Run(fmt.Sprint("postgres/", size), func(b *testing.B) { benchTurns(b, storetest.PostgresURL(b), size) })
	}
}

func benchTurns(b *testing.B, dsn string, size int) {
	ctx := context.Background()
	s, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var m commerce.MerchantID
	err = s.Tx(ctx, func(tx *store.Tx) (err error) {
		m, err = tx.SetMerchant(ctx, "demo", "Demo")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	apply := func(size int) {
		turns := make([]store.Turn, size)
		for i := range turns {
			n++
			turns[i] = hearAndAnswer(m, n)
		}
		if _, err := s.ApplyTurns(ctx, turns); err != nil {
			b.Fatal(err)
		}
	}
	for n < 5000 {
		apply(250)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before, done := cpuTime(), 0
	for ; done < b.N; done += size {
		apply(size)
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(done)/1000, "µs-cpu/turn")
}

func hearAndAnswer(m commerce.MerchantID, n int) store.Turn {
	const answer = "Yes, the lamp of beech is in stock: 35.50 EUR. Would you like to have one sent to you? There are few left, and the next come in March."
	chat := fmt.Sprint("chat", n*7919%5000)
	e := conversation.Event{Kind: conversation.Text, Account: "chat", Chat: chat, Sender: chat, ID: fmt.Sprint("update", n), Text: "Hello there, is the lamp in stock?"}
	return store.Turn{Merchant: m, Channel: "telegram", Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		if _, err := tx.AddMessage(ctx, th, store.Message{Author: store.FromContact, Kind: "text", Text: e.Text}, e.ID); err != nil {
			return err
		}
		if err := tx.Event(ctx, m, "message_in", th.ID, nil); err != nil {
			return err
		}
		if err := tx.DropHeld(ctx, th); err != nil {
			return err
		}
		th.Session = conversation.Session{Flow: "shop", State: "asked", Vars: conversation.Vars{"product.title": "A lamp of beech",
			"product.sku": "LAMP-1", "price": "35.50 EUR"}}
		out := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: answer}
		var err error
		if out.Key, err = tx.AddMessage(ctx, th, out, ""); err != nil {
			return err
		}
		if _, err := tx.AddParts(ctx, th, out, []store.Part{{Text: answer}}, time.Time{}, true); err != nil {
			return err
		}
		return tx.Event(ctx, m, "message_out", th.ID, nil)
	}}
}
