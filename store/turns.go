package store

import (
	"context"
	"errors"
	"fmt"

	"parley/commerce"
	"parley/conversation"
)

// Turn is one event of a conversation and what to do about it.
type Turn struct {
	Merchant commerce.MerchantID
	Channel  string // the account's adapter
	Event    conversation.Event
	Shown    string // the id of the message whose button was pressed; "" for none
	// Apply decides and writes, inside the transaction. It may change the thread; ApplyTurns saves it. It may be run more than
	// once when a transaction is tried again, and must not act outside of it but by Tx.AfterCommit.
	Apply func(ctx context.Context, tx *Tx, th *Thread) error
	// Failed is called, in a transaction of its own, instead of parking a turn that failed twice: for events of our own, which
	// a row of theirs brings back (a timer, a delivery). nil means that the event is parked.
	Failed func(ctx context.Context, tx *Tx, cause error) error
}

// Rider is work that is no turn and shares the transaction of some. It may be run more than once, as Turn.Apply.
type Rider func(context.Context, *Tx) error

// Applied is what became of a turn.
type Applied struct {
	Repeat bool  // the event was here before; nothing changed
	Parked bool  // it failed twice and is kept with its cause, to be tried again later
	Cause  error // why it was parked, or handed to Turn.Failed
}

// ApplyTurns stores turns, in their order: it drops repeats, loads or makes each event's conversation, runs Apply and saves
// the conversation, all in one transaction. It returns nil only after the commit, so that the caller may then confirm the
// events to their network; with an error nothing was kept and all may be handed over again.
//
// A turn that fails does not spoil the others: its own writes are undone, it is tried once more alone, and when that fails
// too the event is parked.
func (s *Store) ApplyTurns(ctx context.Context, turns []Turn) ([]Applied, error) {
	out, _, err := s.ApplyGroup(ctx, turns, nil)
	return out, err
}

// ApplyGroup is ApplyTurns with riders, which go first. A rider that fails is undone and spoils nobody: why stands in failures, at
// its place; the others and the turns are then run again without it. When the transaction fails as a whole, the riders are not run
// again.
func (s *Store) ApplyGroup(ctx context.Context, turns []Turn, riders []Rider) (out []Applied, failures []error, err error) {
	out, failures = make([]Applied, len(turns)), make([]error, len(riders))
	var failed []int
	group := func(riders []Rider) error {
		return s.Tx(ctx, func(tx *Tx) error {
			clear(out)
			if err := tx.ride(ctx, riders); err != nil {
				return err
			}
			failed, err = tx.applyGroup(ctx, turns, out)
			return err
		})
	}
	if err = group(riders); errors.Is(err, errFell) {
		s.walk(ctx, riders, failures)
		riders = nil
		err = group(nil)
	}
	switch {
	case errors.Is(err, errRefused): // whose rows they are shows when each writes for themselves
		clear(out)
		failed = failed[:0]
		for i := range turns {
			failed = append(failed, i)
		}
		for i, rider := range riders {
			failures[i] = s.Tx(ctx, func(tx *Tx) error { return guarded(func() error { return rider(ctx, tx) }) })
		}
	case err != nil:
		return nil, nil, fmt.Errorf("apply turns: %w", err)
	}
	for _, i := range failed {
		if err := s.applyAlone(ctx, turns[i], &out[i]); err != nil {
			return nil, nil, fmt.Errorf("apply turns: %w", err)
		}
	}
	return out, failures, nil
}

// errFell says that a rider failed. Riders have no savepoints, which cost every group more than the few that fail.
var errFell = errors.New("a rider failed")

// ride runs riders. When one fails the transaction is over, and they go on foot.
func (tx *Tx) ride(ctx context.Context, riders []Rider) error {
	for _, rider := range riders {
		err := guarded(func() error { return rider(ctx, tx) })
		if err == nil {
			err = tx.spoilt // it swallowed what the database said
		}
		switch {
		case err == nil:
		case isTransient(err), isUnavailable(err), errors.Is(err, errRefused), ctx.Err() != nil:
			return err
		default:
			return fmt.Errorf("%w: %w", errFell, err)
		}
	}
	return nil
}

