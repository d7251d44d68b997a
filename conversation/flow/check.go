package flow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/conversation/effect"
)

// resolve turns targets into places and checks the names of events.
func (c *compiler) resolve() {
	for _, f := range c.set.Flows {
		if f.Start != "" && f.byName[f.Start] == nil {
			c.errorAt(f.start.at, didYouMean(f.Start, f.stateNames()), "no state named %q in the flow %s", f.Start, f.Name)
			f.Start = nearest(f.Start, f.stateNames())
		}
	}
	for _, f := range c.set.Flows {
		for i := range f.Begins {
			c.resolveBegin(f, &f.Begins[i])
		}
		for _, s := range f.States {
			for i := range s.Edges {
				s.Edges[i].To = c.place(f, s.Edges[i].target)
			}
			c.checkEvents(s)
			if !s.broken {
				c.checkState(s)
			}
		}
	}
	if _, ok := c.set.begins[Misunderstood]; !ok && len(c.set.Flows) > 0 {
		c.errorAt(pos{file: BotFile}, "give a flow `starts_on: {misunderstood: …, lost: …}`", "no flow answers what the bot does not understand")
	}
	if _, ok := c.set.begins["stop"]; !ok && len(c.set.Flows) > 0 {
		c.errorAt(pos{file: BotFile}, "give a flow `starts_on: [stop]` with `do: stop`", "no flow lets people stop the messages")
	}
}

func (f *Flow) stateNames() []string { return slices.Collect(maps.Keys(f.byName)) }

// place finds what a target names: a state of the flow itself, then a flow, then flow.state. What is misspelt is reported,
// and taken for the nearest name, so that what it leads to is not called unreachable as well.
func (c *compiler) place(f *Flow, t target) Place {
	if f.byName[t.text] != nil {
		return Place{f.Name, t.text}
	}
	if other := c.set.byName[t.text]; other != nil {
		return Place{other.Name, other.Start}
	}
	flows := slices.Collect(maps.Keys(c.set.byName))
	if flow, state, ok := strings.Cut(t.text, "."); ok {
		other := c.set.byName[flow]
		if other == nil {
			c.errorAt(t.at, didYouMean(flow, flows), "no flow named %q", flow)
			return Place{nearest(flow, flows), state}
		}
		if other.byName[state] == nil {
			c.errorAt(t.at, didYouMean(state, other.stateNames()), "no state named %q in the flow %s", state, flow)
			state = nearest(state, other.stateNames())
		}
		return Place{flow, state}
	}
	all := append(f.stateNames(), flows...)
	c.errorAt(t.at, didYouMean(t.text, all), "no state named %q in the flow %s, and no flow of that name", t.text, f.Name)
	guess := nearest(t.text, all)
	if other := c.set.byName[guess]; other != nil && f.byName[guess] == nil {
		return Place{other.Name, other.Start}
	}
	return Place{f.Name, guess}
}

func (c *compiler) resolveBegin(f *Flow, e *Edge) {
	e.To = Place{f.Name, e.target.text}
	if f.byName[e.target.text] == nil {
		e.To.State = nearest(e.target.text, f.stateNames())
		if e.target.at != f.start.at { // that one is reported already
			c.errorAt(e.target.at, didYouMean(e.target.text, f.stateNames()), "no state named %q in the flow %s", e.target.text, f.Name)
		}
	}
	switch {
	case e.Event == "text":
		c.errorAt(e.at, "use misunderstood, which is raised when nothing else takes the text", "a text alone cannot begin a flow")
		return
	case !c.events[e.Event]:
		c.errorAt(e.at, didYouMean(e.Event, slices.Collect(maps.Keys(c.events))), "nothing raises the event %q", e.Event)
		return
	}
	if other, ok := c.set.begins[e.Event]; ok {
		where := "the flow " + other.Flow
		if other.Flow == f.Name {
			where = "the same flow"
		}
		c.errorAt(e.at, "keep it in one of the two", "the event %q begins %s already", e.Event, where)
		return
	}
	c.set.begins[e.Event] = e.To
}

// checkEvents says which events of a state nothing raises, and which outcomes it forgets.
func (c *compiler) checkEvents(s *State) {
	known := maps.Clone(c.events)
	for _, choice := range s.Choices {
		known[choice.ID] = true
		if !slices.ContainsFunc(s.Edges, func(e Edge) bool { return e.Event == choice.ID }) {
			if _, ok := c.set.begins[choice.ID]; !ok && !c.beginsSomewhere(choice.ID) {
				c.errorAt(choice.at, "give the choice a `to:`, or handle it in on:", "the choice %q leads nowhere in the state %s", choice.ID, s.Name)
			}
		}
	}
	if s.Do != nil {
		for _, outcome := range s.Do.Spec.Outcomes {
			known[outcome] = true
			if !slices.ContainsFunc(s.Edges, func(e Edge) bool { return e.Event == outcome }) {
				c.errorAt(s.at, "add `"+outcome+": <state>` to its on:", "the state %s does %s but does not handle its outcome %q", s.Name, s.Do.Spec.Name, outcome)
			}
		}
	}
	if s.broken && s.Do == nil {
		for _, spec := range effect.All { // which one was meant is reported already
			for _, outcome := range spec.Outcomes {
				known[outcome] = true
			}
		}
	}
	for _, e := range s.Edges {
		if to := c.set.State(e.To); to != nil && to.Stay && s.Do != nil && slices.Contains(s.Do.Spec.Outcomes, e.Event) {
			c.errorAt(e.at, "let that state have `return: true` or `end: true`", "the outcome %q leads to %s, which stays: the conversation would wait for ever in %s", e.Event, e.To.State, s.Name)
		}
		if e.key == "on" && !known[e.Event] {
			c.errorAt(e.at, didYouMean(e.Event, slices.Collect(maps.Keys(known))), "nothing raises the event %q in the state %s", e.Event, s.Name)
		}
	}
}

