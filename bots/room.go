package bots

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

// DeskRoom is a room where the staff of a shop work: a group or a channel on one of its accounts. Each conversation that was
// handed to a person is a thread there.
type DeskRoom struct {
	Account string // its messenger is an adapters.Room
	Room    string // the network's id of the room
}

// worksIn says that the merchant still works in a room.
func (m *Merchant) worksIn(account, room string) bool {
	return slices.Contains(m.Desk, DeskRoom{account, room})
}

// deskLines is how many lines of a transcript are shown at once: enough to know what it is about.
const deskLines = 12

// mostReopened is how often a thread that was lost is opened anew for one hand-off.
const mostReopened = 5

// shown ends a turn: whoever works in a room sees there what has changed. It runs in the turn's transaction, so that the
// room and the inbox tell the same.
func (t *turn) shown(ctx context.Context, err error) error {
	if err != nil || len(t.m.Desk) == 0 || t.was == store.Bot && t.th.Owner == store.Bot {
		return err
	}
	if t.isHandedOff() {
		for _, r := range t.m.Desk {
			if err := t.tx.WantDesk(ctx, t.m.ID, t.th.Key, r.Account, r.Room); err != nil {
				return err
			}
		}
		t.tx.AfterCommit(t.house.wakeRooms)
	}
	desks, err := t.tx.Desks(ctx, t.m.ID, t.th.Key)
	if err != nil {
		return err
	}
	for _, d := range desks {
		room := t.house.account(d.Account)
		if room == nil || !t.m.worksIn(d.Account, d.Room) {
			continue
		}
		if err := t.showDesk(ctx, d, room); err != nil {
			return err
		}
	}
	return nil
}

// isHandedOff says that it was in this turn that a person was asked for.
func (t *turn) isHandedOff() bool { return t.th.Owner == store.Waiting && t.was != store.Waiting }

// showDesk writes into a thread what it does not show yet: new lines, but for those that were written right there, and who has
// the word. The buttons stand under the latest change of that.
func (t *turn) showDesk(ctx context.Context, d store.Desk, room *account) error {
	lines, err := t.tx.MessagesSince(ctx, t.m.ID, t.th.Key, d.Seen, deskLines)
	if err != nil {
		return err
	}
	switch {
	case d.State == store.DeskLost && len(lines) > 0 && d.Attempts < mostReopened:
		t.tx.AfterCommit(t.house.wakeRooms)
		return t.tx.SetDeskState(ctx, d.Key, store.DeskDue)
	case d.State != store.DeskOpen:
		return nil // opening it shows everything
	}
	thread, err := t.tx.ThreadByKey(ctx, t.m.ID, d.Thread)
	if err != nil {
		return err
	}
	text, err := t.deskText(ctx, lines, originOf(thread.ID, ""))
	if err != nil {
		return err
	}
	turned := t.was != t.th.Owner
	if d.Card == 0 || t.isHandedOff() {
		head, err := t.deskCard(ctx)
		if err != nil {
			return err
		}
		text, turned = strings.TrimSpace(head+"\n\n"+text)+"\n\n"+fmt.Sprintf(t.desk().hint, backCommand(room.Channel)), true
	}
	if len(lines) > 0 {
		d.Seen = lines[len(lines)-1].Key
	}
	if text != "" {
		var choices []conversation.Option
		if turned {
			choices = t.deskChoices()
		}
		key, err := post(ctx, t.tx, room, thread, text, choices)
		if err != nil {
			return err
		}
		if turned {
			if err := t.dropButtons(ctx, room, d.Card); err != nil {
				return err
			}
			d.Card = key
		}
	}
	return t.tx.ShowDesk(ctx, d.Key, d.Seen, d.Card)
}

// dropButtons takes the buttons off a message that later ones have replaced. Where the network cannot, they stay, and answer who
// presses them.
func (t *turn) dropButtons(ctx context.Context, room *account, card int64) error {
	if card == 0 || !room.edits() {
		return nil
	}
	return t.tx.TakeButtonsOff(ctx, card)
}

