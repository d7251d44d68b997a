package understand

import (
	"maps"
	"slices"
	"strings"
)

// lexicon is one language as it is written down in english.go and german.go: plain words with their own letters and
// without apostrophes; a phrase is written as compilePhrase says. Another language is another lexicon in languages.
type lexicon struct {
	tag      string
	grouping rune // the sign between thousands

	stop       []string            // whole messages that end everything
	stopCancel []string            // the same, but while something is going on they may mean only that
	whole      map[string][]string // intent → whole messages
	intents    map[string][]string // intent → phrases; names with a dot never leave this package

	yes     string   // words that agree at the start of a message
	weakYes string   // the same, but only if nothing else of weight is said
	no      string   // words that refuse at the start of a message
	notNo   []string // phrases that begin so and refuse nothing
	filler  string   // words beside a bare number or a yes that change nothing
	common  string   // everyday words: they tell the language, and no counted thing is called so
	asking  string   // words that open a question
	but     string   // words that take back a yes

	negations string   // words that turn what follows into its opposite
	behind    string   // words that do so to what precedes ("ich kaufe das nicht")
	polite    []string // phrases that hold a negation and negate nothing ("can't you")

	units    string            // words behind a number that make it no money and no quantity: days, cm
	pieces   string            // words beside a number that make it a quantity: pieces, x
	percent  string            // words for %
	ranges   string            // words between two numbers of which neither is meant
	between  string            // words before two such numbers
	and      string            // words that join euros and cents
	coins    map[string]string // names of money → ISO codes, none for whatever is spoken of
	cents    map[string]string // names of hundredths → ISO codes
	notes    map[string]int64  // "tenner" → 10
	ordinals map[string]int64  // "first" → 1
	scales   map[string]int64  // "thousand" → 1000

	// spelt reads number words at the start of tokens and says how many tokens they are.
	spelt func(tokens []token) (numeral, int)
}

// grammar is all languages made ready for reading. A shopper may use any of them, whatever language we believe to be theirs.
type grammar struct {
	languages []lexicon
	marks     []map[string]bool // per language, words that no other one has

	stop, stopCancel map[string]bool
	whole            map[string]string
	phrases          map[string][]phrase // by first word; "#" for those that begin with a number
	own              map[string]bool     // intents of ours

	yes, weakYes, no, filler, known, asking, but, negations, behind map[string]bool
	units, pieces, percent, ranges, between, and                    map[string]bool
	coins                                                           map[string]coin
	notes, ordinals, scales                                         map[string]int64
	suffix                                                          map[string]bool
}

var words = compile(english, german)

func compile(languages ...lexicon) *grammar {
	g := &grammar{
		languages: languages, stop: map[string]bool{}, stopCancel: map[string]bool{}, whole: map[string]string{},
		phrases: map[string][]phrase{}, own: map[string]bool{"yes": true, "no": true, "question": true, "stop": true},
		coins: map[string]coin{}, notes: map[string]int64{}, ordinals: map[string]int64{}, scales: map[string]int64{}, suffix: map[string]bool{},
		known: map[string]bool{},
	}
	for _, f := range []struct {
		to   *map[string]bool
		from func(lexicon) string
	}{
		{&g.yes, func(l lexicon) string { return l.yes }}, {&g.weakYes, func(l lexicon) string { return l.weakYes }},
		{&g.no, func(l lexicon) string { return l.no }}, {&g.filler, func(l lexicon) string { return l.filler }},
		{&g.asking, func(l lexicon) string { return l.asking }}, {&g.but, func(l lexicon) string { return l.but }},
		{&g.negations, func(l lexicon) string { return l.negations }}, {&g.behind, func(l lexicon) string { return l.behind }},
		{&g.units, func(l lexicon) string { return l.units }}, {&g.pieces, func(l lexicon) string { return l.pieces }},
		{&g.percent, func(l lexicon) string { return l.percent }}, {&g.ranges, func(l lexicon) string { return l.ranges }},
		{&g.between, func(l lexicon) string { return l.between }}, {&g.and, func(l lexicon) string { return l.and }},
	} {
		*f.to = map[string]bool{}
		for _, l := range languages {
			maps.Copy(*f.to, foldedSet(f.from(l)))
		}
	}
	for _, l := range languages {
		g.addWhole(l)
		g.addPhrases(l)
		g.addMoney(l)
	}
	g.addMarks()
	for _, set := range []map[string]bool{g.filler, g.yes, g.weakYes, g.no, g.asking, g.but, g.negations, g.units, g.pieces, g.percent, g.ranges, g.between, g.and} {
		maps.Copy(g.known, set)
	}
	for _, s := range []string{"k", "x"} {
		g.suffix[s] = true
	}
	for s := range signs {
		g.suffix[folded(s)] = true
	}
	maps.Copy(g.suffix, isoCodes)
	maps.Copy(g.suffix, clashing)
	maps.Copy(g.suffix, g.pieces)
	return g
}

func foldedSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[folded(w)] = true
	}
	return set
}

func (g *grammar) addWhole(l lexicon) {
	for _, s := range l.stop {
		g.stop[folded(s)] = true
	}
	for _, s := range l.stopCancel {
		g.stopCancel[folded(s)] = true
	}
	for intent, list := range l.whole {
		g.own[intent] = true
		for _, s := range list {
			g.whole[folded(s)] = intent
		}
	}
}

func (g *grammar) addPhrases(l lexicon) {
	add := func(intent string, texts []string) {
		if !strings.Contains(intent, ".") {
			g.own[intent] = true
		}
		for _, text := range texts {
			p := compilePhrase(intent, text)
			p.deny(g.negations)
			for _, first := range p.firsts() {
				g.phrases[first] = append(g.phrases[first], p)
			}
		}
	}
	for _, intent := range slices.Sorted(maps.Keys(l.intents)) {
		add(intent, l.intents[intent])
	}
	add(".polite", l.polite)
	add(".not no", l.notNo)
}

func (g *grammar) addMoney(l lexicon) {
	for _, minor := range []bool{false, true} {
		names := l.coins
		if minor {
			names = l.cents
		}
		for list, codes := range names {
			for name := range strings.SplitSeq(list, "|") {
				k := coins(codes, minor)
				for _, c := range g.coins[folded(name)].of { // another language has the word as well
					if !slices.Contains(k.of, c) {
						k.of = append(k.of, c)
					}
				}
				g.coins[folded(name)] = k
				g.suffix[folded(name)] = true
			}
		}
	}
	for _, m := range []struct{ to, from map[string]int64 }{{g.notes, l.notes}, {g.ordinals, l.ordinals}, {g.scales, l.scales}} {
		for w, n := range m.from {
			m.to[folded(w)] = n
		}
	}
	for w := range l.scales {
		if len(w) > 1 {
			g.suffix[folded(w)] = true
		}
	}
}

// addMarks finds the words that tell a language: those that only one of them has.
func (g *grammar) addMarks() {
	in := map[string]int{}
	all := make([]map[string]bool, len(g.languages))
	for i, l := range g.languages {
		set := foldedSet(strings.Join([]string{l.common, l.yes, l.weakYes, l.no, l.filler, l.asking, l.but, l.negations, l.units}, " "))
		maps.Copy(g.known, set)
		for _, texts := range l.intents {
			for _, text := range texts {
				for _, e := range compilePhrase("", text).elements {
					for _, w := range e.words {
						set[w], g.known[w] = true, true
					}
				}
			}
		}
		for _, list := range append(slices.Collect(maps.Values(l.whole)), l.stop, l.stopCancel) {
			for _, s := range list {
				maps.Copy(set, foldedSet(s))
			}
		}
		all[i] = set
		for w := range set {
			in[w]++
		}
	}
	for _, set := range all {
		maps.DeleteFunc(set, func(w string, _ bool) bool { return in[w] > 1 })
		g.marks = append(g.marks, set)
	}
}

// language is the tag of the language that the words tell, empty when they tell none or two alike.
func (g *grammar) language(tokens []token) string {
	best, tag := 0, ""
	for i, l := range g.languages {
		n := 0
		for _, t := range tokens {
			if t.kind != word {
				continue
			}
			if g.marks[i][t.text] {
				n++
			} else if _, count := l.spelt([]token{t}); count > 0 && len(t.text) > 4 {
				n++
			}
		}
		switch {
		case n > best:
			best, tag = n, l.tag
		case n == best:
			tag = ""
		}
	}
	return tag
}
