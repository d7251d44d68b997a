package discord

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"parley/adapters"
	"parley/conversation"
)

const (
	ping           = 1 // an interaction that only asks whether we are there
	component      = 3 // an interaction with a button or menu
	deferredUpdate = 6 // the answer that leaves the message as it is
)

type user struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	GlobalName string `json:"global_name"`
	Bot        bool   `json:"bot"`
}

func (u user) name() string { return cmp.Or(u.GlobalName, u.Username) }

// message is what we read of a message, from the gateway or over REST.
type message struct {
	ID          string   `json:"id"`
	Channel     string   `json:"channel_id"`
	Guild       string   `json:"guild_id"` // not over REST
	Type        int      `json:"type"`
	Author      user     `json:"author"`
	Webhook     string   `json:"webhook_id"`
	Content     string   `json:"content"`
	Mentions    []user   `json:"mentions"`
	Attachments []upload `json:"attachments"`
	Stickers    []any    `json:"sticker_items"`
	Poll        any      `json:"poll"`
	Edited      string   `json:"edited_timestamp"`
}

type upload struct {
	ContentType string `json:"content_type"`
}

// interaction is a pressed button or what was picked from a menu.
type interaction struct {
	ID      string       `json:"id"`
	Type    int          `json:"type"`
	Channel string       `json:"channel_id"`
	Guild   string       `json:"guild_id"`
	In      *channelInfo `json:"channel"` // nil where Discord leaves it out
	Member  struct {
		User user `json:"user"`
	} `json:"member"` // in a server
	User   user   `json:"user"` // in a direct message
	Token  string `json:"token"`
	Locale string `json:"locale"`
	Data   struct {
		CustomID string   `json:"custom_id"`
		Values   []string `json:"values"` // of a menu
	} `json:"data"`
}

// isSaid says that a message is a person's words: not a program's, the bot's own, or a notice of Discord's (a join, a pin).
func (m *Messenger) isSaid(msg message) bool {
	const plain, reply = 0, 19
	return !msg.Author.Bot && msg.Webhook == "" && msg.Author.ID != "" && msg.Author.ID != m.botID() && (msg.Type == plain || msg.Type == reply)
}

// names says that a message calls the bot by its name.
func (m *Messenger) names(msg message) bool {
	_, named := withoutMention(msg.Content, m.botID())
	return named || slices.ContainsFunc(msg.Mentions, func(u user) bool { return u.ID == m.botID() })
}

// readMessage converts what a person said; false for what is not for the bot.
func (m *Messenger) readMessage(raw json.RawMessage, msg message, at spot) (conversation.Event, bool) {
	if !m.isSaid(msg) || at.server && !at.own && !m.names(msg) {
		return conversation.Event{}, false
	}
	event := conversation.Event{Kind: conversation.Text, ID: "msg:" + msg.ID, At: when(snowflake(msg.ID)), Raw: m.clean(raw, ""), Text: adapters.Clean(msg.Content)}
	from(&event, msg.Channel, msg.Author, at)
	if at.own {
		event.Message, event.Text = msg.ID, m.readable(msg)
	} else if at.server {
		rest, _ := withoutMention(msg.Content, m.botID())
		event.Text = adapters.Clean(rest)
		m.asked.note(event.Chat, msg.ID)
	}
	if token, ok := startToken(event.Text); ok && event.Message == "" {
		event.Kind, event.Value, event.Text = conversation.Start, token, ""
		return event, true
	}
	if event.Text == "" {
		event.Text = stands(msg)
	}
	if event.Text == "" && at.server && !at.own {
		event.Text = "[mention]"
	}
	return event, event.Text != ""
}

// spotOf is where something was pressed.
func (m *Messenger) spotOf(ctx context.Context, i interaction) (spot, error) {
	switch {
	case i.Guild == "":
		return spot{}, nil
	case i.In != nil && i.In.ID == i.Channel && !isThread(i.In.Type):
		return spot{server: true}, nil
	}
	return m.spot(ctx, i.Channel)
}

// who pressed it.
func (i interaction) who() user {
	if i.User.ID != "" {
		return i.User
	}
	return i.Member.User
}

// value is what the button, or the entry of the menu, carries.
func (i interaction) value() string {
	if len(i.Data.Values) > 0 {
		return i.Data.Values[0]
	}
	return i.Data.CustomID
}

// isPress says that an interaction is one that we offer.
func (i interaction) isPress() bool {
	return i.Type == component && i.ID != "" && i.who().ID != "" && i.value() != ""
}

// readInteraction converts a pressed button.
func (m *Messenger) readInteraction(raw json.RawMessage, i interaction, at spot) conversation.Event {
	event := conversation.Event{
		Kind: conversation.Choice, ID: "press:" + i.ID, Value: i.value(), Language: i.Locale,
		At: when(snowflake(i.ID)), Raw: m.clean(raw, i.Token),
	}
	from(&event, i.Channel, i.who(), at)
	return event
}

// from fills in who speaks and where.
func from(event *conversation.Event, channel string, who user, at spot) {
	event.Chat, event.Sender = at.chat(channel, who.ID).String(), who.ID
	runes := []rune(adapters.Clean(who.name()))
	event.SenderName = strings.ReplaceAll(string(runes[:min(len(runes), 128)]), "\n", " ")
}

// clean takes secrets out of what is kept of the network's words.
func (m *Messenger) clean(raw []byte, token string) []byte {
	for _, secret := range []string{token, m.token} {
		if secret != "" {
			raw = bytes.ReplaceAll(raw, []byte(secret), []byte("***"))
		}
	}
	return raw
}

// withoutMention takes the bot's mention out of a text and says whether there was one.
func withoutMention(text, bot string) (rest string, named bool) {
	for _, form := range []string{"<@" + bot + ">", "<@!" + bot + ">"} {
		if strings.Contains(text, form) {
			named = true
			text = strings.ReplaceAll(text, form, "")
		}
	}
	return strings.TrimSpace(text), named
}

// startForm is long enough that nobody writes it by chance.
var startForm = regexp.MustCompile(`(?i)^/?start[ :=]+([a-z0-9_-]{20,128})$`)

// startToken reads "start" and a token, which a person copies from the shop's page.
func startToken(text string) (token string, ok bool) {
	found := startForm.FindStringSubmatch(text)
	if found == nil {
		return "", false
	}
	return found[1], true
}

// stands is the text that stands for a message without words.
func stands(msg message) string {
	switch {
	case len(msg.Attachments) > 0:
		kind, _, _ := strings.Cut(msg.Attachments[0].ContentType, "/")
		switch kind {
		case "image":
			return "[photo]"
		case "video", "audio":
			return "[" + kind + "]"
		}
		return "[file]"
	case len(msg.Stickers) > 0:
		return "[sticker]"
	case msg.Poll != nil:
		return "[poll]"
	}
	return ""
}

// asked is the latest message of each person in a server's channel, which the answer is shown to belong to.
type asked struct {
	mu   sync.Mutex
	byID map[string]string
}

func (a *asked) note(chat, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.byID) >= 10_000 {
		a.byID = nil
	}
	if a.byID == nil {
		a.byID = map[string]string{}
	}
	a.byID[chat] = id
}

func (a *asked) message(chat string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.byID[chat]
}
