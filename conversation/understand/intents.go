package understand

import (
	"slices"
	"strings"
)

// first and then are the order in which intents are told; the merchant's own stand between them. A name with "!" is the
// intent when it is the whole message.
var (
	first = []string{"stop", "start", "help!", "human!", "cancel", "human", "language_en", "language_de"}
	then  = []string{"offer", "buy", "order", "stock", "price", "help", "yes", "no", "thanks", "greeting", "question"}
)

// intents settles what is wanted. What moves goods or money is told only when nothing in the text speaks against it.
func (r *reader) intents() {
	found := make(findings, 0, 8)
	for _, h := range r.hits {
		switch {
		case h.negated && acts[h.intent]:
			if h.intent == "buy" {
				found.put("no")
			}
		case h.negated && !informs[h.intent]:
		case haggles[h.intent]:
			found.put("offer")
		case !h.void && h.intent != "" && h.intent[0] != '.' && h.intent != "stop":
			found.put(h.intent)
		}
	}
	said := r.said()
	trimmed := r.trimmed()
	if r.stop[said] || r.stop[trimmed] || r.stopCancel[said] || r.stopCancel[trimmed] {
		r.reading.Intents = []string{"stop"}
		if r.stopCancel[said] || r.stopCancel[trimmed] {
			r.reading.Intents = append(r.reading.Intents, "cancel")
		}
		return
	}
	if intent := r.whole[said]; intent != "" {
		found.put(intent)
		found.put(intent + "!")
	} else if intent := r.whole[trimmed]; intent != "" {
		found.put(intent)
	}
	found.drop("question")
	if found.has("yes") && r.question || !found.has("yes") && r.asks() { // "do it" only looks like a question
		found.put("question")
	}
	r.agreement(&found)
	r.weigh(&found)
	r.rank(&found)
}

// findings are names of intents, each once, in any order.
type findings []string

func (f findings) has(intent string) bool { return slices.Contains(f, intent) }

func (f *findings) put(intent string) {
	if !f.has(intent) {
		*f = append(*f, intent)
	}
}

func (f *findings) drop(intents ...string) {
	*f = slices.DeleteFunc(*f, func(intent string) bool { return slices.Contains(intents, intent) })
}

// acts are intents that a negation turns into nothing; informs are those that it leaves as they are ("is it not in stock?").
var (
	acts    = map[string]bool{"buy": true, "offer": true, "human": true, "start": true, "cancel": true, "help": true, "language_en": true, "language_de": true}
	informs = map[string]bool{"order": true, "stock": true, "price": true, "greeting": true, "thanks": true, "no": true}
)

// haggles are findings that nobody utters but to offer.
var haggles = map[string]bool{".off": true, ".half": true, ".total": true, ".pair": true, ".single": true}

func (r *reader) asks() bool {
	if r.question {
		return true
	}
	for i := range r.tokens {
		t := &r.tokens[i]
		if t.kind != word {
			return false
		}
		if t.is(asking) {
			return len(r.tokens) > i+1 // "what" alone asks, but for nothing
		}
		if !opening[t.text] && !t.is(weakYes) && !r.inside(i, "greeting", "thanks") {
			return false
		}
	}
	return false
}

// agreement finds yes and no. A yes counts only if the rest of the message has no weight of its own.
func (r *reader) agreement(found *findings) {
	if len(r.tokens) == 0 {
		return
	}
	head := 0
	for head < len(r.tokens)-1 && r.tokens[head].kind == word && hesitation[r.tokens[head].text] {
		head++
	}
	t := &r.tokens[head]
	if t.kind != word {
		return
	}
	if t.is(no) && !r.has(".not no") {
		found.put("no")
	}
	if r.inside(head, "greeting", "thanks") {
		return // "good day"
	}
	strong := t.is(yes)
	if !strong && !t.is(weakYes) || found.has("no") || r.has(".not no") || r.cut {
		return
	}
	unknown, figures := 0, 0
	for i := range r.tokens {
		t := &r.tokens[i]
		switch {
		case t.kind == figure, t.kind == code:
			figures++
		case t.kind != word:
		case t.is(but | negation | no):
			return
		case i >= head && !t.is(yes|weakYes|filler) && !r.inside(i, "buy", "greeting", "thanks"):
			unknown++
		}
	}
	if strong && unknown > 4 || !strong && (unknown > 0 || found.has("thanks")) || figures > 0 && !found.has("buy") {
		return
	}
	found.put("yes")
}

