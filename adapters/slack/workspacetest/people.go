package workspacetest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Person is a member of the workspace.
type Person struct {
	ID, Name string // the name is what the workspace shows; they sign in with it in lower case
	DM       string // their chat with the bot
	Locale   string
	s        *Server
}

// Person adds a member.
func (s *Server) Person(id, name string) *Person {
	p := &Person{ID: id, Name: name, DM: "D" + strings.TrimPrefix(id, "U"), Locale: "en-GB", s: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[id] = p
	return p
}

// Ann is the person whose chat with the bot is D0ANN.
func (s *Server) Ann() *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people["U0ANN"]
}

// profile is what users.info tells of a member.
func (s *Server) profile(id string) (result map[string]any, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[id]
	if p == nil {
		return nil, "user_not_found"
	}
	return map[string]any{"user": map[string]any{
		"id": p.ID, "name": strings.ToLower(p.Name), "real_name": p.Name + " Person", "locale": p.Locale,
		"profile": map[string]any{"display_name": p.Name, "real_name": p.Name + " Person"},
	}}, ""
}

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
	said := &spoken{user: a.ID, ts: a.s.ts(), thread: thread, text: strings.ReplaceAll(written(text), "@shop", "<@"+BotUser+">")}
	ch := a.s.channel(channel)
	ch.said = append(ch.said, said)
	event := ch.message(*said)
	a.s.mu.Unlock()
	a.s.inChannel(channel, event)
	if strings.Contains(text, "@shop") && !strings.HasPrefix(channel, "D") {
		mention := map[string]any{"type": "app_mention", "channel": channel, "user": a.ID, "ts": said.ts, "event_ts": said.ts, "text": said.text}
		if thread != "" {
			mention["thread_ts"] = thread
		}
		a.s.Happen(mention)
	}
	return said.ts
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
			if c.Label == label {
				a.s.Interact(a.pressed(msg, c, ts))
				return
			}
		}
	}
	a.s.tb.Fatalf("%s sees no button %q", a.Name, label)
}

// pressed is what Slack sends when somebody chose.
func (a *Person) pressed(msg Message, c Choice, ts string) map[string]any {
	text := map[string]any{"type": "plain_text", "text": written(c.Label), "emoji": false}
	action := map[string]any{"type": "button", "action_id": c.action, "block_id": "b1", "text": text, "value": c.Value, "action_ts": ts}
	if msg.Menu {
		action = map[string]any{"type": "static_select", "action_id": c.action, "block_id": "b1", "action_ts": ts,
			"selected_option": map[string]any{"text": text, "value": c.Value}}
	}
	container := map[string]any{"type": "message", "message_ts": msg.TS, "channel_id": msg.Channel, "is_ephemeral": false}
	if msg.Thread != "" {
		container["thread_ts"] = msg.Thread
	}
	login := strings.ToLower(a.Name)
	a.s.mu.Lock()
	message := a.s.own(msg)
	a.s.mu.Unlock()
	return map[string]any{
		"type": "block_actions", "user": map[string]any{"id": a.ID, "username": login, "name": login, "team_id": Team},
		"api_app_id": App, "token": VerificationToken, "trigger_id": "trigger-" + VerificationToken,
		"response_url": "https://hooks.slack.example/actions/" + VerificationToken, "team": map[string]any{"id": Team, "domain": "test"},
		"channel": map[string]any{"id": msg.Channel, "name": "directmessage"}, "container": container, "message": message,
		"actions": []any{action},
	}
}

// Happen tells the app of an event.
func (s *Server) Happen(event map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.happen(event)
}

// happen is Happen for who holds the lock.
func (s *Server) happen(event map[string]any) {
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
