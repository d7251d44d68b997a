package flow

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"parley/conversation/effect"
)

func (c *compiler) readFlow(r *reader, content []byte) {
	root := r.parse(content)
	if root == nil {
		return
	}
	found := r.fields(root, "the flow", FlowFields)
	if found["flow"] == nil || found["states"] == nil {
		return
	}
	name, ok := r.name(found["flow"], "the flow")
	if !ok {
		return
	}
	if other := c.set.byName[name]; other != nil {
		r.errorAt(r.at(found["flow"]), "rename one of the two", "the flow %s stands in %s as well", name, other.at.file)
		return
	}
	f := &Flow{Name: name, at: r.at(found["flow"]), byName: map[string]*State{}}
	c.set.byName[name] = f
	c.set.Flows = append(c.set.Flows, f)
	if n := found["about"]; n != nil {
		f.About, _ = r.scalar(n, "about")
	}
	if n := found["start"]; n != nil {
		f.Start, _ = r.scalar(n, "start")
		f.start = target{f.Start, r.at(n)}
	}
	if n := found["starts_on"]; n != nil {
		c.readBegins(r, n, f)
	}
	for _, e := range r.entries(found["states"], "states") {
		if state, ok := r.name(e.key, "the state"); ok {
			s := c.readState(r, e, state)
			f.States = append(f.States, s)
			f.byName[state] = s
		}
	}
	if len(f.States) == 0 && found["states"].Kind == yaml.MappingNode {
		r.errorAt(r.at(found["states"]), "write one", "the flow %s has no state", name)
	}
}

func (c *compiler) readBegins(r *reader, n *yaml.Node, f *Flow) {
	if n.Kind == yaml.MappingNode {
		for _, e := range r.entries(n, "starts_on") {
			if to, ok := r.scalar(e.value, "the state"); ok {
				f.Begins = append(f.Begins, Edge{Event: e.key.Value, at: r.at(e.key), target: target{to, r.at(e.value)}, key: "starts_on"})
			}
		}
		return
	}
	for _, item := range r.list(n, "starts_on") {
		if event, ok := r.scalar(item, "the event"); ok {
			f.Begins = append(f.Begins, Edge{Event: event, at: r.at(item), target: f.start, key: "starts_on"})
		}
	}
}

func (c *compiler) readState(r *reader, e entry, name string) *State {
	s := &State{Name: name, at: r.at(e.key)}
	before := len(r.problems)
	defer func() { s.broken = HasErrors(r.problems[before:]) }()
	what := "the state " + name
	found := r.fields(e.value, what, StateFields)
	if n := found["set"]; n != nil {
		for _, v := range r.entries(n, "set") {
			c.readAssignment(r, v, s)
		}
	}
	if n := found["say"]; n != nil {
		s.Say = c.readText(r, n, "the message of "+name)
	}
	if n := found["image"]; n != nil {
		s.Image = c.readTemplate(r, n, "image", true)
	}
	if n := found["class"]; n != nil {
		class, ok := r.scalar(n, "class")
		if ok && !slices.Contains(Classes, class) {
			r.errorAt(r.at(n), didYouMean(class, Classes), "unknown class %q", class)
		}
		s.Class = class
	}
	if n := found["do"]; n != nil {
		s.Do = c.readDo(r, n)
	}
	if n := found["end"]; n != nil {
		s.End = r.boolean(n, "end")
	}
	if n := found["return"]; n != nil {
		s.Return = r.boolean(n, "return")
	}
	if n := found["stay"]; n != nil {
		s.Stay = r.boolean(n, "stay")
	}
	if n := found["choices"]; n != nil {
		for _, item := range r.list(n, "choices") {
			c.readChoice(r, item, s)
		}
	}
	if n := found["on"]; n != nil {
		for _, v := range r.entries(n, "on") {
			if to, ok := r.scalar(v.value, "the target of "+v.key.Value); ok {
				c.edge(s, Edge{Event: v.key.Value, at: r.at(v.key), target: target{to, r.at(v.value)}, key: "on"})
			}
		}
	}
	if n := found["after"]; n != nil {
		for _, v := range r.entries(n, "after") {
			to, ok := r.scalar(v.value, "the target")
			if d, valid := r.duration(v.key); ok && valid {
				event := "after_" + v.key.Value
				s.After = append(s.After, Timer{After: d, Event: event})
				c.edge(s, Edge{Event: event, at: r.at(v.key), target: target{to, r.at(v.value)}, key: "after"})
			}
		}
	}
	if n := found["fallback"]; n != nil {
		if to, ok := r.scalar(n, "fallback"); ok {
			c.edge(s, Edge{Event: Misunderstood, at: r.at(n), target: target{to, r.at(n)}, key: "fallback"})
		}
	}
	return s
}

