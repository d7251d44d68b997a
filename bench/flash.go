package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/bench/figures"
	"parley/bench/load"
	"parley/bench/seed"
	"parley/bench/shop"
	"parley/store"
)

// flashStock is how many there are of what everybody wants.
const flashStock = 100

// flash is a sale: everybody was told of it, presses the button at once, and few can have one.
func (b *bench) flash() (err error) {
	s, in, err := b.parleyOn("Parley on SQLite, shop bot", nil, nil, b.buyers)
	if err != nil {
		return err
	}
	f := &sale{bench: b, system: s, shop: in}
	defer func() { err = errors.Join(err, in.Stop()) }()
	s.crowd.Say = load.Words("do you ship?")
	s.bot.Told = f.told
	if err := f.prepare(); err != nil {
		return err
	}
	for round := range b.rounds {
		b.report.say("flash sale: round %d of %d", round+1, b.rounds)
		if err := f.round(round); err != nil {
			return err
		}
	}
	f.tell()
	return nil
}

type sale struct {
	*bench
	*system
	shop *shop.Shop

	mu      sync.Mutex
	buttons map[int64]string // by chat, while they are told of the sale
	alerts  atomic.Int64

	ordinary, sold []sample
	orders         []int
	answers        []string
}

// told keeps the buttons of alerts, and hands answers to those who wait.
func (f *sale) told(chat int64, body []byte) {
	f.mu.Lock()
	if f.buttons != nil {
		f.buttons[chat] = firstButton(body)
		f.alerts.Add(1)
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	f.crowd.Answered(chat)
}

func sku(round int) string { return fmt.Sprintf("lamp-%d", round) }

// prepare puts the products on the shelf and has everybody watch each of them.
func (f *sale) prepare() error {
	for round := range f.rounds {
		if err := f.shop.Product(f.ctx, sku(round), 2000, 10_000_000); err != nil {
			return err
		}
	}
	if err := f.shop.Stop(); err != nil {
		return err
	}
	err := f.seed(f.shop, func(s *store.Store) error {
		c := seed.Crowd{Account: account.Name, Channel: "telegram", First: f.crowd.First, People: f.buyers, SKU: sku(0), Below: 1800}
		if err := seed.People(f.ctx, s, c); err != nil {
			return err
		}
		for round := 1; round < f.rounds; round++ {
			if err := seed.Watches(f.ctx, s, account.Name, sku(round), f.crowd.First, f.buyers, 1800); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.restart(f.system, f.shop)
}

// restart starts a shop again and has its customers find it.
func (b *bench) restart(s *system, in *shop.Shop) error {
	if _, err := in.Start(b.ctx); err != nil {
		return err
	}
	s.pids[0], s.crowd.Addr = in.PID(), in.Addr()
	return nil
}

// seed fills the database of a shop that is closed.
func (b *bench) seed(in *shop.Shop, fill func(*store.Store) error) error {
	s, err := store.Open(b.ctx, in.Database, store.Options{})
	if err != nil {
		return err
	}
	return errors.Join(fill(s), s.Close())
}

func (f *sale) round(round int) error {
	ordinary, err := f.measure(f.system, load.Run{Clients: 256, During: 5 * time.Minute, Count: int64(f.buyers)})
	if err != nil {
		return err
	}
	f.ordinary = append(f.ordinary, ordinary)
	if err := f.tellAll(round); err != nil {
		return err
	}
	if err := f.shop.Product(f.ctx, sku(round), 1700, flashStock); err != nil {
		return err
	}
	f.mu.Lock()
	buttons := f.buttons
	f.buttons = nil
	f.mu.Unlock()
	f.crowd.Press = func(chat int64) string { return buttons[chat] }
	sold, err := f.measure(f.system, load.Run{Clients: 256, During: 5 * time.Minute, Count: int64(f.buyers)})
	f.crowd.Press = nil
	if err != nil {
		return err
	}
	f.sold = append(f.sold, sold)
	n, err := f.countOrders(round)
	f.orders = append(f.orders, n)
	f.answers = append(f.answers, fmt.Sprintf("%d presses, %d answered, %d twice, %d refused", sold.result.Sent, sold.result.Done, sold.result.Extra, sold.result.Failed))
	return err
}

// tellAll lets the price fall and waits until everybody has a button.
func (f *sale) tellAll(round int) error {
	f.mu.Lock()
	f.buttons = map[int64]string{}
	f.mu.Unlock()
	f.alerts.Store(0)
	if err := f.shop.Product(f.ctx, sku(round), 1700, 10_000_000); err != nil {
		return err
	}
	for end := time.Now().Add(3 * time.Minute); f.alerts.Load() < int64(f.buyers); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("only %d of %d were told of the sale", f.alerts.Load(), f.buyers)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(slices.Collect(maps.Values(f.buttons)), "") {
		return errors.New("somebody was told of the sale without a button")
	}
	return nil
}

// countOrders counts the sold pieces of a round's product over REST.
func (f *sale) countOrders(round int) (int, error) {
	n, cursor := 0, ""
	for {
		var page struct {
			Items []struct {
				Status string
				Items  []struct {
					SKU      string
					Quantity int
				}
			}
			Next string
		}
		path := "/api/v1/orders?limit=200"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		if err := f.shop.Call(f.ctx, "GET", path, nil, &page); err != nil {
			return n, err
		}
		for _, order := range page.Items {
			for _, item := range order.Items {
				if item.SKU == sku(round) {
					n += item.Quantity
				}
			}
		}
		if cursor = page.Next; cursor == "" {
			return n, nil
		}
	}
}

func (f *sale) tell() {
	t := table{
		title: fmt.Sprintf("Flash sale: %d buyers press at once, %d can have one", f.buyers, flashStock),
		head:  []string{"", "time", "CPU a message", "messages/s", "answered after p50 / p99", "others"},
	}
	row := func(name string, samples []sample) []string {
		median := func(figure func(sample) float64) float64 { return figures.Median(each(samples, figure)) }
		answered := func(r load.Result) []time.Duration { return r.Answered }
		return []string{
			name, figures.Number(median(wallOf)) + " s", micros(median(func(s sample) float64 { return s.cpu })),
			figures.Number(median(func(s sample) float64 { return s.rate })),
			fmt.Sprintf("%s / %s ms", millis(medianQuantile(samples, answered, 0.5)), millis(medianQuantile(samples, answered, 0.99))),
			percent(median(func(s sample) float64 { return s.others })),
		}
	}
	t.rows = [][]string{row("as many ordinary turns", f.ordinary), row("the sale", f.sold)}
	t.notes = []string{"Each round: " + strings.Join(slices.Compact(f.answers), "; ") + "."}
	f.report.add(t)
	var once []float64
	for _, s := range f.sold {
		once = append(once, float64(int64(f.buyers)-s.result.Done+s.result.Extra))
	}
	f.report.gate(figures.Gate{Name: "orders beside the hundred there are", Rounds: each(f.orders, func(n int) float64 { return max(float64(n-flashStock), float64(flashStock-n)) }), Limit: 0})
	f.report.gate(figures.Gate{Name: "buyers not answered, or answered twice", Rounds: once, Limit: 0})
	f.report.gate(figures.Gate{Name: "time of the sale / of as many ordinary turns", Rounds: figures.Ratios(each(f.sold, wallOf), each(f.ordinary, wallOf)), Limit: 1.3, Unit: "×"})
}

func wallOf(s sample) float64 { return s.result.Wall.Seconds() }
