package bots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/commerce"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/conversation/understand"
	"parley/store"
)

// turn carries one event through a conversation, inside a transaction.
type turn struct {
	house   *House
	account *account
	m       *Merchant
	tx      *store.Tx
	th      *store.Thread
	cause   string          // names this turn where a command must be carried out once; "" for none
	theirs  bool            // the contact's own doing: what they are answered goes out, whatever they said before
	was     string          // who had the word when it began
	heard   string          // the network's id of the message that brought it about; "" for none
	onPage  bool            // the contact buys on the page of a link, not in the chat
	alert   *commerce.Alert // what it tells a watcher; nil elsewhere
	batch   *batchOfAlerts  // with whom; nil elsewhere
	origin  string          // names what staff are saying in a room, where they may change it later; "" elsewhere
}

func (h *House) newTurn(a *account, tx *store.Tx, th *store.Thread, cause string) *turn {
	return &turn{house: h, account: a, m: a.merchant, tx: tx, th: th, cause: cause, was: th.Owner}
}

// receive is the turn of an event that a network delivered.
func (h *House) receive(a *account, e conversation.Event) store.Turn {
	turn := store.Turn{Merchant: a.merchant.ID, Channel: a.Channel, Event: e, Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
		t := h.newTurn(a, tx, th, causeOf(a, e))
		return t.shown(ctx, t.receive(ctx, e))
	}}
	if id, _ := readChoice(e.Value); e.Kind == conversation.Choice && strings.HasPrefix(id, "msg_") {
		if _, ok := store.ParseID(id); ok {
			turn.Shown = id
		}
	}
	return turn
}

// causeOf names an event where a command must be carried out once: the same for each delivery of it. It is a hash, since it stands
// in ledgers, which must not hold anybody's address.
func causeOf(a *account, e conversation.Event) string {
	if e.ID == "" {
		return store.NewID("trn")
	}
	sum := sha256.Sum256([]byte(a.Name + "\x00" + e.Chat + "\x00" + e.ID))
	return "trn_" + hex.EncodeToString(sum[:16])
}

// internal is the turn of an event of our own on a conversation: apply runs with the turn at hand, and makes sure itself that it
// happens once. When it failed twice it is not parked: failed puts off the row that brought it about.
func (h *House) internal(a *account, chat, sender string, apply func(context.Context, *turn) error, failed func(context.Context, *store.Tx) error) store.Turn {
	e := conversation.Event{Account: a.Name, Chat: chat, Sender: sender}
	return store.Turn{Merchant: a.merchant.ID, Channel: a.Channel, Event: e,
		Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
			t := h.newTurn(a, tx, th, "")
			return t.shown(ctx, apply(ctx, t))
		},
		Failed: func(ctx context.Context, tx *store.Tx, _ error) error { return failed(ctx, tx) },
	}
}

// longest is how many runes of a message are kept.
const longest = 4096

func (t *turn) receive(ctx context.Context, e conversation.Event) error {
	if t.th.DeskOf != 0 && isSaid(e.Kind) {
		return nil // the thread was opened this very moment
	}
	switch e.Kind {
	case conversation.Edited, conversation.Deleted:
		return nil // what a shopper said stands
	case conversation.Receipt:
		state := map[string]store.PartState{"delivered": store.Delivered, "read": store.Read, "failed": store.Failed}[e.Name]
		if state == "" || e.Value == "" {
			return nil
		}
		early, err := t.tx.NoteReceipt(ctx, t.th, e.Value, state)
		if early {
			t.tx.AfterCommit(func() { t.account.traffic.early.Add(1) })
		}
		return err
	case conversation.Blocked:
		t.th.Address.State = conversation.Shut
		if err := t.tx.DropQueued(ctx, t.th.Key, "the contact blocked the bot"); err != nil {
			return err
		}
		return t.tx.Event(ctx, t.m.ID, "address_blocked", t.th.Address.ID, nil)
	case conversation.Unblocked:
		if t.th.Address.State == conversation.Shut {
			t.th.Address.State = conversation.Verified
		}
		return nil
	case conversation.Staff:
		return t.spokenElsewhere(ctx, e)
	case conversation.Reaction:
		return t.reacts(ctx, e)
	case conversation.Paid: // it was parked
		o, err := t.collect(ctx, e)
		if err != nil {
			return err
		}
		return t.tellCollected(ctx, o, *e.Payment)
	case conversation.Text, conversation.Choice, conversation.Start:
		return t.hear(ctx, e)
	}
	return fmt.Errorf("an adapter delivered an event of kind %q", e.Kind)
}

