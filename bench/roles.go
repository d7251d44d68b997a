package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"parley/bench/child"
	"parley/bench/floor"
	"parley/bench/peer"
	"parley/bench/proc"
	"parley/bench/raw"
)

// roles are what this program does as a process of its own: servers, which say "ready" and where, and jobs, which print an outcome.
func roles() map[string]func(context.Context, []string) error {
	ready := func(addr string) { fmt.Println("ready", addr) }
	return map[string]func(context.Context, []string) error{
		"floor":   func(ctx context.Context, args []string) error { return floor.Serve(ctx, args[0], ready) },
		"telebot": func(ctx context.Context, args []string) error { return peer.Serve(ctx, args[0], args[1], ready) },
		"send":    sendJob,
		"storage": storageJob,
		"rows":    rowsJob,
		"spread":  spreadJob,
		"bare":    bareJob,
	}
}

var readyLine = regexp.MustCompile(`ready ([0-9.]+:[0-9]+)\n`)

// serve starts this program as a server.
func (b *bench) serve(role string, args ...string) (*child.Process, error) {
	return child.Start(role, exec.CommandContext(b.ctx, b.self, append([]string{role}, args...)...), readyLine)
}

// outcome is what a job prints.
type outcome struct {
	Ops    int64
	CPU    time.Duration
	Wall   time.Duration
	Others float64         `json:",omitempty"`
	Times  []time.Duration `json:",omitempty"` // of commits
	Note   string          `json:",omitempty"`
}

func (o outcome) cpuPerOp() float64  { return o.CPU.Seconds() * 1e6 / float64(max(o.Ops, 1)) }
func (o outcome) perSecond() float64 { return float64(o.Ops) / o.Wall.Seconds() }

// job runs this program for something that ends, and reads its outcome.
func (b *bench) job(role string, args ...string) (outcome, error) {
	return b.jobWith(nil, role, args...)
}

// jobWith counts what processes take that the job makes work.
func (b *bench) jobWith(pids []int, role string, args ...string) (outcome, error) {
	var o outcome
	meter := proc.Start(pids...)
	cmd := exec.CommandContext(b.ctx, b.self, append([]string{role}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			return o, fmt.Errorf("%s: %w: %s", role, err, bytes.TrimSpace(failed.Stderr))
		}
		return o, fmt.Errorf("%s: %w", role, err)
	}
	if err := json.Unmarshal(out, &o); err != nil {
		return o, fmt.Errorf("%s: read its outcome: %w", role, err)
	}
	o.Others = meter.Stop().Others
	return o, nil
}

func tell(o outcome) error { return json.NewEncoder(os.Stdout).Encode(o) }

// ownCPU is the time that this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuWith reads the time that this process and a database's have used; database is the pid of its first process, "" for none.
func cpuWith(database string) func() time.Duration {
	pid, err := strconv.Atoi(database)
	if err != nil {
		return ownCPU
	}
	return func() time.Duration { return ownCPU() + proc.Tree(pid) }
}

// sendJob posts messages with a bare client: address, senders, how long, and a file with the body, else it is a reply of the bench's bot.
func sendJob(ctx context.Context, args []string) error {
	senders, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	during, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	var body []byte
	if len(args) > 3 {
		if body, err = os.ReadFile(args[3]); err != nil {
			return err
		}
	}
	cpu, began := ownCPU(), time.Now()
	n, err := raw.Send(ctx, args[0], senders, during, body)
	if err != nil {
		return err
	}
	return tell(outcome{Ops: n, CPU: ownCPU() - cpu, Wall: time.Since(began)})
}

// rowsJob writes the rows of recorded turns without the product: the database they were recorded from, an empty one, how many turns
// it holds, turns a transaction, how long.
func rowsJob(ctx context.Context, args []string) error {
	turns, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	group, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	during, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(args[0]), "rows")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	rec, err := raw.Record(ctx, args[0], args[1], dir, turns)
	if err != nil {
		return err
	}
	o := outcome{Note: fmt.Sprintf("%.1f rows a turn in %s", rec.Rows(), rec.Tables())}
	for o.Wall < during {
		var cpu time.Duration
		done, err := rec.Replay(ctx, group, func() { cpu = ownCPU() })
		if err != nil {
			return err
		}
		o.CPU, o.Wall, o.Ops = o.CPU+ownCPU()-cpu, o.Wall+done.Took, o.Ops+int64(done.Turns)
		o.Times = append(o.Times, done.Commits...)
	}
	return tell(o)
}
