package bots

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// counter is a network that takes everything at once, also changes of what it showed, and keeps the first button of each chat.
type counter struct {
	sent, edited atomic.Int64
	buttons      sync.Map

	mu     sync.Mutex
	want   int64
	enough chan struct{} // closed when so many were sent
}

func (*counter) Limits() adapters.Limits {
	l := chatty
	l.Edits = true
	return l
}
func (*counter) Run(ctx context.Context, _ adapters.Sink) error { <-ctx.Done(); return nil }
func (c *counter) Send(_ context.Context, p adapters.Part) (adapters.Sent, error) {
	if len(p.Choices) > 0 {
		c.buttons.LoadOrStore(p.Chat, p.Choices[0].Value)
	}
	n := c.sent.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == c.want {
		close(c.enough)
	}
	return adapters.Sent{ID: fmt.Sprint(n)}, nil
}

func (c *counter) Edit(context.Context, string, adapters.Part) error {
	c.edited.Add(1)
	return nil
}

// expect says when n more were sent.
func (c *counter) expect(n int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want, c.enough = c.sent.Load()+int64(n), make(chan struct{})
	return c.enough
}

// BenchmarkPresses is a flash sale: b.N watchers were told of a price, all press the button, and the first hundred get one. Beside it
// stand as many ordinary turns of the same people.
func BenchmarkPresses(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchPresses(b, "sqlite://"+b.TempDir()+"/p.db") })
	b.Run("postgres", func(b *testing.B) { benchPresses(b, storetest.PostgresURL(b)) })
}

func benchPresses(b *testing.B, dsn string) {
	const clients, stock = 256, 100
	db, err := store.Open(b.Context(), dsn, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	shop := storetest.NewShop(b, db)
	shop.Stock("mug", 2000, b.N+stock)
	shop.Crowd("mug", b.N, 1800)
	net := &counter{}
	h, stop := openBench(b, db, shop, net)
	told := net.expect(b.N)
	price := storetest.EUR(1700)
	if _, err := h.PutProduct(b.Context(), shop.Merchant, commerce.ProductChange{SKU: "mug", Price: &price}); err != nil {
		b.Fatal(err)
	}
	<-told
	left := stock
	if _, err := h.PutProduct(b.Context(), shop.Merchant, commerce.ProductChange{SKU: "mug", Stock: &left}); err != nil {
		b.Fatal(err)
	}
	var crowd []conversation.Event
	net.buttons.Range(func(chat, value any) bool {
		crowd = append(crowd, conversation.Event{Kind: conversation.Choice, Chat: chat.(string), Sender: chat.(string), Value: value.(string)})
		return true
	})
	if len(crowd) != b.N {
		b.Fatalf("%d of %d have a button", len(crowd), b.N)
	}
	take := h.Sink("chat")
	all := func(event func(i int) conversation.Event) (cpu, took time.Duration) {
		answered, used, began := net.expect(len(crowd)), cpuTime(), time.Now()
		var next atomic.Int64
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < len(crowd); i = int(next.Add(1)) - 1 {
					if err := take(b.Context(), []conversation.Event{event(i)}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		<-answered
		return cpuTime() - used, time.Since(began)
	}
	ordinary, calm := all(func(i int) conversation.Event {
		e := crowd[i]
		e.Kind, e.Value, e.Text, e.ID = conversation.Text, "", "do you ship?", fmt.Sprint("said", i)
		return e
	})
	b.ResetTimer()
	pressed, rush := all(func(i int) conversation.Event {
		e := crowd[i]
		e.ID = fmt.Sprint("pressed", i)
		return e
	})
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(float64(pressed.Microseconds())/n, "CPU-µs/press")
	b.ReportMetric(float64(ordinary.Microseconds())/n, "CPU-µs/turn")
	b.ReportMetric(rush.Seconds()/calm.Seconds(), "time/turns")
	b.ReportMetric(float64(net.edited.Load())/n, "edits/press")
	stop()
}