// opening are words before what is said; hesitation are those that a yes may stand behind.
var (
	opening    = wordSet("um uh hm hmm well oh ah so then and na ach also aehm dann gut und please pls bitte")
	hesitation = wordSet("um uh hm hmm well oh ah so then na ach also aehm dann gut please pls bitte that thats is it its i das ist es ich")
)

// inside says that token i is part of a hit of one of the intents.
func (r *reader) inside(i int, intents ...string) bool {
	for _, h := range r.hits {
		if h.from <= i && i < h.to && slices.Contains(intents, h.intent) {
			return true
		}
	}
	return false
}

// weigh takes out what another finding speaks against.
func (r *reader) weigh(found *findings) {
	amount := r.reading.HasAmount || r.reading.Ambiguous
	if found.has("buy") && r.reading.HasAmount {
		// Whoever names a price wants that price.
		found.drop("buy")
		found.put("offer")
	}
	if found.has("buy") && (r.reading.Ambiguous || r.unread()) {
		found.drop("buy")
		r.reading.Ambiguous = true
	}
	if found.has("buy") && (found.has("question") && !r.askedToBuy() || r.besidesBuying()) {
		found.drop("buy")
	}
	if found.has("order") && !r.inside(0, "buy") || found.has("no") || found.has("cancel") {
		found.drop("buy")
	}
	if found.has("offer") {
		found.drop("question", "price")
		if !amount && found.has("stock") {
			found.drop("offer")
			if r.asks() {
				found.put("question")
			}
		}
	}
	if amount || found.has("question") || found.has("offer") {
		found.drop("yes")
	}
	if found.has("human") || found.has("language_en") || found.has("language_de") {
		found.drop("buy")
	}
	if found.has("stock") && found.has("question") {
		found.drop("no")
	}
}

// unread says that there is a number too large to be a quantity: buying one piece instead would be wrong.
func (r *reader) unread() bool {
	return slices.ContainsFunc(r.tokens, func(t token) bool { return t.kind == code && t.text != "" })
}

// besidesBuying says that the text is about more than an order: it makes a condition, or tells a story.
func (r *reader) besidesBuying() bool {
	unknown := 0
	for i := range r.tokens {
		t := &r.tokens[i]
		if t.kind != word {
			continue
		}
		if t.is(but) && !t.is(filler) {
			return true
		}
		if !t.is(known) {
			unknown++
		}
	}
	return unknown > 3 || len(r.tokens) > 14 || r.cut
}

// askedToBuy is a question that is an order all the same: "can I buy it?"
func (r *reader) askedToBuy() bool { return r.whole[r.trimmed()] == "buy" }

func (r *reader) rank(found *findings) {
	if len(*found) == 0 {
		return
	}
	add := func(intent string) {
		if found.has(intent) {
			found.drop(intent)
			r.reading.Intents = append(r.reading.Intents, intent)
		}
	}
	for _, intent := range first {
		name, whole := strings.CutSuffix(intent, "!")
		if !whole || found.has(intent) {
			add(name)
		}
	}
	var merchants []string
	for _, intent := range *found {
		if !r.own[intent] && !strings.HasSuffix(intent, "!") {
			merchants = append(merchants, intent)
		}
	}
	slices.Sort(merchants)
	for _, intent := range merchants {
		add(intent)
	}
	for _, intent := range then {
		add(intent)
	}
}
