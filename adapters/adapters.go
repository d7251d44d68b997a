// Package adapters is the contract between Parley and a messenger: what an adapter converts (Messenger), what a channel can
// carry (Limits) and what a failed send means (SendError).
//
// What does not belong here: decisions. An adapter converts; splitting, falling back from buttons to numbers, retrying and
// pacing are package bots' work, and adapters never split.
package adapters

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"parley/commerce/money"
	"parley/config"
	"parley/conversation"
)

// Messenger is one account on one network.
type Messenger interface {
	// Run receives until ctx ends, handing events to sink in the order the network gave them. It confirms an event to its
	// network only after sink has returned nil, and hands it over again when sink returned an error. It reconnects by
	// itself; an error it returns is final for the account (a refused token, say) and is shown to the admin.
	Run(ctx context.Context, sink Sink) error
	// Send delivers one part, already within Limits. A failure is a *SendError. Slow work is fine, waiting for a rate
	// limit is not: it returns SendError{Kind: Throttled}.
	Send(ctx context.Context, part Part) (Sent, error)
	// Limits says what the channel can carry. It does no I/O and never changes.
	Limits() Limits
}

// Sink takes events and returns after they are committed. Events that were handed over before are dropped by their id.
type Sink func(ctx context.Context, events []conversation.Event) error

// Webhook is implemented by a Messenger whose network calls us. The handler is served at /hooks/{account}; it verifies the
// signature on the raw body, hands the events to sink and answers 2xx only after sink returned nil, 503 when it did not.
type Webhook interface {
	Hook(sink Sink) http.Handler
}

// Linker is implemented where a link starts the conversation: https://t.me/bot?start=token.
type Linker interface {
	// Link is "" when the account cannot be linked to (yet).
	Link(token string) string
}

// Typer shows that an answer is being written. It is best effort; errors are logged at debug.
type Typer interface {
	Typing(ctx context.Context, chat string) error
}

// Editor changes a message that was sent: to take the buttons off a notification whose price no longer holds, say.
type Editor interface {
	// Edit replaces text and choices of the message with that network id. A failure is a *SendError; a message that can no
	// longer be changed is Rejected.
	Edit(ctx context.Context, id string, part Part) error
}

// Room is implemented where the staff of a shop can work in a room of the network (a group, a channel): each conversation that
// was handed to a person is a thread there.
type Room interface {
	// Open begins a thread in a room, under a title that the adapter shortens to what the network takes, and returns its chat:
	// what Part.Chat takes to write in the thread, and what Event.Chat holds for everything that people (not programs) say and
	// press there from then on, named or not, after a restart too. Such an event has Message, and where the network tells of them
	// the kinds Edited and Deleted follow. Elsewhere in the room the account goes on as in any other; what it reports from
	// there has the room's own id in Event.Chat, or that id with ":" and more behind it.
	//
	// A failure is a *SendError. Open may be called again for a thread that was begun already, when nobody knows that it was: one
	// that stays empty does no harm.
	Open(ctx context.Context, room, title string) (thread string, err error)
}

// Invoicer is implemented where the network itself can collect money for the shop, on an account that is set up for it. Send is then
// given options with an Invoice; before it takes money the network asks (conversation.Checkout), and tells when it has
// (conversation.Paid).
type Invoicer interface {
	// Invoicing says how the account is set up. It never changes.
	Invoicing() Invoicing
	// AnswerCheckout answers the question of that name: the invoice may be paid, or not, for the reason that the person is shown. A
	// failure is a *SendError; one that is Rejected came too late.
	AnswerCheckout(ctx context.Context, question, refusal string) error
}

// Invoicing is how an account collects money; the zero value: not at all.
type Invoicing struct {
	Setting            string           // the setting that switched it on; "" when it is off
	Test               bool             // no money moves
	Currencies         []money.Currency // in which the network collects
	Title, Description int              // the longest that an invoice may have, in runes
}

// Takes says that the account collects, in that currency.
func (i Invoicing) Takes(c money.Currency) bool {
	return i.Setting != "" && slices.Contains(i.Currencies, c)
}

// Reactor is implemented where a sign can be put on somebody's message: here, that a person will read it. It is best effort; errors
// are logged at debug.
type Reactor interface {
	// React puts an emoji on the message with that id, as in Event.Message.
	React(ctx context.Context, chat, message, emoji string) error
}

// Pairer is implemented where a person links a phone to the account.
type Pairer interface {
	// Pair shows codes (the text of a QR, or letters to type) until the phone has answered, ctx ends or pairing fails. With a
	// phone number it asks for a code to type on that phone. An account that is linked already returns nil at once.
	Pair(ctx context.Context, phone string, show func(code string)) error
}

