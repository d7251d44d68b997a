package understand

import (
	"slices"

	"parley/commerce/money"
)

// amounts finds the numbers among the tokens, in digits and in words, joins each with the name of its money and gives the
// tokens with one figure for each, in the same place: what is written is never more than what has been read. group is the sign between thousands, zero when unknown; c is what the talk is in.
func (g *grammar) amounts(tokens []token, group rune, c money.Currency) []token {
	tokens = g.numbers(tokens, group)
	if !hasFigure(tokens) {
		return tokens
	}
	g.codes(tokens)
	tokens = g.named(tokens, c)
	tokens = g.withCents(tokens)
	g.unsure(tokens)
	return tokens
}

func hasFigure(tokens []token) bool {
	for i := range tokens {
		if tokens[i].kind == figure {
			return true
		}
	}
	return false
}

// numbers makes a figure of each run of digits or number words, with the scale behind it.
func (g *grammar) numbers(tokens []token, group rune) []token {
	out := tokens[:0]
	for i := 0; i < len(tokens); {
		t, width := tokens[i], 1
		switch {
		case t.kind == figure:
			n, ok := numeralOf(t.text, group)
			if !ok {
				t.kind = code
			}
			t.num = n
		case t.kind == word && t.is(number):
			if n, count := g.spelt(tokens[i:]); count > 0 {
				t.kind, t.num, width = figure, n, count
			} else if n, ok := g.notes[t.text]; ok {
				t.kind, t.num, t.coin = figure, numeral{units: n, words: true}, coin{named: true}
			}
		}
		i += width
		for t.kind == figure && i < len(tokens) && tokens[i].kind == word && tokens[i].pause == 0 && g.scales[tokens[i].text] > 0 {
			if len(tokens[i].text) == 1 && t.num.words {
				break
			}
			n, ok := t.num.times(g.scales[tokens[i].text])
			if !ok {
				t.kind = code
			}
			t.num = n
			i++
		}
		out = append(out, t)
	}
	return out
}

func (g *grammar) spelt(tokens []token) (n numeral, count int) {
	for _, l := range g.languages {
		if m, k := l.spelt(tokens); k > count && m.units > 0 {
			n, count = m, k
		}
	}
	return n, count
}

// codes takes out what is written in digits and is no quantity of anything: dates, times, phone numbers, model names.
func (g *grammar) codes(tokens []token) {
	for i := range tokens {
		t := &tokens[i]
		if t.kind != figure || i == 0 || t.num.words {
			continue
		}
		before := &tokens[i-1]
		_, _, money := g.coin(tokens, i-1, true)
		switch {
		case t.link == 0:
		case before.kind == code, before.kind == word && t.link == '-' && !money:
			t.kind = code
		case before.kind == figure && (t.link != '-' || len(before.text) > 3 || len(t.text) > 3 || i > 1 && before.link == '-' || i+1 < len(tokens) && tokens[i+1].link == '-' && tokens[i+1].kind == figure):
			before.kind, t.kind = code, code
		}
	}
	for i := 0; i < len(tokens); {
		j, digits := i, 0
		for j < len(tokens) && (tokens[j].kind == figure && !tokens[j].num.words || tokens[j].kind == code) && (j == i || tokens[j].pause == 0) {
			digits += len(tokens[j].text)
			j++
		}
		if j-i > 1 && digits >= 7 {
			for k := i; k < j; k++ {
				if _, _, money := g.coin(tokens, k-1, true); !money || k > i {
					tokens[k].kind = code
				}
			}
		}
		i = max(j, i+1)
	}
}

// coin reads the name of money at token i and says how many tokens it is.
func (g *grammar) coin(tokens []token, i int, before bool) (coin, int, bool) {
	if i < 0 || i >= len(tokens) {
		return coin{}, 0, false
	}
	t := tokens[i]
	switch t.kind {
	case symbol:
		k, ok := signs[t.text]
		return k, 1, ok
	case word:
		if !before && i+1 < len(tokens) && tokens[i+1].kind == word && tokens[i+1].pause == 0 {
			if k, ok := g.coins[t.text+" "+tokens[i+1].text]; ok {
				return k, 2, true
			}
		}
		if k, ok := g.coins[t.text]; ok && !(before && k.minor) {
			return k, 1, true
		}
		if k, ok := signs[t.text]; ok {
			return k, 1, true
		}
		if isoCodes[t.text] || !before && t.upper && clashing[t.text] {
			c, err := money.ParseCurrency(t.text)
			return coin{of: []money.Currency{c}, named: true, code: true}, 1, err == nil
		}
	}
	return coin{}, 0, false
}

// named joins figures with the name of their money, which may stand on either side.
func (g *grammar) named(tokens []token, c money.Currency) []token {
	out := tokens[:0]
	free := 0 // tokens of out from here on belong to no figure yet
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.kind != figure {
			out = append(out, t)
			continue
		}
		if k, n := g.coinBefore(out[free:], t); n > 0 {
			first := out[len(out)-n]
			t.glued, t.pause, t.link = first.glued, first.pause, first.link
			out = out[:len(out)-n]
			t.coin = k
		}
		for range 2 { // "15 $ CAD" has two names
			k, n, ok := g.coin(tokens, i+1, false)
			if !ok || tokens[i+1].pause != 0 || ofNext(tokens, i, n, t.coin.named) {
				break
			}
			joined, fits := t.coin.with(k)
			t.num.unsure = t.num.unsure || !fits
			t.coin = joined
			i += n
			if i+1 < len(tokens) && tokens[i+1].kind == word && tokens[i+1].pause == 0 && g.scales[tokens[i+1].text] >= 1000 && len(tokens[i+1].text) > 1 {
				if n, ok := t.num.times(g.scales[tokens[i+1].text]); ok { // "75 USD million"
					t.num = n
					i++
				}
			}
		}
		if !t.coin.named && i+1 < len(tokens) && (tokens[i+1].text == "%" || tokens[i+1].kind == word && tokens[i+1].is(percent)) {
			t.percent = true
			i++
		}
		if t.coin.named {
			t.num.unsure = t.num.unsure && !g.spaced(t)
		}
		switch {
		case t.num.soft && !t.coin.named && !t.percent && len(tokens) > 1:
			t.kind = word
		case !t.coin.named && !t.percent && !t.num.words && t.num.decimals == 0 && t.num.units >= 1e6 && len(t.text) >= 7 && !slices.ContainsFunc([]rune(t.text), func(r rune) bool { return !isDigit(r) }):
			t.kind = code
		}
		out = append(out, t)
		free = len(out)
	}
	return out
}

