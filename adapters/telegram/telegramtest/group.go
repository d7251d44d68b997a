package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Group is a group that the bot is a member of. In one with topics the bot is an administrator, as it must be to open them, and hears
// everything; in others it hears replies to its own messages and nothing else, as bots do by default.
type Group struct {
	ID    int64
	Title string
	Forum bool

	s        *Server
	kicked   bool
	became   *Group
	topics   []*Topic
	messages []*GroupMessage
}

// Topic is a topic of a group.
type Topic struct {
	ID      int
	Name    string
	Deleted bool
}

// GroupMessage is a message in a group, as its members see it.
type GroupMessage struct {
	Message
	From    string // the name of a person, or Username
	Topic   int    // 0 outside of topics
	Answers int    // the message that it is a reply to; 0 for none
}

// Group returns the group of that id, which is made when there is none; ids of groups are negative.
func (s *Server) Group(id int64, title string, forum bool) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[id]; g != nil {
		return g
	}
	g := &Group{ID: id, Title: title, Forum: forum, s: s}
	s.groups[id] = g
	return g
}

// Topics lists the topics that there are.
func (g *Group) Topics() []Topic {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	var out []Topic
	for _, t := range g.topics {
		if !t.Deleted {
			out = append(out, *t)
		}
	}
	return out
}

// WaitTopic returns the first topic whose name contains words, waiting for it up to 10 s.
func (g *Group) WaitTopic(words string) Topic {
	g.s.tb.Helper()
	var found Topic
	g.s.Wait(fmt.Sprintf("a topic %q", words), func() bool {
		topics := g.Topics()
		i := slices.IndexFunc(topics, func(t Topic) bool { return strings.Contains(t.Name, words) })
		if i >= 0 {
			found = topics[i]
		}
		return i >= 0
	})
	return found
}

// DeleteTopic removes a topic with its messages.
func (g *Group) DeleteTopic(id int) {
	g.s.change(func() {
		for _, t := range g.topics {
			t.Deleted = t.Deleted || t.ID == id
		}
	})
}

// Kick throws the bot out.
func (g *Group) Kick() { g.s.change(func() { g.kicked = true }) }

// Upgrade turns the group into a supergroup with topics, as happens when somebody switches topics on: it gets another id, and calls
// that name the old one are refused. With tell the bot hears of it by the two messages that Telegram sends; else by the refusal alone.
func (g *Group) Upgrade(id int64, tell bool) *Group {
	to := g.s.Group(id, g.Title, true)
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	g.became = to
	if !tell {
		return to
	}
	from := map[string]any{"id": 1087968824, "is_bot": true, "first_name": "Group"}
	g.s.enqueue("message", map[string]any{
		"message_id": g.s.next("message"), "date": time.Now().Unix(), "chat": g.chat(), "from": from, "migrate_to_chat_id": to.ID,
	})
	g.s.enqueue("message", map[string]any{
		"message_id": g.s.next("message"), "date": time.Now().Unix(), "chat": to.chat(), "from": from, "migrate_from_chat_id": g.ID,
	})
	return to
}

// Messages are what the group shows in a topic, or with 0 outside of topics, oldest first.
func (g *Group) Messages(topic int) []GroupMessage {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	var out []GroupMessage
	for _, m := range g.messages {
		if m.Topic == topic && !m.Deleted {
			out = append(out, *m)
		}
	}
	return out
}

// WaitFor returns the first message of the bot in a topic that contains words, waiting for it up to 10 s.
func (g *Group) WaitFor(topic int, words string) GroupMessage {
	g.s.tb.Helper()
	var found GroupMessage
	g.s.Wait(fmt.Sprintf("%q in %s", words, g.Title), func() bool {
		messages := g.Messages(topic)
		i := slices.IndexFunc(messages, func(m GroupMessage) bool { return m.From == Username && strings.Contains(m.Text, words) })
		if i >= 0 {
			found = messages[i]
		}
		return i >= 0
	})
	return found
}

// Say has somebody write in a topic, or with 0 outside of topics, and returns the message's id.
func (g *Group) Say(p *Person, topic int, text string) int {
	return g.write(p, &GroupMessage{Message: Message{Text: text}, Topic: topic})
}

// Reply has somebody answer a message of the group.
func (g *Group) Reply(p *Person, to int, text string) int {
	return g.write(p, &GroupMessage{Message: Message{Text: text}, Answers: to})
}

func (g *Group) write(p *Person, m *GroupMessage) int {
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	m.ID, m.From = g.s.next("message"), p.Name
	g.messages = append(g.messages, m)
	if g.hears(m) {
		g.s.enqueue("message", g.json(m, p.from()))
	}
	g.s.wake()
	return m.ID
}

// Edit has somebody change the words of a message of theirs.
func (g *Group) Edit(p *Person, id int, text string) {
	g.s.tb.Helper()
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	m := g.find(id)
	if m == nil || m.From != p.Name {
		g.s.tb.Fatalf("telegram: %s has no message %d in %s", p.Name, id, g.Title)
	}
	m.Text = text
	m.Edits++
	if g.hears(m) {
		in := g.json(m, p.from())
		in["edit_date"] = time.Now().Unix()
		g.s.enqueue("edited_message", in)
	}
}