// hear takes what the contact said or pressed: it goes into the transcript, and to the bot when the bot has the word.
func (t *turn) hear(ctx context.Context, e conversation.Event) error {
	e.Text = clean(e.Text)
	t.heard = e.Message
	said := e.Text
	if e.Media != "" {
		said = "[" + e.Media + "] " + said
	}
	if e.Kind == conversation.Choice {
		label, err := t.lookUpChoice(ctx, &e)
		if err != nil {
			return err
		}
		said = label
	}
	if e.Kind == conversation.Start {
		said = "/start"
	}
	if _, err := t.tx.AddMessage(ctx, t.th, store.Message{Author: store.FromContact, Kind: string(e.Kind), Text: said}, e.ID); err != nil {
		return err
	}
	t.tx.AfterCommit(func() { t.account.traffic.received.Add(1) })
	if err := t.tx.Event(ctx, t.m.ID, "message_in", t.th.ID, nil); err != nil {
		return err
	}
	if e.Kind == conversation.Start && e.Value == "" && t.th.Address.State == conversation.Stopped {
		e.Kind, e.Text = conversation.Text, "start" // where START is a command, it brings the messages back as the word does
	}
	// They wrote to us, also after a stop: then they may be answered, while the consents to alerts stay revoked.
	t.theirs, t.th.Address.State = true, conversation.Verified
	if err := t.tx.DropHeld(ctx, t.th); err != nil { // nobody needs the reminder any more
		return err
	}
	t.meet(e)
	if t.th.Owner != store.Bot && !t.countsWithStaff(e) {
		return nil // a person has the word; staff see it in the inbox
	}
	return t.run(ctx, e)
}

// countsWithStaff says that an event goes to the bot also while a person has the word: a pressed button, an opened link, a stop.
func (t *turn) countsWithStaff(e conversation.Event) bool {
	switch e.Kind {
	case conversation.Text:
		return t.saysStop(e.Text)
	case conversation.Start:
		return e.Value != ""
	}
	return true
}

// saysStop says that a text asks for silence, which counts whoever has the word.
func (t *turn) saysStop(text string) bool {
	r := understand.Read(text, understand.Options{Language: t.th.Contact.Language})
	return len(r.Intents) > 0 && r.Intents[0] == "stop"
}

// meet learns the name and language that a network tells, where we know none.
func (t *turn) meet(e conversation.Event) {
	c := &t.th.Contact
	if c.Name == "" {
		c.Name = e.SenderName
	}
	if c.Language == "" && e.Language != "" {
		if l := t.m.Flows.Speaks(e.Language); l != "" {
			c.Language, c.LanguageSource = l, "network"
		}
	}
}

