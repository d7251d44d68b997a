package discordtest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Person is somebody on Discord.
type Person struct {
	ID   string
	Name string
	// Channel is where they write to the bot directly.
	Channel string
	s       *Server
}

// Person makes somebody with a direct channel to the bot.
func (s *Server) Person(name string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &Person{ID: s.next(), Name: name, Channel: s.next(), s: s}
	s.people = append(s.people, p)
	s.channels[p.Channel] = &channel{id: p.Channel, person: p, thread: thread{Kind: 1}}
	return p
}

// Guild makes a channel of a server.
func (s *Server) Guild() (channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place(thread{})
}

// Type writes to the bot directly.
func (p *Person) Type(text string) string { return p.WriteIn(p.Channel, text) }

// WriteIn writes in a channel and returns the message's id. A mention of the bot is <@ and its id and >.
func (p *Person) WriteIn(channelID, text string) string {
	return p.post(channelID, map[string]any{"content": text, "type": 0})
}

// Show posts a picture without words.
func (p *Person) Show() string {
	return p.post(p.Channel, map[string]any{
		"content": "", "type": 0, "attachments": []any{map[string]any{"id": "1", "content_type": "image/png"}},
	})
}

func (p *Person) post(channelID string, raw map[string]any) string {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channelID]
	ch.Archived = false
	m := &Message{ID: s.next(), Author: p.ID, raw: raw}
	m.Text, _ = raw["content"].(string)
	raw["id"], raw["channel_id"], raw["author"] = m.ID, ch.id, p.json()
	raw["mentions"] = s.mentioned(m.Text)
	if ch.guild {
		raw["guild_id"] = Guild
	}
	ch.history = append(ch.history, m)
	s.deliver(func() { s.dispatch("MESSAGE_CREATE", s.told(raw)) })
	return m.ID
}

func (p *Person) json() map[string]any {
	return map[string]any{"id": p.ID, "username": "user" + p.ID, "global_name": p.Name}
}

// deliver does it now, and once more when Repeat asks. The caller holds the lock.
func (s *Server) deliver(do func()) {
	s.latest = do
	do()
	s.wake()
}

// Repeat delivers the latest event once more.
func (s *Server) Repeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest()
}

// Messages are what the bot wrote to the person directly.
func (p *Person) Messages() []Message { return p.s.Messages(p.Channel) }

// Messages are what the bot wrote in a channel.
func (s *Server) Messages(channelID string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.channels[channelID].history {
		if m.Author == Bot {
			out = append(out, *m)
		}
	}
	return out
}

// Press presses the button, or picks the entry, of that label on the latest message that has it.
func (p *Person) Press(label string) { p.PressIn(p.Channel, label) }

// PressIn presses in a channel.
func (p *Person) PressIn(channelID, label string) {
	s := p.s
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channelID]
	for i := len(ch.history) - 1; i >= 0; i-- {
		m := ch.history[i]
		for _, b := range m.Buttons {
			if b.Label == label {
				s.interact(p, ch, m, map[string]any{"component_type": 2, "custom_id": b.ID})
				return
			}
		}
		for _, b := range m.Menu {
			if b.Label == label {
				s.interact(p, ch, m, map[string]any{"component_type": 3, "custom_id": "list", "values": []string{b.ID}})
				return
			}
		}
	}
	s.tb.Fatalf("discord: no message has %q", label)
}

// interact tells the bot of a press, over the gateway or by its hook. The caller holds the lock.
func (s *Server) interact(p *Person, ch *channel, m *Message, data map[string]any) {
	id := s.next()
	s.acked[id] = 0
	raw := map[string]any{
		"id": id, "type": 3, "application_id": Bot, "channel_id": ch.id, "token": InteractionToken + id, "locale": "de",
		"data": data, "message": map[string]any{"id": m.ID, "channel_id": ch.id, "author": map[string]any{"id": Bot}}, "version": 1,
	}
	if ch.guild {
		raw["guild_id"], raw["member"] = Guild, map[string]any{"user": p.json()}
		raw["channel"] = ch.json()
	} else {
		raw["user"] = p.json()
	}
	s.deliver(func() {
		if s.hook == "" {
			s.dispatch("INTERACTION_CREATE", raw)
			return
		}
		body, err := json.Marshal(raw)
		if err != nil {
			s.tb.Errorf("discord: %v", err)
			return
		}
		hook := s.hook
		s.work.Go(func() { s.post(hook, body, id) })
	})
}

// Sign signs a body as Discord does.
func (s *Server) Sign(header http.Header, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	header.Set("Content-Type", "application/json")
	header.Set("X-Signature-Timestamp", stamp)
	header.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(s.key, append([]byte(stamp), body...))))
}

// post calls the hook. Discord takes a failure for an answer: the person is shown that it failed.
func (s *Server) post(hook string, body []byte, id string) {
	req, err := http.NewRequest(http.MethodPost, hook, bytes.NewReader(body)) //nolint:noctx // the client has a time limit
	if err != nil {
		s.tb.Errorf("discord: %v", err)
		return
	}
	s.Sign(req.Header, body, time.Now())
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	status := 0
	var said struct {
		Type int `json:"type"`
	}
	if err == nil {
		status = resp.StatusCode
		answer, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		_ = json.Unmarshal(answer, &said)
	}
	s.change(func() {
		s.hooked = append(s.hooked, status)
		if status == http.StatusOK {
			s.acked[id] = said.Type
		}
	})
}

// Block makes the person take no more messages of the bot. Discord tells the bot nothing.
func (p *Person) Block() { p.s.Shut(p.Channel, 50007) }
