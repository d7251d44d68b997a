package main

import (
	"fmt"
	"time"

	"parley/bench/figures"
	"parley/bench/load"
)

// tellQueue reports how the rows came about.
func (f *fanoutRun) tellQueue() {
	t := table{
		title: fmt.Sprintf("Fan-out: %d watchers queued", f.watchers),
		head:  []string{"", "CPU", "time", "longest write lock", "bytes a row", "claimed and marked/s", "others"},
		notes: append([]string{"The bare statement: INSERT … SELECT of rows of the same form, 10,000 a transaction, and nothing else; then 1,000 claimed and deleted a", "transaction."}, f.notes...),
	}
	row := func(name string, jobs []outcome) []string {
		median := func(figure func(outcome) float64) string { return figures.Number(figures.Median(each(jobs, figure))) }
		return []string{
			name, median(func(o outcome) float64 { return o.CPU.Seconds() }) + " s", median(func(o outcome) float64 { return o.Wall.Seconds() }) + " s",
			median(longest) + " ms", median(func(o outcome) float64 { return noted(o.Note, 0) }), median(func(o outcome) float64 { return noted(o.Note, 1) }),
			percent(figures.Median(each(jobs, func(o outcome) float64 { return o.Others }))),
		}
	}
	for _, name := range []string{onSQLite, onPostgres} {
		if len(f.spread[name]) == 0 {
			continue
		}
		t.rows = append(t.rows, row(name, f.spread[name]), row("the bare statement", f.bare[name]))
	}
	f.report.add(t)
	million := func(jobs []outcome) []float64 {
		return each(jobs, func(o outcome) float64 { return o.CPU.Seconds() * 1e6 / float64(f.watchers) })
	}
	for _, g := range []figures.Gate{
		{Name: "fan-out on SQLite, CPU for a million", Rounds: million(f.spread[onSQLite]), Limit: 1.5, Unit: " s"},
		{Name: "fan-out on SQLite, bytes a row", Rounds: each(f.spread[onSQLite], func(o outcome) float64 { return noted(o.Note, 0) }), Limit: 16},
		{Name: "fan-out on SQLite, longest write lock", Rounds: each(f.spread[onSQLite], longest), Limit: 25, Unit: " ms"},
		{Name: "fan-out on Postgres, CPU for a million", Rounds: million(f.spread[onPostgres]), Limit: 5, Unit: " s"},
		{Name: "fan-out on Postgres, longest write lock", Rounds: each(f.spread[onPostgres], longest), Limit: 60, Unit: " ms"},
	} {
		f.report.gate(g)
	}
}

func longest(o outcome) float64 {
	return float64(figures.Quantile(o.Times, 1)) / float64(time.Millisecond)
}

// tellDrain reports how they were told.
func (f *fanoutRun) tellDrain() {
	answered := func(r load.Result) []time.Duration { return r.Answered }
	p99 := func(samples []sample) []float64 {
		return each(samples, func(s sample) float64 { return float64(figures.Quantile(answered(s.result), 0.99)) })
	}
	rate := func(s sample) float64 { return s.rate }
	f.report.add(table{
		title: "Fan-out: telling them on SQLite",
		head:  []string{"", "CPU a message", "messages/s", "answers after p50 / p99", "others"},
		rows: [][]string{
			{
				"Parley", micros(figures.Median(each(f.drained, func(s sample) float64 { return s.cpu }))), figures.Number(figures.Median(each(f.drained, rate))),
				fmt.Sprintf("%s / %s ms", millis(medianQuantile(f.beside, answered, 0.5)), millis(medianQuantile(f.beside, answered, 0.99))),
				percent(figures.Median(each(f.drained, func(s sample) float64 { return s.others }))),
			},
			{
				"a bare net/http client, 64 connections", micros(figures.Median(each(f.client, outcome.cpuPerOp))), figures.Number(figures.Median(each(f.client, outcome.perSecond))), "",
				percent(figures.Median(each(f.client, func(o outcome) float64 { return o.Others }))),
			},
			{
				fmt.Sprintf("answers alone, %d a second", answerRate), micros(figures.Median(each(f.alone, func(s sample) float64 { return s.cpu }))), figures.Number(figures.Median(each(f.alone, rate))),
				fmt.Sprintf("%s / %s ms", millis(medianQuantile(f.alone, answered, 0.5)), millis(medianQuantile(f.alone, answered, 0.99))),
				percent(figures.Median(each(f.alone, func(s sample) float64 { return s.others }))),
			},
		},
		notes: []string{fmt.Sprintf("%d were told while it was measured; the others were still to be told.", f.told.Load())},
	})
	for _, g := range []figures.Gate{
		{Name: "fan-out, telling: messages per second / a bare client's", Rounds: figures.Ratios(each(f.drained, rate), each(f.client, outcome.perSecond)), Limit: 0.6, Floor: true, Unit: "×"},
		{Name: "fan-out: told and not marked, or marked and not told", Rounds: []float64{float64(f.unmarked)}, Limit: 0},
		{Name: "p99 of answers during a fan-out / without it", Rounds: figures.Ratios(p99(f.beside), p99(f.alone)), Limit: 2, Unit: "×"},
		{Name: fmt.Sprintf("start-up with %d pending", f.watchers), Rounds: f.starts, Limit: 300, Unit: " ms"},
	} {
		f.report.gate(g)
	}
}
