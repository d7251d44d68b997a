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

	numbers  string            // words that a number in words can begin with
	compound func(string) bool // says whether a word that nobody lists may be a number all the same; nil for never
	// spelt reads number words at the start of tokens and says how many tokens they are.
	spelt func(tokens []token) (numeral, int)
}

// grammar is all languages made ready for reading. A shopper may use any of them, whatever language we believe to be theirs.
type grammar struct {
	languages []lexicon
	words     map[string]*entry // "#" is any number

	stop, stopCancel map[string]bool
	whole            map[string]string
	longest          int             // words of the longest of these
	own              map[string]bool // intents of ours

	coins                   map[string]coin
	notes, ordinals, scales map[string]int64
	suffix                  map[string]bool
}

var words = compile(english, german)

func compile(languages ...lexicon) *grammar {
	g := &grammar{
		languages: languages, words: map[string]*entry{}, stop: map[string]bool{}, stopCancel: map[string]bool{}, whole: map[string]string{},
		own:   map[string]bool{"yes": true, "no": true, "question": true, "stop": true},
		coins: map[string]coin{}, notes: map[string]int64{}, ordinals: map[string]int64{}, scales: map[string]int64{}, suffix: map[string]bool{"k": true, "x": true},
	}
	for _, l := range languages {
		for trait, list := range l.lists() {
			for w := range foldedSet(list) {
				g.entry(w).traits |= trait
			}
		}
		maps.Copy(g.suffix, foldedSet(l.pieces))
	}
	for _, l := range languages {
		g.addWhole(l)
		g.addPhrases(l)
		g.addMoney(l)
	}
	g.tellLanguages()
	for w, e := range g.words {
		if g.notes[w] > 0 || g.isCompound(w) {
			e.traits |= number
		}
	}
	for s := range signs {
		g.suffix[folded(s)] = true
	}
	maps.Copy(g.suffix, isoCodes)
	maps.Copy(g.suffix, clashing)
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
	add := func(text string) string {
		g.longest = max(g.longest, len(strings.Fields(text)))
		return folded(text)
	}
	for _, s := range l.stop {
		g.stop[add(s)] = true
	}
	for _, s := range l.stopCancel {
		g.stopCancel[add(s)] = true
	}
	for intent, list := range l.whole {
		g.own[intent] = true
		for _, s := range list {
			g.whole[add(s)] = intent
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
			p.denies = g.denies(p)
			for _, first := range p.firsts() {
				e := g.entry(first)
				e.phrases = append(e.phrases, p)
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
	for w := range l.notes {
		g.entry(folded(w))
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

// tellLanguages finds the words that tell a language: those that only one of them has.
func (g *grammar) tellLanguages() {
	in := map[string]int{}
	all := make([]map[string]bool, len(g.languages))
	for i, l := range g.languages {
		set := foldedSet(strings.Join([]string{l.common, l.yes, l.weakYes, l.no, l.filler, l.asking, l.but, l.negations, l.units}, " "))
		for _, texts := range l.intents {
			for _, text := range texts {
				for _, e := range compilePhrase("", text).elements {
					for _, w := range e.words {
						set[w] = true
						g.entry(w).traits |= known
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
	for i, set := range all {
		for w := range set {
			if in[w] == 1 {
				g.entry(w).language = i + 1
			}
		}
	}
}

// language is the tag of the language that the words tell, empty when they tell none or two alike.
func (g *grammar) language(tokens []token) string {
	best, tag := 0, ""
	for i, l := range g.languages {
		n := 0
		for k := range tokens {
			t := &tokens[k]
			switch {
			case t.kind != word:
			case t.entry != nil && t.entry.language == i+1:
				n++
			case len(t.text) > 4 && t.is(number):
				if _, count := l.spelt(tokens[k : k+1]); count > 0 {
					n++
				}
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
