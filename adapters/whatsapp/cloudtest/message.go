package cloudtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// request is all that the server knows of a message; other fields are refused.
type request struct {
	Product       string                 `json:"messaging_product"`
	RecipientType string                 `json:"recipient_type"`
	To            string                 `json:"to"`
	Recipient     string                 `json:"recipient"`
	Type          string                 `json:"type"`
	Status        string                 `json:"status"`
	MessageID     string                 `json:"message_id"`
	Typing        *struct{ Type string } `json:"typing_indicator"`
	Text          *struct {
		Body    string `json:"body"`
		Preview bool   `json:"preview_url"`
	} `json:"text"`
	Image       *picture     `json:"image"`
	Interactive *interactive `json:"interactive"`
	Template    *template    `json:"template"`
	Reaction    *struct {
		Message string `json:"message_id"`
		Emoji   string `json:"emoji"`
	} `json:"reaction"`
}

type picture struct {
	Link    string `json:"link"`
	Caption string `json:"caption"`
}

type interactive struct {
	Type   string `json:"type"`
	Header *struct {
		Type  string   `json:"type"`
		Image *picture `json:"image"`
	} `json:"header"`
	Body   struct{ Text string } `json:"body"`
	Action struct {
		Buttons []struct {
			Type  string `json:"type"`
			Reply choice `json:"reply"`
		} `json:"buttons"`
		Button   string `json:"button"`
		Sections []struct {
			Title string   `json:"title"`
			Rows  []choice `json:"rows"`
		} `json:"sections"`
	} `json:"action"`
}

type choice struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type template struct {
	Name     string `json:"name"`
	Language struct {
		Policy string `json:"policy"`
		Code   string `json:"code"`
	} `json:"language"`
	Components []struct {
		Type       string `json:"type"`
		SubType    string `json:"sub_type"`
		Index      string `json:"index"`
		Parameters []struct {
			Type    string `json:"type"`
			Text    string `json:"text"`
			Payload string `json:"payload"`
		} `json:"parameters"`
	} `json:"components"`
}

// message takes POST /messages.
func (s *Server) message(raw []byte) (any, *Fault) {
	var r request
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return nil, bad("Invalid parameter: %v", err)
	}
	if r.Product != "whatsapp" {
		return nil, bad("The parameter messaging_product is required.")
	}
	if r.Status != "" {
		return s.mark(r)
	}
	shown, failed := s.read(r)
	if failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) > 0 && (!s.faults[0].Picture || shown.Image != "") {
		fault := s.faults[0]
		s.faults = s.faults[1:]
		if !fault.Cut {
			return nil, &fault
		}
		failed = &fault
	}
	who := r.To + r.Recipient
	p := s.people[who]
	switch {
	case r.RecipientType != "individual" || (r.To == "") == (r.Recipient == ""):
		return nil, bad("The parameters recipient_type and to are required.")
	case p == nil || p.blocked:
		return nil, &Fault{Status: http.StatusBadRequest, Code: 131026, Message: "Message undeliverable"}
	case p.away && r.Template == nil:
		return nil, &Fault{Status: http.StatusBadRequest, Code: 131047, Message: "Re-engagement message"}
	}
	s.count++
	shown.ID = fmt.Sprintf("wamid.OUT%d", s.count)
	switch {
	case r.Reaction == nil:
		p.messages = append(p.messages, shown)
		p.typing = false
	case !slices.Contains(p.wrote, r.Reaction.Message):
		return nil, bad("There is no message %s", r.Reaction.Message)
	default:
		p.signs[r.Reaction.Message] = r.Reaction.Emoji
	}
	close(s.changed)
	s.changed = make(chan struct{})
	if failed != nil {
		return nil, failed
	}
	return map[string]any{
		"messaging_product": "whatsapp", "contacts": []any{map[string]any{"input": who, "wa_id": who}},
		"messages": []any{map[string]any{"id": shown.ID, "message_status": "accepted"}},
	}, nil
}

func (s *Server) mark(r request) (any, *Fault) {
	if r.Status != "read" || r.MessageID == "" || r.Typing != nil && r.Typing.Type != "text" {
		return nil, bad("Invalid status")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		if slices.Contains(p.wrote, r.MessageID) {
			p.seen, p.typing = r.MessageID, r.Typing != nil
			return map[string]any{"success": true}, nil
		}
	}
	return nil, bad("There is no message %s", r.MessageID)
}

// read is what the message shows, or why Meta refuses it.
func (s *Server) read(r request) (Message, *Fault) {
	var m Message
	given := map[string]bool{"text": r.Text != nil, "image": r.Image != nil, "interactive": r.Interactive != nil, "template": r.Template != nil, "reaction": r.Reaction != nil}
	for kind, is := range given {
		if is != (kind == r.Type) {
			return m, bad("The parameter %s does not go with type %q", kind, r.Type)
		}
	}
	switch r.Type {
	case "text":
		m.Text = r.Text.Body
		return m, check("text['body']", r.Text.Body, 1, 4096)
	case "image":
		m.Text, m.Image = r.Image.Caption, r.Image.Link
		if failed := check("image['caption']", r.Image.Caption, 0, 1024); failed != nil {
			return m, failed
		}
		return m, checkPicture(r.Image)
	case "interactive":
		return readInteractive(r.Interactive)
	case "template":
		return s.readTemplate(r.Template)
	case "reaction":
		m.Text = r.Reaction.Emoji
		return m, check("reaction['emoji']", r.Reaction.Emoji, 0, 8)
	}
	return m, bad("Param type must be one of {AUDIO, CONTACTS, …} - got %q", r.Type)
}

