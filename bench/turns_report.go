package main

import (
	"fmt"
	"time"

	"parley/bench/figures"
	"parley/bench/load"
)

// tell puts the tables and the promises of turns into the report.
func (t *turnsRun) tell() {
	for _, n := range clients {
		t.report.add(t.closedTable(n))
	}
	t.report.add(t.openTable())
	t.gates()
}

func (t *turnsRun) closedTable(n int) table {
	out := table{
		title: fmt.Sprintf("Turns, closed loop, %d clients", n),
		head:  []string{"", "CPU a message", "messages/s", "200 after p50 / p99", "answered after p50 / p99", "others"},
	}
	if n == clients[0] {
		out.notes = append(out.notes, t.notes()...)
	}
	for _, s := range t.systems {
		if row := t.row(s.name, t.samples[key(s.name, n)]); row != nil {
			out.rows = append(out.rows, row)
		}
	}
	if n != clients[0] {
		return out
	}
	out.rows = append(out.rows, t.row(t.floorJSON.name, t.samples[key(t.floorJSON.name, n)]))
	for _, name := range []string{partRows, partSend, partStore} {
		jobs := t.jobs[name]
		commits := ""
		if len(jobs) > 0 && len(jobs[0].Times) > 0 {
			commits = fmt.Sprintf("commit %s / %s ms", millis(quantileOf(jobs, 0.5)), millis(quantileOf(jobs, 0.99)))
		}
		out.rows = append(out.rows, []string{
			name, micros(figures.Median(each(jobs, outcome.cpuPerOp))), figures.Number(figures.Median(each(jobs, outcome.perSecond))),
			commits, "", percent(figures.Median(each(jobs, func(o outcome) float64 { return o.Others }))),
		})
	}
	return out
}

func quantileOf(jobs []outcome, q float64) time.Duration {
	per := each(jobs, func(o outcome) float64 { return float64(figures.Quantile(o.Times, q)) })
	return time.Duration(figures.Median(per))
}

func (t *turnsRun) notes() []string {
	out := []string{
		fmt.Sprintf("Medians of %d rounds; %d conversations; updates of 1 KB with texts of 200 characters. CPU is the server's and its database's; the customers and the sink", t.rounds, t.chats),
		"share the cores. Every bot does the same: a session in its database, five steps, a count, a reply of 220 bytes. The floor does not reply.",
	}
	if rows := t.jobs[partRows]; len(rows) > 0 {
		out = append(out, "The rows of a turn: "+rows[0].Note+".")
	}
	return append(out, t.skipped...)
}

func (t *turnsRun) row(name string, samples []sample) []string {
	if len(samples) == 0 {
		return nil
	}
	median := func(figure func(sample) float64) float64 { return figures.Median(each(samples, figure)) }
	row := []string{name, micros(median(func(s sample) float64 { return s.cpu })), figures.Number(median(func(s sample) float64 { return s.rate }))}
	for _, times := range []func(load.Result) []time.Duration{
		func(r load.Result) []time.Duration { return r.Confirmed }, func(r load.Result) []time.Duration { return r.Answered },
	} {
		if len(times(samples[0].result)) == 0 {
			row = append(row, "–")
			continue
		}
		row = append(row, fmt.Sprintf("%s / %s ms", millis(medianQuantile(samples, times, 0.5)), millis(medianQuantile(samples, times, 0.99))))
	}
	lost := ""
	for _, s := range samples {
		if s.result.Unheard+s.result.Extra+s.result.Failed > 0 {
			lost = fmt.Sprintf(" (%d unanswered, %d twice, %d refused)", s.result.Unheard, s.result.Extra, s.result.Failed)
		}
	}
	row[0] += lost
	return append(row, percent(median(func(s sample) float64 { return s.others })))
}

// medianQuantile takes the quantile of each round, and the median of those.
func medianQuantile(samples []sample, times func(load.Result) []time.Duration, q float64) time.Duration {
	per := each(samples, func(s sample) float64 { return float64(figures.Quantile(times(s.result), q)) })
	return time.Duration(figures.Median(per))
}

func (t *turnsRun) openTable() table {
	out := table{
		title: "Turns, open loop, at half of each system's own maximum",
		head:  []string{"", "CPU a message", "messages/s", "200 after p50 / p99", "answered after p50 / p99", "others"},
		notes: []string{"The floor is written to at the rate of " + onSQLite + "."},
	}
	for _, s := range t.systems {
		if row := t.row(s.name, t.samples[s.name+"/half"]); row != nil {
			out.rows = append(out.rows, row)
		}
	}
	return out
}

// gates holds the figures to what was promised.
func (t *turnsRun) gates() {
	n := clients[0]
	ours, floor := t.cpus(onSQLite, n), t.cpus(t.floorSync.name, n)
	rows, send, alone := t.jobs[partRows], t.jobs[partSend], t.jobs[partStore]
	parts := figures.Sum(t.cpus(t.floorJSON.name, n), each(rows, outcome.cpuPerOp), each(send, outcome.cpuPerOp))
	p99 := func(name string, times func(load.Result) []time.Duration) []float64 {
		return each(t.samples[name+"/half"], func(s sample) float64 { return float64(figures.Quantile(times(s.result), 0.99)) })
	}
	for _, g := range []figures.Gate{
		{Name: "CPU of a turn / the floor's", Rounds: figures.Ratios(ours, floor), Limit: 3.6, Unit: "×"},
		{Name: "CPU of a turn / the sum of its parts", Rounds: figures.Ratios(ours, parts), Limit: 1.6, Unit: "×"},
		{Name: "storage alone / SQLite's own grouped limit, turns per second", Rounds: figures.Ratios(each(alone, outcome.perSecond), each(rows, outcome.perSecond)), Limit: 0.6, Floor: true, Unit: "×"},
		{Name: "CPU of telebot + SQLite / ours", Rounds: figures.Ratios(t.cpus("telebot v4 + SQLite", n), ours), Limit: 2.7, Floor: true, Unit: "×"},
		{Name: "CPU of grammY + SQLite / ours", Rounds: figures.Ratios(t.cpus("grammY + better-sqlite3", n), ours), Limit: 6, Floor: true, Unit: "×"},
		{Name: "CPU of a turn on Postgres / on SQLite", Rounds: figures.Ratios(t.cpus(onPostgres, n), ours), Limit: 1.8, Unit: "×"},
		{
			Name:   "p99 of answers at half load / the floor's 200",
			Rounds: figures.Ratios(p99(onSQLite, func(r load.Result) []time.Duration { return r.Answered }), p99(t.floorSync.name, func(r load.Result) []time.Duration { return r.Confirmed })),
			Limit:  2.5, Unit: "×",
		},
	} {
		t.report.gate(g)
	}
}
