package main

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/bench/figures"
	"parley/bench/load"
)

func TestOptionsRefuseWhatNobodyMeasures(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-only", "turns,speed"}, `there is no part "speed"`},
		{[]string{"-rounds", "0"}, "at least one is needed"},
		{[]string{"turns"}, `"turns" is no flag`},
	} {
		if _, err := parse(c.args, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}

func TestOnlyAFullRunWritesTheResults(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "RESULTS.md"},
		{[]string{"-rounds", "9"}, "RESULTS.md"},
		{[]string{"-quick"}, ""},
		{[]string{"-only", "idle"}, ""},
		{[]string{"-quick", "-out", "x.md"}, "x.md"},
	} {
		if o, err := parse(c.args, io.Discard); err != nil || o.out != c.want {
			t.Errorf("%q: writes %q (%v), want %q", c.args, o.out, err, c.want)
		}
	}
}

func TestQuickIsSmallerInEverything(t *testing.T) {
	full, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	quick, err := parse([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if quick.rounds >= full.rounds || quick.chats >= full.chats || quick.cell >= full.cell || quick.watchers >= full.watchers ||
		quick.buyers >= full.buyers || quick.repeats >= full.repeats || quick.sockets >= full.sockets || len(quick.grown) >= len(full.grown) {
		t.Errorf("quick %+v, full %+v", quick, full)
	}
}

func TestFirstButtonIsFoundInAFormAndInJSON(t *testing.T) {
	markup := `{"inline_keyboard":[[{"text":"Buy, pay €17","callback_data":"msg_1:0"}],[{"text":"Ask","callback_data":"msg_1:1"}]]}`
	for name, body := range map[string]string{
		"form": url.Values{"chat_id": {"7"}, "reply_markup": {markup}}.Encode(),
		"JSON": `{"chat_id":7,"reply_markup":` + markup + `}`,
	} {
		if got := firstButton([]byte(body)); got != "msg_1:0" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := firstButton([]byte("chat_id=7&text=hello")); got != "" {
		t.Errorf("a message without buttons has %q", got)
	}
}

func TestNumbersAreWrittenAsOneSaysThem(t *testing.T) {
	for n, want := range map[int]string{7: "7", 1_000: "1 thousand", 50_000: "50 thousand", 1_000_000: "1 million", 1_500: "1500"} {
		if got := short(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestReportPrintsTablesAndHoldsPromises(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out, progress: io.Discard, command: options{rounds: 2}.command(), began: time.Now()}
	r.add(table{title: "Turns", head: []string{"", "CPU"}, rows: [][]string{{"ours", "160 µs"}, {"the floor", "50 µs"}}, notes: []string{"A note."}})
	r.gate(figures.Gate{Name: "CPU / the floor's", Rounds: []float64{3, 3.4}, Limit: 3.6, Unit: "×"})
	r.gate(figures.Gate{Name: "memory", Rounds: []float64{130}, Limit: 120, Unit: " MB"})
	r.end()
	for _, want := range []string{
		"  ours       160 µs\n", "  the floor   50 µs\n", "met          CPU / the floor's ≤ 3.60×: 3.20× [3 … 3.40]", "1 of 2 promises met", "missed: memory",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, &out)
		}
	}
	page := string(r.markdown())
	for _, want := range []string{"`go run -C bench . -rounds 2`", "| ours | 160 µs |", "| memory | ≤ 120 MB | 130 MB | missed |", "## Turns"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing:\n%s", want, page)
		}
	}
}

func TestPromisesOfTurnsAreTakenRoundByRound(t *testing.T) {
	var out bytes.Buffer
	run := &turnsRun{
		bench:     &bench{report: &report{out: &out, progress: io.Discard}},
		floorSync: &system{name: "floor"}, floorJSON: &system{name: "json"},
		jobs: map[string][]outcome{
			partRows:  {{Ops: 1000, CPU: 20 * time.Millisecond, Wall: 50 * time.Millisecond}, {Ops: 1000, CPU: 40 * time.Millisecond, Wall: 100 * time.Millisecond}},
			partSend:  {{Ops: 1000, CPU: 40 * time.Millisecond, Wall: time.Second}, {Ops: 1000, CPU: 80 * time.Millisecond, Wall: time.Second}},
			partStore: {{Ops: 1000, CPU: 30 * time.Millisecond, Wall: 75 * time.Millisecond}, {Ops: 1000, CPU: 60 * time.Millisecond, Wall: 150 * time.Millisecond}},
		},
		samples: map[string][]sample{
			"floor/64": {{cpu: 50}, {cpu: 100}}, "json/64": {{cpu: 40}, {cpu: 80}}, // the second round was twice as slow for all
			key(onSQLite, 64): {{cpu: 150}, {cpu: 300}}, key(onPostgres, 64): {{cpu: 225}, {cpu: 450}},
			onSQLite + "/half": {{result: load.Result{Answered: []time.Duration{4}}}}, "floor/half": {{result: load.Result{Confirmed: []time.Duration{2}}}},
		},
	}
	run.gates()
	got := map[string]string{}
	for _, g := range run.report.gates {
		got[g.Name] = g.Spread() + " " + g.Verdict()
	}
	want := map[string]string{
		"CPU of a turn / the floor's":                                  "3× [3 … 3] met",
		"CPU of a turn / the sum of its parts":                         "1.50× [1.50 … 1.50] met",
		"CPU of telebot + SQLite / ours":                               "– not measured",
		"CPU of grammY + SQLite / ours":                                "– not measured",
		"CPU of a turn on Postgres / on SQLite":                        "1.50× [1.50 … 1.50] met",
		"p99 of answers at half load / the floor's 200":                "2× met",
		"storage alone / SQLite's own grouped limit, turns per second": "0.67× [0.67 … 0.67] met",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
