package conversation

import (
	"maps"
	"slices"
	"time"

	"parley/conversation/flow"
)

// A timeout that only ends the flow, without a word, needs no clock: nobody can tell whether it came when it was due or is noticed when
// the next event comes. Most questions have one, and hardly any is still open a day later.

// Lapse gives the session as it is at a time when nothing has happened to it since.
func Lapse(set *flow.Set, s Session, now time.Time) (Session, []Move, error) {
	s.Vars = maps.Clone(s.Vars)
	st := &step{set: set, now: now, session: s, vars: s.Vars}
	err := st.lapse()
	return st.session, st.moves, err
}

// lapse takes the silent timeout of the present state that has passed.
func (st *step) lapse() error {
	from := st.place()
	state := st.set.State(from)
	if state == nil || len(state.After) == 0 {
		return nil
	}
	entered, err := time.Parse(time.RFC3339Nano, st.session.Vars["entered"])
	if err != nil { // by a version that did not note it, which set a timer for it
		return nil
	}
	i := slices.IndexFunc(state.After, func(t flow.Timer) bool { return t.Silent && !st.now.Before(entered.Add(t.After)) })
	if i < 0 {
		return nil
	}
	event, to, _ := st.set.Next(from, state.After[i].Event)
	if err := st.move(from, event, to); err != nil {
		return err
	}
	st.vars = maps.Clone(st.session.Vars)
	return nil
}
