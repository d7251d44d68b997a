package conversation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/conversation/effect"
	"parley/conversation/flow"
)

// Step handles one event: it gives the next session and what to do about it, in order. It is pure: the same arguments give
// the same results, and s is not changed.
//
// An effect other than Say and Remind is answered by an Event of kind Outcome, which the caller hands to Step next, until
// none is left; an outcome that comes later carries the Context of the session this Step returned. Set must be the one
// the session (or the event's Context) is pinned to; where it does not know the place any more, the event is taken as if
// it came from nowhere, so that an old button still works.
//
// An error means that the flow and the caller do not fit together (an outcome that the effect does not have, a template
// that cannot be rendered); nothing a shopper can write causes one.
func Step(set *flow.Set, s Session, e Event, now time.Time) (Session, []effect.Effect, error) {
	next, effects, _, err := Trace(set, s, e, now)
	return next, effects, err
}

// Move is a transition that a step took.
type Move struct {
	From  flow.Place // the zero Place when the event began a flow from anywhere
	Event string
	To    flow.Place
}

// Trace is Step, and says which transitions it took: for transcripts and whoever asks why the bot said what it said.
func Trace(set *flow.Set, s Session, e Event, now time.Time) (Session, []effect.Effect, []Move, error) {
	before := s
	s.Vars = maps.Clone(s.Vars)
	if s.Vars == nil {
		s.Vars = Vars{}
	}
	st := &step{set: set, now: now, session: s, vars: before.Vars}
	if s.Flow != "" && set.State(st.place()) == nil {
		st.idle()
	}
	err := st.lapse()
	if err == nil {
		err = st.handle(e)
	}
	if err != nil {
		return before, nil, nil, fmt.Errorf("step %s %q in %s: %w", e.Kind, e.Name, st.place(), err)
	}
	return st.session, st.effects, st.moves, nil
}

// step is the work of one Step.
type step struct {
	set     *flow.Set
	now     time.Time
	session Session
	vars    Vars // as the event found them; not changed
	effects []effect.Effect
	moves   []Move
	named   []string // what the words or the button bring along into another flow: amount, quantity
	words   bool     // the event is a shopper's doing, so what they did not name now counts no more there
}

var errNoOutcome = errors.New("the state has no such outcome")

func (st *step) handle(e Event) error {
	st.learnLanguage(e.Language)
	switch e.Kind {
	case Text:
		return st.text(e)
	case Choice:
		st.resume(e.Context)
		st.words = true
		delete(st.session.Vars, "text") // of an earlier message
		return st.take([]string{e.Name}, []string{e.Name})
	case Start:
		return st.start(e)
	case Outcome:
		return st.outcome(e)
	case Trigger:
		return st.trigger(e)
	case Timeout:
		return st.timeout(e)
	case Returned:
		st.idle()
		st.session.Misses = 0
		return st.begin("returned")
	case Blocked:
		st.idle()
	}
	return nil // receipts, staff's words and unblocking change nothing in a flow
}

// start is an opened link or chat. Opening the chat again does not disturb what is going on.
func (st *step) start(e Event) error {
	if e.Value != "" {
		st.session.Vars["token"] = e.Value
		return st.take([]string{"link"}, []string{"link"})
	}
	return st.take([]string{"greeting"}, []string{"greeting"})
}

func (st *step) outcome(e Event) error {
	if e.Context != nil && (flow.Place{Flow: e.Context.Flow, State: e.Context.State}) != st.place() {
		st.resume(e.Context)
	}
	from := st.place()
	if state := st.set.State(from); state != nil && state.Do != nil && slices.Contains(state.Do.Spec.Sets, "quote") {
		for _, term := range dealTerms {
			delete(st.session.Vars, term)
		}
	}
	st.learn(e.Vars)
	event, to, ok := st.set.Next(from, e.Name)
	if !ok {
		return errNoOutcome
	}
	return st.move(from, event, to)
}

