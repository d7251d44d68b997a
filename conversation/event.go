// Package conversation decides what a bot answers: one event and one session in, the next session and a list of
// effects out (Step). Flows are data (package flow), words are read by package understand, and what a step may ask
// the world for is listed in package effect.
//
// What does not belong here: I/O of any kind, clocks (now is an argument), prices and stock (package commerce
// decides those and answers as an Event of kind Outcome).
package conversation

import "time"

// Kind says what sort of thing an Event reports.
type Kind string

const (
	// Text is words typed by the contact: Text holds them.
	Text Kind = "text"
	// Choice is a pressed button or list row: Value holds what the network carried, as given in Choice.Value of
	// the reply. After look-up Name is the choice's id and Context the place where it was shown.
	Choice Kind = "choice"
	// Start is an opened deep link or chat window: Value holds its token, empty for a plain start.
	Start Kind = "start"
	// Outcome is the answer to an effect: Name is the outcome, Vars its data, Context where the effect was asked.
	Outcome Kind = "outcome"
	// Trigger is something that happened in trade (price_below, back_in_stock, …): Name and Vars.
	Trigger Kind = "trigger"
	// Timeout is a due timer: Name is the event it raises, Context the state that waited.
	Timeout Kind = "timeout"
	// Receipt reports the fate of a message of ours: Value is its network id, Name delivered, read or failed.
	Receipt Kind = "receipt"
	// Blocked says that the contact has shut the bot out; Unblocked that they let it in again.
	Blocked   Kind = "blocked"
	Unblocked Kind = "unblocked"
	// Staff is words that a person of the shop wrote from elsewhere (their own phone, say): it takes over.
	Staff Kind = "staff"
	// Returned says that staff have given the conversation back to the bot.
	Returned Kind = "returned"
	// Edited says that somebody changed what they had said: Value is the Event.Message of that, Text the words as they are now.
	Edited Kind = "edited"
	// Deleted says that somebody took back what they had said: Value is the Event.Message of that.
	Deleted Kind = "deleted"
	// Reaction is a sign that the contact put on a message: Text holds it, Value is the network's id of the message.
	Reaction Kind = "reaction"
	// Checkout asks whether an Invoice may be paid now: Payment says which, Value names the question in the answer. The network
	// waits for that and forgets the question soon, so that the event has no ID: each delivery is answered.
	Checkout Kind = "checkout"
	// Paid says that the money for an Invoice has come: Payment says how much, ID is made from its reference.
	Paid Kind = "paid"
)

// Event is one thing that happened in a conversation. Adapters fill the upper block and Kind, Text, Value; the rest is
// filled on the way.
type Event struct {
	Kind Kind `json:"kind"`

	Account    string    `json:"account"`               // the account's name in the config; the adapter need not fill it
	Chat       string    `json:"chat"`                  // the network's id of the chat; replies go there
	Sender     string    `json:"sender"`                // the network's id of the person
	SenderName string    `json:"sender_name,omitempty"` // as the network shows it; untrusted text
	ID         string    `json:"id"`                    // the network's id of this event; with Account and Chat it is unique, repeats drop out
	Message    string    `json:"message,omitempty"`     // the network's id of the message that says it, where Edited or Deleted may follow; in its chat it is unique
	Language   string    `json:"language,omitempty"`    // BCP 47, a hint of the network; empty when unknown
	At         time.Time `json:"at"`                    // when the network says it happened; zero when it does not say
	Raw        []byte    `json:"raw,omitempty"`         // what the network sent, for the log; nil when there is nothing to add

	Text  string `json:"text,omitempty"`
	Value string `json:"value,omitempty"`

	Media   string   `json:"media,omitempty"`   // what came along with the words of Text: photo, file, video
	Payment *Payment `json:"payment,omitempty"` // with Checkout and Paid

	Name    string   `json:"name,omitempty"`
	Vars    Vars     `json:"vars,omitempty"`
	Context *Context `json:"context,omitempty"`
}

// Context is a place in a flow that an event refers to: the state whose message carried the pressed button, or that asked
// for the effect whose outcome this is. An event with a context resumes there, wherever the session is by now.
type Context struct {
	Flow  string `json:"flow"`
	Hash  string `json:"hash"`
	State string `json:"state"`
	Vars  Vars   `json:"vars,omitempty"`
}
