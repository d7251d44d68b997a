package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
	"parley/conversation"
)

// inGroup is where in a group something was said or pressed, of which the library of 2021 knows the half.
type inGroup struct {
	event   conversation.Event
	group   int64
	message int64
	thread  int64 // the topic, or in a group without topics what a thread began with; 0 for none
	answers int64 // the message that it is a reply to; 0 for none
}

// groupMessage is what the library's type lacks.
type groupMessage struct {
	MessageID int64 `json:"message_id"`
	ThreadID  int64 `json:"message_thread_id"`
	ReplyTo   struct {
		MessageID int64 `json:"message_id"`
	} `json:"reply_to_message"`
}

// fromGroup converts what happened in a group. Whether it was in a thread of ours is not decided yet.
func (m *Messenger) fromGroup(u *update, event conversation.Event, tg tgbotapi.Update, raw []byte) error {
	var newer struct {
		Message  groupMessage `json:"message"`
		Edited   groupMessage `json:"edited_message"`
		Callback struct {
			Message groupMessage `json:"message"`
		} `json:"callback_query"`
	}
	if err := json.Unmarshal(raw, &newer); err != nil {
		return err
	}
	place := newer.Message
	switch {
	case tg.Message != nil:
		if !spokenBy(&event, tg.Message) || !said(&event, tg.Message, raw) {
			return nil
		}
		event.At, event.Message = when(tg.Message.Date), strconv.FormatInt(place.MessageID, 10)
	case tg.EditedMessage != nil:
		place = newer.Edited
		if !spokenBy(&event, tg.EditedMessage) || !said(&event, tg.EditedMessage, raw) {
			return nil
		}
		event.Kind, event.Value = conversation.Edited, strconv.FormatInt(place.MessageID, 10)
		event.At = when(tg.EditedMessage.EditDate)
	case tg.CallbackQuery != nil:
		place = newer.Callback.Message
		cb := tg.CallbackQuery
		event.Kind, event.ID, event.Value = conversation.Choice, "cb:"+cb.ID, cb.Data
		from(&event, cb.Message.Chat.ID, cb.From)
		if place.ReplyTo.MessageID == 0 { // Telegram may leave it out; it is a message of ours
			place.ReplyTo.MessageID = place.MessageID
		}
	}
	group, err := strconv.ParseInt(event.Chat, 10, 64)
	if err != nil {
		return fmt.Errorf("read group: %w", err)
	}
	u.group = &inGroup{event: event, group: group, message: place.MessageID, thread: place.ThreadID, answers: place.ReplyTo.MessageID}
	return nil
}

// spokenBy fills in who said it; false for programs. An administrator who wishes to be anonymous speaks as the group.
func spokenBy(event *conversation.Event, msg *tgbotapi.Message) bool {
	switch {
	case msg.SenderChat != nil && msg.SenderChat.ID == msg.Chat.ID:
		from(event, msg.Chat.ID, &tgbotapi.User{ID: msg.SenderChat.ID, FirstName: msg.SenderChat.Title})
		if msg.AuthorSignature != "" {
			event.SenderName = adapters.Clean(msg.AuthorSignature)
		}
		return true
	case msg.From == nil || msg.From.IsBot:
		return false
	}
	from(event, msg.Chat.ID, msg.From)
	return true
}

// placed gives the events of updates, those in groups with the thread that they are in; what is in none of ours falls out.
func (m *Messenger) placed(ctx context.Context, updates []update) ([]conversation.Event, error) {
	var events []conversation.Event
	for _, u := range updates {
		if u.moved != nil {
			m.move(ctx, u.moved.from, u.moved.to)
		}
		if u.group == nil {
			events = append(events, u.events...)
			continue
		}
		g := u.group
		in, ours, err := m.threads.find(ctx, m, g.group, g.thread, g.answers)
		if err != nil {
			return nil, fmt.Errorf("look up a thread: %w", err)
		}
		if !ours {
			continue
		}
		m.threads.wrote(ctx, m, in, g.message)
		g.event.Chat = in.String()
		events = append(events, g.event)
	}
	return events, nil
}
