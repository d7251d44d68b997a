package conversation

// Reply is one message to a contact, before it is planned to what a channel can show.
type Reply struct {
	Text    string   `json:"text"`              // plain text; adapters escape it, nothing in it is markup
	Choices []Option `json:"choices,omitempty"` // buttons, a list or numbered lines, as the channel can
	Image   string   `json:"image,omitempty"`   // URL of a picture shown with the text, where the channel can
	Class   Class    `json:"class,omitempty"`
}

// Option is one thing a contact may choose.
type Option struct {
	ID    string `json:"id"`              // the event that choosing raises in the flow: buy, question, …
	Label string `json:"label"`           // what the contact reads
	Value string `json:"value,omitempty"` // what the network carries: opaque, at most 64 bytes, made by package bots

	// Invoice makes choosing a payment: the network collects it and asks before (Checkout). Such an option stands alone, on an
	// account whose messenger is an adapters.Invoicer.
	Invoice *Invoice `json:"invoice,omitempty"`
}

// Class says why a message is sent: it decides about quiet hours, retries and what a repeat would cost.
type Class string

const (
	Answer       Class = "answer"       // to what the contact just did; also the zero value's meaning
	Notification Class = "notification" // an event the contact subscribed to
	ReceiptClass Class = "receipt"      // about money or an order
	Reminder     Class = "reminder"     // held back in quiet hours
)
