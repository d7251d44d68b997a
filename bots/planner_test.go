package bots

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/conversation"
)

func options(n int) []conversation.Option {
	out := make([]conversation.Option, n)
	for i := range out {
		out[i] = conversation.Option{ID: fmt.Sprint("c", i), Label: fmt.Sprint("Choice ", i+1), Value: fmt.Sprint("v", i)}
	}
	return out
}

func TestButtonsBecomeNumberedLinesWhereAChannelHasTooFew(t *testing.T) {
	r := conversation.Reply{Text: "Which one?", Choices: options(3)}
	for _, c := range []struct {
		name    string
		buttons adapters.Buttons
		text    string
		shown   int
	}{
		{"enough buttons", adapters.Buttons{Max: 3}, "Which one?", 3},
		{"no buttons", adapters.Buttons{}, "Which one?\n\n1. Choice 1\n2. Choice 2\n3. Choice 3", 0},
		{"too few buttons", adapters.Buttons{Max: 2}, "Which one?\n\n1. Choice 1\n2. Choice 2\n3. Choice 3", 0},
		{"values too long", adapters.Buttons{Max: 3, Value: 1}, "Which one?\n\n1. Choice 1\n2. Choice 2\n3. Choice 3", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := plan(r, adapters.Limits{Text: 100, Buttons: c.buttons})
			if len(parts) != 1 || parts[0].Text != c.text || len(parts[0].Choices) != c.shown {
				t.Errorf("got %+v, want the text %q and %d buttons", parts, c.text, c.shown)
			}
		})
	}
}

func TestMoreChoicesThanButtonsBecomeAList(t *testing.T) {
	l := adapters.Limits{Text: 4096, WithButtons: 20, Buttons: adapters.Buttons{Max: 3, Label: 20}, List: adapters.Buttons{Max: 10, Label: 8}}
	parts := plan(conversation.Reply{Text: "Which one of these would you like?", Choices: options(5)}, l)
	if len(parts) != 2 || parts[0].Text != "Which one of these" || len(parts[0].Choices) != 0 {
		t.Fatalf("got %+v, want the text cut to what may stand with a list", parts)
	}
	if got := parts[1]; got.Text != "would you like?" || len(got.Choices) != 5 || got.Choices[0].Label != "Choice 1" {
		t.Errorf("got %+v, want five rows with the list's labels under the last part", got)
	}
	if parts := plan(conversation.Reply{Text: "Which?", Choices: options(11)}, l); len(parts) != 1 || len(parts[0].Choices) != 0 {
		t.Errorf("got %+v, want numbered lines for what not even the list holds", parts)
	}
}

