package telegramtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Person is somebody with Telegram on their phone. Until they have typed something the bot cannot write to them.
type Person struct {
	ID       int64
	Name     string
	Language string // "en" at first

	s        *Server
	started  bool
	blocked  bool
	messages []*Message
	said     map[int]string // the ids of what they wrote, with the emoji that the bot put on each
}

// Callback is one press of a button.
type Callback struct {
	ID       string
	payload  map[string]any
	answered bool
	s        *Server
}

// Person returns the person of that id, who is made when there is none.
func (s *Server) Person(id int64, name string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[id]; p != nil {
		return p
	}
	p := &Person{ID: id, Name: name, Language: "en", s: s, said: map[int]string{}}
	s.people[id] = p
	return p
}

// Chat is the chat with the bot as events name it.
func (p *Person) Chat() string { return fmt.Sprint(p.ID) }

// Meet lets the bot write to them, as if they had talked before.
func (p *Person) Meet() { p.s.change(func() { p.started = true }) }

// Type writes to the bot and returns the update's id.
func (p *Person) Type(text string) int { return p.say(map[string]any{"text": text}) }

// SendPhoto sends a picture, with words unless the caption is "".
func (p *Person) SendPhoto(caption string) int {
	message := map[string]any{"photo": []any{map[string]any{"file_id": "f", "file_unique_id": "u", "width": 90, "height": 90}}}
	if caption != "" {
		message["caption"] = caption
	}
	return p.say(message)
}

// OpenLink opens https://t.me/<bot>?start=<token> and presses Start.
func (p *Person) OpenLink(link string) int {
	p.s.tb.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Host != "t.me" || !strings.EqualFold(u.Path, "/"+Username) {
		p.s.tb.Fatalf("telegram: %q does not open the chat with %s", link, Username)
	}
	token := u.Query().Get("start")
	if len(token) > 64 || strings.Trim(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		p.s.tb.Fatalf("telegram: %q cannot be a start parameter", token)
	}
	return p.Type(strings.TrimSpace("/start " + token))
}

func (p *Person) say(message map[string]any) int {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.started = true
	id := p.s.next("message")
	p.said[id] = ""
	message["message_id"], message["date"] = id, time.Now().Unix()
	message["chat"], message["from"] = p.chat(), p.from()
	return p.s.enqueue("message", message)
}

// Press presses the button of that label on the latest message that has one.
func (p *Person) Press(label string) *Callback {
	p.s.tb.Helper()
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for _, msg := range slices.Backward(p.messages) {
		i := slices.IndexFunc(msg.Buttons, func(b Button) bool { return b.Label == label && b.Data != "" })
		if i < 0 || msg.Deleted {
			continue
		}
		cb := &Callback{ID: fmt.Sprint(p.s.next("callback")), s: p.s}
		cb.payload = map[string]any{
			"id": cb.ID, "from": p.from(), "message": p.s.messageJSON(p, msg), "chat_instance": "1", "data": msg.Buttons[i].Data,
		}
		p.s.callbacks[cb.ID] = cb
		p.s.enqueue("callback_query", cb.payload)
		return cb
	}
	p.s.tb.Fatalf("telegram: %s sees no button %q", p.Name, label)
	return nil
}

// Repeat delivers the press once more under a new update id, as Telegram does while nobody answers it.
func (c *Callback) Repeat() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.enqueue("callback_query", c.payload)
}

// Answered says that the button has stopped spinning.
func (c *Callback) Answered() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.answered
}

// Block shuts the bot out; Unblock lets it in again.
func (p *Person) Block()   { p.member(true) }
func (p *Person) Unblock() { p.member(false) }

func (p *Person) member(blocked bool) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	status := map[bool]string{true: "kicked", false: "member"}
	p.blocked, p.started = blocked, true
	p.s.enqueue("my_chat_member", map[string]any{
		"chat": p.chat(), "from": p.from(), "date": time.Now().Unix(),
		"old_chat_member": map[string]any{"user": bot(), "status": status[!blocked]},
		"new_chat_member": map[string]any{"user": bot(), "status": status[blocked], "until_date": 0},
	})
}

// Messages are what the phone shows from the bot, oldest first.
func (p *Person) Messages() []Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	var out []Message
	for _, msg := range p.messages {
		if !msg.Deleted {
			out = append(out, *msg)
		}
	}
	return out
}

// WaitFor returns the first message that contains text, waiting for it up to 10 s.
func (p *Person) WaitFor(text string) Message {
	p.s.tb.Helper()
	var found Message
	p.s.Wait(fmt.Sprintf("%s to read %q", p.Name, text), func() bool {
		messages := p.Messages()
		i := slices.IndexFunc(messages, func(m Message) bool { return strings.Contains(m.Text, text) })
		if i >= 0 {
			found = messages[i]
		}
		return i >= 0
	})
	return found
}

func (p *Person) chat() map[string]any {
	return map[string]any{"id": p.ID, "type": "private", "first_name": p.Name}
}

func (p *Person) from() map[string]any {
	return map[string]any{"id": p.ID, "is_bot": false, "first_name": p.Name, "language_code": p.Language}
}
