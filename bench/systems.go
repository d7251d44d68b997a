package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"parley/bench/child"
	"parley/bench/load"
	"parley/bench/peer"
	"parley/bench/postgres"
	"parley/bench/proc"
	"parley/bench/shop"
	"parley/bench/sink"
)

//go:embed bot
var flows embed.FS

// botFiles is the bench's own bot.
func botFiles() fs.FS {
	sub, err := fs.Sub(flows, "bot")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// system is a server under test with the customers who write to it.
type system struct {
	name  string
	pids  []int
	crowd *load.Crowd
	bot   *sink.Bot // nil for the floor
	stop  func() error

	parley bool
}

// answered tells the customers of an answer.
func (s *system) answered(chat int64, _ []byte) { s.crowd.Answered(chat) }

// sample is one measurement of a system.
type sample struct {
	cpu    float64 // of the server, µs for each message
	rate   float64 // messages a second
	result load.Result
	others float64 // the share of the machine that processes took which are not of this run
	memory float64 // the most that the server had resident, in MB
}

// measure lets a system's customers write.
func (b *bench) measure(s *system, run load.Run) (sample, error) {
	defer b.profiled(s, run)()
	peak := watchMemory(s.pids[0])
	meter := proc.Start(s.pids...)
	result, err := s.crowd.Go(b.ctx, run)
	used := meter.Stop()
	memory := peak()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", s.name, err)
	}
	if result.Done == 0 {
		return sample{}, fmt.Errorf("%s: no message was answered", s.name)
	}
	return sample{
		cpu: used.CPU.Seconds() * 1e6 / float64(result.Done), rate: result.PerSecond(), result: result, others: used.Others, memory: memory,
	}, nil
}

// watchMemory looks at a process's memory ten times a second until the most of it is asked for, in MB.
func watchMemory(pid int) func() float64 {
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, proc.Resident(pid))
			select {
			case <-tick.C:
			case <-stop:
				most <- peak
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		return float64(<-most) / 1e6
	}
}

// profiled takes a profile of Parley during a measurement, when one is wanted; the last one of each stays.
func (b *bench) profiled(s *system, run load.Run) (end func()) {
	if b.profile == "" || !s.parley || run.Clients != clients[0] {
		return func() {}
	}
	toggle := func() { _ = syscall.Kill(s.pids[0], syscall.SIGUSR1) }
	toggle()
	return toggle
}

// warm lets each customer write once, so that everybody is known.
func (b *bench) warm(s *system) error {
	b.report.say("%s gets to know %d customers", s.name, s.crowd.Chats())
	_, err := s.crowd.Go(b.ctx, load.Run{Clients: 64, During: 5 * time.Minute, Count: int64(s.crowd.Chats()), Settle: time.Minute})
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// floor is the server that nothing can go below. path is /sync, or /json for its parsing alone.
func (b *bench) floor() (sync, json *system, err error) {
	p, err := b.serve("floor", filepath.Join(b.dir, "floor.log"))
	if err != nil {
		return nil, nil, err
	}
	on := func(name, path string) *system {
		s := &system{name: name, pids: []int{p.PID()}, crowd: load.NewCrowd(p.Addr, path, "", b.chats), stop: p.Stop}
		s.crowd.Answers = false
		return s
	}
	return on("floor: JSON + synced 1 KB", "/sync"), on("part: JSON over HTTP", "/json"), nil
}

// account is Parley's bot at the sink; each installation has a token of its own.
var account = shop.Account{Name: "tg"}

// parleyOn installs and starts Parley. bot nil means the built-in one; pg nil means SQLite.
func (b *bench) parleyOn(name string, bot fs.FS, pg *postgres.Server, chats int) (*system, *shop.Shop, error) {
	setup := shop.Setup{Name: name, Bot: bot}
	if pg != nil {
		url, err := pg.Create(b.ctx, "parley")
		if err != nil {
			return nil, nil, err
		}
		setup.Database = url
	}
	s, in, err := b.parleyWith(setup, chats)
	if err == nil && pg != nil {
		s.pids = append(s.pids, pg.PID())
	}
	return s, in, err
}

// parleyWith installs and starts Parley in a folder of its own. The customers write to its first account.
func (b *bench) parleyWith(setup shop.Setup, chats int) (*system, *shop.Shop, error) {
	number := b.installed.Add(1)
	if len(setup.Accounts) == 0 {
		setup.Accounts = []shop.Account{{Name: account.Name, Token: fmt.Sprintf("%d:parley", 100+number)}}
	}
	setup.Dir, setup.API = filepath.Join(b.dir, fmt.Sprintf("parley%d", number)), b.sink.URL
	in, err := shop.Install(b.program, setup)
	if err != nil {
		return nil, nil, err
	}
	if b.profile != "" {
		in.Env = []string{"BENCH_PROFILE=" + filepath.Join(b.profile, fmt.Sprintf("parley%d.pprof", number))}
	}
	if _, err := in.Start(b.ctx); err != nil {
		return nil, nil, err
	}
	acc := setup.Accounts[0]
	s := &system{name: setup.Name, stop: in.Stop, parley: true, pids: []int{in.PID()}}
	s.crowd = load.NewCrowd(in.Addr(), acc.Path(), shop.Secret, chats)
	s.bot = b.sink.Bot(acc.Token, s.answered)
	return s, in, nil
}

func (b *bench) telebot() (*system, error) {
	p, err := b.serve("telebot", filepath.Join(b.dir, "telebot.db"), b.sink.URL)
	if err != nil {
		return nil, err
	}
	return b.peer("telebot v4 + SQLite", peer.Token, p), nil
}

func (b *bench) peer(name, token string, p *child.Process) *system {
	s := &system{name: name, pids: []int{p.PID()}, crowd: load.NewCrowd(p.Addr, "/", "", b.chats), stop: p.Stop}
	s.bot = b.sink.Bot(token, s.answered)
	return s
}

// errMissing says that a peer cannot be measured here.
var errMissing = errors.New("skipped")

// grammy starts the Node peer, and fetches what it needs the first time.
func (b *bench) grammy() (*system, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%w: grammY needs Node, which is not installed", errMissing)
	}
	dir, err := filepath.Abs("peers")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err != nil {
		return nil, fmt.Errorf("%w: grammY's folder is not here; run this as go run -C bench", errMissing)
	}
	built := filepath.Join(dir, "node_modules", "better-sqlite3", "build", "Release", "better_sqlite3.node")
	if _, err := os.Stat(built); err != nil {
		b.report.say("fetching grammY and better-sqlite3 by npm, which compiles SQLite")
		for _, args := range [][]string{{"ci", "--ignore-scripts", "--no-audit", "--no-fund"}, {"rebuild", "better-sqlite3"}} {
			cmd := exec.CommandContext(b.ctx, "npm", args...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				b.report.say("npm %s: %v\n%s", args[0], err, out[max(0, len(out)-2000):])
				return nil, fmt.Errorf("%w: grammY and better-sqlite3 could not be fetched or built by npm", errMissing)
			}
		}
	}
	cmd := exec.CommandContext(b.ctx, node, "grammy.js", filepath.Join(b.dir, "grammy.db"), b.sink.URL)
	cmd.Dir = dir
	p, err := child.Start("grammy", cmd, readyLine)
	if err != nil {
		return nil, err
	}
	return b.peer("grammY + better-sqlite3", "3:grammy", p), nil
}

// stopAll ends systems; the first error is told.
func stopAll(systems []*system) error {
	var errs []error
	for _, s := range slices.Backward(systems) {
		if s.stop != nil {
			errs = append(errs, s.stop())
		}
	}
	return errors.Join(errs...)
}
