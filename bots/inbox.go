package bots

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
)

const (
	// groupSize is how many turns share one commit at most.
	groupSize = 256
	// queueSize is how many callers may wait for a writer. So many more as lateSize wait for busyTime at most to become one of them;
	// all others are sent away at once, since those who wait cost memory.
	queueSize = 1024
	lateSize  = 256
	busyTime  = 2 * time.Second
	// commitTime is how long a group may take before its callers are told to come again.
	commitTime = 30 * time.Second
	// yields is how often a writer lets others go first while more comes in than one at a time: larger groups cost less, and those
	// who come would wait for the commit anyway.
	yields = 8
	// postgresWriters is how many groups are under way at once on Postgres; SQLite has one writer.
	postgresWriters = 3
)

// inbox is the one way in: whoever has turns waits here until they are committed. Turns that wait together share a
// transaction; with nobody waiting a turn is committed at once. Turns of a conversation go to the same writer, in their order.
type inbox struct {
	store   *store.Store
	writers []chan *batch
	bulk    []chan *batch // for each writer, what nobody waits for
	seed    maphash.Seed
	ended   chan struct{} // closed when nobody commits any more
	rode    chan struct{} // riders wait

	mu     sync.Mutex
	riders []rider
	over   bool // riders go by themselves

	commits, turns atomic.Int64
	sizes          [len(groupSizes) + 1]atomic.Int64
	busy           atomic.Int64 // callers that were sent away
	late           atomic.Int64 // callers that wait to be among those who wait
}

// batch is turns of one caller for one writer.
type batch struct {
	turns []store.Turn
	since time.Time
	done  chan error
}

type rider struct {
	fn   store.Rider
	done func(error)
}

// applied hears what became of a turn, and how long it was waited for.
type applied func(store.Turn, store.Applied, time.Duration)

func newInbox(s *store.Store) *inbox {
	n := 1
	if s.Dialect() == store.Postgres {
		n = postgresWriters
	}
	b := &inbox{store: s, seed: maphash.MakeSeed(), ended: make(chan struct{}), rode: make(chan struct{}, 1)}
	for range n {
		b.writers = append(b.writers, make(chan *batch, queueSize))
		b.bulk = append(b.bulk, make(chan *batch, queueSize))
	}
	return b
}

var (
	// errStopped is given to those who come when the house is closing; networks then deliver again.
	errStopped = fmt.Errorf("the house is closing: %w", store.ErrUnavailable)
	// errBusy is given to those who come when more comes in than can be stored. They come again, too.
	errBusy = fmt.Errorf("more comes in than can be stored: %w", store.ErrUnavailable)
)

// submit returns once the turns are committed. When too many wait already it fails after a while: that is the back-pressure.
func (b *inbox) submit(ctx context.Context, turns ...store.Turn) error {
	committed, err := b.begin(ctx, b.writers, turns)
	if err != nil {
		return err
	}
	return committed()
}

// submitBulk is submit for turns that nobody waits for: they share no commit with those of others, who would else wait for them. It
// returns as soon as they are queued. committed waits for their commit.
func (b *inbox) submitBulk(ctx context.Context, turns []store.Turn) (committed func() error, err error) {
	return b.begin(ctx, b.bulk, turns)
}

func (b *inbox) begin(ctx context.Context, queues []chan *batch, turns []store.Turn) (committed func() error, err error) {
	if len(turns) == 0 {
		return func() error { return nil }, nil
	}
	now := time.Now()
	first := b.writerOf(turns[0])
	var others []*batch
	request := &batch{turns: turns, since: now, done: make(chan error, 1)}
	if len(b.writers) > 1 && len(turns) > 1 {
		request, others = b.split(turns, first, now)
	}
	if err := b.queue(ctx, queues[first], request); err != nil {
		return nil, err
	}
	for _, other := range others { // what a network delivers together may be committed apart: each turn counts for itself
		if err := b.queue(ctx, queues[b.writerOf(other.turns[0])], other); err != nil {
			return nil, err
		}
	}
	return func() error {
		err := b.wait(ctx, request)
		for _, other := range others {
			err = errors.Join(err, b.wait(ctx, other))
		}
		return err
	}, nil
}