// dealTerms are what a quote or an offer says of the deal. The next answer's terms stand alone: a counter of yesterday
// must not be agreed to today.
var dealTerms = []string{"counter", "quote", "total", "buy_url", "expires", "last_try"}

// trigger begins its flow wherever the conversation is. A set without a flow for it says nothing.
func (st *step) trigger(e Event) error {
	to, ok := st.set.Begin(e.Name)
	if !ok {
		return nil
	}
	st.forgetProduct()
	maps.Copy(st.session.Vars, e.Vars)
	st.session.Misses, st.session.Back = 0, nil
	return st.move(flow.Place{}, e.Name, to)
}

// timeout is taken only where its state still waits, and still waits from the same time on.
func (st *step) timeout(e Event) error {
	from := st.place()
	if e.Context == nil || (flow.Place{Flow: e.Context.Flow, State: e.Context.State}) != from {
		return nil
	}
	if entered := e.Context.Vars["entered"]; entered != "" && entered != st.session.Vars["entered"] {
		return nil
	}
	event, to, ok := st.set.Next(from, e.Name)
	if !ok {
		return nil
	}
	return st.move(from, event, to)
}

// begin raises an event that only a flow's starts_on handles.
func (st *step) begin(event string) error {
	to, ok := st.set.Begin(event)
	if !ok {
		return nil
	}
	return st.move(flow.Place{}, event, to)
}

// take offers events to the present state, then to what begins flows; what neither takes is a misunderstanding.
func (st *step) take(here, anywhere []string) error {
	from := st.place()
	if event, to, ok := st.set.Next(from, here...); ok {
		st.session.Misses = 0
		return st.move(from, event, to)
	}
	for _, event := range anywhere {
		if to, ok := st.set.Begin(event); ok {
			st.session.Misses = 0
			return st.move(flow.Place{}, event, to)
		}
	}
	return st.misunderstood()
}

// misunderstood goes to the state's own fallback the first time, then to what the set has for it.
func (st *step) misunderstood() error {
	st.session.Misses++
	from := st.place()
	if st.session.Misses == 1 {
		if event, to, ok := st.set.Next(from, flow.Misunderstood); ok {
			return st.move(from, event, to)
		}
	} else if to, ok := st.set.Begin(flow.Lost); ok {
		return st.move(flow.Place{}, flow.Lost, to)
	}
	return st.begin(flow.Misunderstood)
}

func (st *step) place() flow.Place {
	return flow.Place{Flow: st.session.Flow, State: st.session.State}
}

// idle ends the flow. What is known of the product stays; what belonged to the last words does not.
func (st *step) idle() {
	st.session.Flow, st.session.State, st.session.Hash, st.session.Back = "", "", "", nil
	for _, name := range []string{"text", "amount", "quantity", "token", "entered"} {
		delete(st.session.Vars, name)
	}
}

// move takes a transition and enters its state: set, say, do, after, in this order.
func (st *step) move(from flow.Place, event string, to flow.Place) error {
	st.moves = append(st.moves, Move{from, event, to})
	state := st.set.State(to)
	if state == nil {
		return fmt.Errorf("no state %s", to)
	}
	if state.Stay {
		return st.stay(state)
	}
	before := st.session
	st.remember(to)
	if to.Flow != before.Flow {
		st.dropUnnamed()
	}
	st.session.Flow, st.session.State, st.session.Hash = to.Flow, to.State, st.set.Hash

	delete(st.session.Vars, "entered")
	if len(state.After) > 0 {
		st.session.Vars["entered"] = st.now.UTC().Format(time.RFC3339Nano)
	}
	for _, a := range state.Set {
		value, err := st.scope().Render(a.Value)
		if err != nil {
			return err
		}
		st.session.Vars[a.Name] = value
	}
	scope := st.scope()
	var do effect.Effect
	if state.Do != nil {
		var err error
		if do, err = state.Do.Effect(scope); err != nil {
			return st.refused(before, err)
		}
	}
	if err := st.say(state, scope); err != nil {
		return err
	}
	for _, timer := range state.After {
		if !timer.Silent {
			st.effects = append(st.effects, effect.Remind{After: timer.After, Event: timer.Event})
		}
	}
	if do != nil {
		st.effects = append(st.effects, do)
	}
	switch {
	case state.End:
		st.idle()
	case state.Return:
		st.goBack()
	}
	return nil
}

