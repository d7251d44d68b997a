package understand

import (
	"math/big"

	"parley/commerce/money"
)

// maxQuantity is the most pieces that a text can ask for; a larger number is asked back.
const maxQuantity = 9999

// sureness is how sure it is that a figure is the amount; the surest wins.
type sureness uint8

const (
	none  sureness = iota
	bare           // a number beside nothing but small words
	named          // with a currency
	tied           // what a phrase is about: "would you take 15"
)

// roles is what the figures of a text are.
type roles struct {
	figures []role // by token
	total   bool   // the amount is for all pieces
	single  bool   // the amount is for one
}

type role struct {
	sure                   sureness
	quantity, off, dropped bool
}

// money decides which figure is the amount and which the quantity, and works out what the amount is for one piece.
func (r *reader) money() {
	var f roles
	if len(r.figures) > 0 {
		f.figures = make([]role, len(r.tokens))
	}
	r.drop(&f)
	r.tie(&f)
	r.pieceWords(&f)
	r.dealOf(&f)
	r.quantity(&f)
	if !r.reduction(&f) {
		r.amount(&f)
	}
	for k := range r.hits {
		h := &r.hits[k]
		// "it is 15 cm" is no offer, nor is "would you take 2 shirts".
		void := len(h.figures) > 0
		for _, i := range h.figures {
			void = void && (f.figures[i].dropped || r.counts(i) || f.figures[i].quantity)
		}
		h.void = void && h.intent == "offer"
	}
	if r.reading.Ambiguous {
		r.reading.HasAmount, r.reading.Amount = false, money.Amount{}
	}
}

// drop takes out the figures that are neither amount nor quantity.
func (r *reader) drop(f *roles) {
	for _, i := range r.figures {
		t, next := &r.tokens[i], r.word(i+1)
		switch {
		case next.is(unit) && !t.coin.named && !next.is(piece):
			f.figures[i].dropped = true
		case t.num.units == 0:
			f.figures[i].dropped = true
			r.reading.Ambiguous = r.reading.Ambiguous || r.has("buy")
		case r.negatedFigure(i):
			f.figures[i].dropped = true
		}
	}
	for _, h := range r.hits {
		if h.intent == ".pick" {
			f.figures[h.figures[0]].dropped = true
		}
	}
}

// word is token i if that is a word which follows without a pause, nil otherwise.
func (r *reader) word(i int) *token {
	if i < 0 || i >= len(r.tokens) || r.tokens[i].kind != word || r.tokens[i].pause != 0 {
		return nil
	}
	return &r.tokens[i]
}

func (r *reader) negatedFigure(i int) bool {
	for _, h := range r.hits {
		if h.intent == ".limit" && h.from <= i && i < h.to {
			return false
		}
	}
	return r.negates(i, i+1, false)
}

// tie marks the figures that phrases are about.
func (r *reader) tie(f *roles) {
	for _, h := range r.hits {
		if len(h.figures) == 0 || h.negated {
			continue
		}
		i := h.figures[0]
		switch h.intent {
		case "offer", ".limit", ".below":
			if !r.counts(i) {
				f.figures[i].sure = tied
			}
		case ".off":
			f.figures[i].off = true
		case ".each":
			f.single = true
			f.figures[i].sure = max(f.figures[i].sure, named)
		}
	}
	for _, i := range r.figures {
		if r.tokens[i].coin.named {
			f.figures[i].sure = max(f.figures[i].sure, named)
		}
	}
}

// counts says that figure i is followed by the name of some thing: "2 shirts".
func (r *reader) counts(i int) bool {
	t, next := &r.tokens[i], r.word(i+1)
	return !t.coin.named && !t.percent && next != nil && !next.is(known|piece)
}

