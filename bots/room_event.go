package bots

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

// places remembers which chats are threads of rooms, so that not each event asks the database. A chat that is one stays one.
type places struct {
	mu    sync.Mutex
	known map[string]store.DeskPlace // by account and chat
}

// placesInMemory is how many threads are remembered.
const placesInMemory = 10_000

// deskAt finds the thread that a chat is; false when it is none.
func (h *House) deskAt(ctx context.Context, a *account, chat string) (store.DeskPlace, bool, error) {
	name := a.Name + "\x00" + chat
	h.places.mu.Lock()
	at, ok := h.places.known[name]
	h.places.mu.Unlock()
	if ok {
		return at, true, nil
	}
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		at, err = tx.DeskAt(ctx, a.Name, chat)
		return err
	})
	if isNotFound(err) {
		return at, false, nil
	}
	if err != nil {
		return at, false, err
	}
	h.places.mu.Lock()
	defer h.places.mu.Unlock()
	if h.places.known == nil || len(h.places.known) >= placesInMemory {
		h.places.known = map[string]store.DeskPlace{}
	}
	h.places.known[name] = at
	return at, true, nil
}

// turnOf is the turn of an event that a network delivered: of a shopper, or of somebody of the staff in a thread of a room. It is
// false for what nobody acts on: people who talk in a room, but not in such a thread. Nothing of a room ever gets to the bot.
func (h *House) turnOf(ctx context.Context, a *account, e conversation.Event) (turn store.Turn, ok bool, err error) {
	// A thread of a room that the config no longer has is known by its row, see turn.receive.
	if _, can := a.Messenger.(adapters.Room); can && isSaid(e.Kind) && a.merchant.worksOn(a.Name) {
		at, found, err := h.deskAt(ctx, a, e.Chat)
		if err != nil {
			return turn, false, fmt.Errorf("look for a desk: %w", err)
		}
		if found {
			turn, ok = h.deskTurn(a, at, e)
			return turn, ok, nil
		}
		if a.merchant.isRoom(a.Name, e.Chat) {
			return turn, false, nil
		}
	}
	return h.receive(a, e), true, nil
}

// isSaid says that a kind of event is a person's doing.
func isSaid(k conversation.Kind) bool {
	return slices.Contains([]conversation.Kind{conversation.Text, conversation.Choice, conversation.Start, conversation.Staff, conversation.Edited, conversation.Deleted}, k)
}

// isRoom says that a chat is a room of the staff or stands in one.
func (m *Merchant) isRoom(account, chat string) bool {
	return slices.ContainsFunc(m.Desk, func(r DeskRoom) bool {
		return r.Account == account && (chat == r.Room || strings.HasPrefix(chat, r.Room+":"))
	})
}

// worksOn says that the staff have a room on an account.
func (m *Merchant) worksOn(account string) bool {
	return slices.ContainsFunc(m.Desk, func(r DeskRoom) bool { return r.Account == account })
}

// deskTurn is what somebody of the staff did in a thread, as a turn of the shopper's conversation. When it fails twice the
// thread is told, rather than park it: its writer sees best whether it still matters.
func (h *House) deskTurn(room *account, at store.DeskPlace, e conversation.Event) (store.Turn, bool) {
	shopper := h.account(at.Account)
	if shopper == nil || shopper.merchant.ID != at.Merchant || room.merchant.ID != at.Merchant {
		return store.Turn{}, false
	}
	own := conversation.Event{Account: at.Account, Chat: at.Chat}
	if e.ID != "" {
		own.ID = originOf(at.ThreadID, e.ID)
	}
	return store.Turn{Merchant: at.Merchant, Channel: at.Channel, Event: own,
		Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
			if th.Key != at.Conversation {
				return nil
			}
			t := h.newTurn(shopper, tx, th, causeOf(room, e))
			return t.shown(ctx, t.atDesk(ctx, room, at, e))
		},
		Failed: func(ctx context.Context, tx *store.Tx, _ error) error {
			return tell(ctx, tx, room, at, deskWordsIn(room.merchant.Language).lost)
		},
	}, true
}

// originOf names a message that was written in a thread, in the transcript of the shopper's conversation.
func originOf(thread, message string) string { return "desk:" + thread + ":" + message }

// tell says something of the house's own in a thread.
func tell(ctx context.Context, tx *store.Tx, room *account, at store.DeskPlace, text string) error {
	thread, err := tx.ThreadByKey(ctx, at.Merchant, at.Thread)
	if err != nil {
		return err
	}
	_, err = post(ctx, tx, room, thread, text, nil)
	return err
}

// atDesk carries out what somebody of the staff said or pressed.
func (t *turn) atDesk(ctx context.Context, room *account, at store.DeskPlace, e conversation.Event) error {
	who := room.Channel + ":" + e.Sender
	if e.SenderName != "" {
		if err := t.tx.NameDeskPerson(ctx, t.m.ID, who, e.SenderName); err != nil {
			return err
		}
	}
	act := ""
	switch e.Kind {
	case conversation.Edited, conversation.Deleted:
		return t.amend(ctx, who, originOf(at.ThreadID, e.Value), e)
	case conversation.Choice:
		var err error
		if act, err = t.deskChoice(ctx, at, e.Value); err != nil {
			return err
		}
	case conversation.Text, conversation.Staff:
		if act = deskCommand(e.Text); act == "" {
			return t.passOn(ctx, room, at, who, e)
		}
	}
	refusal := ""
	switch {
	case act == deskTake && t.mayTake(who):
		return t.takeOver(ctx, who)
	case act == deskTake:
		name, err := t.holder(ctx)
		if err != nil {
			return err
		}
		refusal = fmt.Sprintf(t.desk().marks["taken"], name)
	case act == deskBack && t.th.Owner == store.Bot:
		refusal = t.desk().heldByBot
	case act == deskBack:
		return t.giveBack(ctx, who)
	default:
		return nil
	}
	return tell(ctx, t.tx, room, at, refusal)
}

