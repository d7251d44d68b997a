package workspacetest

import "strings"

// spoken is what a person wrote.
type spoken struct{ user, ts, thread, text string }

// Whisper is a note of the bot's that one member of a channel sees.
type Whisper struct{ Channel, Thread, User, Text string }

// Whispers are the notes so far.
func (s *Server) Whispers() []Whisper {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Whisper(nil), s.whispers...)
}

// Threads are the messages with which the bot began threads in a channel, or spoke outside of any, oldest first.
func (s *Server) Threads(channel string) []Message {
	var out []Message
	for _, m := range s.Messages(channel) {
		if m.Thread == "" {
			out = append(out, m)
		}
	}
	return out
}

// WaitFor waits for the bot to say those words: in a thread, or with thread "" outside of any, as when it begins one.
func (s *Server) WaitFor(channel, thread, words string) (found Message) {
	s.tb.Helper()
	s.Wait("the words "+words, func() bool {
		for _, m := range s.Messages(channel) {
			if m.Thread == thread && strings.Contains(m.Text, words) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// Edit changes what the person wrote.
func (a *Person) Edit(channel, ts, text string) {
	a.s.tb.Helper()
	a.change(channel, ts, func(c *inPlace) map[string]any {
		before := c.message(*c.said)
		c.said.text = written(text)
		after := c.message(*c.said)
		after["edited"] = map[string]any{"user": a.ID, "ts": a.s.ts()}
		return map[string]any{"subtype": "message_changed", "message": after, "previous_message": before}
	})
}

// Unfurl adds the preview of an address to what the person wrote, as Slack does by itself.
func (a *Person) Unfurl(channel, ts string) {
	a.s.tb.Helper()
	a.change(channel, ts, func(c *inPlace) map[string]any {
		after := c.message(*c.said)
		after["attachments"] = []any{map[string]any{"from_url": "https://shop.example", "title": "Shop"}}
		return map[string]any{"subtype": "message_changed", "message": after, "previous_message": c.message(*c.said)}
	})
}

// Delete takes back what the person wrote.
func (a *Person) Delete(channel, ts string) {
	a.s.tb.Helper()
	a.change(channel, ts, func(c *inPlace) map[string]any {
		return map[string]any{"subtype": "message_deleted", "deleted_ts": ts, "previous_message": c.message(*c.said)}
	})
}

// inPlace is a message of a person's and where it stands.
type inPlace struct {
	*channel
	said *spoken
}

func (a *Person) change(name, ts string, do func(*inPlace) map[string]any) {
	a.s.tb.Helper()
	a.s.mu.Lock()
	var event map[string]any
	for _, said := range a.s.channel(name).said {
		if said.ts == ts && said.user == a.ID {
			event = do(&inPlace{a.s.channel(name), said})
			event["type"], event["hidden"], event["ts"] = "message", true, a.s.ts()
			event["event_ts"] = event["ts"]
		}
	}
	a.s.mu.Unlock()
	if event == nil {
		a.s.tb.Fatalf("%s wrote no %s in %s", a.Name, ts, name)
	}
	a.s.inChannel(name, event)
}

// Invite calls the bot into a channel.
func (a *Person) Invite(channel string) {
	a.s.mu.Lock()
	a.s.channel(channel)
	ts := a.s.ts()
	a.s.mu.Unlock()
	a.s.inChannel(channel, map[string]any{
		"type": "message", "subtype": "channel_join", "user": BotUser, "inviter": a.ID, "ts": ts, "event_ts": ts,
		"text": "<@" + BotUser + "> has joined the channel",
	})
}

// message is what Slack tells of what a person wrote. The caller holds the lock.
func (c *channel) message(m spoken) map[string]any {
	out := map[string]any{"type": "message", "user": m.user, "ts": m.ts, "event_ts": m.ts, "text": m.text, "client_msg_id": "client-" + m.ts, "team": Team}
	c.inThread(out, m.thread)
	return out
}

// own is what Slack tells of a message of the bot's. The caller holds the lock.
func (s *Server) own(m Message) map[string]any {
	out := map[string]any{"type": "message", "user": BotUser, "bot_id": "B0BOT", "app_id": App, "ts": m.TS, "text": written(m.Fallback), "team": Team}
	s.channel(m.Channel).inThread(out, m.Thread)
	return out
}

// inThread says in which thread a message stands, and who began that. The caller holds the lock.
func (c *channel) inThread(message map[string]any, thread string) {
	if thread == "" {
		return
	}
	message["thread_ts"] = thread
	for _, m := range c.messages {
		if m.TS == thread {
			message["parent_user_id"] = BotUser
		}
	}
	for _, m := range c.said {
		if m.ts == thread {
			message["parent_user_id"] = m.user
		}
	}
}

// echo tells the app of its own doing, as Slack does in channels. The caller holds the lock.
func (s *Server) echo(event map[string]any, channel string) {
	if strings.HasPrefix(channel, "C") {
		event["type"], event["channel"], event["channel_type"], event["event_ts"] = "message", channel, "channel", event["ts"]
		s.happen(event)
	}
	s.woken()
}

// inChannel tells the app of what people did in a channel.
func (s *Server) inChannel(channel string, event map[string]any) {
	event["channel"], event["channel_type"] = channel, "channel"
	if strings.HasPrefix(channel, "D") {
		event["channel_type"] = "im"
	}
	s.Happen(event)
}
