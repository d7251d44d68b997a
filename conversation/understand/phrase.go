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

// hit is a place where a phrase matched: tokens[from:to], the figures in it by index.
type hit struct {
	intent   string
	from, to int
	figures  []int
	denies   bool // a negation is part of the phrase itself
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

// deny notes whether a negation is one of the phrase's own words.
func (p *phrase) deny(negations map[string]bool) {
	for _, e := range p.elements {
		p.denies = p.denies || slices.ContainsFunc(e.words, func(w string) bool { return negations[w] })
	}
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
type Phrases struct{ list []phrase }

// CompilePhrases prepares a merchant's intents: name → words and phrases of any language. An intent that is built in gets
// the phrases as further ones.
func CompilePhrases(intents map[string][]string) *Phrases {
	own := &Phrases{}
	for _, name := range slices.Sorted(maps.Keys(intents)) {
		for _, text := range intents[name] {
			p := literal(name, scan(text, words.suffix).tokens)
			p.deny(words.negations)
			if len(p.elements) > 0 {
				own.list = append(own.list, p)
			}
		}
	}
	return own
}

const gapWords = 3

// match reports where the phrase ends when it begins at token i.
func (p phrase) match(tokens []token, i int) (hit, bool) {
	h := hit{intent: p.intent, from: i, denies: p.denies}
	to, figures, ok := matchFrom(p.elements, tokens, i, i, nil)
	h.to, h.figures = to, figures
	return h, ok && to > i
}

func matchFrom(es []element, tokens []token, from, i int, figures []int) (int, []int, bool) {
	if len(es) == 0 {
		return i, figures, true
	}
	e, rest := es[0], es[1:]
	open := i < len(tokens) && (i == from || tokens[i].pause != '.') // a phrase does not go on in the next sentence
	switch {
	case e.start:
		if i != 0 {
			return 0, nil, false
		}
		return matchFrom(rest, tokens, from, i, figures)
	case e.end:
		if i != len(tokens) {
			return 0, nil, false
		}
		return matchFrom(rest, tokens, from, i, figures)
	case e.gap:
		for skip := 0; skip <= gapWords; skip++ {
			if to, f, ok := matchFrom(rest, tokens, from, i+skip, figures); ok {
				return to, f, true
			}
			if i+skip >= len(tokens) || tokens[i+skip].kind == figure || tokens[i+skip].pause != 0 && i+skip > from {
				return 0, nil, false
			}
		}
		return 0, nil, false
	case e.number && open && tokens[i].kind == figure:
		if to, f, ok := matchFrom(rest, tokens, from, i+1, append(figures[:len(figures):len(figures)], i)); ok {
			return to, f, true
		}
	case open && tokens[i].kind != figure && slices.Contains(e.words, tokens[i].text):
		if to, f, ok := matchFrom(rest, tokens, from, i+1, figures); ok {
			return to, f, true
		}
	}
	if e.optional {
		return matchFrom(rest, tokens, from, i, figures)
	}
	return 0, nil, false
}

// whole says that the phrase matches only a whole message.
func (p phrase) whole() bool { return len(p.elements) > 0 && p.elements[len(p.elements)-1].end }
