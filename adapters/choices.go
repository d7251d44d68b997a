package adapters

import (
	"unicode/utf8"

	"parley/conversation"
)

// InList says that the choices of a part are to be shown as a list: there are more of them than buttons, or one is too long for
// a button. Whoever plans the part and whoever sends it both ask here, so that they agree.
func (l Limits) InList(choices []conversation.Option) bool {
	return len(choices) > 0 && l.List.Max > 0 && !l.Buttons.fit(choices)
}

func (b Buttons) fit(choices []conversation.Option) bool {
	if len(choices) > b.Max {
		return false
	}
	for _, c := range choices {
		if b.Label > 0 && utf8.RuneCountInString(c.Label) > b.Label || b.Value > 0 && len(c.Value) > b.Value {
			return false
		}
	}
	return true
}