// ofNext says that the name of money behind figure i, n tokens long, rather belongs to the figure behind it.
func ofNext(tokens []token, i, n int, named bool) bool {
	next := i + 1 + n
	if next >= len(tokens) || tokens[next].kind != figure || tokens[next].pause != 0 {
		return false
	}
	return named || tokens[next].glued && tokens[next].link == 0 && !tokens[i+1].glued
}

// spaced says that what made the figure unsure were only the spaces in it.
func (g *grammar) spaced(t token) bool {
	n, ok := numeralOf(t.text, 0)
	return ok && n.unsure && slices.Contains([]rune(t.text), ' ')
}

// coinBefore reads the name of money at the end of what stands before a figure.
func (g *grammar) coinBefore(out []token, t token) (coin, int) {
	if t.pause != 0 || len(out) == 0 {
		return coin{}, 0
	}
	i := len(out) - 1
	k, _, ok := g.coin(out, i, true)
	if !ok || k.minor {
		return coin{}, 0
	}
	if i > 0 && out[i].kind == symbol && out[i].pause == 0 && out[i-1].kind == word {
		whose := out[i-1]
		if of, ok := prefixes[whose.text]; ok && out[i].text == "$" && (out[i].glued || len(whose.text) > 1 || whose.text == "c") {
			return coin{of: []money.Currency{money.Currency(of)}, named: true, code: true}, 2
		}
		if code, _, ok := g.coin(out, i-1, true); ok && code.code {
			if both, fits := k.with(code); fits {
				return both, 2
			}
			return code, 2
		}
	}
	return k, 1
}

// withCents joins "3 dollars 50", "15 Euro und 50 Cent", "15€50".
func (g *grammar) withCents(tokens []token) []token {
	out := tokens[:0]
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		j := i + 1
		if j < len(tokens) && tokens[j].kind == word && tokens[j].is(and) && tokens[j].pause == 0 {
			j++
		}
		if t.kind == figure && t.coin.named && !t.coin.minor && t.num.decimals == 0 && !t.num.unsure && j < len(tokens) && g.cents(tokens, i, j) {
			if n, ok := t.num.times(100); ok {
				n.units += tokens[j].num.units
				n.decimals = 2
				t.num = n
				i = j
			}
		} else if t.kind == figure && t.coin.named && j < len(tokens) && g.trails(tokens, j) {
			t.num.unsure = true // "a dollar and two"
		}
		out = append(out, t)
	}
	return out
}

// cents says whether the figure at j is the cents of that at i.
func (g *grammar) cents(tokens []token, i, j int) bool {
	t := tokens[j]
	if t.kind != figure || t.pause != 0 || t.link != 0 || t.num.decimals > 0 || t.num.unsure || t.num.units >= 100 || t.percent {
		return false
	}
	if i > 0 && tokens[i-1].kind == word && tokens[i-1].is(between) {
		return false
	}
	if t.coin.minor {
		return true
	}
	if t.coin.named || t.num.units < 10 && (t.num.words || len(t.text) != 2) {
		return false
	}
	return j+1 == len(tokens) || tokens[j+1].pause != 0 || tokens[j+1].kind == word && tokens[j+1].is(known) && !tokens[j+1].is(unit|piece)
}

// trails says that the bare figure at j ends what is said of an amount, and could be a part of it.
func (g *grammar) trails(tokens []token, j int) bool {
	t := tokens[j]
	return t.kind == figure && t.pause == 0 && !t.coin.named && !t.percent && (j+1 == len(tokens) || tokens[j+1].pause != 0 || tokens[j+1].kind == word && tokens[j+1].is(and))
}

// unsure marks both ends of "15 to 20", "15-20", "15 or 20", "between 15 and 20".
func (g *grammar) unsure(tokens []token) {
	for i := 1; i < len(tokens); i++ {
		if tokens[i].kind != figure || tokens[i].pause == '.' {
			continue
		}
		from := i - 1
		link := tokens[i].link == '-'
		if tokens[from].kind == word && from > 0 && (tokens[i].pause != 0 || tokens[from].pause != 0) {
			continue
		}
		if tokens[from].kind == word && from > 0 {
			link = tokens[from].is(ranges) || tokens[from].is(and) && from > 1 && tokens[from-2].kind == word && tokens[from-2].is(between)
			from--
		} else if !tokens[i].num.words || tokens[from].kind != figure {
			link = link || tokens[from].kind == figure && tokens[i].pause == 0 && !tokens[i].coin.named && !tokens[from].coin.named
		} else {
			link = true
		}
		if link && tokens[from].kind == figure && tokens[from].percent == tokens[i].percent {
			tokens[from].num.unsure, tokens[i].num.unsure = true, true
		}
	}
}
