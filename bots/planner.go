package bots

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

// plan turns a reply into the parts that a channel can carry. Nothing is lost: what does not fit is split, choices become
// buttons, a list or numbered lines, whatever the channel has first; labels are shortened, never refused. Buttons and lists
// stand under the last part.
func plan(r conversation.Reply, l adapters.Limits) []store.Part {
	if parts := billed(r); parts != nil {
		return parts
	}
	text, choices := r.Text, fitChoices(r.Choices, l)
	if len(choices) == 0 && len(r.Choices) > 0 {
		text = strings.TrimRight(text, "\n") + "\n\n" + numbered(r.Choices)
	}
	var parts []store.Part
	if r.Image != "" && l.Caption > 0 { // a list has no room for a picture
		if !l.InList(choices) && measure(text, l.Unit) <= min(l.Caption, textLimit(l, choices)) {
			return []store.Part{{Text: text, Image: r.Image, Choices: choices}}
		}
		parts = append(parts, store.Part{Image: r.Image})
	}
	pieces := split(text, l.Text, l.Unit)
	if last := len(pieces) - 1; last >= 0 { // what stands above buttons may have to be shorter
		pieces = append(pieces[:last], split(pieces[last], textLimit(l, choices), l.Unit)...)
	}
	for _, piece := range pieces {
		parts = append(parts, store.Part{Text: piece})
	}
	if len(parts) == 0 {
		parts = []store.Part{{}}
	}
	parts[len(parts)-1].Choices = choices
	return parts
}

// textLimit is how long a text may be that stands with these choices; at least 1.
func textLimit(l adapters.Limits, choices []conversation.Option) int {
	limit := l.Text
	if len(choices) > 0 && l.WithButtons > 0 && (limit == 0 || l.WithButtons < limit) {
		limit = l.WithButtons
	}
	if limit == 0 {
		return math.MaxInt
	}
	return limit
}

// fitChoices gives the choices as the channel's buttons or, when it has too few of them, as its list; none when neither can
// show them all.
func fitChoices(choices []conversation.Option, l adapters.Limits) []conversation.Option {
	for _, kind := range []adapters.Buttons{l.Buttons, l.List} {
		if out := fitted(choices, kind); out != nil {
			return out
		}
	}
	return nil
}

func fitted(choices []conversation.Option, b adapters.Buttons) []conversation.Option {
	if len(choices) > b.Max {
		return nil
	}
	out := make([]conversation.Option, len(choices))
	for i, c := range choices {
		if b.Value > 0 && len(c.Value) > b.Value {
			return nil
		}
		label := shorten(c.Label, b.Label)
		if figures(label) != figures(c.Label) {
			return nil // a price is never cut off: what pressing costs must be read before
		}
		c.Label = label
		out[i] = c
	}
	return out
}

// figures are the digits of a text.
func figures(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

// shorten cuts a label to so many runes, the last of them an ellipsis. 0 means no limit.
func shorten(label string, most int) string {
	if most == 0 || utf8.RuneCountInString(label) <= most {
		return label
	}
	runes := []rune(label)
	cut := most - 1
	for cut > 0 && joined(runes, cut) {
		cut--
	}
	return strings.TrimRightFunc(string(runes[:cut]), unicode.IsSpace) + "…"
}

// numbered is the choices as lines that can be answered by number or by word.
func numbered(choices []conversation.Option) string {
	var b strings.Builder
	for i, c := range choices {
		fmt.Fprintf(&b, "%d. %s\n", i+1, c.Label)
	}
	return strings.TrimRight(b.String(), "\n")
}

// split cuts a text into pieces of at most limit units, at a blank line, line, sentence or word where there is one, and never
// within what a reader sees as one character. limit 0 means no limit. Each piece holds something; white space at a cut is dropped.
func split(text string, limit int, unit adapters.Unit) []string {
	if limit == 0 || measure(text, unit) <= limit {
		if text == "" {
			return nil
		}
		return []string{text}
	}
	var out []string
	runes := []rune(text)
	for len(runes) > 0 {
		n := fitting(runes, limit, unit)
		if n < len(runes) {
			n = border(runes, n)
		}
		if piece := strings.TrimSpace(string(runes[:n])); piece != "" {
			out = append(out, piece)
		}
		runes = runes[n:]
	}
	return out
}

// fitting is how many runes from the front fit into limit units; at least one, so that splitting ends.
func fitting(runes []rune, limit int, unit adapters.Unit) int {
	if unit == adapters.GSM7 {
		return fittingGSM(runes, limit)
	}
	used, n := 0, 0
	for n < len(runes) {
		used += width(runes[n], unit)
		if used > limit {
			break
		}
		n++
	}
	return max(n, 1)
}

// border moves a cut at n back to the best place in the second half of the piece.
func border(runes []rune, n int) int {
	best := func(is func(i int) bool) int {
		for i := n; i >= max(n/2, 1); i-- {
			if is(i) {
				return i
			}
		}
		return 0
	}
	for _, is := range []func(i int) bool{
		func(i int) bool { return i >= 2 && runes[i-1] == '\n' && runes[i-2] == '\n' },
		func(i int) bool { return runes[i-1] == '\n' },
		func(i int) bool {
			return i >= 2 && unicode.IsSpace(runes[i-1]) && strings.ContainsRune(".!?…", runes[i-2]) || strings.ContainsRune("。！？", runes[i-1])
		},
		func(i int) bool { return unicode.IsSpace(runes[i-1]) || i < len(runes) && unicode.IsSpace(runes[i]) },
	} {
		if i := best(is); i > 0 {
			return i
		}
	}
	for i := n; i > 0; i-- {
		if !joined(runes, i) {
			return i
		}
	}
	return n // one endless character: cut it rather than send nothing
}

// joined says that the runes before and after i are shown as one character: a combining mark, a variation selector or skin
// tone, a sequence glued by ZERO WIDTH JOINER, or the two letters of a flag (after UAX #29, the rules that matter in chat).
func joined(runes []rune, i int) bool {
	if i <= 0 || i >= len(runes) {
		return false
	}
	before, after := runes[i-1], runes[i]
	switch {
	case unicode.Is(unicode.M, after), after == '\u200d', before == '\u200d',
		after >= 0xfe00 && after <= 0xfe0f, after >= 0x1f3fb && after <= 0x1f3ff,
		before == '\r' && after == '\n', after >= 0xe0020 && after <= 0xe007f:
		return true
	case flagLetter(before) && flagLetter(after):
		n := 0
		for j := i - 1; j >= 0 && flagLetter(runes[j]); j-- {
			n++
		}
		return n%2 == 1
	}
	return false
}

func flagLetter(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

func width(r rune, unit adapters.Unit) int {
	switch unit {
	case adapters.UTF16:
		return utf16.RuneLen(r)
	case adapters.Bytes:
		return utf8.RuneLen(r)
	}
	return 1
}

// measure is the length of a text in a network's unit.
func measure(text string, unit adapters.Unit) int {
	switch unit {
	case adapters.Bytes:
		return len(text)
	case adapters.GSM7:
		return measureGSM([]rune(text))
	}
	n := 0
	for _, r := range text {
		n += width(r, unit)
	}
	return n
}
