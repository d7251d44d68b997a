package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
)

// In a group the bot hears and speaks only in threads that it was told to open: in a group with topics each is a topic, in others
// what is said in reply to the message that began it.

// longestTitle is how many characters the name of a topic may have.
const longestTitle = 128

// chat is where a message goes: a person, or a thread in a group.
type chat struct {
	id    int64
	topic int64 // the topic; 0 for none
	root  int64 // the message that a thread without topics hangs on; 0 for none
}

// parseChat reads a chat's id as events carry it: 42, -100123:77 (a topic), -123:r77 (in reply to a message).
func parseChat(text string) (chat, *adapters.SendError) {
	id, thread, threaded := strings.Cut(text, ":")
	var c chat
	var err error
	if c.id, err = strconv.ParseInt(id, 10, 64); err == nil && threaded {
		if root, hangs := strings.CutPrefix(thread, "r"); hangs {
			c.root, err = strconv.ParseInt(root, 10, 64)
		} else {
			c.topic, err = strconv.ParseInt(thread, 10, 64)
		}
	}
	if err != nil {
		return c, &adapters.SendError{Consequence: adapters.Rejected, Code: "bad_chat", Reason: fmt.Sprintf("%q is not a chat of Telegram", text), Err: err}
	}
	return c, nil
}

// String is the inverse of parseChat.
func (c chat) String() string {
	switch {
	case c.topic != 0:
		return fmt.Sprintf("%d:%d", c.id, c.topic)
	case c.root != 0:
		return fmt.Sprintf("%d:r%d", c.id, c.root)
	}
	return c.group()
}

func (c chat) group() string { return strconv.FormatInt(c.id, 10) }

func (c chat) isThread() bool { return c.topic != 0 || c.root != 0 }

// chatID reads the chat that a message is in, whatever thread of it.
func chatID(text string) (int64, *adapters.SendError) {
	c, failed := parseChat(text)
	return c.id, failed
}

// sendInThread is Send for a thread, for which the library has no words: it writes the text, with the address of a picture.
func (m *Messenger) sendInThread(ctx context.Context, to chat, part adapters.Part, keyboard any) (adapters.Sent, error) {
	params, failed := words(strings.TrimSpace(part.Text+"\n"+part.Image), keyboard)
	if failed != nil {
		return adapters.Sent{}, failed
	}
	params.AddBool("disable_web_page_preview", part.Image == "")
	params.AddNonZero64("message_thread_id", to.topic)
	if to.root != 0 {
		params["reply_parameters"] = fmt.Sprintf(`{"message_id":%d,"allow_sending_without_reply":true}`, to.root)
	}
	result, err := m.ask(ctx, to.id, "sendMessage", params)
	if err != nil {
		return adapters.Sent{}, err
	}
	var msg struct {
		MessageID int64 `json:"message_id"`
	}
	if err := decode(result, &msg); err != nil || msg.MessageID == 0 {
		return adapters.Sent{}, nil // sent, but we do not know as what
	}
	m.threads.wrote(ctx, m, to, msg.MessageID)
	return adapters.Sent{ID: strconv.FormatInt(msg.MessageID, 10)}, nil
}

// ask calls a method about a group, wherever that has moved. The error is a *SendError.
func (m *Messenger) ask(ctx context.Context, group int64, method string, params tgbotapi.Params) (result json.RawMessage, err error) {
	err = m.at(ctx, group, func(group int64) (err error) {
		params["chat_id"] = strconv.FormatInt(group, 10)
		result, err = m.api.call(ctx, callTimeout, method, params)
		return err
	})
	if err != nil {
		return nil, m.sendError(strconv.FormatInt(group, 10), err)
	}
	return result, nil
}

// Open begins a thread in a group: a topic where it has topics, else a message to reply to.
func (m *Messenger) Open(ctx context.Context, room, title string) (string, error) {
	in, failed := parseChat(room)
	if failed != nil {
		return "", failed
	}
	result, err := m.ask(ctx, in.id, "getChat", tgbotapi.Params{})
	if err != nil {
		return "", err
	}
	var group struct {
		Type    string `json:"type"`
		IsForum bool   `json:"is_forum"`
	}
	if err := decode(result, &group); err != nil {
		return "", &adapters.SendError{Consequence: adapters.Temporary, Reason: "Telegram's answer about the group cannot be read", Err: err}
	}
	if group.Type != "group" && group.Type != "supergroup" {
		return "", &adapters.SendError{Consequence: adapters.Rejected, Code: "no_group", Reason: fmt.Sprintf("%s is a %s, not a group", room, group.Type)}
	}
	if runes := []rune(adapters.Clean(title)); len(runes) > longestTitle {
		title = string(runes[:longestTitle-1]) + "…"
	}
	if group.IsForum {
		in.topic, err = m.openTopic(ctx, in, title)
	} else {
		in.root, err = m.openReplies(ctx, in, title)
	}
	if err != nil {
		return "", err
	}
	if err := m.threads.follow(ctx, m, in); err != nil {
		return "", &adapters.SendError{Consequence: adapters.Temporary, Reason: "the thread cannot be remembered", Err: err}
	}
	return in.String(), nil
}

