package telegram

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
	"parley/conversation"
)

// allowedUpdates is what we ask Telegram for.
const allowedUpdates = `["message","edited_message","callback_query","my_chat_member","pre_checkout_query","message_reaction"]`

// longestName is how many characters of a name are kept.
const longestName = 128

// update is one thing Telegram told us, converted.
type update struct {
	id       int
	events   []conversation.Event // none for what we do not act on
	group    *inGroup             // what happened in a group; nil elsewhere
	moved    *migration           // a group that became another; nil elsewhere
	callback string               // the callback query to answer once the events are stored; "" for none
}

// errNoUpdate says that JSON is not an update at all.
var errNoUpdate = errors.New("not an update of Telegram")

// convert reads one update. An update in a form we do not know has an id and no events; only what is no update is an error.
func (m *Messenger) convert(raw []byte) (update, error) {
	var tg told
	unread := decode(raw, &tg)
	u := update{id: tg.ID}
	if unread != nil || u.id == 0 { // look for the id alone
		var id struct {
			UpdateID *int `json:"update_id"`
		}
		if err := decode(raw, &id); err != nil {
			return update{}, fmt.Errorf("%w: %w", errNoUpdate, err)
		}
		if id.UpdateID == nil {
			return update{}, fmt.Errorf("%w: it has no update_id", errNoUpdate)
		}
		u.id = *id.UpdateID
	}
	if unread != nil {
		m.log.Warn("telegram update not understood", "update", u.id, "problem", unread)
		return u, nil
	}
	event := conversation.Event{ID: "update:" + strconv.Itoa(u.id), Raw: m.api.redacted(raw)}
	if cb := tg.Callback; cb != nil {
		u.callback = cb.ID
	}
	if u.moved = migrated(tg.Message); u.moved != nil {
		return u, nil
	}
	if tg.isInGroup() {
		u.group = fromGroup(event, &tg)
		return u, nil
	}
	switch {
	case tg.Message != nil:
		if tg.Message.Chat == nil || !private(tg.Message.Chat) || tg.Message.From == nil || tg.Message.From.IsBot {
			return u, nil
		}
		from(&event, tg.Message.Chat.ID, tg.Message.From)
		event.At, event.Message = when(tg.Message.Date), strconv.FormatInt(tg.Message.ID, 10)
		if tg.Message.Payment != nil {
			hasPaid(&event, tg.Message.Payment)
			break
		}
		if !said(&event, tg.Message) {
			return u, nil
		}
	case tg.Callback != nil:
		cb := tg.Callback
		if cb.From == nil || cb.Data == "" || cb.Message != nil && !private(cb.Message.Chat) {
			return u, nil
		}
		// Telegram repeats an unanswered callback under a new update id; the callback's own stays.
		event.Kind, event.ID, event.Value = conversation.Choice, "cb:"+cb.ID, cb.Data
		from(&event, cb.From.ID, cb.From)
		if cb.Message != nil && cb.Message.Chat != nil {
			event.Chat = strconv.FormatInt(cb.Message.Chat.ID, 10)
		}
	case tg.Member != nil:
		member := tg.Member
		if !private(&member.Chat) {
			return u, nil
		}
		from(&event, member.Chat.ID, &member.From)
		event.At = when(member.Date)
		switch member.NewChatMember.Status {
		case "kicked":
			event.Kind = conversation.Blocked
		case "member":
			event.Kind = conversation.Unblocked
		default:
			return u, nil
		}
	case tg.Checkout != nil:
		if !asksToPay(&event, tg.Checkout) {
			return u, nil
		}
	case reacted(&event, tg.Reaction):
	default:
		m.log.Debug("telegram update that nobody acts on", "update", u.id, "raw", string(event.Raw))
		return u, nil
	}
	u.events = []conversation.Event{event}
	return u, nil
}

// isInGroup says that something was said, changed or pressed in a group.
func (tg *told) isInGroup() bool {
	in := func(msg *message) bool {
		return msg != nil && msg.Chat != nil && (msg.Chat.IsGroup() || msg.Chat.IsSuperGroup())
	}
	return in(tg.Message) || in(tg.Edited) || tg.Callback != nil && tg.Callback.From != nil && tg.Callback.Data != "" && in(tg.Callback.Message)
}

// private keeps orders and prices out of groups.
func private(chat *tgbotapi.Chat) bool {
	return chat == nil || chat.Type == "" || chat.Type == "private"
}

func from(event *conversation.Event, chat int64, user *tgbotapi.User) {
	event.Chat = strconv.FormatInt(chat, 10)
	event.Sender = strconv.FormatInt(user.ID, 10)
	name := adapters.Clean(user.FirstName + " " + user.LastName)
	if utf8.RuneCountInString(name) > longestName {
		name = string([]rune(name)[:longestName])
	}
	event.SenderName = strings.ReplaceAll(name, "\n", " ")
	event.Language = user.LanguageCode
}

// when reads a date. Telegram counts seconds; a test server counts milliseconds.
func when(date int) time.Time {
	switch {
	case date <= 0:
		return time.Time{}
	case date > 1e11:
		return time.UnixMilli(int64(date)).UTC()
	}
	return time.Unix(int64(date), 0).UTC()
}

// said fills in what a message says; false when it says nothing to us, such as that somebody pinned something.
func said(event *conversation.Event, msg *message) bool {
	event.Kind, event.Text = conversation.Text, adapters.Clean(msg.Text)
	if token, ok := startToken(event.Text); ok {
		event.Kind, event.Text, event.Value = conversation.Start, "", token
		return true
	}
	if event.Text != "" {
		return true
	}
	what := stands(msg)
	event.Text, event.Media = adapters.Clean(msg.Caption), what
	if event.Text == "" && what != "" {
		event.Text, event.Media = "["+what+"]", ""
	}
	return event.Text != ""
}

// startToken reads "/start", "/start token" and "/start@bot token".
func startToken(text string) (token string, ok bool) {
	command, rest, _ := strings.Cut(text, " ")
	command, _, _ = strings.Cut(command, "@")
	return strings.TrimSpace(rest), command == "/start"
}

// stands is what a message has beside words, or in their place.
func stands(msg *message) string {
	kinds := []struct {
		is   bool
		text string
	}{
		{len(msg.Photo) > 0 || msg.PaidMedia != nil, "photo"},
		{msg.Animation != nil, "animation"}, // before document, which it is as well
		{msg.Document != nil, "file"},
		{msg.Voice != nil, "voice message"},
		{msg.Audio != nil, "audio"},
		{msg.Video != nil || msg.VideoNote != nil, "video"},
		{msg.Sticker != nil, "sticker"},
		{msg.Contact != nil, "contact"},
		{msg.Venue != nil || msg.Location != nil, "location"},
		{msg.Poll != nil, "poll"},
		{msg.Dice != nil || msg.Game != nil, "game"},
		{msg.Story != nil, "story"},
		{msg.Checklist != nil, "checklist"},
	}
	for _, kind := range kinds {
		if kind.is {
			return kind.text
		}
	}
	return ""
}