// walk runs riders each in a transaction of its own and notes why one failed.
func (s *Store) walk(ctx context.Context, riders []Rider, failures []error) {
	for i, rider := range riders {
		failures[i] = s.Tx(ctx, func(tx *Tx) error { return guarded(func() error { return rider(ctx, tx) }) })
	}
}

// attempt runs fn between marks, and takes back what it did when it fails. err is about the whole transaction, which is over then.
func (tx *Tx) attempt(ctx context.Context, fn func() error) (failure, err error) {
	tx.begin()
	failure = guarded(fn)
	if failure == nil {
		failure = tx.spoilt // it swallowed what the database said
	}
	switch {
	case failure == nil:
		return nil, tx.end(ctx)
	case isTransient(failure), isUnavailable(failure), errors.Is(failure, errRefused), ctx.Err() != nil:
		return failure, failure
	}
	return failure, tx.undo(ctx)
}

// applyGroup applies turns in their order and returns which of them failed, and are undone.
func (tx *Tx) applyGroup(ctx context.Context, turns []Turn, out []Applied) (failed []int, err error) {
	arrivals, repeats, err := tx.noteArrivals(ctx, turns)
	if err != nil {
		return nil, err
	}
	g := &group{turns: turns}
	tx.group = g
	defer func() { tx.group = nil }()
	for i := range turns {
		if repeats[i] {
			out[i].Repeat = true
			continue
		}
		g.now = i
		failure, err := tx.attempt(ctx, func() error { return tx.applyTurn(ctx, g) })
		if err != nil {
			return nil, err
		}
		if failure == nil {
			tx.logArrival(arrivals[i])
			continue
		}
		g.forget()
		if err := tx.forgetArrival(ctx, arrivals[i]); err != nil {
			return nil, err
		}
		failed = append(failed, i)
	}
	return failed, nil
}

// guarded makes a panic an error: a bug in one turn must not take the shop down, nor be confirmed unseen.
func guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in turn: %v", p)
		}
	}()
	return fn()
}

// applyTurn runs the turn that the group has come to.
func (tx *Tx) applyTurn(ctx context.Context, g *group) error {
	th, err := g.thread(ctx, tx)
	if err != nil {
		return err
	}
	if err := g.turns[g.now].Apply(ctx, tx, th); err != nil {
		return err
	}
	return tx.SaveThread(ctx, th)
}

// Alone applies a turn of our own in a transaction of its own. Its failure is the caller's, who waits for it; nothing is parked.
func (s *Store) Alone(ctx context.Context, turn Turn) error {
	var out Applied
	return s.Tx(ctx, func(tx *Tx) error { return tx.applyOne(ctx, turn, &out) })
}

// applyOne applies the one turn of a transaction, whose failure is the transaction's.
func (tx *Tx) applyOne(ctx context.Context, turn Turn, out *Applied) error {
	*out = Applied{}
	arrivals, repeats, err := tx.noteArrivals(ctx, []Turn{turn})
	if err != nil {
		return err
	}
	if repeats[0] {
		out.Repeat = true
		return nil
	}
	g := &group{turns: []Turn{turn}}
	tx.group = g
	defer func() { tx.group = nil }()
	if err := guarded(func() error { return tx.applyTurn(ctx, g) }); err != nil {
		return err
	}
	tx.logArrival(arrivals[0])
	return nil
}

// applyAlone gives a failed turn its second try, and parks it when that fails as well.
func (s *Store) applyAlone(ctx context.Context, turn Turn, out *Applied) error {
	cause := s.Tx(ctx, func(tx *Tx) error { return tx.applyOne(ctx, turn, out) })
	if cause == nil {
		return nil
	}
	if ctx.Err() != nil || isTransient(cause) || isUnavailable(cause) {
		return cause
	}
	return s.Tx(ctx, func(tx *Tx) error {
		if turn.Failed != nil {
			*out = Applied{Cause: cause}
			return turn.Failed(ctx, tx, cause)
		}
		arrivals, repeats, err := tx.noteArrivals(ctx, []Turn{turn})
		if err != nil || repeats[0] {
			*out = Applied{Repeat: repeats != nil && repeats[0]}
			return err
		}
		tx.logArrival(arrivals[0])
		*out = Applied{Parked: true, Cause: cause}
		return tx.park(ctx, turn, cause)
	})
}