func TestALabelThatIsTooLongIsShortenedAndNeverRefused(t *testing.T) {
	parts := plan(conversation.Reply{Text: "x", Choices: []conversation.Option{{ID: "a", Label: "Mit einem Menschen im Laden reden"}}},
		adapters.Limits{Buttons: adapters.Buttons{Max: 1, Label: 20}})
	if got, want := parts[0].Choices[0].Label, "Mit einem Menschen…"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAPriceIsNeverCutOffAButton(t *testing.T) {
	parts := plan(conversation.Reply{Text: "Deal!", Choices: []conversation.Option{{ID: "buy", Label: "Zahlungspflichtig bestellen, 35,50 €"}}},
		adapters.Limits{Buttons: adapters.Buttons{Max: 3, Label: 20}, List: adapters.Buttons{Max: 10, Label: 24}})
	if len(parts[0].Choices) != 0 || !strings.Contains(parts[0].Text, "1. Zahlungspflichtig bestellen, 35,50 €") {
		t.Errorf("got %+v, want a numbered line that says what it costs", parts)
	}
}

func TestAPictureGoesAloneWhenTheTextIsTooLongForACaption(t *testing.T) {
	l := adapters.Limits{Text: 50, Caption: 10, Buttons: adapters.Buttons{Max: 2}}
	got := plan(conversation.Reply{Text: "longer than ten", Image: "https://x/y.png", Choices: options(1)}, l)
	if len(got) != 2 || got[0].Image == "" || got[0].Text != "" || got[1].Text != "longer than ten" || len(got[1].Choices) != 1 {
		t.Errorf("got %+v, want the picture first and the buttons below the text", got)
	}
	if got := plan(conversation.Reply{Text: "short", Image: "https://x/y.png"}, l); len(got) != 1 {
		t.Errorf("got %d parts, want the picture with its caption", len(got))
	}
}

func TestATextIsSplitAtTheBestPlace(t *testing.T) {
	for _, c := range []struct {
		name, text string
		limit      int
		unit       adapters.Unit
		want       []string
	}{
		{"it fits", "hello", 5, adapters.Runes, []string{"hello"}},
		{"no limit", "hello", 0, adapters.Runes, []string{"hello"}},
		{"at a blank line", "one\n\ntwo three", 10, adapters.Runes, []string{"one", "two three"}},
		{"at a sentence", "One two. Three four.", 12, adapters.Runes, []string{"One two.", "Three four."}},
		{"at a word", "alpha beta gamma", 11, adapters.Runes, []string{"alpha beta", "gamma"}},
		{"CJK without spaces", strings.Repeat("字", 10), 4, adapters.Runes, []string{"字字字字", "字字字字", "字字"}},
		{"CJK by sentence", "你好。我是机器人。", 6, adapters.Runes, []string{"你好。", "我是机器人。"}},
		{"bytes", "äöü", 4, adapters.Bytes, []string{"äö", "ü"}},
		{"UTF-16", "👍👍👍", 4, adapters.UTF16, []string{"👍👍", "👍"}},
		{"a family stays together", "ab👨‍👩‍👧cd", 5, adapters.Runes, []string{"ab", "👨‍👩‍👧", "cd"}},
		{"a flag stays together", "xy🇩🇪🇫🇷", 3, adapters.Runes, []string{"xy", "🇩🇪", "🇫🇷"}},
		{"Cyrillic counts as characters", strings.Repeat("ж", 8), 8, adapters.Runes, []string{strings.Repeat("ж", 8)}},
		{"septets", "€€€", 4, adapters.GSM7, []string{"€€", "€"}},
		{"UCS-2 by one character", strings.Repeat("a", 79) + "ж", 160, adapters.GSM7, []string{strings.Repeat("a", 79), "ж"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, split(c.text, c.limit, c.unit)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// The words of any language, emoji sequences, flags, marks, in any order: nothing is lost, nothing is too long, no
// character is cut, the order is kept.
func TestWhateverIsSplitCanBePutTogetherAgain(t *testing.T) {
	alphabet := []string{"a", "Wort ", "字", "ж", "é", "👍🏽", "👨‍👩‍👧", "🇩🇪", "\n", "\n\n", ". ", "€", " ", "{", "مرحبا", "。", "xxxxxxxxxxxx"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var b strings.Builder
		for range rng.IntN(60) {
			b.WriteString(alphabet[rng.IntN(len(alphabet))])
		}
		text, unit, limit := b.String(), adapters.Unit(rng.IntN(4)), 40+rng.IntN(60)
		pieces := split(text, limit, unit)
		var back strings.Builder
		for _, p := range pieces {
			if n := measure(p, unit); n > limit {
				t.Fatalf("piece %q measures %d, over %d (unit %d)", p, n, limit, unit)
			}
			if !utf8.ValidString(p) || p == "" {
				t.Fatalf("piece %q is broken", p)
			}
			if first, _ := utf8.DecodeRuneInString(p); unicode.Is(unicode.M, first) || first == '\u200d' || first == '\U0001F3FD' {
				t.Fatalf("piece %q begins within a character of %q", p, text)
			}
			back.WriteString(p)
		}
		bare := func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return -1
				}
				return r
			}, s)
		}
		if got, want := bare(back.String()), bare(text); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}
