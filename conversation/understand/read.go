package understand

import (
	"slices"
	"strings"
)

// Read never fails: what it does not understand is left out. It looks at the first 2,000 characters only.
func Read(text string, o Options) Reading {
	s := scan(text, words.suffix)
	words.lookUp(s.tokens)
	r := reader{grammar: words, options: o, scanned: s, hits: make([]hit, 0, 8)}
	r.reading.Language = r.language(s.tokens)
	r.tokens = r.amounts(s.tokens, r.grouping(), o.Currency)
	for i := range r.tokens {
		if r.tokens[i].kind == figure {
			r.figures = append(r.figures, i)
		}
	}
	r.find()
	r.money()
	r.pick()
	r.intents()
	return r.reading
}

type reader struct {
	*grammar
	scanned
	options Options
	figures []int // their places among the tokens
	hits    []hit
	reading Reading
}

// grouping is the sign between thousands. Two languages that differ, the contact's and the text's, leave it unknown.
func (r *reader) grouping() rune {
	tag, _, _ := strings.Cut(strings.ToLower(r.options.Language), "-")
	sign := rune(0)
	if tag == "" {
		tag = r.reading.Language
	}
	for _, l := range r.languages {
		if l.tag == tag {
			sign = l.grouping
		}
	}
	for _, l := range r.languages {
		if l.tag == r.reading.Language && l.grouping != sign {
			sign = 0
		}
	}
	return sign
}

// find collects the places where phrases match, and notes which are negated.
func (r *reader) find() {
	try := func(phrases []phrase, i int) {
		for k := range phrases {
			p := &phrases[k]
			if to, ok := p.match(r.tokens, i); ok && !(r.cut && p.whole()) {
				r.hits = append(r.hits, hit{intent: p.intent, from: i, to: to, figures: r.within(i, to), denies: p.denies})
			}
		}
	}
	for i := range r.tokens {
		t := &r.tokens[i]
		if t.kind == figure {
			try(r.words["#"].phrases, i)
			continue
		}
		if t.entry != nil {
			try(t.entry.phrases, i)
		}
		if own := r.options.Phrases; own != nil {
			try(own.byFirst[t.text], i)
		}
	}
	for i := range r.hits {
		h := &r.hits[i]
		h.negated = h.intent != ".limit" && r.negates(h.from, h.to, h.denies)
	}
}

// within are the figures among tokens[from:to].
func (r *reader) within(from, to int) []int {
	i, _ := slices.BinarySearch(r.figures, from)
	j, _ := slices.BinarySearch(r.figures, to)
	return r.figures[i:j]
}

// has says whether an intent was found and not negated.
func (r *reader) has(intent string) bool {
	for _, h := range r.hits {
		if h.intent == intent && !h.negated {
			return true
		}
	}
	return false
}

// reach is how many words a negation turns around.
const reach = 3

// negates says whether a negation bears on tokens[from:to]: before it or, unless it belongs there, within it; or behind it
// where a language allows that.
func (r *reader) negates(from, to int, belongs bool) bool {
	last := to - 1
	if belongs {
		last = from - 1
	}
	for i := last; i >= 0 && i >= from-reach; i-- {
		if r.tokens[i].kind == word && r.tokens[i].is(negation) && !r.covered(i) && (i >= from || r.sameClause(i, from)) {
			return true
		}
	}
	for i := to; i < len(r.tokens) && i < to+reach && r.tokens[i].pause == 0; i++ {
		if r.tokens[i].kind == word && r.tokens[i].is(behind) && !r.covered(i) {
			// "I take it not", but "nimmst du 15 nicht mehr als" goes on with something else.
			return i+1 == len(r.tokens) || r.tokens[i+1].kind != figure
		}
		if r.tokens[i].kind == word && r.tokens[i].is(but) {
			break
		}
	}
	return false
}

// covered says that the negation at i negates nothing: it is part of "can't you" or of "not more than 15".
func (r *reader) covered(i int) bool {
	for _, h := range r.hits {
		if (h.intent == ".polite" || h.intent == ".limit" || h.intent == ".not no") && h.from <= i && i < h.to {
			return true
		}
	}
	return false
}

// sameClause says that no comma, full stop or "but" comes between tokens i and j.
func (r *reader) sameClause(i, j int) bool {
	for k := i + 1; k <= j && k < len(r.tokens); k++ {
		if r.tokens[k].pause != 0 || r.tokens[k].kind == word && r.tokens[k].is(but) {
			return false
		}
	}
	return true
}

// pick reads a place in a list.
func (r *reader) pick() {
	if r.cut || len(r.tokens) == 0 {
		return
	}
	for _, h := range r.hits {
		if h.intent != ".number" && h.intent != ".pick" {
			continue
		}
		t := &r.tokens[h.figures[0]]
		if n, ok := t.num.whole(); ok && n > 0 && n < 100 && !t.coin.named && !t.percent && !t.num.unsure {
			r.reading.Number = int(n)
		}
	}
	var place int64
	for i := range r.tokens {
		t := &r.tokens[i]
		switch n := r.ordinals[t.text]; {
		case t.kind == word && n > 0 && place == 0:
			place = n
		case t.kind == word && (t.is(filler) || t.text == "option"):
		default:
			return
		}
	}
	r.reading.Number = int(place)
}

// said is the whole message as words, without signs; empty when it is longer than all that it could be compared with, or
// than what was read.
func (r *reader) said() string { return r.saidBut(nil) }

// trimmed is the message without "please" and the like.
func (r *reader) trimmed() string { return r.saidBut(politeness) }

var politeness = wordSet("please pls plz bitte")

func (r *reader) saidBut(left map[string]bool) string {
	if r.cut {
		return ""
	}
	said := make([]string, 0, 16)
	for i := range r.tokens {
		t := &r.tokens[i]
		switch {
		case t.kind != word:
			return ""
		case left[t.text]:
		case len(said) == r.longest:
			return ""
		default:
			said = append(said, t.text)
		}
	}
	return strings.Join(said, " ")
}
