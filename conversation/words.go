package conversation

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/commerce/money"
	"parley/conversation/understand"
)

// maxWords is how much of a text the session remembers, in bytes. The message itself is stored whole.
const maxWords = 2 << 10

// text takes what a shopper wrote, in this order: stop as the whole message, a choice of the present state by its number or
// words, the present state's events, what begins a flow, and the fallbacks.
func (st *step) text(e Event) error {
	st.words = true
	price, _ := money.Parse(st.session.Vars["price"]) // a price that cannot be read is none
	r := understand.Read(e.Text, understand.Options{
		Language: st.language(), Currency: price.Currency, List: price, Phrases: st.set.Phrases(),
	})
	st.learnLanguage(r.Language)
	for _, intent := range r.Intents {
		if language, ok := strings.CutPrefix(intent, "language_"); ok && st.set.Speaks(language) != "" {
			st.session.Language = language
			break
		}
	}
	differs := st.differs(r)
	st.session.Vars["text"] = shorten(e.Text)
	if r.HasAmount {
		st.name("amount", r.Amount.String())
	}
	if r.Quantity > 0 {
		st.name("quantity", strconv.Itoa(r.Quantity))
	}
	if len(r.Intents) > 0 && r.Intents[0] == "stop" {
		if slices.Contains(r.Intents, "cancel") && st.set.Handles(st.place(), "cancel") {
			return st.take([]string{"cancel"}, nil)
		}
		if _, ok := st.set.Begin("stop"); ok {
			st.session.Misses = 0
			return st.begin("stop")
		}
	}
	if id := st.chosen(e.Text, r.Number); id != "" {
		return st.take([]string{id}, []string{id})
	}
	here := st.candidates(r, differs)
	return st.take(append(here, "text"), beginnings(here, r))
}

// candidates are the events that a reading may raise, surest first. A price or a number named beside "yes", "no", "buy" or
// "would you take" goes before those words: "ok, but 15" is not a yes, and "buy 2" does not buy the one that was shown.
func (st *step) candidates(r understand.Reading, quantityDiffers bool) []string {
	var events []string
	add := func(event string) {
		if !slices.Contains(events, event) {
			events = append(events, event)
		}
	}
	amount := func() {
		if r.Ambiguous {
			add("ambiguous_amount")
		} else if r.HasAmount {
			add("amount")
		}
	}
	doubt := r.Ambiguous || r.HasAmount && !st.agrees(r.Amount)
	for _, intent := range r.Intents {
		switch intent {
		case "yes", "buy":
			if doubt {
				amount()
				continue // never a purchase at a price other than the one that was named
			}
			if quantityDiffers {
				add("quantity")
			}
		case "offer":
			amount()
		case "no":
			if doubt {
				amount()
			}
		}
		add(intent)
	}
	if slices.ContainsFunc(r.Intents, informs) {
		return events // the figure belongs to what they ask: "I paid 20 euros for my order" offers nothing
	}
	amount()
	if r.Quantity > 0 {
		add("quantity")
	}
	return events
}

// informs says whether an intent asks for something other than a deal.
func informs(intent string) bool {
	switch intent {
	case "offer", "buy", "yes", "no", "question", "cancel", "greeting", "thanks", "start", "stop":
		return false
	}
	return true
}

// beginnings are those of the events that may begin a flow. A bare figure begins nothing: only one that is offered does.
func beginnings(events []string, r understand.Reading) []string {
	if slices.Contains(r.Intents, "offer") || slices.Contains(r.Intents, "buy") {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), func(e string) bool {
		return e == "amount" || e == "ambiguous_amount" || e == "quantity"
	})
}

// agrees says whether a named amount is the one the shop has named.
func (st *step) agrees(a money.Amount) bool {
	for _, name := range []string{"counter", "total", "price"} {
		ours, err := money.Parse(st.session.Vars[name])
		if err == nil && ours.Minor == a.Minor && (a.Currency == "" || a.Currency == ours.Currency) {
			return true
		}
	}
	return false
}

// differs says whether another number of pieces is named than the one talked about, which is one where nothing else was said.
func (st *step) differs(r understand.Reading) bool {
	known := st.session.Vars["quantity"]
	if known == "" {
		known = "1"
	}
	return r.Quantity > 0 && strconv.Itoa(r.Quantity) != known
}

func (st *step) name(variable, value string) {
	st.session.Vars[variable] = value
	st.named = append(st.named, variable)
}

// dropUnnamed forgets, on the way into another flow, an amount and a quantity that were said about something earlier.
func (st *step) dropUnnamed() {
	if !st.words {
		return
	}
	for _, name := range []string{"amount", "quantity"} {
		if !slices.Contains(st.named, name) {
			delete(st.session.Vars, name)
		}
	}
}

// chosen is the choice of the present state that a text picks: by its number, its id, or the words of its label.
func (st *step) chosen(text string, number int) string {
	state := st.set.State(st.place())
	if state == nil || len(state.Choices) == 0 {
		return ""
	}
	if number >= 1 && number <= len(state.Choices) {
		return state.Choices[number-1].ID
	}
	said := plain(text)
	if said == "" {
		return ""
	}
	for _, choice := range state.Choices {
		if reads(choice.ID, said) {
			return choice.ID
		}
		for _, language := range st.set.Languages {
			label, err := st.set.Scope(language, st.session.Vars).Render(choice.Label)
			if err != nil {
				continue
			}
			head, _, _ := strings.Cut(label, ",")
			if reads(label, said) || reads(head, said) {
				return choice.ID
			}
		}
	}
	return ""
}

// plain is a text without case, punctuation and spare room, for comparing.
func plain(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		r = unicode.ToLower(r)
		if !inWord(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// reads says whether a label is what was said, which is plain. Labels are many, and most differ from the first letter on.
func reads(label, said string) bool {
	first, _ := utf8.DecodeRuneInString(said)
	for _, r := range label {
		if r = unicode.ToLower(r); inWord(r) {
			return r == first && plain(label) == said
		}
	}
	return false
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func shorten(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "")
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "…"
}

// language is the contact's, or the set's default.
func (st *step) language() string {
	if st.session.Language != "" {
		return st.session.Language
	}
	return st.set.Languages[0]
}