func (m *Messenger) openTopic(ctx context.Context, in chat, title string) (int64, error) {
	result, err := m.ask(ctx, in.id, "createForumTopic", tgbotapi.Params{"name": title})
	if err != nil {
		return 0, err
	}
	var topic struct {
		ID int64 `json:"message_thread_id"`
	}
	if err := decode(result, &topic); err != nil || topic.ID == 0 {
		return 0, &adapters.SendError{Consequence: adapters.Unknown, Reason: "Telegram does not say which topic it made", Err: err}
	}
	return topic.ID, nil
}

func (m *Messenger) openReplies(ctx context.Context, in chat, title string) (int64, error) {
	sent, err := m.Send(ctx, adapters.Part{Chat: in.String(), Text: title})
	if err != nil {
		return 0, err
	}
	root, err := strconv.ParseInt(sent.ID, 10, 64)
	if err != nil {
		return 0, &adapters.SendError{Consequence: adapters.Unknown, Reason: "Telegram does not say which message it sent", Err: err}
	}
	return root, nil
}

// threadsInMemory is how many threads and replies are known without asking the state.
const threadsInMemory = 10_000

// threads are those that the bot opened. Telegram names of a reply only the message that it answers, so in groups without topics
// each message of a thread is remembered with the one that began it.
type threads struct {
	mu    sync.Mutex
	known map[string]string
}

func (t *threads) follow(ctx context.Context, m *Messenger, c chat) error {
	if c.root != 0 {
		if err := t.keep(ctx, m, replyKey(m.place(ctx, c.id), c.root), c); err != nil {
			return err
		}
	}
	return t.keep(ctx, m, threadKey(m.place(ctx, c.id), c.topic+c.root), c)
}

// wrote notes a message that was written in a thread, by anybody. An answer to it that is not recognised is lost to the shopper, but
// the message itself is through: a failure is logged.
func (t *threads) wrote(ctx context.Context, m *Messenger, c chat, message int64) {
	if c.root == 0 {
		return
	}
	if err := t.keep(ctx, m, replyKey(m.place(ctx, c.id), message), c); err != nil {
		m.log.WarnContext(ctx, "telegram reply not remembered", "problem", err)
	}
}

// find says which thread of a group a message is in, by what Telegram tells: the topic or the thread's beginning (0 for none) and
// the message that it answers (0 for none). False when it is in none of ours.
func (t *threads) find(ctx context.Context, m *Messenger, group, thread, answers int64) (chat, bool, error) {
	for key, told := range map[string]int64{threadKey(group, thread): thread, replyKey(group, answers): answers} {
		if told == 0 {
			continue
		}
		text, err := t.look(ctx, m, key)
		if err != nil {
			return chat{}, false, err
		}
		if text == "" {
			continue
		}
		c, failed := parseChat(text)
		return c, failed == nil, nil
	}
	return chat{}, false, nil
}

func (t *threads) keep(ctx context.Context, m *Messenger, key string, c chat) error {
	if err := m.save(ctx, key, c.String()); err != nil {
		return err
	}
	t.remember(key, c.String())
	return nil
}

func (t *threads) look(ctx context.Context, m *Messenger, key string) (string, error) {
	t.mu.Lock()
	value := t.known[key]
	t.mu.Unlock()
	if value != "" {
		return value, nil
	}
	value, err := m.load(ctx, key)
	if value != "" {
		t.remember(key, value)
	}
	return value, err
}

func (t *threads) remember(key, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= threadsInMemory {
		t.known = map[string]string{}
	}
	t.known[key] = value
}

func threadKey(group, thread int64) string { return fmt.Sprintf("thread:%d:%d", group, thread) }

func replyKey(group, message int64) string { return fmt.Sprintf("reply:%d:%d", group, message) }
