package understand

import (
	"strings"
)

// Read never fails: what it does not understand is left out. It looks at the first 2,000 characters only.
func Read(text string, o Options) Reading {
	s := scan(text, words.suffix)
	r := reader{grammar: words, options: o, scanned: s}
	r.reading.Language = r.language(s.tokens)
	r.tokens = r.amounts(s.tokens, r.grouping(), o.Currency)
	r.find()
	r.void = map[int]bool{}
	r.money()
	r.pick()
	r.intents()
	return r.reading
}

type reader struct {
	*grammar
	scanned
	options Options
	hits    []hit
	negated map[int]bool // hits that say the opposite
	void    map[int]bool // offers whose number turned out to be no amount
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
	try := func(p phrase, i int) {
		if h, ok := p.match(r.tokens, i); ok && !(r.cut && p.whole()) {
			r.hits = append(r.hits, h)
		}
	}
	for i, t := range r.tokens {
		first := t.text
		if t.kind == figure {
			first = "#"
		}
		for _, p := range r.phrases[first] {
			try(p, i)
		}
	}
	if own := r.options.Phrases; own != nil {
		for _, p := range own.list {
			for i := range r.tokens {
				try(p, i)
			}
		}
	}
	r.negated = map[int]bool{}
	for i, h := range r.hits {
		r.negated[i] = h.intent != ".limit" && r.negates(h.from, h.to, h.denies)
	}
}

// has says whether an intent was found and not negated.
func (r *reader) has(intent string) bool {
	for i, h := range r.hits {
		if h.intent == intent && !r.negated[i] {
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
		if r.tokens[i].kind == word && r.negations[r.tokens[i].text] && !r.covered(i) && (i >= from || r.sameClause(i, from)) {
			return true
		}
	}
	for i := to; i < len(r.tokens) && i < to+reach && r.tokens[i].pause == 0; i++ {
		if r.tokens[i].kind == word && r.behind[r.tokens[i].text] && !r.covered(i) {
			// "I take it not", but "nimmst du 15 nicht mehr als" goes on with something else.
			return i+1 == len(r.tokens) || r.tokens[i+1].kind != figure
		}
		if r.tokens[i].kind == word && r.but[r.tokens[i].text] {
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
		if r.tokens[k].pause != 0 || r.tokens[k].kind == word && r.but[r.tokens[k].text] {
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
		t := r.tokens[h.figures[0]]
		if n, ok := t.num.whole(); ok && n > 0 && n < 100 && !t.coin.named && !t.percent && !t.num.unsure {
			r.reading.Number = int(n)
		}
	}
	var place int64
	for _, t := range r.tokens {
		switch n := r.ordinals[t.text]; {
		case t.kind == word && n > 0 && place == 0:
			place = n
		case t.kind == word && (r.filler[t.text] || t.text == "option"):
		default:
			return
		}
	}
	r.reading.Number = int(place)
}

// said is the whole message as words, without signs; empty when it is longer than what was read.
func (r *reader) said() string {
	if r.cut {
		return ""
	}
	var b strings.Builder
	for _, t := range r.tokens {
		if t.kind != word {
			return ""
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}
