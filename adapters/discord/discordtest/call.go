package discordtest

import (
	"encoding/json"
	"slices"
)

// Interaction is what Discord would post when the person presses a button of that value. It stays with the caller.
func (p *Person) Interaction(value string) []byte {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next()
	s.acked[id] = 0
	body, err := json.Marshal(map[string]any{
		"id": id, "type": 3, "application_id": Bot, "channel_id": p.Channel, "token": InteractionToken + id, "locale": "de", "user": p.json(),
		"data":    map[string]any{"component_type": 2, "custom_id": value},
		"message": map[string]any{"id": s.next(), "channel_id": p.Channel, "author": map[string]any{"id": Bot}}, "version": 1,
	})
	if err != nil {
		s.tb.Errorf("discord: encode an interaction: %v", err)
	}
	return body
}

// Shuffle writes to the bot directly, and the gateway brings the last first.
func (p *Person) Shuffle(texts ...string) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	var frames []map[string]any
	for _, text := range texts {
		raw := map[string]any{"content": text, "type": 0, "id": s.next(), "channel_id": p.Channel, "author": p.json(), "mentions": []any{}}
		id, _ := raw["id"].(string)
		ch := s.channels[p.Channel]
		ch.history = append(ch.history, &Message{ID: id, Author: p.ID, Text: text, raw: raw})
		frames = append(frames, raw)
	}
	for _, raw := range slices.Backward(frames) {
		s.deliver(func() { s.dispatch("MESSAGE_CREATE", raw) })
	}
}
