package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/bench/figures"
	"parley/bench/load"
	"parley/bench/shop"
	"parley/bench/sink"
)

// faultRate is how many messages a second each account gets.
const faultRate = 100

// faults asks whether one account's trouble is felt by another: it is throttled, or its network has died, and people go on writing to it.
func (b *bench) faults() (err error) {
	f := &faultsRun{bench: b}
	defer func() { err = errors.Join(err, f.end()) }()
	for _, h := range []house{
		{name: "both are well", trouble: func(*sink.Bot) {}},
		{name: "the other is throttled for 60 s", trouble: func(bot *sink.Bot) { bot.Refuse(10*time.Minute, time.Minute) }},
		{name: "the other's network has died", trouble: func(bot *sink.Bot) { bot.Hang(10 * time.Minute) }},
	} {
		if err := f.open(&h); err != nil {
			return err
		}
	}
	for round := range b.rounds {
		b.report.say("faults: round %d of %d", round+1, b.rounds)
		for _, h := range f.houses {
			if err := f.measureBeside(h); err != nil {
				return fmt.Errorf("%s: %w", h.name, err)
			}
		}
	}
	f.tell()
	return nil
}

// faultsRun has an installation for each trouble, so that they can be measured in turn.
type faultsRun struct {
	*bench
	houses []*house
}

// house is an installation with two accounts, one of them in trouble.
type house struct {
	name        string
	trouble     func(*sink.Bot)
	well, other *system
	samples     []sample
}

func (f *faultsRun) open(h *house) error {
	n := len(f.houses)
	well := shop.Account{Name: "well", Token: fmt.Sprintf("%d:well", 200+n)}
	other := shop.Account{Name: "other", Token: fmt.Sprintf("%d:other", 300+n)}
	var in *shop.Shop
	var err error
	h.well, in, err = f.parleyWith(shop.Setup{Name: h.name, Bot: botFiles(), Accounts: []shop.Account{well, other}}, 1_000)
	if err != nil {
		return err
	}
	f.houses = append(f.houses, h)
	h.other = &system{name: h.name, pids: h.well.pids, crowd: load.NewCrowd(in.Addr(), other.Path(), shop.Secret, 1_000)}
	h.other.bot = f.sink.Bot(other.Token, h.other.answered)
	if err := errors.Join(f.warm(h.well), f.warm(h.other)); err != nil {
		return err
	}
	h.trouble(h.other.bot)
	return nil
}

func (f *faultsRun) end() error {
	var errs []error
	for _, h := range f.houses {
		if h.other.bot != nil {
			h.other.bot.Recover()
		}
		errs = append(errs, h.well.stop())
	}
	return errors.Join(errs...)
}

// measureBeside has people write to both accounts and looks at the answers of the one that is well.
func (f *faultsRun) measureBeside(h *house) error {
	run := load.Run{Clients: 32, Rate: faultRate, During: max(f.cell, 2*time.Second), Settle: 5 * time.Second}
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		beside := run
		beside.Settle = time.Millisecond
		_, failed = h.other.crowd.Go(f.ctx, beside)
	})
	m, err := f.measure(h.well, run)
	wg.Wait()
	h.samples = append(h.samples, m)
	return errors.Join(err, failed)
}

func (f *faultsRun) tell() {
	t := table{
		title: fmt.Sprintf("One account's trouble and another's answers, %d messages a second to each", faultRate),
		head:  []string{"", "200 after p50 / p99", "answered after p50 / p99", "unanswered", "others"},
	}
	answered := func(r load.Result) []time.Duration { return r.Answered }
	confirmed := func(r load.Result) []time.Duration { return r.Confirmed }
	for _, h := range f.houses {
		var unheard int64
		for _, s := range h.samples {
			unheard += s.result.Unheard
		}
		t.rows = append(t.rows, []string{
			h.name,
			fmt.Sprintf("%s / %s ms", millis(medianQuantile(h.samples, confirmed, 0.5)), millis(medianQuantile(h.samples, confirmed, 0.99))),
			fmt.Sprintf("%s / %s ms", millis(medianQuantile(h.samples, answered, 0.5)), millis(medianQuantile(h.samples, answered, 0.99))),
			fmt.Sprint(unheard), percent(figures.Median(each(h.samples, func(s sample) float64 { return s.others }))),
		})
	}
	f.report.add(t)
	p99 := func(h *house) []float64 {
		return each(h.samples, func(s sample) float64 { return float64(figures.Quantile(s.result.Answered, 0.99)) })
	}
	for _, h := range f.houses[1:] {
		f.report.gate(figures.Gate{Name: "p99 of answers while " + h.name + " / while both are well", Rounds: figures.Ratios(p99(h), p99(f.houses[0])), Limit: 2, Unit: "×"})
	}
}