// Part is one message within the channel's limits.
type Part struct {
	Chat    string                // where to, as in Event.Chat
	Text    string                // plain text: the adapter escapes it for its network
	Choices []conversation.Option // for buttons, or for a list when Limits.InList says so; empty where the channel has neither
	Image   string                // URL; empty for none
	Key     string                // stable over retries: the idempotency key where the network has one
	From    string                // bot, staff or contact: who speaks, for channels that show it
	At      time.Time             // when the message was written
	Class   conversation.Class    // why it is sent
	// Language is the contact's; "" when unknown.
	Language string
	// WindowClosed says that the person wrote longer than Limits.Window ago: free text is not allowed. An adapter that has an
	// approved template for the class sends that, with the text as its variable; others return SendError{Window}.
	WindowClosed bool
}

// Sent is what a network answered.
type Sent struct {
	ID string // the network's id of the message; "" when it gives none
}

// Unit is what a network counts when it limits a text.
type Unit int

const (
	Runes Unit = iota
	UTF16      // UTF-16 code units (Telegram)
	Bytes
	GSM7 // septets, or UCS-2 units when a character is outside GSM 03.38
)

// Limits is what a channel can carry, as data; the documentation is made from it.
type Limits struct {
	Text    int  // the longest text in Unit; 0 means no limit
	Unit    Unit //
	Caption int  // the longest text beside an image; 0 means that images are not supported
	// WithButtons is the longest text in Unit that may stand with buttons or a list; 0 means that Text holds there too.
	WithButtons int
	Buttons     Buttons
	// List is what a list to pick from can hold, for more choices than buttons; Max 0 means that there is none.
	List Buttons
	// Window is how long after the person's last message free text may be sent; 0 means always.
	Window time.Duration
	// Repeatable says that a part sent twice under one Key reaches the person once, so that a part whose fate is unknown can
	// simply be sent again.
	Repeatable bool
	// Pace is how fast the network takes messages.
	Pace Pace
	// Edits, Typing and Receipts say what the network offers beside sending.
	Edits, Typing, Receipts bool
}

// Buttons is what a channel offers to choose from. Max 0 means none: choices become numbered lines.
type Buttons struct {
	Max   int // in one message
	Label int // longest label in runes; 0 means no limit
	Value int // longest value in bytes; 0 means no limit
}

// Consequence is what a failed send means for what comes next.
type Consequence string

const (
	Temporary Consequence = "temporary" // try again later
	Throttled Consequence = "throttled" // the account (or chat) must pause for RetryAfter
	Rejected  Consequence = "rejected"  // this message will never be taken
	Gone      Consequence = "blocked"   // this address will never take a message: blocked, deleted
	Window    Consequence = "window"    // outside the time in which free text is allowed
	Broken    Consequence = "broken"    // the account itself does not work: token refused, logged out
	Unknown   Consequence = "unknown"   // it may have been delivered: resend only where repeating is safe
)

// SendError is why a part was not delivered, and what follows from it.
type SendError struct {
	Consequence Consequence
	RetryAfter  time.Duration // with Throttled: the network's own figure; see Pause
	PerChat     bool          // with Throttled: the pause binds this chat only
	Code        string        // the network's own code
	Reason      string        // for the admin; holds no secret
	Err         error
}

func (e *SendError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s: %s", e.Consequence, e.Reason)
	}
	return fmt.Sprintf("%s (%s): %s", e.Consequence, e.Code, e.Reason)
}

func (e *SendError) Unwrap() error { return e.Err }

// Pause is how long to wait after a Throttled: neither no time nor for ever, whatever the network says.
func (e *SendError) Pause() time.Duration {
	return min(max(e.RetryAfter, 100*time.Millisecond), LongestPause)
}

// Env is what an adapter gets from the house.
type Env struct {
	Account string // the account's name in the config
	HookURL string // the public address of this account's hook; "" when nobody knows it
	HTTP    *http.Client
	Log     *slog.Logger
	Now     func() time.Time
	State   State // durable key-value state of this account
	// DB and Dialect ("sqlite" or "postgres") are for libraries that bring tables of their own.
	DB      *sql.DB
	Dialect string
	// Report tells the admin how the account is: a state word (connecting, ready, failed) and, when failed, why.
	Report func(state, problem string)
}

// State is a small durable map of one account: an update offset, a session id.
type State interface {
	Load(ctx context.Context, key string) (string, error) // "" when absent
	Save(ctx context.Context, key, value string) error
}

// Spec describes an adapter to the config, to `parley check` and to the documentation.
type Spec struct {
	Name   string // as written after `adapter:`
	Title  string // as people call the network: Telegram
	Doc    string // one sentence
	Fields []config.Field
	Limits Limits
	// Typed says what a person types to be reached there ("phone number", "@handle"); "" means that the channel starts
	// with a link or in the page and nothing is typed.
	Typed string
	// MayWriteFirst says whether the bot may open the conversation.
	MayWriteFirst bool
	// Invoicing reads how an account with such settings would collect money; nil where no account can.
	Invoicing func(settings config.Settings) Invoicing
	New       func(settings config.Settings, env Env) (Messenger, error)
}
