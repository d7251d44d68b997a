package bots

import (
	"context"
	"errors"
	"time"

	"parley/store"
)

// groupSize is how many turns share one commit at most.
const groupSize = 64

// inbox is the one way in: whoever has turns waits here until they are committed. Turns that wait together share a
// transaction; with nobody waiting a turn is committed at once.
type inbox struct {
	store *store.Store
	queue chan batch
	ended chan struct{} // closed when nobody commits any more
}

type batch struct {
	turns []store.Turn
	done  chan error
}

func newInbox(s *store.Store) *inbox {
	return &inbox{store: s, queue: make(chan batch, 256), ended: make(chan struct{})}
}

// errStopped is given to those who come when the house is closing; networks then deliver again.
var errStopped = errors.New("the house is closing")

// submit returns once the turns are committed. A full queue makes the caller wait: that is the back-pressure.
func (b *inbox) submit(ctx context.Context, turns ...store.Turn) error {
	request := batch{turns: turns, done: make(chan error, 1)}
	select {
	case b.queue <- request:
	case <-b.ended:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
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

// run commits what waits, until stop is done; then it answers those who still wait and returns. It runs once. parked hears of
// turns that failed.
func (b *inbox) run(stop context.Context, parked func(store.Turn, store.Applied)) {
	defer close(b.ended)
	for {
		select {
		case <-stop.Done():
			for {
				select {
				case r := <-b.queue:
					r.done <- errStopped
				default:
					return
				}
			}
		case first := <-b.queue:
			b.commit(stop, b.group(first), parked)
		}
	}
}

// group takes what waits behind the first, up to a group.
func (b *inbox) group(first batch) []batch {
	group, n := []batch{first}, len(first.turns)
	for n < groupSize {
		select {
		case next := <-b.queue:
			group, n = append(group, next), n+len(next.turns)
		default:
			return group
		}
	}
	return group
}

// commitTime is how long a group may take before its callers are told to come again.
const commitTime = 30 * time.Second

func (b *inbox) commit(stop context.Context, group []batch, parked func(store.Turn, store.Applied)) {
	var turns []store.Turn
	for _, r := range group {
		turns = append(turns, r.turns...)
	}
	// A group under way is finished when the house closes: its callers are about to confirm it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), commitTime)
	defer cancel()
	out, err := b.store.ApplyTurns(ctx, turns)
	for i, o := range out {
		if o.Cause != nil {
			parked(turns[i], o)
		}
	}
	for _, r := range group {
		r.done <- err
	}
}
