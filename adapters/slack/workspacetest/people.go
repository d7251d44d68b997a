package workspacetest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Person is a member of the workspace.
type Person struct {
	ID, Name string
	DM       string // their chat with the bot
	s        *Server
}

// Ann is the person whose chat with the bot is D0ANN.
func (s *Server) Ann() *Person { return &Person{ID: "U0ANN", Name: "ann", DM: "D0ANN", s: s} }

var address = regexp.MustCompile(`https?://[^\s)]+`)

// written is how Slack writes down what a person typed.
func written(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return address.ReplaceAllString(text, "<$0>")
}

// Type writes to the bot in the direct chat.
func (a *Person) Type(text string) string { return a.TypeIn(a.DM, "", text) }

// TypeIn writes to a channel, or into a thread of it. "@shop" calls the bot. It returns the message's timestamp.
func (a *Person) TypeIn(channel, thread, text string) string {
	a.s.mu.Lock()
	ts := a.s.ts()
	a.s.mu.Unlock()
	event := map[string]any{
		"type": "message", "channel": channel, "channel_type": "channel", "user": a.ID, "ts": ts, "event_ts": ts,
		"text": strings.ReplaceAll(written(text), "@shop", "<@"+BotUser+">"), "client_msg_id": "client-" + ts, "team": Team,
	}
	if strings.HasPrefix(channel, "D") {
		event["channel_type"] = "im"
	}
	if thread != "" {
		event["thread_ts"] = thread
	}
	a.s.Happen(event)
	if strings.Contains(text, "@shop") && event["channel_type"] == "channel" {
		mention := map[string]any{"type": "app_mention", "channel": channel, "user": a.ID, "ts": ts, "event_ts": ts, "text": event["text"]}
		if thread != "" {
			mention["thread_ts"] = thread
		}
		a.s.Happen(mention)
	}
	return ts
}

// Press presses the button of that label, or picks it from the menu, on the latest message that has it.
func (a *Person) Press(label string) {
	a.s.tb.Helper()
	a.s.mu.Lock()
	var all []Message
	for _, c := range a.s.channels {
		for _, m := range c.messages {
			all = append(all, *m)
		}
	}
	ts := a.s.ts()
	a.s.mu.Unlock()
	slices.SortFunc(all, func(x, y Message) int { return strings.Compare(x.TS, y.TS) })
	for _, msg := range slices.Backward(all) {
		for _, c := range msg.Choices {
			if c.Label != label {
				continue
			}
			text := map[string]any{"type": "plain_text", "text": written(c.Label), "emoji": false}
			action := map[string]any{"type": "button", "action_id": c.action, "block_id": "b1", "text": text, "value": c.Value, "action_ts": ts}
			if msg.Menu {
				action = map[string]any{"type": "static_select", "action_id": c.action, "block_id": "b1", "action_ts": ts,
					"selected_option": map[string]any{"text": text, "value": c.Value}}
			}
			message := map[string]any{"type": "message", "ts": msg.TS, "user": BotUser, "bot_id": "B0BOT", "text": msg.Fallback}
			container := map[string]any{"type": "message", "message_ts": msg.TS, "channel_id": msg.Channel, "is_ephemeral": false}
			if msg.Thread != "" {
				message["thread_ts"], container["thread_ts"] = msg.Thread, msg.Thread
			}
			a.s.Interact(map[string]any{
				"type": "block_actions", "user": map[string]any{"id": a.ID, "username": a.Name, "name": a.Name, "team_id": Team},
				"api_app_id": App, "token": VerificationToken, "trigger_id": "trigger-" + VerificationToken,
				"response_url": "https://hooks.slack.example/actions/" + VerificationToken, "team": map[string]any{"id": Team, "domain": "test"},
				"channel": map[string]any{"id": msg.Channel, "name": "directmessage"}, "container": container, "message": message,
				"actions": []any{action},
			})
			return
		}
	}
	a.s.tb.Fatalf("%s sees no button %q", a.Name, label)
}

// Happen tells the app of an event.
func (s *Server) Happen(event map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	s.enqueue("events_api", map[string]any{
		"token": VerificationToken, "team_id": Team, "api_app_id": App, "type": "event_callback", "event_id": "Ev" + strconv.Itoa(s.ids), "event_time": 1_800_000_000,
		"event": event, "authorizations": []any{map[string]any{"team_id": Team, "user_id": BotUser, "is_bot": true}},
	})
}

// Interact tells the app of a pressed button.
func (s *Server) Interact(payload map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enqueue("interactive", payload)
}
