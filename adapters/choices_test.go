package adapters

import (
	"testing"

	"parley/conversation"
)

func TestChoicesStandInAListWhenTheyAreTooManyOrTooLongForButtons(t *testing.T) {
	limits := Limits{Buttons: Buttons{Max: 2, Label: 5, Value: 4}, List: Buttons{Max: 10, Label: 9, Value: 8}}
	for _, test := range []struct {
		name    string
		limits  Limits
		choices []conversation.Option
		want    bool
	}{
		{"none", limits, nil, false},
		{"two short ones", limits, []conversation.Option{{Label: "é ü ö", Value: "1234"}, {Label: "no", Value: "b"}}, false},
		{"three", limits, []conversation.Option{{Label: "a"}, {Label: "b"}, {Label: "c"}}, true},
		{"a long label", limits, []conversation.Option{{Label: "longer"}}, true},
		{"a long value", limits, []conversation.Option{{Label: "a", Value: "12345"}}, true},
		{"no list there", Limits{Buttons: limits.Buttons}, []conversation.Option{{Label: "longer"}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.limits.InList(test.choices); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
