package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
	"parley/conversation"
)

// Send delivers a part as plain text, one button a row, under its picture where Telegram can fetch that. A picture that
// cannot be had never costs the message.
func (m *Messenger) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	to, failed := parseChat(part.Chat)
	if failed != nil {
		return adapters.Sent{}, failed
	}
	var keyboard any
	if len(part.Choices) > 0 {
		keyboard = inlineKeyboard(part.Choices)
	}
	if to.isThread() {
		return m.sendInThread(ctx, to, part, keyboard)
	}
	if invoice, label := invoiceOf(part); invoice != nil {
		return m.sendInvoice(ctx, to, part, invoice, label)
	}
	if part.Image != "" && limits.Unit.Count(part.Text) <= captionLimit {
		sent, err := m.sendPhoto(ctx, to.id, part, keyboard)
		if !pictureRefused(err) || part.Text == "" {
			return sent, err
		}
		m.log.WarnContext(ctx, "telegram did not take a picture, sent the text alone", "image", part.Image, "problem", err)
	}
	params, failed := words(part.Text, keyboard)
	if failed != nil {
		return adapters.Sent{}, failed
	}
	params.AddBool("disable_web_page_preview", true)
	result, err := m.ask(ctx, to.id, "sendMessage", params)
	if err != nil {
		return adapters.Sent{}, err
	}
	return sentAs(result), nil
}

// words are the parameters of a message of text, whose keyboard may be nil. The library's own type for it is not used: to fill it in
// and write it costs more than to send it.
func words(text string, keyboard any) (tgbotapi.Params, *adapters.SendError) {
	params := tgbotapi.Params{"text": text}
	if err := params.AddInterface("reply_markup", keyboard); err != nil {
		return nil, &adapters.SendError{Consequence: adapters.Rejected, Code: "bad_buttons", Reason: "the buttons cannot be written", Err: err}
	}
	return params, nil
}

// inlineKeyboard has one button a row. Without choices it is empty, which is how Telegram is told to take buttons off.
func inlineKeyboard(choices []conversation.Option) tgbotapi.InlineKeyboardMarkup {
	rows := make([][]tgbotapi.InlineKeyboardButton, len(choices))
	for i, c := range choices {
		rows[i] = tgbotapi.NewInlineKeyboardRow(tgbotapi.NewInlineKeyboardButtonData(c.Label, c.Value))
	}
	return tgbotapi.InlineKeyboardMarkup{InlineKeyboard: rows}
}

// post sends a message and returns what Telegram made of it. The error is a *SendError.
func (m *Messenger) post(ctx context.Context, name string, chat int64, message func(chat int64) tgbotapi.Chattable) (json.RawMessage, error) {
	var result json.RawMessage
	err := m.at(ctx, chat, func(chat int64) (err error) {
		result, err = m.api.send(ctx, message(chat))
		return err
	})
	if err != nil {
		return nil, m.sendError(name, err)
	}
	return result, nil
}

// Typing shows "typing" for five seconds.
func (m *Messenger) Typing(ctx context.Context, chat string) error {
	to, failed := parseChat(chat)
	if failed != nil {
		return fmt.Errorf("show typing: %w", failed)
	}
	if to.topic != 0 {
		params := tgbotapi.Params{"action": tgbotapi.ChatTyping}
		params.AddNonZero64("message_thread_id", to.topic)
		_, err := m.ask(ctx, to.id, "sendChatAction", params)
		return err
	}
	return m.at(ctx, to.id, func(chat int64) error {
		_, err := m.api.send(ctx, tgbotapi.NewChatAction(chat, tgbotapi.ChatTyping))
		return err
	})
}

// sendError says what a failed call means for what comes next.
func (m *Messenger) sendError(chat string, err error) *adapters.SendError {
	var call *callError
	if !errors.As(err, &call) {
		return &adapters.SendError{Consequence: adapters.Unknown, Reason: m.api.redact(err.Error()), Err: err}
	}
	failed := &adapters.SendError{Reason: call.Message, Err: call}
	if call.Code != 0 {
		failed.Code = strconv.Itoa(call.Code)
	}
	message := strings.ToLower(call.Message)
	switch {
	case call.Code == 0 && call.Left:
		failed.Consequence = adapters.Unknown
	case call.Code == 0:
		failed.Consequence = adapters.Temporary
	case call.Code == http.StatusTooManyRequests:
		failed.Consequence = adapters.Throttled
		failed.RetryAfter = max(call.RetryAfter, time.Second)
		group, _, _ := strings.Cut(chat, ":") // its limit holds for all its threads
		failed.PerChat = m.throttle.perChat(group, m.now(), failed.RetryAfter)
	case call.refused(), call.Code < http.StatusBadRequest: // a redirect is not the Bot API
		failed.Consequence = adapters.Broken
	case call.Code == http.StatusForbidden, call.Code == http.StatusBadRequest && gone(message):
		failed.Consequence = adapters.Gone
	case call.Code == http.StatusGatewayTimeout:
		failed.Consequence = adapters.Unknown // the gateway gave up, not the one behind it
	case call.Code >= 500:
		failed.Consequence = adapters.Temporary
	default:
		failed.Consequence = adapters.Rejected
	}
	return failed
}

// gone knows the refusals of a chat that Telegram words as bad requests.
func gone(message string) bool {
	for _, words := range []string{"chat not found", "user not found", "peer_id_invalid", "user is deactivated", "chat was deleted"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// throttle guesses whose limit was met, which Telegram does not say: the chat's (about one message a second), unless
// another chat is held back at the same time; then it is the bot's.
type throttle struct {
	mu    sync.Mutex
	chat  string
	until time.Time
}

func (t *throttle) perChat(chat string, now time.Time, pause time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	other := t.chat != "" && t.chat != chat && now.Before(t.until)
	t.chat, t.until = chat, now.Add(pause)
	return !other
}