// mayTake says that nobody else has the word.
func (t *turn) mayTake(who string) bool {
	return t.th.Owner == store.Bot || t.th.Owner == store.Waiting || t.th.Owner == who
}

// holder is the name of who has the word.
func (t *turn) holder(ctx context.Context) (string, error) { return t.staffName(ctx, t.th.Owner) }

// deskChoice is what a button in a room does; "" for one that is not ours.
func (t *turn) deskChoice(ctx context.Context, at store.DeskPlace, value string) (string, error) {
	id, index, _ := strings.Cut(value, ":")
	n, err := strconv.Atoi(index)
	if err != nil || n < 0 {
		return "", nil
	}
	m, err := t.tx.Message(ctx, t.m.ID, at.Thread, id)
	if isNotFound(err) || err == nil && n >= len(m.Choices) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return m.Choices[n].ID, nil
}

// deskCommand is what a text asks the house to do; "" when it is for the shopper. In groups of Telegram a command may carry the
// bot's name; where the network keeps what begins with a slash for itself there is the exclamation mark.
func deskCommand(text string) string {
	text, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(text)), "@")
	switch text {
	case "/bot", "!bot":
		return deskBack
	case "/take", "!take":
		return deskTake
	}
	return ""
}

// standsFor knows the texts that adapters write for a message without words.
var standsFor = regexp.MustCompile(`^\[[a-z ]+\]$`)

// passOn gives the shopper what somebody of the staff wrote, who thereby has the word: unless another has it.
func (t *turn) passOn(ctx context.Context, room *account, at store.DeskPlace, who string, e conversation.Event) error {
	text := clean(e.Text)
	switch {
	case text == "":
		return nil
	case !t.mayTake(who):
		name, err := t.holder(ctx)
		if err != nil {
			return err
		}
		writer, err := t.staffName(ctx, who)
		if err != nil {
			return err
		}
		return tell(ctx, t.tx, room, at, fmt.Sprintf(t.desk().held, writer, name))
	case standsFor.MatchString(text):
		return tell(ctx, t.tx, room, at, t.desk().wordsOnly)
	case t.th.Address.State == conversation.Shut, t.th.Address.State == conversation.Stopped:
		return tell(ctx, t.tx, room, at, t.desk().silent)
	}
	if err := t.takeOver(ctx, who); err != nil {
		return err
	}
	message := e.Message
	if message == "" {
		message = e.ID
	}
	t.origin = originOf(at.ThreadID, message)
	_, err := t.say(ctx, who, conversation.Reply{Text: text, Class: conversation.Answer}, nil)
	t.origin = ""
	return err
}

// amend follows somebody of the staff who changed or took back what they had said: so does the shopper's message where the network
// can; elsewhere a short word follows it. Whoever has the word now, it is about what was said before.
func (t *turn) amend(ctx context.Context, who, origin string, e conversation.Event) error {
	m, err := t.tx.MessageFrom(ctx, t.m.ID, t.th.Key, origin)
	if isNotFound(err) || err == nil && m.Author != who && e.Kind == conversation.Edited {
		return nil // it was not passed on, or is another's
	}
	if err != nil {
		return err
	}
	words := amendsIn(t.language())
	text, correction := clean(e.Text), ""
	switch {
	case e.Kind == conversation.Deleted:
		text, correction = words.gone, fmt.Sprintf(words.withdrawn, m.Text)
	case text == "" || text == m.Text:
		return nil // a preview was added, a button pressed
	default:
		correction = fmt.Sprintf(words.correction, text)
	}
	if t.account.edits() && len(plan(conversation.Reply{Text: text}, t.account.limits)) == 1 {
		ok, err := t.tx.Reword(ctx, m.Key, text)
		if err != nil || ok {
			t.tx.AfterCommit(t.account.rouse)
			return err
		}
	}
	if s := t.th.Address.State; s == conversation.Shut || s == conversation.Stopped {
		return nil
	}
	_, err = t.say(ctx, m.Author, conversation.Reply{Text: clean(correction), Class: conversation.Answer}, nil)
	return err
}

// language is the shopper's, or else the shop's.
func (t *turn) language() string {
	if t.th.Contact.Language != "" {
		return t.th.Contact.Language
	}
	return t.m.Language
}

// edit changes a message that was sent. One that never got an id from its network cannot be changed.
func edit(ctx context.Context, m adapters.Messenger, target string, p adapters.Part) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &adapters.SendError{Consequence: adapters.Unknown, Reason: fmt.Sprintf("panic in the adapter: %v", p)}
		}
	}()
	editor, ok := m.(adapters.Editor)
	if !ok || target == "" {
		return &adapters.SendError{Consequence: adapters.Rejected, Reason: "this message cannot be changed"}
	}
	return editor.Edit(ctx, target, p)
}

// notEdited follows a message that its network does not change any more: the new words go out by themselves, when they are staff's.
func (h *House) notEdited(ctx context.Context, tx *store.Tx, a *account, p store.Part) error {
	if p.Desk || p.Author == store.FromBot {
		return nil
	}
	th, err := tx.ThreadByKey(ctx, p.Merchant, p.Thread)
	if err != nil {
		return err
	}
	t := h.newTurn(a, tx, th, "")
	_, err = t.say(ctx, p.Author, conversation.Reply{Text: fmt.Sprintf(amendsIn(t.language()).correction, p.Text), Class: conversation.Answer}, nil)
	return err
}
