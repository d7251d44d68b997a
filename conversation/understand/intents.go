package understand

import (
	"maps"
	"slices"
)

// first and then are the order in which intents are told; the merchant's own stand between them. A name with "!" is the
// intent when it is the whole message.
var (
	first = []string{"stop", "start", "help!", "human!", "cancel", "human", "language_en", "language_de"}
	then  = []string{"offer", "buy", "order", "stock", "price", "help", "yes", "no", "thanks", "greeting", "question"}
)

// intents settles what is wanted. What moves goods or money is told only when nothing in the text speaks against it.
func (r *reader) intents() {
	found := map[string]bool{}
	for i, h := range r.hits {
		if haggles[h.intent] && !r.negated[i] {
			found["offer"] = true
		}
		if r.void[i] {
			continue
		}
		if r.own[h.intent] || len(h.intent) > 0 && h.intent[0] != '.' {
			if r.negated[i] && acts[h.intent] {
				found["no"] = found["no"] || h.intent == "buy"
				continue
			}
			found[h.intent] = found[h.intent] || !r.negated[i] || informs[h.intent]
		}
	}
	said := r.said()
	trimmed := r.trimmed()
	delete(found, "stop")
	if r.stop[said] || r.stop[trimmed] || r.stopCancel[said] || r.stopCancel[trimmed] {
		r.reading.Intents = []string{"stop"}
		if r.stopCancel[said] || r.stopCancel[trimmed] {
			r.reading.Intents = append(r.reading.Intents, "cancel")
		}
		return
	}
	if intent := r.whole[said]; intent != "" {
		found[intent] = true
		found[intent+"!"] = true
	} else if intent := r.whole[trimmed]; intent != "" {
		found[intent] = true
	}
	found["question"] = r.asks()
	if found["yes"] { // "do it" only looks like a question
		found["question"] = r.question
	}
	r.agreement(found)
	r.weigh(found)
	r.rank(found)
}

// acts are intents that a negation turns into nothing; informs are those that it leaves as they are ("is it not in stock?").
var (
	acts    = map[string]bool{"buy": true, "offer": true, "human": true, "start": true, "cancel": true, "help": true, "language_en": true, "language_de": true}
	informs = map[string]bool{"order": true, "stock": true, "price": true, "greeting": true, "thanks": true, "no": true}
)

// haggles are findings that nobody utters but to offer.
var haggles = map[string]bool{".off": true, ".half": true, ".total": true, ".pair": true, ".single": true}

// trimmed is the message without "please" and the like.
func (r *reader) trimmed() string {
	kept := *r
	kept.tokens = slices.DeleteFunc(slices.Clone(r.tokens), func(t token) bool { return t.kind == word && politeness[t.text] })
	return kept.said()
}

var politeness = wordSet("please pls plz bitte")

func (r *reader) asks() bool {
	if r.question {
		return true
	}
	for i, t := range r.tokens {
		if t.kind != word {
			return false
		}
		if r.asking[t.text] {
			return len(r.tokens) > i+1 // "what" alone asks, but for nothing
		}
		if !opening[t.text] && !r.weakYes[t.text] && !r.inside(i, "greeting", "thanks") {
			return false
		}
	}
	return false
}

// agreement finds yes and no. A yes counts only if the rest of the message has no weight of its own.
func (r *reader) agreement(found map[string]bool) {
	if len(r.tokens) == 0 {
		return
	}
	head := 0
	for head < len(r.tokens)-1 && r.tokens[head].kind == word && hesitation[r.tokens[head].text] {
		head++
	}
	t := r.tokens[head]
	if t.kind != word {
		return
	}
	if r.no[t.text] && !r.has(".not no") {
		found["no"] = true
	}
	if r.inside(head, "greeting", "thanks") {
		return // "good day"
	}
	strong := r.yes[t.text]
	if !strong && !r.weakYes[t.text] || found["no"] || r.has(".not no") || r.cut {
		return
	}
	unknown, figures := 0, 0
	for i, t := range r.tokens {
		switch {
		case t.kind == figure, t.kind == code:
			figures++
		case t.kind != word:
		case r.but[t.text], r.negations[t.text], r.no[t.text]:
			return
		case i >= head && !r.yes[t.text] && !r.weakYes[t.text] && !r.filler[t.text] && !r.inside(i, "buy", "greeting", "thanks"):
			unknown++
		}
	}
	if strong && unknown > 4 || !strong && (unknown > 0 || found["thanks"]) || figures > 0 && !found["buy"] {
		return
	}
	found["yes"] = true
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
func (r *reader) weigh(found map[string]bool) {
	amount := r.reading.HasAmount || r.reading.Ambiguous
	if found["buy"] && r.reading.HasAmount {
		// Whoever names a price wants that price.
		found["buy"], found["offer"] = false, true
	}
	if found["buy"] && (r.reading.Ambiguous || r.unread()) {
		found["buy"], r.reading.Ambiguous = false, true
	}
	if found["question"] && !r.askedToBuy() || r.besidesBuying() {
		found["buy"] = false
	}
	if found["order"] && !r.inside(0, "buy") || found["no"] || found["cancel"] {
		found["buy"] = false
	}
	if found["offer"] {
		found["question"], found["price"] = false, false
		if !amount && found["stock"] {
			found["offer"] = false
			found["question"] = r.asks()
		}
	}
	if amount || found["question"] || found["offer"] {
		found["yes"] = false
	}
	if found["human"] || found["language_en"] || found["language_de"] {
		found["buy"] = false
	}
	if found["stock"] && found["no"] && found["question"] {
		found["no"] = false
	}
}

// unread says that there is a number too large to be a quantity: buying one piece instead would be wrong.
func (r *reader) unread() bool {
	return slices.ContainsFunc(r.tokens, func(t token) bool { return t.kind == code && t.text != "" })
}

// besidesBuying says that the text is about more than an order: it makes a condition, or tells a story.
func (r *reader) besidesBuying() bool {
	unknown := 0
	for _, t := range r.tokens {
		if t.kind != word {
			continue
		}
		if r.but[t.text] && !r.filler[t.text] {
			return true
		}
		if !r.known[t.text] {
			unknown++
		}
	}
	return unknown > 3 || len(r.tokens) > 14 || r.cut
}

// askedToBuy is a question that is an order all the same: "can I buy it?"
func (r *reader) askedToBuy() bool { return r.whole[r.trimmed()] == "buy" }

func (r *reader) rank(found map[string]bool) {
	add := func(intent string) {
		if found[intent] {
			delete(found, intent)
			r.reading.Intents = append(r.reading.Intents, intent)
		}
	}
	for _, intent := range first {
		if bang, ok := trimBang(intent); ok {
			if found[intent] {
				add(bang)
			}
			continue
		}
		add(intent)
	}
	for _, intent := range slices.Sorted(maps.Keys(found)) {
		if !r.own[intent] && intent[len(intent)-1] != '!' {
			add(intent)
		}
	}
	for _, intent := range then {
		add(intent)
	}
}

func trimBang(s string) (string, bool) {
	if s[len(s)-1] == '!' {
		return s[:len(s)-1], true
	}
	return s, false
}
