package discord

import (
	"bytes"
	"encoding/json"
	"fmt"
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
}

type upload struct {
	ContentType string `json:"content_type"`
}

// interaction is a pressed button or what was picked from a menu.
type interaction struct {
	ID      string `json:"id"`
	Type    int    `json:"type"`
	Channel string `json:"channel_id"`
	Guild   string `json:"guild_id"`
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

// readMessage converts a message; false for what is not for the bot.
func (m *Messenger) readMessage(raw json.RawMessage, msg message, guild bool) (conversation.Event, bool) {
	const plain, reply = 0, 19
	if msg.Author.Bot || msg.Webhook != "" || msg.Author.ID == "" || msg.Author.ID == m.botID() || msg.Type != plain && msg.Type != reply {
		return conversation.Event{}, false
	}
	text := msg.Content
	if guild {
		rest, named := withoutMention(text, m.botID())
		if !named && !slices.ContainsFunc(msg.Mentions, func(u user) bool { return u.ID == m.botID() }) {
			return conversation.Event{}, false
		}
		text = rest
	}
	event := conversation.Event{
		Kind: conversation.Text, ID: "msg:" + msg.ID, At: when(snowflake(msg.ID)), Raw: m.clean(raw, ""),
		Text: adapters.Clean(text),
	}
	from(&event, msg.Channel, msg.Author, guild)
	if token, ok := startToken(event.Text); ok {
		event.Kind, event.Value, event.Text = conversation.Start, token, ""
		return event, true
	}
	if event.Text == "" {
		event.Text = stands(msg)
	}
	if event.Text == "" && guild {
		event.Text = "[mention]"
	}
	if guild {
		m.asked.note(event.Chat, msg.ID)
	}
	return event, event.Text != ""
}

// readInteraction converts a pressed button; false for what we do not offer.
func (m *Messenger) readInteraction(raw json.RawMessage, i interaction) (conversation.Event, bool) {
	who := i.User
	if who.ID == "" {
		who = i.Member.User
	}
	value := i.Data.CustomID
	if len(i.Data.Values) > 0 {
		value = i.Data.Values[0]
	}
	if i.Type != component || i.ID == "" || who.ID == "" || value == "" {
		return conversation.Event{}, false
	}
	event := conversation.Event{
		Kind: conversation.Choice, ID: "press:" + i.ID, Value: value, Language: i.Locale,
		At: when(snowflake(i.ID)), Raw: m.clean(raw, i.Token),
	}
	from(&event, i.Channel, who, i.Guild != "")
	return event, true
}

// from fills in who speaks and where. In a channel of a server everybody has a conversation of their own, so that nobody buys
// on another's account.
func from(event *conversation.Event, channel string, who user, guild bool) {
	event.Chat, event.Sender = channel, who.ID
	if guild {
		event.Chat = channel + "/" + who.ID
	}
	name := who.GlobalName
	if name == "" {
		name = who.Username
	}
	runes := []rune(adapters.Clean(name))
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

// split takes a chat apart: the channel and, in a server, the person.
func split(chat string) (channel, person string, err error) {
	channel, person, guild := strings.Cut(chat, "/")
	if snowflake(channel) == 0 || guild && snowflake(person) == 0 {
		return "", "", fmt.Errorf("%q is not a chat of Discord", chat)
	}
	return channel, person, nil
}
