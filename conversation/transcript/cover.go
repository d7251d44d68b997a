package transcript

import (
	"fmt"

	"parley/conversation"
	"parley/conversation/flow"
)

// Coverage says how much of a set some conversations have walked through.
type Coverage struct {
	States, StatesSeen           int
	Transitions, TransitionsSeen int
	Missing                      []flow.Problem // what was not walked through, as warnings at their places
}

// Percent is the share of transitions seen.
func (c Coverage) Percent() float64 {
	if c.Transitions == 0 {
		return 100
	}
	return 100 * float64(c.TransitionsSeen) / float64(c.Transitions)
}

// Cover compares the moves of any number of results with what the set has.
func Cover(set *flow.Set, moves []conversation.Move) Coverage {
	type edge struct {
		from  flow.Place
		event string
	}
	taken, entered := map[edge]bool{}, map[flow.Place]bool{}
	for _, m := range moves {
		taken[edge{m.From, m.Event}] = true
		entered[m.To] = true
	}
	var c Coverage
	missing := func(file string, line, col int, format string, args ...any) {
		c.Missing = append(c.Missing, flow.Problem{
			File: file, Line: line, Col: col, Severity: flow.Warning, What: fmt.Sprintf(format, args...), Remedy: "write a transcript that goes there",
		})
	}
	count := func(e flow.Edge, from flow.Place, format string, args ...any) {
		c.Transitions++
		if taken[edge{from, e.Event}] {
			c.TransitionsSeen++
			return
		}
		file, line, col := e.Pos()
		missing(file, line, col, format, args...)
	}
	for _, f := range set.Flows {
		for _, e := range f.Begins {
			count(e, flow.Place{}, "no transcript begins %s by %s", f.Name, e.Event)
		}
		for _, s := range f.States {
			at := flow.Place{Flow: f.Name, State: s.Name}
			c.States++
			if entered[at] {
				c.StatesSeen++
			} else {
				file, line, col := s.Pos()
				missing(file, line, col, "no transcript comes to %s", at)
			}
			for _, e := range s.Edges {
				count(e, at, "no transcript takes %s from %s to %s", e.Event, at, e.To)
			}
		}
	}
	return c
}
