package flow

// Field is one key of a file: for reading, for checking, for the documentation and for the JSON schema alike.
type Field struct {
	Name     string
	Doc      string // one sentence for the admin
	Sample   string // a value in YAML that a test reads
	Required bool
	shape    shape
}

// shape is the kind of value a field takes.
type shape int

const (
	aName      shape = iota // [a-z0-9_-]
	aString                 // any text
	aText                   // a template, per language
	aTemplate               // a template, one for all languages
	aBool                   //
	nameList                // a list of names
	begins                  // a list of events, or event: state
	targets                 // event: target
	timers                  // duration: target
	assigns                 // variable: template
	anEffect                // a name, or name: {argument: template}
	aClass                  // one of Classes
	choiceList              // a list of ids or choices
	stateMap                // name: state
	phraseMap               // intent: {language: [phrases]}
	labelMap                // choice id: text
)

// Classes are what `class:` takes; they say why a message is sent.
var Classes = []string{"answer", "notification", "receipt", "reminder"}

// BotFields are the keys of bot.yaml.
var BotFields = []Field{
	{Name: "shop", Doc: "The shop's name, {{ shop.name }} in texts; the merchant's own name in the config goes before it.", Sample: "The Corner Shop", shape: aString},
	{Name: "languages", Doc: "The languages the bot speaks; the first is the one for people whose language nobody knows.", Sample: "[en, de]", Required: true, shape: nameList},
	{Name: "intents", Doc: "What your shoppers ask about beside the usual, each with words and phrases per language; a flow names it like any event.", Sample: "{shipping: {en: [shipping, delivery time], de: [versand, lieferzeit]}}", shape: phraseMap},
	{Name: "labels", Doc: "What stands on the buttons of choices, by their id, wherever a choice has no label of its own.", Sample: "{question: {en: Ask a question, de: Frage stellen}}", shape: labelMap},
}

// FlowFields are the keys of a flow.
var FlowFields = []Field{
	{Name: "flow", Doc: "The flow's name: a to z, 0 to 9, - and _.", Sample: "notify", Required: true, shape: aName},
	{Name: "about", Doc: "What the flow is for, for the people who edit it.", Sample: "Tells a subscriber that it happened.", shape: aString},
	{Name: "starts_on", Doc: "The events that begin it, wherever the conversation is: a list when all begin at start, else event: state.", Sample: "{price_below: told, back_in_stock: told}", shape: begins},
	{Name: "start", Doc: "The state it begins in.", Sample: "told", Required: true, shape: aName},
	{Name: "states", Doc: "The states, by name.", Sample: "{told: {say: {en: Hello, de: Hallo}, end: true}}", Required: true, shape: stateMap},
}

// StateFields are the keys of a state.
var StateFields = []Field{
	{Name: "set", Doc: "Variables to set on the way in, before anything is said.", Sample: `{topic: "{{ product.title }}"}`, shape: assigns},
	{Name: "say", Doc: "The message, per language.", Sample: `{en: "Hello {{ contact.name }}", de: "Hallo {{ contact.name }}"}`, shape: aText},
	{Name: "image", Doc: "The address of a picture shown with the message, where the channel can.", Sample: `"{{ product.image }}"`, shape: aTemplate},
	{Name: "class", Doc: "Why the message is sent: answer (to what the shopper just did), notification, receipt or reminder (held back in quiet hours).", Sample: "notification", shape: aClass},
	{Name: "choices", Doc: "What the shopper may choose: buttons, a list or numbered lines, as the channel can. Choosing raises the id as an event.", Sample: "[{id: buy, label: {en: Buy, de: Kaufen}, to: buy-now}, question]", shape: choiceList},
	{Name: "do", Doc: "An effect, asked for after the message; its outcomes come back as events.", Sample: "{hand_off: {reason: a question}}", shape: anEffect},
	{Name: "on", Doc: "Where each event leads: a state, a flow, or flow.state.", Sample: "{found: told, no_product: notify.gone}", shape: targets},
	{Name: "after", Doc: "Where waiting leads, unless the conversation has moved on.", Sample: "{48h: expired}", shape: timers},
	{Name: "fallback", Doc: "Where a text leads that nothing takes, the first time; after two in a row the event lost is raised.", Sample: "ask-again", shape: aName},
	{Name: "end", Doc: "The flow is over. What is known (the product, say) stays known.", Sample: "true", shape: aBool},
	{Name: "stay", Doc: "The message is said and the shopper stays where they were, as if nothing had happened.", Sample: "true", shape: aBool},
	{Name: "return", Doc: "Back to where the shopper was when this flow began, and where they are then waited for as before; else the flow is over.", Sample: "true", shape: aBool},
}

// ChoiceFields are the keys of a choice.
var ChoiceFields = []Field{
	{Name: "id", Doc: "The event that choosing raises.", Sample: "buy", Required: true, shape: aName},
	{Name: "label", Doc: "What the shopper reads, per language; without it, bot.yaml's label for the id.", Sample: "{en: Buy, de: Kaufen}", shape: aText},
	{Name: "to", Doc: "Where it leads; without it, on: must handle the id.", Sample: "buy-now", shape: aName},
}
