package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/bench/figures"
	"parley/bench/load"
	"parley/bench/proc"
	"parley/bench/seed"
	"parley/bench/shop"
	"parley/store"
)

// growth asks whether a turn costs the same when a lot is stored.
func (b *bench) growth() error {
	var all []*grown
	for _, size := range b.grown {
		g, err := b.grow(size)
		if err != nil {
			return err
		}
		all = append(all, g)
	}
	for round := range b.rounds {
		b.report.say("growth: round %d of %d", round+1, b.rounds)
		for _, g := range all {
			if err := g.round(b); err != nil {
				return err
			}
		}
	}
	b.tellGrowth(all)
	return nil
}

// grown is an installation with so much in it.
type grown struct {
	*system
	shop          *shop.Shop
	size, repeats int

	turns []sample
	store []outcome
	idle  []float64 // MB
	start []float64 // ms
}

func (b *bench) grow(size int) (*grown, error) {
	repeats := min(3*size, b.repeats)
	s, in, err := b.parleyOn(fmt.Sprintf("%d conversations, %d ids of messages", size, repeats), botFiles(), nil, size)
	if err != nil {
		return nil, err
	}
	g := &grown{system: s, shop: in, size: size, repeats: repeats}
	_, err = s.crowd.Go(b.ctx, load.Run{Clients: 8, During: time.Minute, Count: 8}) // so that there is a session to copy
	if err = errors.Join(err, in.Stop()); err != nil {
		return nil, err
	}
	b.report.say("storing %s", s.name)
	return g, b.seed(in, func(st *store.Store) error {
		session, err := seed.Session(b.ctx, st, account.Name)
		if err != nil {
			return err
		}
		if _, err := st.DB().ExecContext(b.ctx, `DELETE FROM conversations WHERE NOT EXISTS (SELECT 1 FROM messages WHERE conversation_key = key)`); err != nil {
			return err
		}
		crowd := seed.Crowd{Account: account.Name, Channel: "telegram", First: s.crowd.First + growthFrom, People: size, Session: session}
		if err := seed.People(b.ctx, st, crowd); err != nil {
			return err
		}
		s.crowd.First += growthFrom
		return seed.Repeats(b.ctx, st, repeats)
	})
}

// growthFrom keeps those who are stored apart from those who gave the session.
const growthFrom = 10_000_000

func (g *grown) round(b *bench) error {
	first := strconv.FormatInt(g.crowd.First, 10)
	o, err := b.job("storage", g.shop.Database, "64", strconv.Itoa(g.size), "0", "0", b.cell.String(), first)
	if err != nil {
		return err
	}
	g.store = append(g.store, o)
	// Its answers were not sent. To do that now is no work of those who write next.
	err = b.seed(g.shop, func(st *store.Store) error {
		_, err := st.DB().ExecContext(b.ctx, `UPDATE parts SET state = 'sent' WHERE state IN ('queued', 'sending')`)
		return err
	})
	if err != nil {
		return err
	}
	took, err := g.shop.Start(b.ctx)
	if err != nil {
		return err
	}
	g.start = append(g.start, float64(took)/float64(time.Millisecond))
	g.pids[0], g.crowd.Addr = g.shop.PID(), g.shop.Addr()
	time.Sleep(300 * time.Millisecond)
	g.idle = append(g.idle, float64(proc.Resident(g.shop.PID()))/1e6)
	m, err := b.measure(g.system, load.Run{Clients: clients[0], During: b.cell})
	if err != nil {
		return errors.Join(err, g.shop.Stop())
	}
	g.turns = append(g.turns, m)
	return g.shop.Stop()
}

func (b *bench) tellGrowth(all []*grown) {
	t := table{
		title: "Growth on SQLite, 64 clients, customers in no order",
		head:  []string{"stored", "CPU a turn", "turns/s", "answered after p50 / p99", "store alone, turns/s", "longest commit", "idle", "start-up", "others"},
		notes: []string{"The store alone: 64 turns a commit."},
	}
	answered := func(r load.Result) []time.Duration { return r.Answered }
	for _, g := range all {
		median := func(figure func(sample) float64) string { return figures.Number(figures.Median(each(g.turns, figure))) }
		t.rows = append(t.rows, []string{
			g.name, median(func(s sample) float64 { return s.cpu }) + " µs", median(func(s sample) float64 { return s.rate }),
			fmt.Sprintf("%s / %s ms", millis(medianQuantile(g.turns, answered, 0.5)), millis(medianQuantile(g.turns, answered, 0.99))),
			figures.Number(figures.Median(each(g.store, outcome.perSecond))), figures.Number(figures.Median(each(g.store, longest))) + " ms",
			figures.Number(figures.Median(g.idle)) + " MB", figures.Number(figures.Median(g.start)) + " ms",
			percent(figures.Median(each(g.turns, func(s sample) float64 { return s.others }))),
		})
	}
	b.report.add(t)
	small, large := all[0], all[len(all)-1]
	rate := func(s sample) float64 { return s.rate }
	cold := figures.Sum(large.idle, each(small.idle, func(mb float64) float64 { return -mb }))
	for _, g := range []figures.Gate{
		{Name: "turns per second with " + short(large.size) + " conversations / with " + short(small.size), Rounds: figures.Ratios(each(large.turns, rate), each(small.turns, rate)), Limit: 0.5, Floor: true, Unit: "×"},
		{Name: "longest commit with " + short(large.size) + " conversations", Rounds: each(large.store, longest), Limit: 100, Unit: " ms"},
		{Name: "memory for each cold conversation", Rounds: each(cold, func(mb float64) float64 { return max(0, mb*1e6/float64(large.size-small.size)) }), Limit: 8, Unit: " bytes"},
	} {
		b.report.gate(g)
	}
}

// short writes round numbers as one says them.
func short(n int) string {
	s := strconv.Itoa(n)
	for _, unit := range []string{" thousand", " million"} {
		if !strings.HasSuffix(s, "000") {
			return s
		}
		s = strings.TrimSuffix(s, "000")
		if unit == " million" || !strings.HasSuffix(s, "000") {
			return s + unit
		}
	}
	return s
}