func (c *compiler) beginsSomewhere(event string) bool {
	return slices.ContainsFunc(c.set.Flows, func(f *Flow) bool {
		return slices.ContainsFunc(f.Begins, func(e Edge) bool { return e.Event == event })
	})
}

// checkState says what does not go together in one state.
func (c *compiler) checkState(s *State) {
	ways := 0
	for _, way := range []bool{s.End, s.Return, s.Stay} {
		if way {
			ways++
		}
	}
	over := ways > 0
	switch {
	case ways > 1:
		c.errorAt(s.at, "keep one of them", "the state %s has more than one of end:, return: and stay:", s.Name)
	case s.Stay && s.Say == nil:
		c.errorAt(s.at, "add a `say:`", "the state %s stays and says nothing, so it would be silence", s.Name)
	case s.Stay && len(s.Set) > 0:
		c.errorAt(s.at, "set it in another state", "the state %s changes nothing, so it cannot set variables", s.Name)
	case over && s.Do != nil:
		c.errorAt(s.at, "end in the states that its outcomes lead to", "the state %s is over at once, so it cannot wait for what %s answers", s.Name, s.Do.Spec.Name)
	case over && len(s.Edges)+len(s.Choices) > 0:
		c.errorAt(s.at, "remove `end:`, `return:` or `stay:`, or what leads on", "the state %s is over at once, so nothing can lead on from it", s.Name)
	case s.Do != nil && len(s.Choices) > 0:
		c.errorAt(s.at, "put them into a state of their own", "the state %s does %s and moves on, so its choices could not be answered", s.Name, s.Do.Spec.Name)
	case len(s.Choices) > 0 && s.Say == nil:
		c.errorAt(s.at, "add a `say:`", "the state %s has choices but no message", s.Name)
	case !over && len(s.Edges)+len(s.Choices) == 0 && s.Do == nil:
		c.errorAt(s.at, "add `end: true`, or an on:, choices: or after:", "dead end: nothing leads out of the state %s", s.Name)
	}
	if s.Say == nil && (s.Image != nil || s.Class != "") {
		c.warnAt(s.at, "add a `say:`, or remove them", "the state %s says nothing, so its image and class have no effect", s.Name)
	}
}

// checkGraph says which states cannot be reached, and where effects would go round without end.
func (c *compiler) checkGraph() {
	reached := map[Place]bool{}
	var visit func(p Place)
	visit = func(p Place) {
		s := c.set.State(p)
		if s == nil || reached[p] {
			return
		}
		reached[p] = true
		for _, e := range s.Edges {
			visit(e.To)
		}
	}
	for _, f := range c.set.Flows {
		for _, e := range f.Begins {
			visit(e.To)
		}
	}
	for _, f := range c.set.Flows {
		if !slices.ContainsFunc(f.States, func(s *State) bool { return reached[Place{f.Name, s.Name}] }) {
			if len(f.States) > 0 {
				c.errorAt(f.at, "add `starts_on:`, or lead to it from another flow", "the flow %s is never begun", f.Name)
			}
			continue
		}
		for _, s := range f.States {
			if !reached[Place{f.Name, s.Name}] {
				c.errorAt(s.at, "lead to it from another state, or remove it", "the state %s cannot be reached", s.Name)
			}
		}
	}
	c.checkCycles()
}

// checkCycles follows outcomes only: a state that waits for a person breaks the circle.
func (c *compiler) checkCycles() {
	const open, done = 1, 2
	colour := map[Place]int{}
	var path []Place
	var visit func(p Place)
	visit = func(p Place) {
		s := c.set.State(p)
		if s == nil || s.Do == nil || colour[p] == done {
			return
		}
		if colour[p] == open {
			i := slices.Index(path, p)
			circle := ""
			for _, q := range path[i:] {
				circle += fmt.Sprintf("%s → ", q.State)
			}
			c.errorAt(s.at, "let one of them wait for the shopper: a say: with choices or on:", "endless circle of effects: %s%s", circle, p.State)
			return
		}
		colour[p] = open
		path = append(path, p)
		for _, e := range s.Edges {
			if slices.Contains(s.Do.Spec.Outcomes, e.Event) {
				visit(e.To)
			}
		}
		path = path[:len(path)-1]
		colour[p] = done
	}
	for _, f := range c.set.Flows {
		for _, s := range f.States {
			visit(Place{f.Name, s.Name})
		}
	}
}
