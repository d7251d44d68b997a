package understand

import (
	"maps"
	"slices"
	"strings"
)

// phrase is a compiled pattern over tokens. Its text has one element a word: "a|b" is either, a trailing "?" makes it
// optional, "#" is a number (with its currency), "*" is up to three words of any kind, "^" and "$" are the ends of the message.
type phrase struct {
	intent   string
	elements []element
	denies   bool // one of its words is a negation
}

type element struct {
	words    []string
	number   bool
	gap      bool
	start    bool
	end      bool
	optional bool
}

// hit is a place where a phrase matched: tokens[from:to], and the places of the figures in it.
type hit struct {
	intent   string
	from, to int
	figures  []int // none of them lies in a gap
	denies   bool  // a negation is part of the phrase itself
	negated  bool  // it says the opposite
	void     bool  // an offer whose number turned out to be no amount
}

func compilePhrase(intent, text string) phrase {
	p := phrase{intent: intent}
	for field := range strings.FieldsSeq(text) {
		e := element{}
		if rest, ok := strings.CutSuffix(field, "?"); ok {
			field, e.optional = rest, true
		}
		switch field {
		case "*":
			e.gap = true
		case "^":
			e.start = true
		case "$":
			e.end = true
		default:
			for w := range strings.SplitSeq(field, "|") {
				if w == "#" {
					e.number = true
				} else {
					e.words = append(e.words, folded(w))
				}
			}
		}
		p.elements = append(p.elements, e)
	}
	return p
}

// firsts are the words a match can begin with.
func (p phrase) firsts() []string {
	var firsts []string
	for _, e := range p.elements {
		switch {
		case e.start:
			continue
		case e.number:
			firsts = append(firsts, "#")
		}
		firsts = append(firsts, e.words...)
		if !e.optional {
			break
		}
	}
	return firsts
}

// denies says whether a negation is one of the phrase's own words.
func (g *grammar) denies(p phrase) bool {
	return slices.ContainsFunc(p.elements, func(e element) bool {
		return slices.ContainsFunc(e.words, func(w string) bool {
			known := g.words[w]
			return known != nil && known.traits&negation != 0
		})
	})
}

// literal is a phrase of the merchant's own: its words as they are.
func literal(intent string, tokens []token) phrase {
	p := phrase{intent: intent}
	for _, t := range tokens {
		p.elements = append(p.elements, element{words: []string{t.text}})
	}
	return p
}

// Phrases are intents of a merchant's own, ready to be looked for. They are made once and safe for concurrent use.
type Phrases struct{ byFirst map[string][]phrase }

// CompilePhrases prepares a merchant's intents: name → words and phrases of any language. An intent that is built in gets
// the phrases as further ones.
func CompilePhrases(intents map[string][]string) *Phrases {
	own := &Phrases{map[string][]phrase{}}
	for _, name := range slices.Sorted(maps.Keys(intents)) {
		for _, text := range intents[name] {
			tokens := scan(text, words.suffix).tokens
			if len(tokens) == 0 {
				continue
			}
			p := literal(name, tokens)
			p.denies = words.denies(p)
			own.byFirst[tokens[0].text] = append(own.byFirst[tokens[0].text], p)
		}
	}
	return own
}

const gapWords = 3

// match says where the phrase ends when it begins at token i.
func (p *phrase) match(tokens []token, i int) (to int, ok bool) {
	to, ok = matchFrom(p.elements, tokens, i, i)
	return to, ok && to > i
}

// matchFrom matches elements from token i on, as part of a phrase that begins at token from.
func matchFrom(elements []element, tokens []token, from, i int) (to int, ok bool) {
	for k := range elements {
		e, rest := &elements[k], elements[k+1:]
		switch {
		case e.start:
			if i != 0 {
				return 0, false
			}
		case e.end:
			if i != len(tokens) {
				return 0, false
			}
		case e.gap:
			for skip := i; skip <= i+gapWords; skip++ {
				if to, ok := matchFrom(rest, tokens, from, skip); ok {
					return to, true
				}
				if skip >= len(tokens) || tokens[skip].kind == figure || tokens[skip].pause != 0 && skip > from {
					return 0, false
				}
			}
			return 0, false
		case i < len(tokens) && (i == from || tokens[i].pause != '.') && e.takes(&tokens[i]): // it does not go on in the next sentence
			if e.optional {
				if to, ok := matchFrom(rest, tokens, from, i+1); ok {
					return to, true
				}
				continue
			}
			i++
		case !e.optional:
			return 0, false
		}
	}
	return i, true
}

func (e *element) takes(t *token) bool {
	if t.kind == figure {
		return e.number
	}
	return slices.Contains(e.words, t.text)
}

// whole says that the phrase matches only a whole message.
func (p *phrase) whole() bool { return len(p.elements) > 0 && p.elements[len(p.elements)-1].end }
