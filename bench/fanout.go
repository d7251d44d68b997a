package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/postgres"
	"parley/bench/proc"
	"parley/bench/seed"
	"parley/bench/shop"
	"parley/store"
)

// watched is the product that everybody waits for.
const watched = "lamp"

// watchersFrom is the first watcher's chat; those who want answers are others.
const watchersFrom = 50_000_000

// fanout tells a crowd that a price fell: the queueing on both databases, and the sending on SQLite.
func (b *bench) fanout() (err error) {
	f := &fanoutRun{bench: b, spread: map[string][]outcome{}, bare: map[string][]outcome{}}
	pg, err := postgres.Start(b.ctx, filepath.Join(b.dir, "pg-fanout"))
	switch {
	case errors.Is(err, postgres.ErrMissing):
		f.notes = append(f.notes, "skipped: "+err.Error())
	case err != nil:
		return err
	default:
		defer pg.Stop()
		if err := f.queue(onPostgres, pg); err != nil {
			return err
		}
	}
	if err := f.queue(onSQLite, nil); err != nil {
		return err
	}
	f.tellQueue()
	defer func() { err = errors.Join(err, f.shop.Stop()) }()
	if err := f.drain(); err != nil {
		return err
	}
	f.tellDrain()
	return nil
}

type fanoutRun struct {
	*bench
	notes        []string
	spread, bare map[string][]outcome

	// Of the drain: the installation that was queued last, on SQLite.
	*system
	shop          *shop.Shop
	told          atomic.Int64
	body          atomic.Pointer[[]byte] // of one alert, as it was posted
	alone, beside []sample               // answers without and with the fan-out
	drained       []sample
	client        []outcome
	starts        []float64 // ms to readiness with everybody pending
	unmarked      int64
}

// queue measures how the rows come about, beside the bare statement.
func (f *fanoutRun) queue(name string, pg *postgres.Server) error {
	s, in, err := f.parleyOn(name, nil, pg, 1_000)
	if err != nil {
		return err
	}
	s.crowd.Say = load.Words("do you ship?")
	if err := f.warm(s); err != nil {
		return errors.Join(err, in.Stop())
	}
	err = errors.Join(in.Product(f.ctx, watched, 2000, 10_000_000), in.Stop())
	if err != nil {
		return err
	}
	f.report.say("%s: %d people begin to watch", name, f.watchers)
	err = f.seed(in, func(s *store.Store) error {
		return seed.People(f.ctx, s, seed.Crowd{
			Account: account.Name, Channel: "telegram", First: watchersFrom, People: f.watchers, SKU: watched, Below: 1800,
		})
	})
	if err != nil {
		return err
	}
	database := ""
	if pg != nil {
		database = strconv.Itoa(pg.PID())
	}
	for round := range f.rounds {
		f.report.say("%s: fan-out, round %d of %d", name, round+1, f.rounds)
		o, err := f.job("spread", in.Database, database, watched)
		if err != nil {
			return err
		}
		if o.Ops != int64(f.watchers) {
			return fmt.Errorf("%s: %d of %d watchers were queued", name, o.Ops, f.watchers)
		}
		f.spread[name] = append(f.spread[name], o)
		file := "sqlite://" + filepath.Join(f.dir, "bare.db")
		if pg != nil {
			if file, err = pg.Create(f.ctx, "bare"); err != nil {
				return err
			}
		}
		o, err = f.job("bare", file, database, strconv.Itoa(f.watchers))
		if err != nil {
			return err
		}
		f.bare[name] = append(f.bare[name], o)
		if pg != nil {
			err = pg.Drop(f.ctx, "bare")
		} else {
			err = removeDatabase(filepath.Join(f.dir, "bare.db"))
		}
		if err != nil {
			return err
		}
	}
	f.system, f.shop = s, in
	return nil
}

