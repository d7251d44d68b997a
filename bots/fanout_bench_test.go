package bots

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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
	h, stop := openBench(b, db, shop, net)
	price, used := storetest.EUR(1700), cpuTime()
	b.ResetTimer()
	if _, err := h.PutProduct(b.Context(), shop.Merchant, commerce.ProductChange{SKU: "mug", Price: &price}); err != nil {
		b.Fatal(err)
	}
	select {
	case <-net.all:
	case <-time.After(5 * time.Minute):
		b.Errorf("%d of %d were told", net.sent.Load(), b.N)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime()-used).Microseconds())/float64(b.N), "CPU-µs/op")
	stop()
}

// posting is a network behind HTTP that takes everything, and knows when those were answered who are waiting.
type posting struct {
	url    string
	client *http.Client
	told   atomic.Int64

	mu      sync.Mutex
	waiting map[string]time.Time
	took    []time.Duration
}

func (*posting) Limits() adapters.Limits { return chatty }

func (*posting) Run(ctx context.Context, _ adapters.Sink) error {
	<-ctx.Done()
	return nil
}

func (p *posting) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(part.Text))
	if err != nil {
		return adapters.Sent{}, err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return adapters.Sent{}, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if !strings.HasPrefix(part.Chat, "visitor") {
		p.told.Add(1)
		return adapters.Sent{}, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if since, ok := p.waiting[part.Chat]; ok {
		p.took = append(p.took, time.Since(since))
		delete(p.waiting, part.Chat)
	}
	return adapters.Sent{}, nil
}

// BenchmarkAnswered is how long b.N people, a hundred a second, wait for an answer: with nothing else to do, and while watchers are told.
func BenchmarkAnswered(b *testing.B) {
	for _, meanwhile := range []int{0, 30_000} {
		b.Run(fmt.Sprint("told=", meanwhile), func(b *testing.B) { benchAnswered(b, meanwhile) })
	}
}

func benchAnswered(b *testing.B, watchers int) {
	db, err := store.Open(b.Context(), "sqlite://"+b.TempDir()+"/p.db", store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	shop := storetest.NewShop(b, db)
	shop.Stock("mug", 2000, max(watchers, 1))
	if watchers > 0 {
		shop.Crowd("mug", watchers, 1800)
		if _, err := db.DB().ExecContext(b.Context(), talkedOnce); err != nil {
			b.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	net := &posting{url: server.URL, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}, waiting: map[string]time.Time{}}
	h, stop := openBench(b, db, shop, net)
	take := h.Sink("chat")
	ask := func(chat, id string, due time.Time) {
		net.mu.Lock()
		net.waiting[chat] = due
		net.mu.Unlock()
		if err := take(b.Context(), []conversation.Event{{Kind: conversation.Text, Chat: chat, Sender: chat, ID: id, Text: "help"}}); err != nil {
			b.Error(err)
		}
	}
	const people = 500
	for i := range people {
		ask(fmt.Sprint("visitor", i), fmt.Sprint("first", i), time.Now())
	}
	if watchers > 0 {
		price := storetest.EUR(1700)
		if _, err := h.PutProduct(b.Context(), shop.Merchant, commerce.ProductChange{SKU: "mug", Price: &price}); err != nil {
			b.Fatal(err)
		}
		for net.told.Load() < 500 {
			time.Sleep(time.Millisecond)
		}
	}
	net.mu.Lock()
	net.took = nil
	net.mu.Unlock()
	told, used := net.told.Load(), cpuTime()
	b.ResetTimer()
	began := time.Now()
	var asking sync.WaitGroup
	for i := range b.N {
		due := began.Add(time.Duration(i) * 10 * time.Millisecond)
		time.Sleep(time.Until(due))
		asking.Go(func() { ask(fmt.Sprint("visitor", i%people), fmt.Sprint("in", i), due) })
	}
	asking.Wait()
	wall := time.Since(began).Seconds()
	told = net.told.Load() - told
	b.StopTimer()
	net.mu.Lock()
	slices.Sort(net.took)
	if n := len(net.took); n > 0 {
		b.ReportMetric(float64(net.took[n/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(net.took[n*99/100].Microseconds())/1000, "p99-ms")
	}
	net.mu.Unlock()
	b.ReportMetric(float64(told)/wall, "told/s")
	b.ReportMetric((cpuTime()-used).Seconds()/wall, "cores")
	stop()
}
