package discord

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"parley/adapters"
	"parley/conversation"
)

// What staff change or take back in a thread of the bot's own follows them; elsewhere what was said was said.

// readEdit converts words that a person has changed; false for what is none of that. Discord reports a preview that it added by
// the same name.
func (m *Messenger) readEdit(raw json.RawMessage, msg message, at spot) (conversation.Event, bool) {
	if !at.own || msg.Edited == "" || !m.isSaid(msg) {
		return conversation.Event{}, false
	}
	event := conversation.Event{
		Kind: conversation.Edited, ID: "edit:" + msg.ID + ":" + msg.Edited, Value: msg.ID, Text: m.readable(msg), Raw: m.clean(raw, ""),
	}
	if t, err := time.Parse(time.RFC3339, msg.Edited); err == nil {
		event.At = t.UTC()
	}
	from(&event, msg.Channel, msg.Author, at)
	return event, true
}

// removal is one message, or several, that somebody has deleted. Discord does not tell who.
type removal struct {
	ID      string   `json:"id"`
	IDs     []string `json:"ids"`
	Channel string   `json:"channel_id"`
	Guild   string   `json:"guild_id"`
}

// readRemoval converts it.
func (m *Messenger) readRemoval(raw json.RawMessage, r removal, at spot) []conversation.Event {
	if r.ID != "" {
		r.IDs = append(r.IDs, r.ID)
	}
	if !at.own {
		return nil
	}
	var events []conversation.Event
	for _, id := range r.IDs {
		events = append(events, conversation.Event{
			Kind: conversation.Deleted, Chat: at.chat(r.Channel, "").String(), ID: "gone:" + id, Value: id, Raw: m.clean(raw, ""),
		})
	}
	return events
}

// emoji is a picture of a server's own in a text, which only Discord can show.
var emoji = regexp.MustCompile(`<a?(:\w+:)\d+>`)

// readable is what was said in a thread as people elsewhere can read it: with names for numbers.
func (m *Messenger) readable(msg message) string {
	text, _ := withoutMention(msg.Content, m.botID())
	for _, u := range msg.Mentions {
		for _, form := range []string{"<@" + u.ID + ">", "<@!" + u.ID + ">"} {
			text = strings.ReplaceAll(text, form, "@"+u.name())
		}
	}
	return adapters.Clean(emoji.ReplaceAllString(text, "$1"))
}
