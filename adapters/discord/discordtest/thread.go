package discordtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// thread is what a channel has that is more than direct messages.
type thread struct {
	Kind             int    // Discord's; 0 is a channel with text, 11 a public thread, 15 a forum
	Name             string // of a thread
	Parent, Owner    string // of a thread
	Archived, Locked bool
}

// Thread is a thread as people see it.
type Thread struct {
	ID, Name string
	Archived bool
}

const contentIntent = 1 << 15

// ContentIntent switches the Message Content Intent of the bot on or off. While it is off, as at first, the bot is given the text
// of what names it and of direct messages alone, and refused when it asks for more.
func (s *Server) ContentIntent(on bool) { s.change(func() { s.content = on }) }

// Room makes a channel of a server of a kind of Discord's: 0 for text, 5 for announcements, 15 for a forum.
func (s *Server) Room(kind int) (channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place(thread{Kind: kind})
}

// place makes a channel of the server. The caller holds the lock.
func (s *Server) place(t thread) string {
	id := s.next()
	s.channels[id] = &channel{id: id, guild: true, thread: t}
	return id
}

// Begin has the person open a thread of their own in a channel.
func (p *Person) Begin(parent, name string) (threadID string) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.place(thread{Kind: 11, Name: name, Parent: parent, Owner: p.ID})
}

// Threads lists the threads of a channel, oldest first.
func (s *Server) Threads(parent string) []Thread {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Thread
	for _, id := range slices.Sorted(maps.Keys(s.channels)) {
		if ch := s.channels[id]; ch.Parent == parent {
			out = append(out, Thread{id, ch.Name, ch.Archived})
		}
	}
	return out
}

// WaitThread returns the first thread of a channel whose name contains words, and waits for it.
func (s *Server) WaitThread(parent, words string) (found Thread) {
	s.tb.Helper()
	s.Wait(fmt.Sprintf("a thread %q", words), func() bool {
		threads := s.Threads(parent)
		i := slices.IndexFunc(threads, func(t Thread) bool { return strings.Contains(t.Name, words) })
		if i >= 0 {
			found = threads[i]
		}
		return i >= 0
	})
	return found
}

// WaitFor returns the first message of the bot in a channel that contains words, and waits for it.
func (s *Server) WaitFor(channelID, words string) (found Message) {
	s.tb.Helper()
	s.Wait(fmt.Sprintf("%q in channel %s", words, channelID), func() bool {
		messages := s.Messages(channelID)
		i := slices.IndexFunc(messages, func(m Message) bool { return strings.Contains(m.Text, words) })
		if i >= 0 {
			found = messages[i]
		}
		return i >= 0
	})
	return found
}

// Archive puts a thread away, as Discord does after a while without a word. A locked one only moderators have back.
func (s *Server) Archive(threadID string, locked bool) {
	s.change(func() { s.channels[threadID].Archived, s.channels[threadID].Locked = true, locked })
}

// Remove deletes a channel.
func (s *Server) Remove(channelID string) { s.change(func() { delete(s.channels, channelID) }) }

// EditIn has the person change the words of a message of theirs in a channel.
func (p *Person) EditIn(channelID, messageID, text string) {
	s := p.s
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.channels[channelID].history {
		if m.ID == messageID && m.Author == p.ID {
			m.Text, m.raw["content"], m.raw["mentions"] = text, text, s.mentioned(text)
			m.raw["edited_timestamp"] = time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00")
			m.Edits++
			s.deliver(func() { s.dispatch("MESSAGE_UPDATE", s.told(m.raw)) })
			return
		}
	}
	s.tb.Fatalf("discord: %s has no message %s", p.Name, messageID)
}

// Preview adds a picture of what a message links to, which Discord reports as a change of the message.
func (p *Person) Preview(channelID, messageID string) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.channels[channelID].history {
		if m.ID == messageID {
			m.raw["embeds"] = []any{map[string]any{"type": "link"}}
			s.deliver(func() { s.dispatch("MESSAGE_UPDATE", s.told(m.raw)) })
		}
	}
}

// Delete removes messages from a channel, several at once as moderators do.
func (s *Server) Delete(channelID string, messageIDs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channelID]
	ch.history = slices.DeleteFunc(ch.history, func(m *Message) bool { return slices.Contains(messageIDs, m.ID) })
	kind, told := "MESSAGE_DELETE", map[string]any{"channel_id": channelID, "id": messageIDs[0]}
	if len(messageIDs) > 1 {
		kind, told = "MESSAGE_DELETE_BULK", map[string]any{"channel_id": channelID, "ids": messageIDs}
	}
	if ch.guild {
		told["guild_id"] = Guild
	}
	s.deliver(func() { s.dispatch(kind, told) })
}