// lookUpChoice finds which button a value belongs to: in this conversation, by the message that showed it. It fills in the name
// and the place, and returns the label. A value that is not ours is treated as words that nobody understands.
func (t *turn) lookUpChoice(ctx context.Context, e *conversation.Event) (string, error) {
	id, n := readChoice(e.Value)
	if id == "" {
		return t.unknownChoice(e), nil
	}
	choices, place, err := t.tx.Choices(ctx, t.m.ID, t.th.Key, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && n >= len(choices) {
		return t.unknownChoice(e), nil
	}
	if err != nil {
		return "", err
	}
	e.Name, e.Context = choices[n].ID, place
	return choices[n].Label, nil
}

func (t *turn) unknownChoice(e *conversation.Event) string {
	e.Kind, e.Text = conversation.Text, ""
	return "?"
}

// choiceValue is what a network carries for a choice; readChoice reads it.
func choiceValue(message string, index int) string { return message + ":" + strconv.Itoa(index) }

// readChoice says which choice of which message a value is; the message is "" when the value is not one of ours.
func readChoice(value string) (message string, index int) {
	message, digits, ok := strings.Cut(value, ":")
	index, err := strconv.Atoi(digits)
	if !ok || message == "" || err != nil || index < 0 {
		return "", 0
	}
	return message, index
}

// mostSteps bounds what one event can set off, should flows chase each other.
const mostSteps = 32

// run steps the conversation with an event, carries out the effects, and goes on with their outcomes until none is left.
func (t *turn) run(ctx context.Context, first conversation.Event) error {
	pending := []conversation.Event{first}
	for n := 0; len(pending) > 0; n++ {
		if n == mostSteps {
			return fmt.Errorf("flow %s: one event led to more than %d steps", t.th.Session.Flow, mostSteps)
		}
		e := pending[0]
		pending = pending[1:]
		set, err := t.setFor(ctx, e)
		if err != nil {
			return err
		}
		t.learn()
		session, effects, moves, err := conversation.Trace(set, t.th.Session, e, t.tx.Now())
		if err != nil {
			return fmt.Errorf("step: %w", err)
		}
		t.th.Session = session
		if session.Language != t.th.Contact.Language && session.Language != "" {
			t.th.Contact.Language, t.th.Contact.LanguageSource = session.Language, "text"
		}
		place := placeOf(set, session, moves)
		for _, eff := range effects {
			outcome, err := t.carry(ctx, eff, place)
			if err != nil {
				return err
			}
			if outcome != nil {
				pending = append(pending, *outcome)
			}
		}
	}
	return nil
}

// placeOf is where a step has come to: also when the state it entered ended the flow, since the buttons shown there still lead
// back to it. Its facts are the session's own: a step does not change those that it is given.
func placeOf(set *flow.Set, session conversation.Session, moves []conversation.Move) conversation.Context {
	place := conversation.Context{Flow: session.Flow, Hash: session.Hash, State: session.State, Vars: session.Vars}
	if len(moves) > 0 {
		to := moves[len(moves)-1].To
		place.Flow, place.State, place.Hash = to.Flow, to.State, set.Hash
	}
	return place
}

// learn tells the session what every text may mention.
func (t *turn) learn() {
	s := &t.th.Session
	if s.Vars == nil {
		s.Vars = conversation.Vars{}
	}
	if s.Language == "" {
		s.Language = t.th.Contact.Language
	}
	s.Vars["shop.name"] = t.m.Title
	s.Vars["contact.name"] = t.th.Contact.Name
	s.Vars["contact.time_zone"] = t.th.Contact.TimeZone
}

// setFor is the flow set that an event is to be read with: the one its place or the session is pinned to, else the present one.
// A trigger begins a flow anew, in the present one. A pinned set that is lost or that this version no longer takes is replaced by
// the present one, in which Step finds the place or begins from nowhere.
func (t *turn) setFor(ctx context.Context, e conversation.Event) (*flow.Set, error) {
	hash := ""
	switch {
	case e.Context != nil:
		hash = e.Context.Hash
	case e.Kind == conversation.Trigger:
	case t.th.Session.Flow != "":
		hash = t.th.Session.Hash
	}
	if hash == "" || hash == t.m.Flows.Hash {
		return t.m.Flows, nil
	}
	set, err := t.house.flows.pinned(ctx, t.tx, t.m.ID, hash)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errNotCompiled) {
		t.house.log.WarnContext(ctx, "present flows used", "merchant", t.m.Name, "conversation", t.th.ID, "err", err)
		return t.m.Flows, nil
	}
	return set, err
}