func (b *inbox) writerOf(t store.Turn) int {
	if len(b.writers) == 1 {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(b.seed)
	_, _ = h.WriteString(t.Event.Account)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(t.Event.Chat)
	return int(h.Sum64() % uint64(len(b.writers)))
}

// split sorts turns by their writers; those of the first one's writer come first.
func (b *inbox) split(turns []store.Turn, first int, now time.Time) (request *batch, others []*batch) {
	byWriter := make([]*batch, len(b.writers))
	for _, t := range turns {
		w := b.writerOf(t)
		if byWriter[w] == nil {
			byWriter[w] = &batch{since: now, done: make(chan error, 1)}
			if w != first {
				others = append(others, byWriter[w])
			}
		}
		byWriter[w].turns = append(byWriter[w].turns, t)
	}
	return byWriter[first], others
}

func (b *inbox) queue(ctx context.Context, queue chan *batch, request *batch) error {
	select {
	case <-b.ended:
		return errStopped
	default:
	}
	select {
	case queue <- request:
		return nil
	default:
	}
	defer b.late.Add(-1)
	if b.late.Add(1) > lateSize {
		b.busy.Add(1)
		return errBusy
	}
	full := time.NewTimer(busyTime)
	defer full.Stop()
	select {
	case queue <- request:
		return nil
	case <-full.C:
		b.busy.Add(1)
		return errBusy
	case <-b.ended:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *inbox) wait(ctx context.Context, request *batch) error {
	select {
	case err := <-request.done:
		return err
	case <-b.ended:
		select {
		case err := <-request.done: // the last that was committed
			return err
		default:
			return errStopped
		}
	case <-ctx.Done():
		return ctx.Err() // it may be committed all the same: a repeat finds its row
	}
}

// ride has fn run in a transaction with the turns of the moment, or soon without. Its failure undoes what it wrote and nothing else.
// done is called when that is committed or has failed, once, and must not block. Until the house has closed that is the work
// of the writers; after that fn is run in a transaction of its own before ride returns.
func (b *inbox) ride(fn store.Rider, done func(error)) {
	b.mu.Lock()
	if !b.over {
		b.riders = append(b.riders, rider{fn, done})
		b.mu.Unlock()
		nudge(b.rode)
		return
	}
	b.mu.Unlock()
	b.commit(context.Background(), nil, []rider{{fn, done}}, nil)
}

func (b *inbox) takeRiders() []rider {
	b.mu.Lock()
	defer b.mu.Unlock()
	riders := b.riders
	b.riders = nil
	return riders
}

// run commits what waits, until stop is done; then it answers those who still wait and returns. It runs once.
func (b *inbox) run(stop context.Context, note applied) {
	var writers sync.WaitGroup
	for i, queue := range b.writers {
		writers.Go(func() { b.write(stop, queue, b.bulk[i], note) })
	}
	writers.Wait()
	for !b.isOver() {
		b.commit(stop, nil, b.takeRiders(), nil)
	}
	close(b.ended)
	for i, queue := range b.writers {
		refuse(queue)
		refuse(b.bulk[i])
	}
}

// isOver has riders go by themselves from now on, if none waits.
func (b *inbox) isOver() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = len(b.riders) == 0
	return b.over
}

func refuse(queue chan *batch) {
	for {
		select {
		case request := <-queue:
			request.done <- errStopped
		default:
			return
		}
	}
}

// write is one writer. Where both wait, what people wait for and the rest have their turns.
func (b *inbox) write(stop context.Context, queue, bulk chan *batch, note applied) {
	crowd := 0
	for {
		var first *batch
		select {
		case <-stop.Done():
			refuse(queue)
			refuse(bulk)
			return
		case request := <-bulk:
			b.commit(stop, []*batch{request}, b.takeRiders(), note)
			continue
		case first = <-queue:
		case <-b.rode:
		}
		for range crowd {
			waited := len(queue)
			if runtime.Gosched(); len(queue) == waited {
				break
			}
		}
		group, n := gather(queue, first)
		if n == 0 { // riders go with whatever waits
			select {
			case request := <-bulk:
				group = []*batch{request}
			default:
			}
		}
		b.commit(stop, group, b.takeRiders(), note)
		if crowd = 0; n > 1 {
			crowd = yields
		}
	}
}

// gather takes what waits behind the first, up to a group.
func gather(queue chan *batch, first *batch) (group []*batch, n int) {
	if first != nil {
		group, n = append(group, first), len(first.turns)
	}
	for n < groupSize {
		select {
		case next := <-queue:
			group, n = append(group, next), n+len(next.turns)
		default:
			return group, n
		}
	}
	return group, n
}

func (b *inbox) commit(stop context.Context, group []*batch, riders []rider, note applied) {
	var turns []store.Turn
	if len(group) == 1 {
		turns = group[0].turns
	} else {
		for _, request := range group {
			turns = append(turns, request.turns...)
		}
	}
	fns := make([]store.Rider, len(riders))
	for i, r := range riders {
		fns[i] = r.fn
	}
	if len(turns)+len(fns) == 0 {
		return
	}
	// A group under way is finished when the house closes: its callers are about to confirm it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), commitTime)
	defer cancel()
	out, failures, err := b.store.ApplyGroup(ctx, turns, fns)
	for _, request := range group {
		request.done <- err
	}
	for i, r := range riders {
		if err != nil {
			r.done(err)
		} else {
			r.done(failures[i])
		}
	}
	if err != nil {
		return
	}
	b.count(len(turns))
	for _, request := range group {
		took := time.Since(request.since)
		for _, t := range request.turns {
			note(t, out[0], took)
			out = out[1:]
		}
	}
}

// groupSizes are the upper bounds of the histogram of how many turns share a commit.
var groupSizes = [...]float64{1, 2, 4, 8, 16, 32, 64, 128, 256}

func (b *inbox) count(turns int) {
	b.commits.Add(1)
	b.turns.Add(int64(turns))
	i := 0
	for i < len(groupSizes) && float64(turns) > groupSizes[i] {
		i++
	}
	b.sizes[i].Add(1)
}

func (b *inbox) metrics() []Metric {
	waiting := 0
	for _, queue := range b.writers {
		waiting += len(queue)
	}
	sizes := Metric{Name: "parley_commit_turns", Help: "How many turns shared a commit.", Bounds: groupSizes[:], Sum: float64(b.turns.Load())}
	for i := range b.sizes {
		sizes.Counts = append(sizes.Counts, b.sizes[i].Load())
	}
	return []Metric{
		{Name: "parley_commits_total", Help: "Commits of turns.", Value: float64(b.commits.Load())},
		{Name: "parley_busy_total", Help: "Callers sent away because more came in than could be stored.", Value: float64(b.busy.Load())},
		{Name: "parley_inbox_waiting", Help: "Callers that wait for a commit.", Value: float64(waiting)},
		sizes,
	}
}