// Press has somebody press the button of that label on the latest message of a topic that has one.
func (g *Group) Press(p *Person, topic int, label string) *Callback {
	g.s.tb.Helper()
	g.s.mu.Lock()
	defer g.s.mu.Unlock()
	for _, m := range slices.Backward(g.messages) {
		i := slices.IndexFunc(m.Buttons, func(b Button) bool { return b.Label == label && b.Data != "" })
		if i < 0 || m.Deleted || m.Topic != topic {
			continue
		}
		cb := &Callback{ID: fmt.Sprint(g.s.next("callback")), s: g.s}
		cb.payload = map[string]any{
			"id": cb.ID, "from": p.from(), "message": g.json(m, bot()), "chat_instance": "1", "data": m.Buttons[i].Data,
		}
		g.s.callbacks[cb.ID] = cb
		g.s.enqueue("callback_query", cb.payload)
		return cb
	}
	g.s.tb.Fatalf("telegram: %s sees no button %q in %s", p.Name, label, g.Title)
	return nil
}

// hears says that the bot is told of a message.
func (g *Group) hears(m *GroupMessage) bool {
	if g.kicked {
		return false
	}
	if g.Forum {
		return true
	}
	to := g.find(m.Answers)
	return to != nil && to.From == Username
}

func (g *Group) find(id int) *GroupMessage {
	i := slices.IndexFunc(g.messages, func(m *GroupMessage) bool { return m.ID == id && !m.Deleted })
	if i < 0 {
		return nil
	}
	return g.messages[i]
}

func (g *Group) topic(id int) *Topic {
	i := slices.IndexFunc(g.topics, func(t *Topic) bool { return t.ID == id && !t.Deleted })
	if i < 0 {
		return nil
	}
	return g.topics[i]
}

func bot() map[string]any {
	return map[string]any{"id": 123456789, "is_bot": true, "first_name": "Parley Test", "username": Username}
}

func (g *Group) chat() map[string]any {
	chat := map[string]any{"id": g.ID, "type": "group", "title": g.Title}
	if g.Forum {
		chat["type"], chat["is_forum"] = "supergroup", true
	}
	return chat
}

// json is a message as updates and answers carry it: with the message that it replies to, but not what that one replies to.
func (g *Group) json(m *GroupMessage, from map[string]any) map[string]any {
	out := map[string]any{"message_id": m.ID, "date": time.Now().Unix(), "chat": g.chat(), "from": from, "text": m.Text}
	if m.Topic != 0 {
		out["message_thread_id"], out["is_topic_message"] = m.Topic, true
	}
	if to := g.find(m.Answers); to != nil {
		out["reply_to_message"] = map[string]any{"message_id": to.ID, "date": time.Now().Unix(), "chat": g.chat(), "text": to.Text}
	}
	return out
}

// group finds the group that a call is about; nil for one about a person. The caller holds the lock.
func (s *Server) group(r *http.Request) (*Group, *failure) {
	id, err := strconv.ParseInt(r.Form.Get("chat_id"), 10, 64)
	if err != nil || id >= 0 {
		return nil, nil
	}
	switch g := s.groups[id]; {
	case g == nil:
		return nil, bad("chat not found")
	case g.became != nil:
		return nil, &failure{
			code: http.StatusBadRequest, description: "Bad Request: group chat was upgraded to a supergroup chat", migrateTo: g.became.ID,
		}
	case g.kicked:
		return nil, &failure{code: http.StatusForbidden, description: "Forbidden: bot was kicked from the group chat"}
	default:
		return g, nil
	}
}

// post puts a message of the bot into the group.
func (g *Group) post(r *http.Request, msg *Message) (any, *failure) {
	m := &GroupMessage{Message: *msg, From: Username, Topic: number(r, "message_thread_id", 0)}
	if m.Topic != 0 && g.topic(m.Topic) == nil {
		return nil, bad("message thread not found")
	}
	if text := r.Form.Get("reply_parameters"); text != "" {
		var to struct {
			ID      int  `json:"message_id"`
			Without bool `json:"allow_sending_without_reply"`
		}
		if err := json.Unmarshal([]byte(text), &to); err != nil {
			return nil, bad("can't parse reply parameters JSON object")
		}
		if m.Answers = to.ID; g.find(to.ID) == nil && !to.Without {
			return nil, bad("message to be replied not found")
		}
	}
	g.messages = append(g.messages, m)
	g.s.wake()
	return g.json(m, bot()), nil
}

func (s *Server) getChat(r *http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, failed := s.group(r)
	if failed != nil {
		return nil, failed
	}
	if g != nil {
		return g.chat(), nil
	}
	p, failed := s.reachable(r)
	if failed != nil {
		return nil, failed
	}
	return p.chat(), nil
}

func (s *Server) createForumTopic(r *http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, failed := s.group(r)
	switch n := utf8.RuneCountInString(strings.TrimSpace(r.Form.Get("name"))); {
	case failed != nil:
		return nil, failed
	case g == nil || !g.Forum:
		return nil, bad("the chat is not a forum")
	case n < 1 || n > 128:
		return nil, bad("TOPIC_TITLE_INVALID")
	}
	t := &Topic{ID: s.next("message"), Name: strings.TrimSpace(r.Form.Get("name"))}
	g.topics = append(g.topics, t)
	s.wake()
	return map[string]any{"message_thread_id": t.ID, "name": t.Name, "icon_color": 7322096}, nil
}
