package bots

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
)

const (
	// groupSize is how many turns share one commit at most.
	groupSize = 256
	// queueSize is how many callers may wait for the writer. So many more as lateSize wait for busyTime at most to become one of them;
	// all others are sent away at once, since those who wait cost memory.
	queueSize = 1024
	lateSize  = 256
	busyTime  = 2 * time.Second
	// bulkPatience is how long what nobody waits for lets everybody pass before it has a turn.
	bulkPatience = 100 * time.Millisecond
	// lately is how long after somebody came others are expected: what nobody waits for is then committed in small groups.
	lately = 200 * time.Millisecond
	// commitTime is how long a group may take before its callers are told to come again.
	commitTime = 30 * time.Second
	// settleTime is how long the note of what was sent may wait for turns to be committed with: a commit by itself costs more than a
	// turn. A crash meanwhile leaves that message among those of which nobody knows.
	settleTime = 5 * time.Millisecond
)

// inbox is the one way in: whoever has turns waits here until they are committed. Turns that wait together share a
// transaction; with nobody waiting a turn is committed at once. One writer commits them, one group after the other, in the order in which
// they came: on Postgres, too, several side by side have smaller groups, which costs more than it gains.
type inbox struct {
	store  *store.Store
	queue  chan *batch
	bulk   chan *batch   // what nobody waits for
	ended  chan struct{} // closed when nobody commits any more
	rode   chan struct{} // riders are to go
	linger *time.Timer   // has patient riders go

	mu     sync.Mutex
	riders []rider
	hasty  bool // they go at once
	over   bool // nobody commits for them: they go by themselves

	began          time.Time
	people         atomic.Int64 // how long after that somebody came last who waits, in nanoseconds; 0 when nobody has
	commits, turns atomic.Int64
	sizes          [len(groupSizes) + 1]atomic.Int64
	busy           atomic.Int64 // callers that were sent away
	late           atomic.Int64 // callers that wait to be among those who wait
}

// batch is turns of one caller.
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
	b := &inbox{
		store: s, queue: make(chan *batch, queueSize), bulk: make(chan *batch, queueSize), began: time.Now(), ended: make(chan struct{}),
		rode: make(chan struct{}, 1), over: true,
	}
	b.linger = time.AfterFunc(settleTime, b.hurry)
	b.linger.Stop()
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
	b.people.Store(int64(time.Since(b.began)) + 1)
	committed, err := b.begin(ctx, b.queue, turns)
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

// isAsked says that people have come lately. It is asked by those who submitBulk.
func (b *inbox) isAsked() bool {
	last := b.people.Load()
	return last > 0 && time.Since(b.began)-time.Duration(last) < lately
}

func (b *inbox) begin(ctx context.Context, queue chan *batch, turns []store.Turn) (committed func() error, err error) {
	if len(turns) == 0 {
		return func() error { return nil }, nil
	}
	request := &batch{turns: turns, since: time.Now(), done: make(chan error, 1)}
	if err := b.put(ctx, queue, request); err != nil {
		return nil, err
	}
	return func() error { return b.wait(ctx, request) }, nil
}

func (b *inbox) put(ctx context.Context, queue chan *batch, request *batch) error {
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

// ride has fn run in a transaction with the turns of the moment, or soon without: one that is patient waits for some up to settleTime.
// Its failure undoes what it wrote and nothing else. done is called when that is committed or has failed, once, and must not block.
// While the house is open that is the work of the writer; otherwise fn is run in a transaction of its own before ride returns.
func (b *inbox) ride(patient bool, fn store.Rider, done func(error)) {
	b.mu.Lock()
	if b.over {
		b.mu.Unlock()
		b.commit(context.Background(), nil, []rider{{fn, done}}, nil)
		return
	}
	defer b.mu.Unlock()
	b.riders = append(b.riders, rider{fn, done})
	switch {
	case !patient:
		b.hasty = true
		nudge(b.rode)
	case len(b.riders) == 1:
		b.linger.Reset(settleTime)
	}
}

// together runs fn in a transaction and returns once that is committed or has failed. SQLite has one writer, so that it goes with the
// turns of the moment there; on Postgres it goes by itself, since the conversations that it locks may be those of another node's turns.
func (b *inbox) together(ctx context.Context, fn store.Rider) error {
	if b.store.Dialect() == store.Postgres {
		return b.store.Tx(ctx, func(tx *store.Tx) error { return fn(ctx, tx) })
	}
	done := make(chan error, 1)
	b.ride(false, fn, func(err error) { done <- err })
	return <-done
}

// hurry has those who ride go at once.
func (b *inbox) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hasty = len(b.riders) > 0
	nudge(b.rode)
}