// pieceWords finds quantities by the words beside them: "2x", "3 pieces", "x2", and "2 shirts" at the start of a sentence.
func (r *reader) pieceWords(f *roles) {
	for _, i := range r.figures {
		t := &r.tokens[i]
		if t.coin.named || t.percent || f.figures[i].dropped {
			continue
		}
		var before *token
		if i > 0 && t.pause == 0 && r.tokens[i-1].kind == word {
			before = &r.tokens[i-1]
		}
		switch {
		case r.word(i + 1).is(piece), before != nil && before.text == "x" && t.glued:
			f.figures[i].quantity = true
		case r.counts(i) && (i == 0 || t.pause != 0 || before.is(yes|weakYes) || before != nil && small[before.text]):
			if n, ok := t.num.whole(); ok && n > 99 {
				break // "1988 was a good year"
			}
			f.figures[i].quantity = true
		}
	}
	for _, h := range r.hits {
		if h.intent != ".quantity" || h.negated {
			continue
		}
		if i := h.figures[0]; !r.tokens[i].coin.named && !r.tokens[i].percent && f.figures[i].sure < tied && !f.figures[i].dropped && !f.figures[i].off {
			f.figures[i].quantity = true
		}
	}
}

var small = wordSet("just only nur bitte please")

// dealOf reads "2 for 70", "70 for 2", "2 at 15", "70 for both".
func (r *reader) dealOf(f *roles) {
	for _, h := range r.hits {
		if h.negated {
			continue
		}
		switch h.intent {
		case ".pair":
			if i := h.figures[0]; !f.figures[i].dropped && !f.figures[i].quantity {
				r.reading.Quantity, f.total = 2, true
				f.figures[i].sure = tied
			}
		case ".total", ".single":
			a, b := h.figures[0], h.figures[1]
			if f.figures[a].dropped || f.figures[b].dropped || f.figures[a].off || f.figures[b].off || r.tokens[a].percent || r.tokens[b].percent {
				continue
			}
			if r.tokens[a].coin.named && !r.smallTalk(a+1, b) {
				continue // "$10 rebate for 3 years"
			}
			pieces, price, ok := r.deal(h, a, b)
			if !ok {
				r.reading.Ambiguous = true
				continue
			}
			f.figures[pieces].quantity, f.figures[price].quantity = true, false
			f.figures[pieces].sure, f.figures[price].sure = none, tied
			f.total, f.single = f.total || h.intent == ".total", f.single || h.intent == ".single"
		}
	}
}

// smallTalk says that tokens[from:to] are all everyday words.
func (r *reader) smallTalk(from, to int) bool {
	for i := from; i < to; i++ {
		if t := &r.tokens[i]; t.kind == word && !t.is(known) {
			return false
		}
	}
	return true
}

// deal tells the pieces from the price. Without a currency the smaller number is the pieces, if it can be.
func (r *reader) deal(h hit, a, b int) (pieces, price int, ok bool) {
	ta, tb := &r.tokens[a], &r.tokens[b]
	switch {
	case ta.coin.named && tb.coin.named:
		return 0, 0, false
	case tb.coin.named:
		return a, b, true
	case ta.coin.named:
		return b, a, h.intent == ".total"
	}
	na, wa := ta.num.whole()
	nb, wb := tb.num.whole()
	switch {
	case wa && na <= 20 && (!wb || na < nb):
		for _, x := range r.hits {
			if x.intent == ".the" && x.figures[0] == b {
				return 0, 0, false // "15 for the 42"
			}
		}
		return a, b, true
	case h.intent == ".total" && wb && nb <= 20 && (!wa || nb < na):
		return b, a, true
	}
	return 0, 0, false
}

// quantity settles how many are meant.
func (r *reader) quantity(f *roles) {
	var many int64
	for _, i := range r.figures {
		if !f.figures[i].quantity {
			continue
		}
		n, ok := r.tokens[i].num.whole()
		if !ok || n <= 0 || n > maxQuantity || r.tokens[i].num.unsure || many != 0 && many != n {
			r.reading.Ambiguous = true
			return
		}
		many = n
	}
	if many > 0 {
		r.reading.Quantity = int(many)
	} else if r.reading.Quantity == 0 && r.has(".both") {
		r.reading.Quantity = 2
	}
}

