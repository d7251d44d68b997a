package flow

import (
	"fmt"
	"unicode/utf8"
)

// Channel is what a messenger can show of choices.
type Channel struct {
	Name      string
	ButtonMax int // buttons in one message; 0 means that choices are numbered lines there anyway
	LabelMax  int // runes on a button; 0 means no limit
}

// CheckChannels warns of choices that a channel cannot show as they are written, and says what will be sent there. Labels
// are measured with sample figures in place of their variables.
func (s *Set) CheckChannels(channels []Channel) []Problem {
	r := &report{}
	for _, f := range s.Flows {
		for _, state := range f.States {
			s.checkChoices(r, state, channels)
		}
	}
	sortProblems(r.problems)
	return r.problems
}

func (s *Set) checkChoices(r *report, state *State, channels []Channel) {
	var few, short Channel // the narrowest of each kind
	for _, ch := range channels {
		if ch.ButtonMax == 0 {
			continue
		}
		if few.ButtonMax == 0 || ch.ButtonMax < few.ButtonMax {
			few = ch
		}
		if ch.LabelMax > 0 && (short.LabelMax == 0 || ch.LabelMax < short.LabelMax) {
			short = ch
		}
	}
	if few.ButtonMax > 0 && len(state.Choices) > few.ButtonMax {
		r.warnAt(state.Choices[few.ButtonMax].at, fmt.Sprintf("%s will get them as numbered lines; keep %d for buttons", few.Name, few.ButtonMax),
			"the state %s has %d choices, and %s shows %d buttons", state.Name, len(state.Choices), few.Name, few.ButtonMax)
		return
	}
	for _, choice := range state.Choices {
		for _, language := range s.Languages {
			label, err := s.Scope(language, s.samples()).Render(choice.Label)
			n := utf8.RuneCountInString(label)
			if err != nil || short.LabelMax == 0 || n <= short.LabelMax {
				continue
			}
			r.warnAt(choice.Label.pos(language, choice.at), fmt.Sprintf("%s will get %q; write it shorter", short.Name, string([]rune(label)[:short.LabelMax-1])+"…"),
				"the %s label of %s is %d characters long (%q), and %s shows %d", languageName(language), choice.ID, n, label, short.Name, short.LabelMax)
		}
	}
}

// pos is where the text of a language stands.
func (t *Text) pos(language string, otherwise pos) pos {
	for _, src := range t.sources {
		if src.language == language {
			return src.at(0)
		}
	}
	return otherwise
}

// samples are figures of the usual length.
func (s *Set) samples() map[string]string {
	vars := map[string]string{}
	for name := range s.vars {
		vars[name] = "Example"
	}
	for _, name := range amountVars {
		vars[name] = "123.45 EUR"
	}
	for _, name := range timeVars {
		vars[name] = "2026-09-23T14:00:00Z"
	}
	for _, name := range countVars {
		vars[name] = "2"
	}
	return vars
}