// Webhook has a program write in a channel under a name of its own.
func (s *Server) Webhook(channelID, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw := map[string]any{
		"id": s.next(), "channel_id": channelID, "guild_id": Guild, "content": text, "type": 0, "webhook_id": "77",
		"author": map[string]any{"id": "77", "username": "a program"}, "mentions": []any{},
	}
	s.channels[channelID].history = append(s.channels[channelID].history, &Message{ID: raw["id"].(string), Author: "77", Text: text, raw: raw})
	s.deliver(func() { s.dispatch("MESSAGE_CREATE", s.told(raw)) })
}

// mentioned are those whom a text names. The caller holds the lock.
func (s *Server) mentioned(text string) []any {
	out := []any{}
	if strings.Contains(text, "<@"+Bot+">") || strings.Contains(text, "<@!"+Bot+">") {
		out = append(out, map[string]any{"id": Bot, "username": "parley", "bot": true})
	}
	for _, p := range s.people {
		if strings.Contains(text, "<@"+p.ID+">") {
			out = append(out, p.json())
		}
	}
	return out
}

// told is a message as the bot is told of it: without its words when it may not read them. The caller holds the lock.
func (s *Server) told(raw map[string]any) map[string]any {
	over := maps.Clone(raw)
	ch := s.channels[raw["channel_id"].(string)]
	author, _ := raw["author"].(map[string]any)
	mentions, _ := raw["mentions"].([]any)
	named := slices.ContainsFunc(mentions, func(m any) bool { return m.(map[string]any)["id"] == Bot })
	may := s.content && (s.session == nil || s.session.intents&contentIntent != 0)
	if ch != nil && ch.guild && !named && !may && author["id"] != Bot {
		over["content"], over["embeds"], over["attachments"], over["components"] = "", []any{}, []any{}, []any{}
	}
	return over
}

func (s *Server) application() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	flags := 1 << 23
	if s.content {
		flags |= 1 << 19
	}
	return map[string]any{"id": Bot, "name": "parley", "flags": flags}
}

func (ch *channel) json() map[string]any {
	out := map[string]any{"id": ch.id, "type": ch.Kind, "name": ch.Name, "flags": 0}
	if ch.guild {
		out["guild_id"] = Guild
	}
	if ch.Parent != "" {
		out["parent_id"], out["owner_id"] = ch.Parent, ch.Owner
		out["thread_metadata"] = map[string]any{"archived": ch.Archived, "locked": ch.Locked}
	}
	return out
}

// woken has a message open an archived thread again.
func (ch *channel) woken() *refusal {
	if ch.Locked {
		return &refusal{http.StatusBadRequest, 160005, "This thread is locked"}
	}
	ch.Archived = false
	return nil
}

// aboutChannel answers what a channel is, or changes a thread. The caller holds the lock.
func (s *Server) aboutChannel(r *http.Request, ch *channel, body []byte) (any, *refusal) {
	switch r.Method {
	case http.MethodGet:
		return ch.json(), nil
	case http.MethodPatch:
		var change struct {
			Archived bool `json:"archived"`
		}
		if no := strictly(body, &change); no != nil {
			return nil, no
		}
		if ch.Locked || ch.Parent == "" {
			return nil, &refusal{http.StatusForbidden, 50013, "Missing Permissions"}
		}
		ch.Archived = change.Archived
		s.wake()
		return ch.json(), nil
	}
	return nil, &refusal{http.StatusMethodNotAllowed, 0, "405: Method Not Allowed"}
}

// openThread makes a thread of the bot's. The caller holds the lock.
func (s *Server) openThread(in *channel, body []byte) (any, *refusal) {
	var wanted struct {
		Name    string          `json:"name"`
		Archive int             `json:"auto_archive_duration"`
		Type    int             `json:"type"`
		Message json.RawMessage `json:"message"`
	}
	if no := strictly(body, &wanted); no != nil {
		return nil, no
	}
	board := in.Kind == 15 || in.Kind == 16
	switch {
	case !between(wanted.Name, 1, 100):
		return nil, bad("name: Must be between 1 and 100 in length.")
	case !slices.Contains([]int{0, 60, 1440, 4320, 10080}, wanted.Archive):
		return nil, bad("auto_archive_duration: Value must be one of {60, 1440, 4320, 10080}.")
	case board != (wanted.Message != nil):
		return nil, bad("message: This field is required in a forum, and only there.")
	case in.Kind == 0 && wanted.Type != 11 && wanted.Type != 12, in.Kind == 5 && wanted.Type != 10, !board && in.Kind != 0 && in.Kind != 5:
		return nil, &refusal{http.StatusBadRequest, 50024, "Cannot execute action on this channel type"}
	}
	kind := wanted.Type
	if board {
		kind = 11
	}
	ch := s.channels[s.place(thread{Kind: kind, Name: wanted.Name, Parent: in.id, Owner: Bot})]
	if board {
		if _, no := s.create(ch, wanted.Message); no != nil {
			delete(s.channels, ch.id)
			return nil, no
		}
	}
	s.wake()
	return ch.json(), nil
}

// strictly reads what this server takes; what else comes is refused.
func strictly(body []byte, into any) *refusal {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return bad("Invalid Form Body: " + err.Error())
	}
	return nil
}
