// Package effect lists what a step may ask of the world. A step never acts: it returns effects, package bots carries them
// out in the same transaction, and what came of an effect returns to the conversation as an outcome event.
//
// What does not belong here: how an effect is carried out.
package effect

// Effect is one request. The concrete types are in this package, one file each.
type Effect interface{ effect() }

// Spec describes an effect to the flow compiler, to `parley check` and to the documentation.
type Spec struct {
	Name     string   // as written after `do:`
	Doc      string   // what it does, one sentence
	Args     []Arg    // what may be given to it
	Outcomes []string // the events it may answer with; a state that does it must handle each
	Sets     []string // variables its outcomes bring
	New      func(args map[string]string) (Effect, error)
}

// Arg is one argument of an effect. The value is a template rendered when the step is made.
type Arg struct {
	Name     string
	Doc      string
	Required bool
	Default  string // a template, used when the flow gives none: "{{ quote }}"
}
