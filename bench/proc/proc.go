// Package proc reads from /proc what processes and the machine have used.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc, the same on every Linux.
const tick = 10 * time.Millisecond

// process is one line of the table of processes.
type process struct {
	pid, parent  int
	own, waited  time.Duration // its own time, and that of children that ended and were waited for
	residentPage int64
}

func read(pid int) (process, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, err
	}
	return parse(pid, b)
}

// parse reads a stat line; the name in it may hold anything, also brackets and blanks.
func parse(pid int, line []byte) (process, error) {
	_, rest, ok := bytes.Cut(line[bytes.LastIndexByte(line, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 22 {
		return process{}, fmt.Errorf("read /proc/%d/stat: %q has a form we do not know", pid, line)
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return n
	}
	return process{
		pid: pid, parent: int(number(1)),
		own:          time.Duration(number(11)+number(12)) * tick,
		waited:       time.Duration(number(13)+number(14)) * tick,
		residentPage: number(21),
	}, nil
}

// Tree is the CPU time of a process, of all that descend from it now, and of those of its children that it has waited for.
func Tree(pid int) time.Duration {
	root, err := read(pid)
	if err != nil {
		return 0
	}
	children := map[int][]process{}
	names, _ := filepath.Glob("/proc/[0-9]*")
	for _, name := range names {
		id, _ := strconv.Atoi(filepath.Base(name))
		if p, err := read(id); err == nil {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var sum func(p process) time.Duration
	sum = func(p process) time.Duration {
		t := p.own + p.waited
		for _, c := range children[p.pid] {
			t += sum(c)
		}
		return t
	}
	return sum(root)
}

// Resident is the memory of a process in bytes; 0 when it has ended.
func Resident(pid int) int64 {
	p, err := read(pid)
	if err != nil {
		return 0
	}
	return p.residentPage * int64(os.Getpagesize())
}

// machine is the time that all cores were busy, and the time that passed on them.
func machine() (busy, total time.Duration) {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	for i, field := range strings.Fields(line) {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i > 8 { // the name; guests are counted in user time already
			continue
		}
		total += time.Duration(n) * tick
		if i != 4 && i != 5 { // idle, waiting for a disk
			busy += time.Duration(n) * tick
		}
	}
	return busy, total
}

// Meter measures what a stretch of work took.
type Meter struct {
	pids              []int
	began             time.Time
	used, ours        time.Duration
	busyMark, allMark time.Duration
}

// Usage is what a stretch of work took.
type Usage struct {
	Wall   time.Duration
	CPU    time.Duration // of the measured processes and their descendants
	Others float64       // the share of the machine's time that processes took which are not of this run
}

// Start begins to measure processes.
func Start(pids ...int) *Meter {
	m := &Meter{pids: pids}
	m.busyMark, m.allMark = machine()
	m.ours, m.used = Tree(os.Getpid()), m.sum()
	m.began = time.Now()
	return m
}

func (m *Meter) sum() (t time.Duration) {
	for _, pid := range m.pids {
		t += Tree(pid)
	}
	return t
}

// Stop says what was used since Start.
func (m *Meter) Stop() Usage {
	u := Usage{Wall: time.Since(m.began), CPU: m.sum() - m.used}
	ours := Tree(os.Getpid()) - m.ours
	busy, all := machine()
	if all > m.allMark {
		u.Others = max(0, float64(busy-m.busyMark-ours)/float64(all-m.allMark))
	}
	return u
}

// Machine describes this machine without naming it.
func Machine() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	model, cores := "unknown CPU", 0
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "model name":
			model = strings.TrimSpace(value)
		case "processor":
			cores++
		}
	}
	memory := ""
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			memory = fmt.Sprintf(", %d GB", (kb+1<<19)>>20)
		}
	}
	return fmt.Sprintf("%d cores, %s%s", cores, model, memory)
}
