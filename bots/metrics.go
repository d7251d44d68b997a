package bots

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"parley/store"
)

// traffic counts what an account carried since the process began, over all reloads.
type traffic struct {
	received, sent, refused   atomic.Int64
	repeats                   atomic.Int64 // events that were here before
	retried, repeated         atomic.Int64 // parts sent again: after a failure, and after nobody knew
	unknown, throttled, early atomic.Int64
	turns, sends, deliveries  histogram
}

// note counts what became of parts.
func (t *traffic) note(results []result) {
	for _, r := range results {
		switch {
		case r.state == store.Sent:
			t.sent.Add(1)
		case r.state == store.Failed || r.state == store.Unknown:
			t.refused.Add(1)
		case r.unsure:
			t.repeated.Add(1)
		case r.state == store.Queued && !r.held && !r.release:
			t.retried.Add(1)
		}
		if r.unsure {
			t.unknown.Add(1)
		}
		if r.throttled {
			t.throttled.Add(1)
		}
	}
}

// Traffic is what an account carried since the process began.
type Traffic struct {
	Account  string
	Received int64 // messages, each once
	Sent     int64 // parts that the network took
	Refused  int64 // parts that were given up: refused for good, or nobody knows
}

// Traffic lists the accounts by name.
func (h *House) Traffic() []Traffic {
	accounts := h.roster.Load().accounts
	out := make([]Traffic, 0, len(accounts))
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		t := accounts[name].traffic
		out = append(out, Traffic{name, t.received.Load(), t.sent.Load(), t.refused.Load()})
	}
	return out
}

// seconds are the upper bounds of a histogram's buckets.
var seconds = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// histogram counts durations. Observing allocates nothing.
type histogram struct {
	counts [len(seconds) + 1]atomic.Int64
	sum    atomic.Int64 // in nanoseconds
}

func (h *histogram) observe(d time.Duration) {
	i, s := 0, d.Seconds()
	for i < len(seconds) && s > seconds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// Metric is one figure of how the house works, for monitoring. Nothing in it tells of a person.
type Metric struct {
	Name, Help    string
	Account, Lane string // "" where it is not of one
	Value         float64
	// Of a histogram: the upper bounds of its buckets, how many stand in each (one more than bounds), and the sum of what was
	// observed. Elsewhere nil.
	Bounds []float64
	Counts []int64
	Sum    float64
}

// Metrics lists the figures since the process began, those of one name beside each other.
func (h *House) Metrics() []Metric {
	accounts := h.roster.Load().accounts
	names := slices.Sorted(maps.Keys(accounts))
	var out []Metric
	for _, c := range counters {
		for _, name := range names {
			out = append(out, Metric{Name: c.name, Help: c.help, Account: name, Value: float64(c.of(accounts[name].traffic))})
		}
	}
	for _, c := range histograms {
		for _, name := range names {
			m := c.of(accounts[name].traffic).metric(c.name, c.help)
			m.Account = name
			out = append(out, m)
		}
	}
	return append(out, h.inbox.metrics()...)
}

func (h *histogram) metric(name, help string) Metric {
	m := Metric{Name: name, Help: help, Bounds: seconds[:], Sum: time.Duration(h.sum.Load()).Seconds()}
	for i := range h.counts {
		m.Counts = append(m.Counts, h.counts[i].Load())
	}
	return m
}

var counters = []struct {
	name, help string
	of         func(*traffic) int64
}{
	{"parley_messages_received_total", "Messages of contacts that were stored, each once.", func(t *traffic) int64 { return t.received.Load() }},
	{"parley_repeats_dropped_total", "Events that the network delivered once more.", func(t *traffic) int64 { return t.repeats.Load() }},
	{"parley_parts_sent_total", "Parts of messages that the network took.", func(t *traffic) int64 { return t.sent.Load() }},
	{"parley_parts_refused_total", "Parts of messages that were given up.", func(t *traffic) int64 { return t.refused.Load() }},
	{"parley_parts_retried_total", "Parts put off after a failure.", func(t *traffic) int64 { return t.retried.Load() }},
	{"parley_parts_repeated_total", "Parts sent again after nobody knew whether they had arrived: possible duplicates.", func(t *traffic) int64 { return t.repeated.Load() }},
	{"parley_parts_unknown_total", "Sends of which nobody knows whether they arrived.", func(t *traffic) int64 { return t.unknown.Load() }},
	{"parley_throttled_total", "Sends that the network asked to wait with.", func(t *traffic) int64 { return t.throttled.Load() }},
	{"parley_early_receipts_total", "Reports that came before their message was noted as sent.", func(t *traffic) int64 { return t.early.Load() }},
}

var histograms = []struct {
	name, help string
	of         func(*traffic) *histogram
}{
	{"parley_turn_seconds", "From an event's arrival until its turn was committed.", func(t *traffic) *histogram { return &t.turns }},
	{"parley_send_seconds", "How long the network took for a part.", func(t *traffic) *histogram { return &t.sends }},
	{"parley_delivery_seconds", "From when a message was written until the network had taken a part of it.", func(t *traffic) *histogram { return &t.deliveries }},
}
