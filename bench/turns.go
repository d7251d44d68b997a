package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"parley/bench/figures"
	"parley/bench/load"
	"parley/bench/postgres"
)

// clients of the closed loop; the first is the one that the promises are about.
var clients = []int{64, 1, 8, 256}

// The systems that promises name.
const (
	onSQLite   = "Parley on SQLite"
	onPostgres = "Parley on Postgres"
	shopBot    = "Parley on SQLite, shop bot, “do you ship?”"
)

// turns measures the way of one message: webhook, durable turn, reply at the sink.
func (b *bench) turns() (err error) {
	t := &turnsRun{bench: b, samples: map[string][]sample{}, jobs: map[string][]outcome{}}
	defer func() { err = errors.Join(err, t.stop()) }()
	if err := t.start(); err != nil {
		return err
	}
	if err := t.prepareRows(); err != nil {
		return err
	}
	for round := range b.rounds {
		b.report.say("turns: round %d of %d", round+1, b.rounds)
		if err := t.round(round); err != nil {
			return err
		}
	}
	if err := t.openLoop(); err != nil {
		return err
	}
	t.tell()
	return nil
}

// turnsRun is the part's state: everything is started once, and measured in turn, round by round.
type turnsRun struct {
	*bench
	floorSync, floorJSON *system
	systems              []*system // all but the parsing alone
	pg                   *postgres.Server
	skipped              []string
	recorded             [3]string // what rowsJob needs: a database with turns, an empty one, how many turns
	samples              map[string][]sample
	jobs                 map[string][]outcome
}

func (t *turnsRun) start() error {
	var err error
	if t.floorSync, t.floorJSON, err = t.floor(); err != nil {
		return err
	}
	t.systems = append(t.systems, t.floorSync)
	add := func(s *system, err error) error {
		if errors.Is(err, errMissing) {
			t.skipped = append(t.skipped, err.Error())
			return nil
		}
		if err != nil {
			return err
		}
		t.systems = append(t.systems, s)
		return t.warm(s)
	}
	sqlite, _, err := t.parleyOn(onSQLite, botFiles(), nil, t.chats)
	if err := add(sqlite, err); err != nil {
		return err
	}
	small, _, err := t.parleyOn(shopBot, nil, nil, t.chats)
	if err == nil {
		small.crowd.Say = load.Words("do you ship?")
	}
	if err := add(small, err); err != nil {
		return err
	}
	t.pg, err = postgres.Start(t.ctx, filepath.Join(t.dir, "pg"))
	switch {
	case errors.Is(err, postgres.ErrMissing):
		t.skipped = append(t.skipped, "skipped: "+err.Error())
	case err != nil:
		return err
	default:
		s, _, err := t.parleyOn(onPostgres, botFiles(), t.pg, t.chats)
		if err := add(s, err); err != nil {
			return err
		}
	}
	if err := add(t.telebot()); err != nil {
		return err
	}
	return add(t.grammy())
}

func (t *turnsRun) stop() error {
	err := stopAll(t.systems)
	if t.pg != nil {
		t.pg.Stop()
	}
	return err
}

// rowsTurns is how many turns are recorded to be written again without the product.
const rowsTurns = 12_800

// prepareRows lets the store write turns, which the part "rows" then repeats.
func (t *turnsRun) prepareRows() error {
	empty, full := filepath.Join(t.dir, "empty.db"), filepath.Join(t.dir, "recorded.db")
	if _, err := t.job("storage", "sqlite://"+empty, "64", "0", "0", "0", "0s"); err != nil {
		return err
	}
	o, err := t.job("storage", "sqlite://"+full, "64", "2000", "2000", strconv.Itoa(rowsTurns), "0s")
	t.recorded = [3]string{full, empty, o.Note}
	return err
}

func (t *turnsRun) round(round int) error {
	for _, n := range clients {
		order := slices.Clone(t.systems)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			if n != clients[0] && s.name == shopBot {
				continue
			}
			run := load.Run{Clients: n, During: t.cell}
			if n != clients[0] {
				run.During = t.cell / 2
			}
			m, err := t.measure(s, run)
			if err != nil {
				return err
			}
			t.samples[key(s.name, n)] = append(t.samples[key(s.name, n)], m)
		}
		if n == clients[0] {
			if err := t.parts(round); err != nil {
				return err
			}
		}
	}
	return nil
}

func key(name string, clients int) string { return fmt.Sprintf("%s/%d", name, clients) }

// parts measures what a turn is made of, each alone.
func (t *turnsRun) parts(round int) error {
	m, err := t.measure(t.floorJSON, load.Run{Clients: clients[0], During: t.cell / 2})
	if err != nil {
		return err
	}
	t.samples[key(t.floorJSON.name, clients[0])] = append(t.samples[key(t.floorJSON.name, clients[0])], m)
	half := (t.cell / 2).String()
	type job struct {
		name string
		role string
		args []string
	}
	jobs := []job{
		{partSend, "send", []string{t.sink.URL + "/bot9:send/sendMessage", "64", half}},
		{partRows, "rows", []string{t.recorded[0], t.recorded[1], t.recorded[2], "64", half}},
		{partStore, "storage", []string{"sqlite://" + filepath.Join(t.dir, fmt.Sprintf("storage%d.db", round)), "64", "2000", "2000", "0", half}},
	}
	if round%2 == 1 {
		slices.Reverse(jobs)
	}
	for _, j := range jobs {
		o, err := t.job(j.role, j.args...)
		if err != nil {
			return err
		}
		t.jobs[j.name] = append(t.jobs[j.name], o)
	}
	return nil
}

const (
	partSend  = "part: HTTP send"
	partRows  = "part: the same rows by SQLite alone, 64 turns a commit"
	partStore = "store.ApplyTurns alone, 64 turns a commit"
)

// openLoop writes at half of each system's own maximum, and to the floor at Parley's rate.
func (t *turnsRun) openLoop() error {
	half := func(name string) float64 { return figures.Median(t.rates(name, clients[0])) / 2 }
	for round := range t.rounds {
		t.report.say("turns at half load: round %d of %d", round+1, t.rounds)
		for _, s := range t.systems {
			rate := half(s.name)
			switch {
			case s == t.floorSync:
				rate = half(onSQLite)
			case s.name == shopBot:
				continue
			}
			m, err := t.measure(s, load.Run{Clients: 128, Rate: rate, During: max(t.cell, 2*time.Second)})
			if err != nil {
				return err
			}
			t.samples[s.name+"/half"] = append(t.samples[s.name+"/half"], m)
		}
	}
	return nil
}

func (t *turnsRun) cpus(name string, clients int) []float64 {
	return each(t.samples[key(name, clients)], func(s sample) float64 { return s.cpu })
}

func (t *turnsRun) rates(name string, clients int) []float64 {
	return each(t.samples[key(name, clients)], func(s sample) float64 { return s.rate })
}

func each[S, F any](all []S, figure func(S) F) []F {
	var out []F
	for _, s := range all {
		out = append(out, figure(s))
	}
	return out
}
