package workspacetest

import (
	"encoding/json"
	"slices"
	"strconv"
)

// Call is what Slack would post when the person writes to the bot directly. It stays with the caller.
func (a *Person) Call(text string) []byte {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	raw, err := json.Marshal(a.s.callback(a.wrote(text)))
	if err != nil {
		a.s.tb.Errorf("slack: encode an event: %v", err)
	}
	return raw
}

// Shuffle writes to the bot directly, and Slack brings the last first.
func (a *Person) Shuffle(texts ...string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	var events []map[string]any
	for _, text := range texts {
		events = append(events, a.wrote(text))
	}
	for _, event := range slices.Backward(events) {
		a.s.enqueue("events_api", a.s.callback(event))
	}
}

// wrote is the event of a direct message. The caller holds the lock.
func (a *Person) wrote(text string) map[string]any {
	ts := a.s.ts()
	return map[string]any{
		"type": "message", "channel": a.DM, "channel_type": "im", "user": a.ID, "ts": ts, "event_ts": ts,
		"text": written(text), "client_msg_id": "client-" + ts, "team": Team,
	}
}

// callback is what an event comes in. The caller holds the lock.
func (s *Server) callback(event map[string]any) map[string]any {
	s.ids++
	return map[string]any{
		"token": VerificationToken, "team_id": Team, "api_app_id": App, "type": "event_callback", "event_id": "Ev" + strconv.Itoa(s.ids), "event_time": 1_800_000_000,
		"event": event, "authorizations": []any{map[string]any{"team_id": Team, "user_id": BotUser, "is_bot": true}},
	}
}