func removeDatabase(file string) error {
	for _, tail := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(file + tail); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// answerRate is how many people a second want something else meanwhile.
const answerRate = 100

// drain lets the product tell everybody, beside a bare client that posts the same.
func (f *fanoutRun) drain() error {
	f.bot.Told = f.hear
	if err := f.restart(f.system, f.shop); err != nil {
		return err
	}
	answers := load.Run{Clients: clients[0], Rate: answerRate, During: max(f.cell, 2*time.Second), Settle: 10 * time.Second}
	for range f.rounds {
		m, err := f.measure(f.system, answers)
		if err != nil {
			return err
		}
		f.alone = append(f.alone, m)
	}
	f.bot.Hang(10 * time.Minute) // until all are queued
	if err := f.shop.Product(f.ctx, watched, 1700, 10_000_000); err != nil {
		return err
	}
	if err := f.awaitQueued(); err != nil {
		return err
	}
	for range f.rounds { // nothing in the process survives, and all are still to be told
		f.shop.Kill()
		took, err := f.shop.Start(f.ctx)
		if err != nil {
			return err
		}
		f.starts = append(f.starts, float64(took)/float64(time.Millisecond))
	}
	f.pids[0], f.crowd.Addr = f.shop.PID(), f.shop.Addr()
	for round := range f.rounds {
		f.report.say("fan-out: sending, round %d of %d", round+1, f.rounds)
		if err := f.drainRound(answers); err != nil {
			return err
		}
	}
	return f.checkMarks()
}

func (f *fanoutRun) hear(chat int64, body []byte) {
	if chat < watchersFrom {
		f.crowd.Answered(chat)
		return
	}
	f.told.Add(1)
	if f.body.Load() == nil {
		kept := append([]byte(nil), body...)
		f.body.Store(&kept)
	}
}

// awaitQueued waits until the product has gone over all watchers.
func (f *fanoutRun) awaitQueued() error {
	s, err := store.Open(f.ctx, f.shop.Database, store.Options{SkipMigrate: true})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var queued int
		if err := s.DB().GetContext(f.ctx, &queued, `SELECT COALESCE(max(deliveries), 0) FROM occurrences WHERE state IN ('sending', 'done')`); err != nil {
			return err
		}
		if queued >= f.watchers {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("only %d of %d were queued", queued, f.watchers)
		}
	}
}

func (f *fanoutRun) drainRound(answers load.Run) error {
	f.bot.Recover()
	before := f.told.Load()
	for end := time.Now().Add(10 * time.Second); f.told.Load() < before+100; time.Sleep(time.Millisecond) { // it is at work again
		if time.Now().After(end) {
			return errors.New("the fan-out does not go on")
		}
	}
	before = f.told.Load()
	meter := proc.Start(f.pids...)
	m, err := f.measure(f.system, answers)
	used := meter.Stop()
	if err != nil {
		return err
	}
	n := f.told.Load() - before
	f.beside = append(f.beside, m)
	f.drained = append(f.drained, sample{
		cpu: used.CPU.Seconds() * 1e6 / float64(max(n+m.result.Done, 1)), rate: float64(n) / used.Wall.Seconds(), others: used.Others,
	})
	f.bot.Hang(time.Minute)
	file := filepath.Join(f.dir, "alert")
	if err := os.WriteFile(file, *f.body.Load(), 0o600); err != nil {
		return err
	}
	o, err := f.job("send", f.sink.URL+"/bot9:send/sendMessage", "64", f.cell.String(), file)
	f.client = append(f.client, o)
	return err
}

// checkMarks stops the product and compares what it noted as sent with what came.
func (f *fanoutRun) checkMarks() error {
	f.bot.Recover()
	if err := f.shop.Stop(); err != nil {
		return err
	}
	return f.seed(f.shop, func(s *store.Store) error {
		var sent int64
		err := s.DB().GetContext(f.ctx, &sent, `SELECT COUNT(*) FROM parts WHERE account = $1 AND lane = 1 AND state = 'sent'`, account.Name)
		f.unmarked = max(sent-f.told.Load(), f.told.Load()-sent)
		return err
	})
}