// stay says something and leaves everything as it was.
func (st *step) stay(state *flow.State) error {
	err := st.say(state, st.scope())
	st.session.Vars = maps.Clone(st.vars)
	return err
}

// remember keeps the state that the flow about to begin interrupts, where that flow can lead back.
func (st *step) remember(to flow.Place) {
	from := st.place()
	if from.Flow == "" || from.Flow == to.Flow {
		return
	}
	if !st.set.Returns(to.Flow) {
		st.session.Back = nil
		return
	}
	known := st.session.Vars
	if len(st.named) > 0 {
		known = st.vars // what the interruption named belongs to the interruption
	}
	st.session.Back = &Context{Flow: from.Flow, Hash: st.session.Hash, State: from.State, Vars: maps.Clone(known)}
}

// goBack leaves the shopper where they were, with what was known there, without saying it all again.
func (st *step) goBack() {
	back := st.session.Back
	if back == nil || st.set.State(flow.Place{Flow: back.Flow, State: back.State}) == nil {
		st.idle()
		return
	}
	st.session.Flow, st.session.State, st.session.Back = back.Flow, back.State, nil
	st.session.Vars = maps.Clone(back.Vars)
	if st.session.Vars == nil {
		st.session.Vars = Vars{}
	}
}

// refused is an effect whose arguments make no sense, such as a quantity of a million: the shopper stays where they were
// and is asked again.
func (st *step) refused(before Session, cause error) error {
	if len(st.moves) > 4 {
		return cause
	}
	st.session.Flow, st.session.State, st.session.Hash, st.session.Back = before.Flow, before.State, before.Hash, before.Back
	if state := st.set.State(st.place()); state == nil || state.Do != nil {
		st.idle()
	}
	return st.misunderstood()
}

func (st *step) scope() *flow.Scope { return st.set.Scope(st.session.Language, st.session.Vars) }

func (st *step) say(state *flow.State, scope *flow.Scope) error {
	if state.Say == nil {
		return nil
	}
	text, err := scope.Render(state.Say)
	if err != nil {
		return err
	}
	image, err := scope.Render(state.Image)
	if err != nil {
		return err
	}
	say := effect.Say{Text: text, Image: image, Class: state.Class}
	for _, choice := range state.Choices {
		label, err := scope.Render(choice.Label)
		if err != nil {
			return err
		}
		say.Choices = append(say.Choices, effect.Option{ID: choice.ID, Label: label})
	}
	if text == "" && len(say.Choices) == 0 {
		return nil
	}
	st.effects = append(st.effects, say)
	return nil
}

// resume goes to where a button was shown, with what was known there.
func (st *step) resume(c *Context) {
	if c == nil {
		return
	}
	st.forgetProduct()
	maps.Copy(st.session.Vars, c.Vars)
	p := flow.Place{Flow: c.Flow, State: c.State}
	if st.set.State(p) == nil || p == st.place() {
		return
	}
	st.session.Flow, st.session.State, st.session.Hash, st.session.Back = c.Flow, c.State, st.set.Hash, nil
}

// learn takes in what an outcome says. Another product than so far makes everything known of the last one void.
func (st *step) learn(vars Vars) {
	if sku := vars["product.sku"]; sku != "" && sku != st.session.Vars["product.sku"] {
		st.forgetProduct()
	}
	maps.Copy(st.session.Vars, vars)
}

func (st *step) forgetProduct() {
	maps.DeleteFunc(st.session.Vars, func(name, _ string) bool { return st.set.IsProductBound(name) })
}

func (st *step) learnLanguage(tag string) {
	if st.session.Language == "" {
		st.session.Language = st.set.Speaks(tag)
	}
}
