package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	loadTimes = 5 // as much as it can take
	loadFor   = 3 * time.Second
	loadMost  = 3000    // calls at once, more than twice what may wait for a commit
	memoryCap = 350_000 // kB
)

func TestTooMuchIsSentAwayAndNeitherFillsTheMemoryNorIsLost(t *testing.T) {
	if raceDetected {
		t.Skip("skipped: it measures memory, most of which is the race detector's")
	}
	s := openTortured(t, program(t), "sqlite://"+filepath.Join(t.TempDir(), "parley.db"), 1, 10)
	transport := s.client.Transport.(*http.Transport)
	transport.MaxIdleConnsPerHost = loadMost
	s.client.Timeout = 30 * time.Second
	door := watchDoor(s.client)
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Second)
	defer cancel()

	l := &load{s: s, ctx: ctx}
	capacity := l.closed(64, 2*time.Second)
	before := s.nodes[0].memory(t, "VmRSS")
	taken, refused := door.taken.Load(), door.refused.Load()
	offered := l.open(loadTimes*capacity, loadFor)
	peak := s.nodes[0].memory(t, "VmHWM")
	taken, refused = door.taken.Load()-taken, door.refused.Load()-refused
	t.Logf("takes %.0f a second from 64 callers; of %d in %v it took %d and sent %d away; memory %d MB before, %d MB at most",
		capacity, offered, loadFor, taken, refused, before/1000, peak/1000)
	if refused == 0 {
		t.Errorf("nothing was sent away of %.1f times what it takes", float64(offered)/capacity/loadFor.Seconds())
	}
	if peak > memoryCap {
		t.Errorf("%d kB of memory at most, want at most %d", peak, memoryCap)
	}

	// It has come to itself: somebody new is answered, and all that was taken is answered, once.
	recovered := time.Now()
	people := s.people(1)
	if err := people[0].notes(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sink.waitFor(ctx, people[0].chat, people[0].want[0].words...); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(recovered); took > 10*time.Second {
		t.Errorf("the first answer after it took %v, want it within 10 s", took)
	}
	wantNothingUnderWay(t, s.database)
	l.answered(t)
	for _, problem := range door.problems() {
		t.Error(problem)
	}
	s.stop()
}

// load is calls of people who all say one thing.
type load struct {
	s    *tortured
	ctx  context.Context
	mu   sync.Mutex
	took map[int64]bool // chats whose message was taken
}

// say has somebody new say something, once.
func (l *load) say() {
	p := l.s.people(1)[0]
	body, err := json.Marshal(p.message("note 0"))
	if err != nil {
		panic(err)
	}
	if _, err := l.s.deliver(l.ctx, l.s.nodes[0].now(), body); err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.took == nil {
		l.took = map[int64]bool{}
	}
	l.took[p.chat] = true
}

// closed has callers say one thing after the other and returns how many a second were taken.
func (l *load) closed(callers int, d time.Duration) float64 {
	began := time.Now()
	var n atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for time.Since(began) < d {
				l.say()
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / time.Since(began).Seconds()
}

// open has so many a second come, whether or not those before them are through, and returns how many came.
func (l *load) open(rate float64, d time.Duration) (offered int) {
	began := time.Now()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var all sync.WaitGroup
	room := make(chan struct{}, loadMost)
	for now := range tick.C {
		since := min(now.Sub(began), d)
		for ; float64(offered) < rate*since.Seconds(); offered++ {
			room <- struct{}{}
			all.Go(func() {
				l.say()
				<-room
			})
		}
		if time.Since(began) > 3*d || since == d && float64(offered) >= rate*d.Seconds() {
			break
		}
	}
	all.Wait()
	return offered
}

// answered says that each of those whose message was taken has its answer, once, and nobody else has one.
func (l *load) answered(t *testing.T) {
	t.Helper()
	l.s.sink.mu.Lock()
	defer l.s.sink.mu.Unlock()
	odd := 0
	for chat := range l.took {
		if n := len(l.s.sink.chats[chat]); n != 1 {
			odd++
		}
	}
	if odd > 0 {
		t.Errorf("%d of %d whose message was taken were not answered once", odd, len(l.took))
	}
}

// memory reads one of the figures that the kernel keeps of a process, in kB.
func (s *server) memory(t *testing.T, figure string) (kB int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Skipf("skipped: the memory of a process cannot be read here: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), figure+":")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatalf("read %s: %v", figure, err)
	}
	return kB
}
