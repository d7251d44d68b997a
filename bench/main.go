// Bench measures Parley: what a turn, a fan-out, a flash sale and growth take, beside the floor that nothing can go below, the parts
// it is made of, and its peers, all in the same run. `go run -C bench .` prints the ratios and what was promised about them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"parley/bench/shop"
	"parley/bench/sink"
)

func main() {
	if len(os.Args) > 1 {
		if role, ok := roles()[os.Args[1]]; ok {
			if err := role(context.Background(), os.Args[2:]); err != nil {
				fmt.Fprintf(os.Stderr, "bench %s: %v\n", os.Args[1], err)
				os.Exit(1)
			}
			return
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	only    []string
	rounds  int
	quick   bool
	profile string
	parley  string
	out     string

	// What quick makes smaller.
	chats    int           // customers of turns
	cell     time.Duration // how long one measurement goes on
	watchers int
	buyers   int
	grown    []int // conversations, from small to large
	repeats  int   // keys of repeats stored in the largest
	sockets  int
}

// part is one of the questions, in the order in which they are asked.
type part struct {
	name string
	do   func(*bench) error
}

func parts() []part {
	return []part{
		{"turns", (*bench).turns},
		{"fanout", (*bench).fanout},
		{"flash", (*bench).flash},
		{"growth", (*bench).growth},
		{"idle", (*bench).idle},
		{"faults", (*bench).faults},
	}
}

// bench is one run.
type bench struct {
	options
	ctx     context.Context //nolint:containedctx // it lives as long as the run
	dir     string          // scratch, removed at the end
	self    string          // this program, which is also the servers that are not Parley
	program shop.Program
	nothing shop.Program // links the same as Parley and does nothing
	sink    *sink.Sink
	report  *report

	installed atomic.Int64 // numbers the installations
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opt, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "parley-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres, which may run as another user, has a folder in it
		return err
	}
	b := &bench{options: opt, ctx: ctx, dir: dir, report: &report{out: stdout, progress: stderr, command: opt.command()}}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.report.begin()
	var failed error
	if err := b.build(); err != nil {
		return err
	}
	if b.sink, err = sink.Listen(ctx); err != nil {
		return err
	}
	defer func() { _ = b.sink.Close() }()
	for _, p := range parts() {
		if !b.wants(p.name) {
			continue
		}
		if err := p.do(b); err != nil { // the others are still worth having
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
			b.report.say("%s: %v", p.name, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	b.report.end()
	if opt.out == "" || failed != nil {
		return failed
	}
	return os.WriteFile(opt.out, b.report.markdown(), 0o644) //nolint:gosec // a page of the documentation
}

// build makes the programs that are measured.
func (b *bench) build() error {
	var err error
	b.report.say("building parley")
	switch {
	case b.parley != "":
		b.program = shop.Program{Path: b.parley}
	case b.profile != "":
		b.program, err = shop.BuildOwn(b.ctx, "./profiled", b.dir+"/parley")
	default:
		b.program, err = shop.Build(b.ctx, b.dir+"/parley")
	}
	if err == nil && b.wants("idle") {
		b.nothing, err = shop.BuildOwn(b.ctx, "./idle", b.dir+"/idle")
	}
	return err
}

// wants says that a part is to be run.
func (b *bench) wants(name string) bool { return len(b.only) == 0 || slices.Contains(b.only, name) }

// command is the command line that measures the same, without where things lie on this machine.
func (o options) command() string {
	c := "go run -C bench ."
	if len(o.only) > 0 {
		c += " -only " + strings.Join(o.only, ",")
	}
	if o.quick {
		c += " -quick"
	}
	if o.rounds != defaultRounds && !(o.quick && o.rounds == quickRounds) {
		c += fmt.Sprintf(" -rounds %d", o.rounds)
	}
	if o.parley != "" {
		c += " -parley another program"
	}
	return c
}

const (
	defaultRounds = 5
	quickRounds   = 3
)

var errUsage = errors.New("see -help")

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{
		chats: 10_000, cell: 2 * time.Second, watchers: 1_000_000, buyers: 10_000, grown: []int{1_000, 100_000, 1_000_000},
		repeats: 3_000_000, sockets: 1_000,
	}
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	only := fs.String("only", "", "the parts to run, separated by commas: "+strings.Join(names, ", "))
	fs.IntVar(&o.rounds, "rounds", defaultRounds, "how often each measurement is repeated; the medians are held to the gates")
	fs.BoolVar(&o.quick, "quick", false, "smaller, shorter and 3 rounds: for a look in between, not for a verdict")
	fs.StringVar(&o.profile, "profile", "", "write CPU profiles of Parley under load into this folder")
	fs.StringVar(&o.parley, "parley", "", "measure this program instead of building the checkout's")
	fs.StringVar(&o.out, "out", "", "write the report there; a full run writes RESULTS.md")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag; %w", fs.Arg(0), errUsage)
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(names, name) {
			return o, fmt.Errorf("there is no part %q; there are: %s", name, strings.Join(names, ", "))
		}
	}
	if o.rounds < 1 {
		return o, fmt.Errorf("-rounds %d: at least one is needed; %w", o.rounds, errUsage)
	}
	if o.parley != "" {
		var err error
		if o.parley, err = filepath.Abs(o.parley); err != nil {
			return o, err
		}
	}
	if o.out == "" && !o.quick && len(o.only) == 0 && o.parley == "" {
		o.out = "RESULTS.md"
	}
	if o.quick {
		o.rounds, o.chats, o.cell, o.watchers, o.buyers = min(o.rounds, quickRounds), 2_000, time.Second, 50_000, 2_000
		o.grown, o.repeats, o.sockets = []int{1_000, 50_000}, 100_000, 200
	}
	if o.profile != "" {
		var err error
		if o.profile, err = filepath.Abs(o.profile); err != nil {
			return o, err
		}
		if err := os.MkdirAll(o.profile, 0o750); err != nil {
			return o, err
		}
		o.cell = 6 * time.Second
	}
	return o, nil
}
