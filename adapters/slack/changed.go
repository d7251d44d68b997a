package slack

import (
	"context"
	"slices"

	"parley/conversation"
)

// The subtypes that tell of a message that was said before.
const (
	messageChanged = "message_changed"
	messageDeleted = "message_deleted"
)

// fromChange converts what became of a message: in threads that the bot began for the staff it goes on to the house, elsewhere what
// was said stands.
func (m *Messenger) fromChange(ctx context.Context, in said, bot string, raw []byte) (taken, error) {
	event := conversation.Event{Kind: conversation.Edited, ID: "change:" + in.TS, At: when(in.TS), Raw: raw}
	changed := in.Message
	if in.Subtype == messageDeleted {
		event.Kind, changed = conversation.Deleted, in.Previous
	}
	if in.TS == "" || in.Channel == "" || changed == nil || !changed.byPerson(bot) || !slices.Contains(spoken, changed.Subtype) {
		return taken{}, nil
	}
	if event.Kind == conversation.Edited && in.Previous != nil && in.Previous.Text == changed.Text {
		return taken{}, nil // a preview was added
	}
	changed.Channel, changed.ChannelType = in.Channel, in.ChannelType
	if changed.ThreadTS == "" {
		changed.ThreadTS = in.ThreadTS
	}
	at, err := m.place(ctx, *changed, bot, false)
	if err != nil || !at.desk {
		return taken{}, err
	}
	event.Chat, event.Sender, event.Value = chatID(in.Channel, at.thread), changed.User, changed.TS
	if event.Kind == conversation.Edited {
		event.Text, _ = changed.words(bot)
	}
	return taken{events: []conversation.Event{event}}, nil
}