// say appends a message to the transcript and queues its parts. Its choices lead back to place.
func (t *turn) say(ctx context.Context, author string, r conversation.Reply, place *conversation.Context) (store.Message, error) {
	m := store.Message{ID: t.tx.NewID("msg"), Author: author, Kind: "reply", Text: r.Text, Image: r.Image, Class: r.Class, At: t.tx.Now(), State: string(store.Queued)}
	for i, c := range r.Choices {
		c.Value = choiceValue(m.ID, i)
		r.Choices[i] = c
	}
	m.Choices = r.Choices
	if len(r.Choices) > 0 {
		m.Context = place
	}
	key, err := t.tx.AddMessage(ctx, t.th, m, t.origin)
	if err != nil {
		return m, err
	}
	m.Key = key
	why := t.silenced(author, r.Class)
	outbox, now := t.account.outbox, t.house.now
	if t.th.Alerts && why == "" && store.LaneOf(r.Class) == store.Answers {
		t.th.Alerts = false
		if err := t.tx.Hasten(ctx, t.th.Key); err != nil { // they are ahead of the answer
			return m, err
		}
	}
	parts := plan(r, t.account.limits)
	handed, err := t.tx.AddParts(ctx, t.th, m, parts, t.due(r.Class), why == "" && (outbox.accepts(r.Class, now()) || t.batch.mayHand(outbox, r.Class, now())))
	if err != nil {
		return m, err
	}
	if why != "" {
		m.State = string(store.Failed)
		return m, t.tx.FailRest(ctx, key, why)
	}
	queued := len(parts)
	if handed != nil {
		queued--
		t.batch.handed()
		t.tx.AfterCommit(func() { outbox.take(*handed, now()) })
	}
	if queued > 0 {
		t.tx.AfterCommit(t.account.rouse)
	}
	if queued > 0 && store.LaneOf(r.Class) == store.Campaigns {
		t.tx.AfterCommit(func() { outbox.campaigns.Add(int64(queued)) })
	}
	if err := t.standing(ctx, key, r, place); err != nil {
		return m, err
	}
	return m, t.tx.Event(ctx, t.m.ID, "message_out", t.th.ID, nil)
}

// silenced is why the bot must not send a message now; "" when it may. Nobody who said stop and has not written since hears of
// anything but the money of their orders.
func (t *turn) silenced(author string, c conversation.Class) string {
	switch {
	case author != store.FromBot || t.theirs:
	case t.th.Address.State == conversation.Shut:
		return "the contact blocked the bot"
	case t.th.Address.State == conversation.Stopped && c != conversation.ReceiptClass:
		return "the contact said stop"
	}
	return ""
}

// due is when a message of a class may leave: reminders wait for the morning.
func (t *turn) due(c conversation.Class) time.Time {
	if c != conversation.Reminder {
		return time.Time{}
	}
	return t.m.Quiet.next(t.tx.Now(), zoneOf(t.th.Contact, t.m.TimeZone))
}

// mark notes in the transcript that the word has passed; nobody is sent it.
func (t *turn) mark(ctx context.Context, text string) error {
	_, err := t.tx.AddMessage(ctx, t.th, store.Message{Author: store.FromSystem, Kind: "mark", Text: text}, "")
	return err
}

// longestName is how many runes of a person's name are kept.
const longestName = 100

// scrubbed is an event without what a database refuses: a network's ids go into rows as they are, but for NUL and broken UTF-8.
func scrubbed(e conversation.Event) conversation.Event {
	var payment conversation.Payment
	if e.Payment != nil {
		payment = *e.Payment
		e.Payment = &payment
	}
	for _, s := range []*string{&payment.Invoice, &payment.Reference, &payment.Note, &e.Chat, &e.Sender, &e.ID, &e.Value, &e.Message, &e.Media} {
		*s = strings.ReplaceAll(strings.ToValidUTF8(*s, "\uFFFD"), "\x00", "")
	}
	e.SenderName = strings.Join(strings.Fields(clean(e.SenderName)), " ")
	if utf8.RuneCountInString(e.SenderName) > longestName {
		e.SenderName = string([]rune(e.SenderName)[:longestName-1]) + "…"
	}
	return e
}

// clean drops control characters but line breaks and tabs, repairs broken UTF-8 and cuts what is too long.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
	if utf8.RuneCountInString(s) > longest {
		s = string([]rune(s)[:longest-1]) + "…"
	}
	return strings.TrimSpace(s)
}
