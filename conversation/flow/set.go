// Package flow compiles a folder of YAML flows into checked state machines. Load reports every problem of every file at
// once, each with file, line, column and remedy; what it returns without errors cannot name a state, an effect, a variable
// or a filter that does not exist.
//
// What does not belong here: what happened to one conversation (package conversation steps through a Set), and I/O beyond
// reading the folder.
package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"parley/conversation/effect"
	"parley/conversation/understand"
)

// Place is a state of a flow.
type Place struct{ Flow, State string }

// String is "flow.state".
func (p Place) String() string { return p.Flow + "." + p.State }

// Set is a checked folder of flows. It does not change and may be used from any number of goroutines.
type Set struct {
	Hash      string   // of the files: the same files have the same hash everywhere
	Languages []string // the first is the default
	Shop      string   // the shop's name as bot.yaml has it
	Flows     []*Flow  // by name

	files   map[string][]byte
	phrases map[string][]string
	own     *understand.Phrases // phrases, compiled
	byName  map[string]*Flow
	begins  map[string]Place
	vars    map[string]bool
	bound   map[string]bool
}

// Flow is one flow of the set.
type Flow struct {
	Name   string
	About  string
	Start  string
	Begins []Edge   // the events that begin it from anywhere
	States []*State // as written

	at      pos
	start   target
	byName  map[string]*State
	machine *machine
}

// State is one state of a flow.
type State struct {
	Name    string
	Set     []Assignment
	Say     *Text // nil when it says nothing
	Image   *Text
	Class   string
	Choices []Choice
	Do      *Do    // nil when it asks for nothing
	Edges   []Edge // everywhere it leads, as written
	After   []Timer
	End     bool
	Return  bool
	Stay    bool

	at     pos
	broken bool // reading it met an error
}

// Edge says where an event leads.
type Edge struct {
	Event string
	To    Place

	at     pos
	target target
	key    string // on, choices, after, fallback: for problems
}

// Assignment sets a variable of the session.
type Assignment struct {
	Name  string
	Value *Text
}

// Choice is one thing to choose.
type Choice struct {
	ID    string
	Label *Text

	at pos
}

// Timer raises Event when the conversation is still in the state after a while.
type Timer struct {
	After time.Duration
	Event string
	// Silent says that it leads where the flow ends and nobody hears of it, and that nothing else comes before: whether it has passed
	// need not be known before the next event comes.
	Silent bool
}

// Do is an effect that a state asks for.
type Do struct {
	Spec effect.Spec
	Args []Assignment // in the spec's order, defaults included
}

// target is a place as it is written: a state, a flow, or flow.state.
type target struct {
	text string
	at   pos
}

// Events that the compiler makes.
const (
	Misunderstood = "misunderstood" // also what a state's fallback: handles
	Lost          = "lost"
)

// Flow finds a flow by its name; nil when there is none.
func (s *Set) Flow(name string) *Flow { return s.byName[name] }

// State finds a state; nil when there is none.
func (s *Set) State(p Place) *State {
	if f := s.byName[p.Flow]; f != nil {
		return f.byName[p.State]
	}
	return nil
}

// Begin is where an event begins a flow from anywhere.
func (s *Set) Begin(event string) (Place, bool) {
	p, ok := s.begins[event]
	return p, ok
}

// Next asks the flow's machine where the first of the events leads that the state handles.
func (s *Set) Next(from Place, events ...string) (event string, to Place, ok bool) {
	f := s.byName[from.Flow]
	if f == nil || f.byName[from.State] == nil {
		return "", Place{}, false
	}
	return f.machine.next(from.State, events)
}

// Handles says whether a state handles an event itself.
func (s *Set) Handles(at Place, event string) bool {
	_, _, ok := s.Next(at, event)
	return ok
}

// Returns says whether a flow can lead back to where the shopper was before it.
func (s *Set) Returns(name string) bool {
	f := s.byName[name]
	return f != nil && slices.ContainsFunc(f.States, func(state *State) bool { return state.Return })
}

// markSilent finds the timers that are silent.
func (s *Set) markSilent(f *Flow) {
	for _, state := range f.States {
		heard := time.Duration(math.MaxInt64)
		silent := make([]bool, len(state.After))
		for i, t := range state.After {
			_, to, _ := s.Next(Place{f.Name, state.Name}, t.Event)
			if silent[i] = s.State(to).isSilentEnd(); !silent[i] {
				heard = min(heard, t.After)
			}
		}
		for i := range state.After {
			state.After[i].Silent = silent[i] && state.After[i].After < heard
		}
	}
}

// isSilentEnd says that all the state does is end the flow.
func (s *State) isSilentEnd() bool {
	return s != nil && s.End && s.Say == nil && s.Do == nil && len(s.Set) == 0 && len(s.Choices) == 0
}

// Phrases are the merchant's own intents with their words, of all languages.
func (s *Set) Phrases() *understand.Phrases { return s.own }

// Files are what the set was loaded from: LoadFiles gives the same set again, with the same hash.
func (s *Set) Files() map[string][]byte { return maps.Clone(s.files) }

// Speaks gives the set's language that fits a BCP 47 tag ("de-AT" gives "de"), or "" when it speaks none such.
func (s *Set) Speaks(tag string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	if slices.Contains(s.Languages, base) {
		return base
	}
	return ""
}

// hashOf is the SHA-256 of the files' names, lengths and contents, in the order of their names.
func hashOf(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%d %s %d\n", len(name), name, len(files[name]))
		_, _ = h.Write(files[name]) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Pos is where the state stands.
func (s *State) Pos() (file string, line, col int) { return s.at.file, s.at.line, s.at.col }

// Pos is where the transition stands.
func (e Edge) Pos() (file string, line, col int) { return e.at.file, e.at.line, e.at.col }

// Knows says whether anything sets a variable of that name.
func (s *Set) Knows(variable string) bool { return s.vars[variable] }

// IsProductBound says whether a variable speaks of one product, and is forgotten when another becomes the topic.
func (s *Set) IsProductBound(variable string) bool { return s.bound[variable] }

// NearestVariable is a remedy for a variable that nothing sets.
func (s *Set) NearestVariable(variable string) string {
	return didYouMean(variable, knownNames(s.vars))
}