// takeRiders takes those who are to go: with turns all of them, without some only when one is in haste.
func (b *inbox) takeRiders(turns int) []rider {
	b.mu.Lock()
	defer b.mu.Unlock()
	if turns == 0 && !b.hasty {
		return nil
	}
	riders := b.riders
	b.riders, b.hasty = nil, false
	b.linger.Stop()
	return riders
}

// run commits what waits, until stop is done; then it answers those who still wait and returns. It runs once.
func (b *inbox) run(stop context.Context, note applied) {
	b.mu.Lock()
	b.over = false
	b.mu.Unlock()
	b.write(stop, note)
	for !b.isOver() {
		b.hurry()
		b.commit(stop, nil, b.takeRiders(0), nil)
	}
	close(b.ended)
	refuse(b.queue)
	refuse(b.bulk)
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

// write is the writer. What people wait for is ahead of the rest, but for what has not had its turn for bulkPatience.
func (b *inbox) write(stop context.Context, note applied) {
	turn := time.Now() // when the rest had its last one
	for {
		first, rest, ok := b.next(stop, time.Since(turn) > bulkPatience)
		if !ok {
			return
		}
		if rest != nil {
			b.commit(stop, []*batch{rest}, b.takeRiders(len(rest.turns)), note)
			turn = time.Now()
			continue
		}
		group := gather(b.queue, first)
		b.commit(stop, group, b.takeRiders(len(group)), note)
	}
}

// next waits for something to commit, which is ok until stop is done: the first of those that people wait for, or of the rest, or
// neither, when it is for riders. Riders would rather go with the rest than alone.
func (b *inbox) next(stop context.Context, overdue bool) (first, rest *batch, ok bool) {
	if stop.Err() != nil {
		return nil, nil, false
	}
	queues := [...]chan *batch{b.queue, b.bulk}
	if overdue {
		queues = [...]chan *batch{b.bulk, b.queue}
	}
	for _, q := range queues {
		select {
		case request := <-q:
			if q == b.queue {
				return request, nil, true
			}
			return nil, request, true
		default:
		}
	}
	select {
	case <-stop.Done():
		return nil, nil, false
	case first = <-b.queue:
	case rest = <-b.bulk:
	case <-b.rode:
	}
	return first, rest, true
}

// gather takes what waits behind the first, up to a group.
func gather(queue chan *batch, first *batch) (group []*batch) {
	n := 0
	if first != nil {
		group, n = append(group, first), len(first.turns)
	}
	for n < groupSize {
		select {
		case next := <-queue:
			group, n = append(group, next), n+len(next.turns)
		default:
			return group
		}
	}
	return group
}

func turnsOf(group []*batch) []store.Turn {
	if len(group) == 1 {
		return group[0].turns
	}
	n := 0
	for _, request := range group {
		n += len(request.turns)
	}
	turns := make([]store.Turn, 0, n)
	for _, request := range group {
		turns = append(turns, request.turns...)
	}
	return turns
}

func (b *inbox) commit(stop context.Context, group []*batch, riders []rider, note applied) {
	turns := turnsOf(group)
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
	sizes := Metric{Name: "parley_commit_turns", Help: "How many turns shared a commit.", Bounds: groupSizes[:], Sum: float64(b.turns.Load())}
	for i := range b.sizes {
		sizes.Counts = append(sizes.Counts, b.sizes[i].Load())
	}
	return []Metric{
		{Name: "parley_commits_total", Help: "Commits of turns.", Value: float64(b.commits.Load())},
		{Name: "parley_busy_total", Help: "Callers sent away because more came in than could be stored.", Value: float64(b.busy.Load())},
		{Name: "parley_inbox_waiting", Help: "Callers that wait for a commit.", Value: float64(len(b.queue))},
		sizes,
	}
}