// edits says that messages that were sent on the account can be changed.
func (a *account) edits() bool {
	_, ok := a.Messenger.(adapters.Editor)
	return ok && a.limits.Edits
}

// What the buttons in a room do.
const (
	deskTake = "take"
	deskBack = "back"
)

func (t *turn) deskChoices() []conversation.Option {
	take := conversation.Option{ID: deskTake, Label: t.desk().take}
	back := conversation.Option{ID: deskBack, Label: t.desk().back}
	switch t.th.Owner {
	case store.Bot:
		return []conversation.Option{take}
	case store.Waiting:
		return []conversation.Option{take, back}
	}
	return []conversation.Option{back}
}

// post queues a message of the house in a thread of a room.
func post(ctx context.Context, tx *store.Tx, room *account, thread *store.Thread, text string, choices []conversation.Option) (int64, error) {
	m := store.Message{ID: tx.NewID("msg"), Author: store.FromBot, Kind: "reply", Text: text, Class: conversation.Answer}
	for i, c := range choices {
		c.Value = choiceValue(m.ID, i)
		m.Choices = append(m.Choices, c)
	}
	key, err := tx.AddMessage(ctx, thread, m, "")
	if err != nil {
		return 0, err
	}
	m.Key = key
	r := conversation.Reply{Text: text, Choices: m.Choices, Class: m.Class}
	if _, err := tx.AddParts(ctx, thread, m, plan(r, room.limits), tx.Now(), false); err != nil {
		return 0, err
	}
	tx.AfterCommit(room.rouse)
	return key, nil
}

// deskCard says who asks for a person, where, and what it is about.
func (t *turn) deskCard(ctx context.Context) (string, error) {
	card := fmt.Sprintf(t.desk().asks, t.shopperName(), channelName(t.th.Channel))
	sku := t.th.Session.Vars["product.sku"]
	if sku == "" {
		return card, nil
	}
	p, err := t.tx.Product(ctx, t.m.ID, sku)
	if isNotFound(err) {
		return card, nil
	}
	return card + "\n" + p.Title + ", " + p.Price.Format(cmp.Or(t.m.Language, "en")), err
}

// deskText is lines of a transcript as a room shows them; those of an origin stand there already.
func (t *turn) deskText(ctx context.Context, lines []store.Message, origin string) (string, error) {
	var out []string
	for _, m := range lines {
		if strings.HasPrefix(m.Network, origin) {
			continue
		}
		switch m.Author {
		case store.FromContact:
			text := m.Text
			if m.Kind == string(conversation.Choice) {
				text = "[" + text + "]"
			}
			out = append(out, t.shopperName()+": "+text)
		case store.FromBot:
			out = append(out, "Bot: "+m.Text)
		case store.FromSystem:
			word, actor, _ := strings.Cut(m.Text, " ")
			form := t.desk().marks[word]
			if form == "" {
				continue
			}
			name, err := t.staffName(ctx, actor)
			if err != nil {
				return "", err
			}
			out = append(out, fmt.Sprintf(form, name))
		default:
			name, err := t.staffName(ctx, m.Author)
			if err != nil {
				return "", err
			}
			out = append(out, name+": "+m.Text)
		}
	}
	return strings.Join(out, "\n"), nil
}

// shopperName is what the shopper is called in a room.
func (t *turn) shopperName() string {
	if t.th.Contact.Name != "" {
		return t.th.Contact.Name
	}
	return t.desk().somebody
}

// staffName is what a person of the staff, or a key, is called in a room.
func (t *turn) staffName(ctx context.Context, id string) (string, error) {
	people, err := t.tx.DeskPeople(ctx, t.m.ID)
	if err != nil || people[id] != "" {
		return people[id], err
	}
	staff, err := t.tx.Staff(ctx, t.m.ID)
	if err != nil {
		return "", err
	}
	for _, p := range staff {
		if p.ID == id {
			name, _, _ := strings.Cut(p.Email, "@")
			return name, nil
		}
	}
	keys, err := t.tx.Keys(ctx, t.m.ID)
	for _, k := range keys {
		if k.ID == id {
			return k.Name + " (API)", nil
		}
	}
	return t.desk().shop, err
}
