package telegramtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// emojis are some of those that may be put on a message.
var emojis = []string{"👍", "👎", "❤", "🔥", "👏", "🎉", "👌", "🙏", "👀", "💯"}

// React puts an emoji on the latest message of the bot that holds words; with "" the one that was there is taken back.
func (p *Person) React(words, emoji string) {
	p.s.tb.Helper()
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for _, msg := range slices.Backward(p.messages) {
		if msg.Deleted || !strings.Contains(msg.Text, words) {
			continue
		}
		old := msg.Reaction
		msg.Reaction = emoji
		p.s.enqueue("message_reaction", map[string]any{
			"chat": p.chat(), "message_id": msg.ID, "user": p.from(), "date": time.Now().Unix(),
			"old_reaction": reactions(old), "new_reaction": reactions(emoji),
		})
		return
	}
	p.s.tb.Fatalf("telegram: %s sees no message %q", p.Name, words)
}

func reactions(emoji string) []map[string]string {
	if emoji == "" {
		return []map[string]string{}
	}
	return []map[string]string{{"type": "emoji", "emoji": emoji}}
}

// Reactions are the emojis that the bot put on what the person said, by message.
func (p *Person) Reactions() map[int]string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	out := map[int]string{}
	for id, emoji := range p.said {
		if emoji != "" {
			out[id] = emoji
		}
	}
	return out
}

func (s *Server) setMessageReaction(r *http.Request) (any, *failure) {
	var given []struct {
		Type  string `json:"type"`
		Emoji string `json:"emoji"`
	}
	if err := json.Unmarshal([]byte(r.Form.Get("reaction")), &given); err != nil {
		return nil, bad("can't parse reaction types JSON object")
	}
	emoji := ""
	if len(given) == 1 {
		emoji = given[0].Emoji
	}
	if len(given) > 1 || len(given) == 1 && (given[0].Type != "emoji" || !slices.Contains(emojis, emoji)) {
		return nil, bad("REACTION_INVALID")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, failed := s.reachable(r)
	if failed != nil {
		return nil, failed
	}
	id := number(r, "message_id", 0)
	if _, found := p.said[id]; !found {
		return nil, bad("message to react not found")
	}
	p.said[id] = emoji
	s.wake()
	return true, nil
}