func check(name, text string, least, most int) *Fault {
	if n := utf8.RuneCountInString(text); n < least || n > most {
		return bad("Param %s must be between %d and %d characters long, is %d", name, least, most, n)
	}
	return nil
}

func checkPicture(p *picture) *Fault {
	u, err := url.Parse(p.Link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return bad("Param link is not a valid URL.")
	}
	switch path.Ext(u.Path) {
	case "", ".jpg", ".jpeg", ".png":
		return nil
	}
	return &Fault{Status: http.StatusBadRequest, Code: 131053, Message: "Unsupported media type: image/jpeg and image/png are taken"}
}

func readInteractive(in *interactive) (Message, *Fault) {
	m := Message{Text: in.Body.Text}
	if failed := check("interactive['body']['text']", in.Body.Text, 1, 1024); failed != nil {
		return m, failed
	}
	if in.Header != nil {
		if in.Type != "button" || in.Header.Type != "image" || in.Header.Image == nil {
			return m, bad("This header does not go with type %q", in.Type)
		}
		m.Image = in.Header.Image.Link
		if failed := checkPicture(in.Header.Image); failed != nil {
			return m, failed
		}
	}
	var choices []choice
	title, id := 20, 256
	switch {
	case in.Type == "button" && in.Action.Button == "" && in.Action.Sections == nil:
		if n := len(in.Action.Buttons); n < 1 || n > 3 {
			return m, bad("Param interactive['action']['buttons'] must have 1 to 3 items, has %d", n)
		}
		for _, b := range in.Action.Buttons {
			if b.Type != "reply" || b.Reply.Description != "" {
				return m, bad("A button must be a reply")
			}
			choices = append(choices, b.Reply)
		}
	case in.Type == "list" && in.Action.Buttons == nil && len(in.Action.Sections) == 1:
		title, id, choices, m.Menu = 24, 200, in.Action.Sections[0].Rows, in.Action.Button
		if n := len(choices); n < 1 || n > 10 {
			return m, bad("Total row count exceed max allowed count: 10")
		}
		if failed := check("interactive['action']['button']", in.Action.Button, 1, 20); failed != nil {
			return m, failed
		}
	default:
		return m, bad("interactive type %q and its action do not fit", in.Type)
	}
	for i, c := range choices {
		failed := check("title", c.Title, 1, title)
		if failed == nil {
			failed = check("description", c.Description, 0, 72)
		}
		same := func(o choice) bool { return o.ID == c.ID || o.Title == c.Title }
		switch {
		case failed != nil:
			return m, failed
		case c.ID == "" || len(c.ID) > id:
			return m, bad("Param id must be 1 to %d bytes long, is %d", id, len(c.ID))
		case slices.ContainsFunc(choices[:i], same):
			return m, &Fault{Status: http.StatusBadRequest, Code: 131009, Message: "Parameter value is not valid: duplicated id or title"}
		}
		m.Buttons = append(m.Buttons, Button{Label: c.Title, Value: c.ID})
	}
	return m, nil
}

func (s *Server) readTemplate(t *template) (Message, *Fault) {
	var m Message
	s.mu.Lock()
	known, ok := s.templates[t.Name]
	s.mu.Unlock()
	if !ok || !slices.Contains(known.Languages, t.Language.Code) {
		return m, &Fault{Status: http.StatusNotFound, Code: 132001, Message: "Template name does not exist in the translation"}
	}
	if t.Language.Policy != "deterministic" || len(t.Components) == 0 {
		return m, bad("Invalid template")
	}
	m.Template, m.Language = t.Name, t.Language.Code
	for i, c := range t.Components {
		switch {
		case len(c.Parameters) != 1:
			return m, &Fault{Status: http.StatusBadRequest, Code: 132000, Message: "Number of parameters does not match the expected number of params"}
		case i == 0 && c.Type == "body" && c.Parameters[0].Type == "text":
			m.Text = c.Parameters[0].Text
			if strings.ContainsAny(m.Text, "\n\t") || strings.Contains(m.Text, "     ") {
				return m, bad("Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
			}
			if failed := check("text", m.Text, 1, 1024); failed != nil {
				return m, failed
			}
		case i > 0 && c.Type == "button" && c.SubType == "quick_reply" && c.Index == fmt.Sprint(i-1) && i <= len(known.Buttons) && c.Parameters[0].Type == "payload":
			m.Buttons = append(m.Buttons, Button{Label: known.Buttons[i-1], Value: c.Parameters[0].Payload})
		default:
			return m, bad("Invalid template component %q", c.Type)
		}
	}
	for _, label := range known.Buttons[len(m.Buttons):] {
		m.Buttons = append(m.Buttons, Button{Label: label, Value: label}) // as Meta does without a payload
	}
	return m, nil
}
