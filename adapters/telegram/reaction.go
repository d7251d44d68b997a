package telegram

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
	"parley/conversation"
)

// React puts an emoji on a message, in place of the one that the bot put there before.
func (m *Messenger) React(ctx context.Context, chat, message, emoji string) error {
	to, failed := parseChat(chat)
	if failed != nil {
		return failed
	}
	reaction, err := json.Marshal([]map[string]string{{"type": "emoji", "emoji": emoji}})
	if err != nil {
		return err
	}
	_, err = m.ask(ctx, to.id, "setMessageReaction", tgbotapi.Params{"message_id": message, "reaction": string(reaction)})
	return err
}

// reaction is what the library of 2021 does not know.
type reaction struct {
	Chat      *tgbotapi.Chat `json:"chat"`
	MessageID int64          `json:"message_id"`
	User      *tgbotapi.User `json:"user"`
	Date      int            `json:"date"`
	Old       []emoji        `json:"old_reaction"`
	New       []emoji        `json:"new_reaction"`
}

type emoji struct {
	Type  string `json:"type"`
	Emoji string `json:"emoji"`
}

// reacted converts a reaction of a person's in private; false for one that was taken back, and for what is no reaction.
func reacted(event *conversation.Event, r *reaction) bool {
	if r == nil || r.User == nil || r.User.IsBot || r.Chat == nil || !private(r.Chat) {
		return false
	}
	had := map[emoji]bool{}
	for _, e := range r.Old {
		had[e] = true
	}
	var added []string
	for _, e := range r.New {
		switch {
		case had[e]:
		case e.Type == "emoji":
			added = append(added, adapters.Clean(e.Emoji))
		default: // a picture of somebody's own
			added = append(added, "[emoji]")
		}
	}
	if len(added) == 0 {
		return false
	}
	event.Kind, event.Text, event.Value = conversation.Reaction, strings.Join(added, " "), strconv.FormatInt(r.MessageID, 10)
	from(event, r.Chat.ID, r.User)
	event.At = when(r.Date)
	return true
}
