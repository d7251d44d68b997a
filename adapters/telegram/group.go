package telegram

import (
	"context"
	"fmt"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
	"parley/conversation"
)

// inGroup is where in a group something was said or pressed.
type inGroup struct {
	event   conversation.Event
	group   int64
	message int64
	thread  int64 // the topic, or in a group without topics what a thread began with; 0 for none
	answers int64 // the message that it is a reply to; 0 for none
}

// fromGroup converts what happened in a group; nil when nothing was said. Whether it was in a thread of ours is not decided yet.
func fromGroup(event conversation.Event, tg *told) *inGroup {
	msg := tg.Message
	switch {
	case tg.Message != nil:
		if !spokenBy(&event, msg) || !said(&event, msg) {
			return nil
		}
		event.At, event.Message = when(msg.Date), strconv.FormatInt(msg.ID, 10)
	case tg.Edited != nil:
		msg = tg.Edited
		if !spokenBy(&event, msg) || !said(&event, msg) {
			return nil
		}
		event.Kind, event.Value = conversation.Edited, strconv.FormatInt(msg.ID, 10)
		event.At = when(msg.EditDate)
	default:
		cb := tg.Callback
		msg = cb.Message
		event.Kind, event.ID, event.Value = conversation.Choice, "cb:"+cb.ID, cb.Data
		from(&event, msg.Chat.ID, cb.From)
	}
	g := &inGroup{event: event, group: msg.Chat.ID, message: msg.ID, thread: msg.ThreadID, answers: msg.ReplyTo.ID}
	if event.Kind == conversation.Choice && g.answers == 0 { // Telegram may leave it out; it is a message of ours
		g.answers = g.message
	}
	return g
}

// spokenBy fills in who said it; false for programs. An administrator who wishes to be anonymous speaks as the group.
func spokenBy(event *conversation.Event, msg *message) bool {
	switch {
	case msg.SenderChat != nil && msg.SenderChat.ID == msg.Chat.ID:
		from(event, msg.Chat.ID, &tgbotapi.User{ID: msg.SenderChat.ID, FirstName: msg.SenderChat.Title})
		if msg.Signature != "" {
			event.SenderName = adapters.Clean(msg.Signature)
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
