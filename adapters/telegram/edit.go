package telegram

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
)

// Edit replaces words and buttons of a message of the bot's; a picture stays. Words that are too long for the caption of a
// picture are left as they were, and the buttons alone are replaced.
func (m *Messenger) Edit(ctx context.Context, id string, part adapters.Part) error {
	chat, failed := chatID(part.Chat)
	if failed != nil {
		return failed
	}
	message, err := strconv.Atoi(id)
	if err != nil || message <= 0 {
		return &adapters.SendError{
			Consequence: adapters.Rejected, Code: "bad_message", Reason: fmt.Sprintf("%q is not a message of Telegram", id), Err: err,
		}
	}
	keyboard := inlineKeyboard(part.Choices)
	ways := []editing{asText, asCaption}
	if fetchable(part.Image) {
		ways = []editing{asCaption, asText}
	}
	for _, way := range ways {
		err = m.at(ctx, chat, func(chat int64) error {
			_, err := m.api.send(ctx, way(tgbotapi.BaseEdit{ChatID: chat, MessageID: message, ReplyMarkup: &keyboard}, part.Text))
			return err
		})
		if !otherKind(err) {
			break
		}
	}
	if err == nil || isSame(err) {
		return nil
	}
	return m.sendError(part.Chat, err)
}

// editing is one way to change a message: Telegram has another method for each kind, and which kind it became is not known when a
// picture was refused.
type editing func(to tgbotapi.BaseEdit, text string) tgbotapi.Chattable

func asText(to tgbotapi.BaseEdit, text string) tgbotapi.Chattable {
	return tgbotapi.EditMessageTextConfig{BaseEdit: to, Text: text, DisableWebPagePreview: true}
}

func asCaption(to tgbotapi.BaseEdit, text string) tgbotapi.Chattable {
	if limits.Unit.Count(text) > captionLimit {
		return tgbotapi.EditMessageReplyMarkupConfig{BaseEdit: to}
	}
	return tgbotapi.EditMessageCaptionConfig{BaseEdit: to, Caption: text}
}

// otherKind says that the message has no text, or no caption, to change.
func otherKind(err error) bool {
	message, ok := refusal(err)
	return ok && (strings.Contains(message, "there is no text in the message") || strings.Contains(message, "there is no caption in the message"))
}

// isSame says that the message shows this already: an edit was repeated.
func isSame(err error) bool {
	message, ok := refusal(err)
	return ok && strings.Contains(message, "message is not modified")
}

// refusal is how Telegram words a bad request, in lower case.
func refusal(err error) (string, bool) {
	var call *callError
	if !errors.As(err, &call) || call.Code != 400 {
		return "", false
	}
	return strings.ToLower(call.Message), true
}
