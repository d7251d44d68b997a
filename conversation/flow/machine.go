package flow

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/looplab/fsm"
)

// machine is a flow's finite state machine. A machine of looplab/fsm serves one goroutine at a time and building one costs
// twenty times a step, so they are pooled and set to the session's state. States of other flows are in it as "flow.state";
// names of ours hold no point, so the two cannot be mistaken.
type machine struct {
	flow string
	pool sync.Pool
}

func newMachine(f *Flow) *machine {
	var events fsm.Events
	for _, s := range f.States {
		for _, e := range s.Edges {
			dst := e.To.String()
			if e.To.Flow == f.Name {
				dst = e.To.State
			}
			events = append(events, fsm.EventDesc{Name: e.Event, Src: []string{s.Name}, Dst: dst})
		}
	}
	m := &machine{flow: f.Name}
	m.pool.New = func() any { return fsm.NewFSM(f.Start, events, nil) }
	return m
}

func (m *machine) next(state string, events []string) (string, Place, bool) {
	f := m.pool.Get().(*fsm.FSM)
	f.SetState(state)
	for _, event := range events {
		if !f.Can(event) {
			continue
		}
		// The context is never cancelled: a cancelled one leaves the machine in transition for ever.
		err := f.Event(context.Background(), event)
		var same fsm.NoTransitionError
		if err != nil && !errors.As(err, &same) {
			return "", Place{}, false // the machine is not put back
		}
		to := Place{m.flow, f.Current()}
		if flow, state, ok := strings.Cut(f.Current(), "."); ok {
			to = Place{flow, state}
		}
		m.pool.Put(f)
		return event, to, true
	}
	m.pool.Put(f)
	return "", Place{}, false
}
