package understand

import "strings"

// trait is something that a language says of a word. A word may have several.
type trait uint32

// The traits are explained where lexicon lists their words.
const (
	yes trait = 1 << iota
	weakYes
	no
	filler
	asking
	but
	negation
	behind
	unit
	piece
	percent
	ranges
	between
	and
	known  // everyday words, and those that phrases are made of
	number // a number in words can begin with it
)

// lists are the words of a language that have a trait.
func (l lexicon) lists() map[trait]string {
	return map[trait]string{
		yes: l.yes, weakYes: l.weakYes, no: l.no, filler: l.filler, asking: l.asking, but: l.but, negation: l.negations, behind: l.behind,
		number: l.numbers, unit: l.units, piece: l.pieces, percent: l.percent, ranges: l.ranges, between: l.between, and: l.and,
		known: strings.Join([]string{
			l.common, l.yes, l.weakYes, l.no, l.filler, l.asking, l.but, l.negations, l.units, l.pieces, l.percent, l.ranges, l.between, l.and,
		}, " "),
	}
}

// entry is all that is known of a word. A text's words are looked up once, however many questions are asked about them.
type entry struct {
	traits   trait
	language int      // 1 + the place of the only language that has the word; 0 when several or none do
	phrases  []phrase // that can begin with it
}

// entry is that of a word, made when it is new.
func (g *grammar) entry(w string) *entry {
	e := g.words[w]
	if e == nil {
		e = &entry{}
		g.words[w] = e
	}
	return e
}

// lookUp gives the tokens their entries.
func (g *grammar) lookUp(tokens []token) {
	for i := range tokens {
		t := &tokens[i]
		if t.entry = g.words[t.text]; t.entry == nil && g.isCompound(t.text) {
			t.entry = compound
		}
	}
}

// compound is the entry of every number that is put together, such as "zweihundertfünfzig".
var compound = &entry{traits: number}

func (g *grammar) isCompound(w string) bool {
	for i := range g.languages {
		if is := g.languages[i].compound; is != nil && is(w) {
			return true
		}
	}
	return false
}

// is says whether the word has one of the traits. A word that nobody knows has none, nor has a token that is not there.
func (t *token) is(oneOf trait) bool {
	return t != nil && t.entry != nil && t.entry.traits&oneOf != 0
}