// edge adds a transition; the machine itself would silently take the last of two.
func (c *compiler) edge(s *State, e Edge) {
	for _, other := range s.Edges {
		if other.Event != e.Event {
			continue
		}
		if other.target.text == e.target.text {
			c.warnAt(e.at, "remove one", "the event %q is handled twice in the state %s, by %s and by %s", e.Event, s.Name, other.key, e.key)
		} else {
			c.errorAt(e.at, "keep one of the two, or give the choice another id",
				"duplicate transition: in the state %s the event %q leads to %s (%s, line %d) and to %s", s.Name, e.Event, other.target.text, other.key, other.at.line, e.target.text)
		}
		return
	}
	s.Edges = append(s.Edges, e)
}

func (c *compiler) readAssignment(r *reader, v entry, s *State) {
	name, ok := r.name(v.key, "the variable")
	if !ok {
		return
	}
	if slices.Contains(productBound(), name) || slices.Contains(names(Builtins), name) {
		r.errorAt(r.at(v.key), "choose another name", "the variable %q belongs to the shop", name)
		return
	}
	s.Set = append(s.Set, Assignment{name, c.readTemplate(r, v.value, "the value of "+name, true)})
}

func (c *compiler) readChoice(r *reader, n *yaml.Node, s *State) {
	choice := Choice{at: r.at(n)}
	if n.Kind == yaml.ScalarNode {
		id, ok := r.name(n, "the choice")
		if !ok {
			return
		}
		choice.ID = id
	} else {
		found := r.fields(n, "the choice", ChoiceFields)
		if found["id"] == nil {
			return
		}
		id, ok := r.name(found["id"], "the choice")
		if !ok {
			return
		}
		choice.ID = id
		if l := found["label"]; l != nil {
			choice.Label = c.readText(r, l, "the label of "+id)
		}
		if to := found["to"]; to != nil {
			if text, ok := r.scalar(to, "to"); ok {
				c.edge(s, Edge{Event: id, at: r.at(found["id"]), target: target{text, r.at(to)}, key: "choices"})
			}
		}
	}
	if slices.ContainsFunc(s.Choices, func(o Choice) bool { return o.ID == choice.ID }) {
		r.errorAt(choice.at, "remove one, or give it another id", "the choice %q stands twice in the state %s", choice.ID, s.Name)
		return
	}
	if choice.Label == nil {
		if choice.Label = c.labels[choice.ID]; choice.Label == nil {
			r.errorAt(choice.at, "give it a label, or add one to labels: in "+BotFile, "the choice %q has no label", choice.ID)
			choice.Label = &Text{}
		}
	}
	s.Choices = append(s.Choices, choice)
}

func (c *compiler) readDo(r *reader, n *yaml.Node) *Do {
	if !r.plain(n) {
		return nil
	}
	key, given := n, []entry(nil)
	if n.Kind == yaml.MappingNode {
		all := r.entries(n, "do")
		if len(all) != 1 {
			r.errorAt(r.at(n), "give each effect its own state", "do: names %d effects", len(all))
			return nil
		}
		key = all[0].key
		given = r.entries(all[0].value, "the effect "+key.Value)
	}
	var known []string
	for _, spec := range effect.All {
		known = append(known, spec.Name)
	}
	name, ok := r.scalar(key, "do")
	if !ok {
		return nil
	}
	i := slices.Index(known, name)
	if i < 0 {
		r.errorAt(r.at(key), didYouMean(name, known), "unknown effect %q", name)
		return nil
	}
	return &Do{Spec: effect.All[i], Args: c.readArgs(r, effect.All[i], given, key)}
}

func (c *compiler) readArgs(r *reader, spec effect.Spec, given []entry, key *yaml.Node) []Assignment {
	var known []string
	for _, a := range spec.Args {
		known = append(known, a.Name)
	}
	for _, e := range given {
		if !slices.Contains(known, e.key.Value) {
			r.errorAt(r.at(e.key), didYouMean(e.key.Value, known), "the effect %s takes no %q", spec.Name, e.key.Value)
		}
	}
	var args []Assignment
	for _, a := range spec.Args {
		i := slices.IndexFunc(given, func(e entry) bool { return e.key.Value == a.Name })
		switch {
		case i >= 0:
			args = append(args, Assignment{a.Name, c.readTemplate(r, given[i].value, a.Name, true)})
		case a.Default != "":
			t := &Text{sources: []source{{text: a.Default, node: key, file: r.file, anyMoney: true}}}
			c.texts = append(c.texts, t)
			args = append(args, Assignment{a.Name, t})
		case a.Required:
			r.errorAt(r.at(key), "add it: {"+spec.Name+": {"+a.Name+": …}}", "the effect %s needs %s (%s)", spec.Name, a.Name, a.Doc)
		}
	}
	return args
}

// Effect makes the effect with its arguments rendered.
func (d *Do) Effect(scope *Scope) (effect.Effect, error) {
	args := map[string]string{}
	for _, a := range d.Args {
		value, err := scope.Render(a.Value)
		if err != nil {
			return nil, err
		}
		args[a.Name] = value
	}
	return d.Spec.New(args)
}
