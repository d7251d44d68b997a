package workspacetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Message is a message of the bot as people see it.
type Message struct {
	Channel, TS, Thread string
	Text                string // what the blocks show
	Fallback            string // what a notification shows
	Image               string
	Choices             []Choice
	Menu                bool
	Edits               int
}

// Choice is a button, or an entry of the menu.
type Choice struct{ Label, Value, action string }

// Labels are the choices as people read them.
func (m Message) Labels() []string {
	var out []string
	for _, c := range m.Choices {
		out = append(out, c.Label)
	}
	return out
}

var params = map[string]string{
	"auth.test":          "token",
	"chat.postEphemeral": "token channel user text blocks thread_ts mrkdwn parse link_names",
	"chat.postMessage":   "token channel text blocks thread_ts mrkdwn unfurl_links unfurl_media parse link_names reply_broadcast",
	"chat.update":        "token channel ts text blocks mrkdwn parse link_names",
	"users.info":         "token user include_locale",
}

// do carries a call out; the code is Slack's, perhaps with a colon and why.
func (s *Server) do(method string, r *http.Request) (result map[string]any, code string) {
	if method == "apps.connections.open" {
		if r.Header.Get("Authorization") != "Bearer "+AppToken {
			return nil, "invalid_auth"
		}
		return map[string]any{"url": "ws" + strings.TrimPrefix(s.http.URL, "http") + "/link?ticket=" + Ticket + "&app_id=" + App}, ""
	}
	allowed, known := params[method]
	if !known {
		return nil, "unknown_method"
	}
	if r.PostForm.Get("token") != BotToken {
		return nil, "invalid_auth"
	}
	for name := range r.PostForm {
		if !slices.Contains(strings.Fields(allowed), name) {
			return nil, "invalid_arguments: unknown parameter " + name
		}
	}
	switch method {
	case "users.info":
		return s.profile(r.PostForm.Get("user"))
	case "auth.test":
		return map[string]any{"team_id": Team, "user_id": BotUser, "bot_id": "B0BOT", "user": "shop", "team": "Test", "url": "https://test.slack.example/"}, ""
	}
	msg := &Message{Channel: r.PostForm.Get("channel"), Thread: r.PostForm.Get("thread_ts"), Fallback: unescape(r.PostForm.Get("text"))}
	if code := msg.render(r.PostForm.Get("blocks")); code != "" {
		return nil, code
	}
	if msg.Fallback == "" && msg.Text == "" && msg.Image == "" {
		return nil, "no_text"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	channel := s.channels[msg.Channel]
	switch {
	case channel == nil:
		return nil, "channel_not_found"
	case channel.problem != "":
		return nil, channel.problem
	}
	switch method {
	case "chat.postEphemeral":
		user := r.PostForm.Get("user")
		if s.people[user] == nil {
			return nil, "user_not_in_channel"
		}
		s.whispers = append(s.whispers, Whisper{msg.Channel, msg.Thread, user, msg.Text})
		s.woken()
		return map[string]any{"message_ts": s.ts()}, ""
	case "chat.update":
		for _, old := range channel.messages {
			if old.TS == r.PostForm.Get("ts") {
				before := *old
				msg.TS, msg.Thread, msg.Edits = old.TS, old.Thread, old.Edits+1
				*old = *msg
				s.echo(map[string]any{
					"subtype": "message_changed", "hidden": true, "ts": s.ts(), "message": s.own(*msg), "previous_message": s.own(before),
				}, msg.Channel)
				return map[string]any{"channel": msg.Channel, "ts": msg.TS, "text": msg.Fallback}, ""
			}
		}
		return nil, "message_not_found"
	}
	msg.TS = s.ts()
	channel.messages = append(channel.messages, msg)
	s.echo(s.own(*msg), msg.Channel)
	return map[string]any{"channel": msg.Channel, "ts": msg.TS, "message": map[string]any{"text": msg.Fallback}}, ""
}

type textObject struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// render reads the blocks as strictly as Slack does.
func (m *Message) render(raw string) (code string) {
	if raw == "" {
		m.Text = m.Fallback
		return ""
	}
	var blocks []struct {
		Type     string            `json:"type"`
		ImageURL string            `json:"image_url"`
		Alt      string            `json:"alt_text"`
		Elements []json.RawMessage `json:"elements"`
	}
	if err := json.Unmarshal([]byte(raw), &blocks); err != nil {
		return "invalid_blocks_format"
	}
	if len(blocks) > 50 {
		return "invalid_blocks: no more than 50 items allowed"
	}
	for _, b := range blocks {
		switch b.Type {
		case "rich_text":
			code = m.richText(b.Elements)
		case "image":
			if b.Alt == "" || utf8.RuneCountInString(b.Alt) > 2000 || len(b.ImageURL) > 3000 {
				return "invalid_blocks: alt_text is required"
			}
			if strings.Contains(b.ImageURL, "missing") {
				return "invalid_blocks: downloading image failed [json-pointer:/blocks/0/image_url]"
			}
			m.Image = b.ImageURL
		case "actions":
			code = m.actions(b.Elements)
		default:
			code = "invalid_blocks: unsupported type: " + b.Type
		}
		if code != "" {
			return code
		}
	}
	return ""
}

func (m *Message) richText(sections []json.RawMessage) (code string) {
	for _, raw := range sections {
		var section struct {
			Type     string `json:"type"`
			Elements []struct {
				Type, Text, URL string
			} `json:"elements"`
		}
		if json.Unmarshal(raw, &section) != nil || section.Type != "rich_text_section" || len(section.Elements) == 0 {
			return "invalid_blocks: rich_text_section"
		}
		for _, e := range section.Elements {
			switch {
			case e.Type == "text" && e.Text != "":
				m.Text += e.Text
			case e.Type == "link" && e.URL != "":
				if e.Text == "" {
					e.Text = e.URL
				}
				m.Text += e.Text
			default:
				return "invalid_blocks: must be more than 0 characters"
			}
		}
	}
	return ""
}

func (m *Message) actions(elements []json.RawMessage) (code string) {
	if len(elements) == 0 || len(elements) > 25 {
		return "invalid_blocks: no more than 25 items allowed [json-pointer:/blocks/1/elements]"
	}
	seen := map[string]bool{}
	for _, raw := range elements {
		var e struct {
			Type        string      `json:"type"`
			ActionID    string      `json:"action_id"`
			Value       string      `json:"value"`
			Text        *textObject `json:"text"`
			Placeholder *textObject `json:"placeholder"`
			Options     []struct {
				Text  *textObject `json:"text"`
				Value string      `json:"value"`
			} `json:"options"`
		}
		if err := json.Unmarshal(raw, &e); err != nil || e.ActionID == "" || seen[e.ActionID] {
			return "invalid_blocks: action_id must be given and differ"
		}
		seen[e.ActionID] = true
		switch e.Type {
		case "button":
			if code := e.Text.check(75); code != "" {
				return code
			}
			if len(e.Value) > 2000 {
				return "invalid_blocks: must be less than 2001 characters"
			}
			m.Choices = append(m.Choices, Choice{unescape(e.Text.Text), e.Value, e.ActionID})
		case "static_select":
			if code := e.Placeholder.check(150); code != "" {
				return code
			}
			if len(e.Options) == 0 || len(e.Options) > 100 {
				return "invalid_blocks: no more than 100 items allowed"
			}
			m.Menu = true
			for _, o := range e.Options {
				if code := o.Text.check(75); code != "" {
					return code
				}
				if o.Value == "" || len(o.Value) > 150 {
					return "invalid_blocks: must be less than 151 characters"
				}
				m.Choices = append(m.Choices, Choice{unescape(o.Text.Text), o.Value, e.ActionID})
			}
		default:
			return "invalid_blocks: unsupported type: " + e.Type
		}
	}
	return ""
}

func (t *textObject) check(limit int) (code string) {
	switch {
	case t == nil || t.Type != "plain_text" || t.Text == "":
		return "invalid_blocks: plain_text is required"
	case utf8.RuneCountInString(t.Text) > limit:
		return fmt.Sprintf("invalid_blocks: must be less than %d characters", limit+1)
	}
	return ""
}

func unescape(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}
