package conversation_test

import (
	"fmt"
	"time"

	"parley/conversation"
	"parley/conversation/effect"
	"parley/conversation/flow"
)

// A set is loaded, an event is stepped, and what came of its effect is stepped next.
func ExampleStep() {
	set, problems := flow.LoadFiles(map[string][]byte{
		"bot.yaml": []byte("languages: [en]\n"),
		"bot-for-mugs.yaml": []byte(`
flow: mugs
starts_on: {price: look, misunderstood: sorry, stop: stop}
start: look
states:
  look: {do: lookup, on: {found: tell, no_product: sorry-end}}
  tell: {say: "{{ product.title }} costs {{ price | money }}.", end: true}
  sorry-end: {say: Which one?, end: true}
  sorry: {say: Sorry?, stay: true}
  stop: {do: stop, on: {stopped: stopped}}
  stopped: {say: Done., end: true}
`),
	})
	for _, p := range problems {
		fmt.Println(p)
	}
	now := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	s, effects, _ := conversation.Step(set, conversation.Session{}, conversation.Event{Kind: conversation.Text, Text: "What does it cost?"}, now)
	fmt.Printf("%T\n", effects[0])
	_, effects, _ = conversation.Step(set, s, conversation.Event{
		Kind: conversation.Outcome, Name: "found", Vars: conversation.Vars{"product.title": "Blue mug", "price": "17.20 EUR"},
	}, now)
	fmt.Println(effects[0].(effect.Say).Text)
	// Output:
	// effect.Lookup
	// Blue mug costs €17.20.
}
