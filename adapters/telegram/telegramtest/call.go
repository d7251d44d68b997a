package telegramtest

import (
	"encoding/json"
	"time"
)

// Update is what Telegram would post when the person writes to the bot, under ids of its own. It stays with the caller.
func (p *Person) Update(text string) []byte {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	body, err := json.Marshal(map[string]any{
		"update_id": p.s.next("update"),
		"message": map[string]any{
			"message_id": p.s.next("message"), "date": time.Now().Unix(), "chat": p.chat(), "from": p.from(), "text": text,
		},
	})
	if err != nil {
		p.s.tb.Errorf("telegram: encode an update: %v", err)
	}
	return body
}

// Drop cuts every connection of the bot.
func (s *Server) Drop() { s.http.CloseClientConnections() }