// amount takes the surest figure.
func (r *reader) amount(f *roles) {
	best, at := none, -1
	several := false
	for _, i := range r.figures {
		t := &r.tokens[i]
		if f.figures[i].dropped || f.figures[i].quantity || t.percent {
			continue
		}
		sure := f.figures[i].sure
		if sure == none && !r.counts(i) && r.beside() {
			sure = bare
		}
		switch {
		case sure == none:
			if t.num.unsure && r.has("buy") {
				r.reading.Ambiguous = true
			}
		case sure > best:
			best, at, several = sure, i, false
		case sure == best && !r.same(&r.tokens[at], t):
			several = true
		}
	}
	if at < 0 {
		return
	}
	t := &r.tokens[at]
	c := t.coin.currency(r.options.Currency)
	minor, ok := t.num.minor(c, t.coin.minor)
	if several || t.num.unsure || !ok || minor <= 0 {
		r.reading.Ambiguous = true
		return
	}
	if n := r.reading.Quantity; n > 1 && !f.single {
		if !f.total {
			r.reading.Ambiguous = true // for one or for all?
			return
		}
		// Rounded down: all together is never more than what was offered.
		if minor /= int64(n); minor == 0 {
			return
		}
	}
	r.reading.Amount, r.reading.HasAmount = money.New(minor, c), true
}

// same says that two figures are one amount said twice.
func (r *reader) same(a, b *token) bool {
	c := r.options.Currency
	x, okX := a.num.minor(a.coin.currency(c), a.coin.minor)
	y, okY := b.num.minor(b.coin.currency(c), b.coin.minor)
	return okX && okY && x == y && a.coin.currency(c) == b.coin.currency(c)
}

// beside says that a number is accompanied by nothing but words without weight of their own.
func (r *reader) beside() bool {
	if len(r.tokens) > 0 && r.tokens[0].is(asking) {
		return false // "is it 15?"
	}
	for i := range r.tokens {
		if t := &r.tokens[i]; t.kind == code || t.kind == word && !t.is(filler|yes|weakYes|no|but|ranges|between|and|negation) {
			return false
		}
	}
	return !r.cut
}

// reduction reads "10 off", "10 %", "half price", which need the price talked about. It is false when the text has none.
func (r *reader) reduction(f *roles) bool {
	list := r.options.List
	if r.has(".half") {
		if list.Minor > 1 {
			r.reading.Amount, r.reading.HasAmount = money.New(list.Minor/2, list.Currency), true
		}
		return true
	}
	at := -1
	for _, i := range r.figures {
		t := &r.tokens[i]
		if f.figures[i].dropped || !f.figures[i].off && !t.percent {
			continue
		}
		if at >= 0 {
			r.reading.Ambiguous = true
			return true
		}
		at = i
	}
	if at < 0 {
		return false
	}
	t := &r.tokens[at]
	for _, i := range r.figures {
		if i != at && !f.figures[i].dropped && f.figures[i].sure >= named {
			r.reading.Ambiguous = r.reading.Ambiguous || f.figures[at].off
			return f.figures[at].off // a price is named as well: "15, that is 20 % less"
		}
	}
	if t.percent && !f.figures[at].off || t.num.unsure {
		r.reading.Ambiguous = true // ten per cent off, or of it?
		return true
	}
	if list.IsZero() {
		return true
	}
	var minor int64
	if t.percent {
		minor = list.Minor - share(list.Minor, t.num)
	} else {
		off, ok := t.num.minor(list.Currency, t.coin.minor)
		if !ok || t.coin.currency(list.Currency) != list.Currency {
			r.reading.Ambiguous = true
			return true
		}
		minor = list.Minor - off
	}
	if minor > 0 && minor < list.Minor {
		r.reading.Amount, r.reading.HasAmount = money.New(minor, list.Currency), true
	}
	return true
}

// share is so many hundredths of minor, to the nearest unit.
func share(minor int64, percent numeral) int64 {
	part := new(big.Int).Mul(big.NewInt(minor), big.NewInt(percent.units))
	whole := new(big.Int).Mul(big.NewInt(100), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(percent.decimals)), nil))
	part.Add(part, new(big.Int).Rsh(whole, 1)).Div(part, whole)
	if !part.IsInt64() {
		return minor
	}
	return part.Int64()
}
