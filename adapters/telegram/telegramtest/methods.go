package telegramtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// method is one method of the Bot API with the parameters it may have here.
type method struct {
	params string
	do     func(*Server, *http.Request) (any, *failure)
}

// methods are what this server can; none of them is ever changed.
var methods = map[string]method{
	"getMe":          {"", (*Server).getMe},
	"getUpdates":     {"offset limit timeout allowed_updates", (*Server).getUpdates},
	"setWebhook":     {"url secret_token allowed_updates max_connections drop_pending_updates ip_address", (*Server).setWebhook},
	"deleteWebhook":  {"drop_pending_updates", (*Server).deleteWebhook},
	"getWebhookInfo": {"", (*Server).getWebhookInfo},
	"sendMessage": {
		"chat_id text entities reply_markup disable_web_page_preview link_preview_options disable_notification reply_to_message_id",
		(*Server).sendMessage,
	},
	"sendPhoto":              {"chat_id photo caption caption_entities reply_markup disable_notification", (*Server).sendPhoto},
	"sendChatAction":         {"chat_id action", (*Server).sendChatAction},
	"editMessageText":        {"chat_id message_id text entities reply_markup disable_web_page_preview", (*Server).editMessageText},
	"editMessageReplyMarkup": {"chat_id message_id reply_markup", (*Server).editMessageReplyMarkup},
	"deleteMessage":          {"chat_id message_id", (*Server).deleteMessage},
	"answerCallbackQuery":    {"callback_query_id text show_alert cache_time url", (*Server).answerCallbackQuery},
}

// Message is a message of the bot as the person's phone shows it.
type Message struct {
	ID      int
	Text    string // or the caption
	Image   string
	Buttons []Button
	Edits   int
	Deleted bool
}

// Button is one button under a message.
type Button struct{ Label, Data, URL string }

func (s *Server) getMe(*http.Request) (any, *failure) {
	return map[string]any{"id": 123456789, "is_bot": true, "first_name": "Parley Test", "username": Username}, nil
}

func (s *Server) sendMessage(r *http.Request) (any, *failure) {
	msg := &Message{Text: r.Form.Get("text")}
	if failed := checkText(msg.Text); failed != nil {
		return nil, failed
	}
	return s.show(r, msg)
}

func (s *Server) sendPhoto(r *http.Request) (any, *failure) {
	msg := &Message{Text: r.Form.Get("caption"), Image: r.Form.Get("photo")}
	if units(msg.Text) > 1024 {
		return nil, bad("message caption is too long")
	}
	if u, err := url.Parse(msg.Image); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, bad("wrong remote file identifier specified: can't unserialize it")
	}
	return s.show(r, msg)
}

// show puts a message on the person's phone.
func (s *Server) show(r *http.Request, msg *Message) (any, *failure) {
	buttons, failed := keyboard(r.Form.Get("reply_markup"))
	if failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, failed := s.reachable(r)
	if failed != nil {
		return nil, failed
	}
	msg.ID, msg.Buttons = s.next("message"), buttons
	msg.Text = strings.TrimSpace(msg.Text)
	p.messages = append(p.messages, msg)
	s.wake()
	return s.messageJSON(p, msg), nil
}

func (s *Server) messageJSON(p *Person, msg *Message) map[string]any {
	return map[string]any{
		"message_id": msg.ID, "date": time.Now().Unix(), "chat": p.chat(), "text": msg.Text,
		"from": map[string]any{"id": 123456789, "is_bot": true, "first_name": "Parley Test", "username": Username},
	}
}

// reachable finds who is written to, or why they cannot be. The caller holds the lock.
func (s *Server) reachable(r *http.Request) (*Person, *failure) {
	id, err := strconv.ParseInt(r.Form.Get("chat_id"), 10, 64)
	p := s.people[id]
	switch {
	case err != nil || p == nil:
		return nil, bad("chat not found")
	case p.blocked:
		return nil, &failure{code: http.StatusForbidden, description: "Forbidden: bot was blocked by the user"}
	case !p.started:
		return nil, &failure{code: http.StatusForbidden, description: "Forbidden: bot can't initiate conversation with a user"}
	}
	return p, nil
}

func (s *Server) sendChatAction(r *http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, failed := s.reachable(r); failed != nil {
		return nil, failed
	}
	if !slices.Contains([]string{"typing", "upload_photo"}, r.Form.Get("action")) {
		return nil, bad("wrong parameter action in request")
	}
	return true, nil
}

func (s *Server) editMessageText(r *http.Request) (any, *failure) {
	text := r.Form.Get("text")
	if failed := checkText(text); failed != nil {
		return nil, failed
	}
	return s.edit(r, func(msg *Message, buttons []Button) { msg.Text, msg.Buttons = strings.TrimSpace(text), buttons })
}

func (s *Server) editMessageReplyMarkup(r *http.Request) (any, *failure) {
	return s.edit(r, func(msg *Message, buttons []Button) { msg.Buttons = buttons })
}

func (s *Server) edit(r *http.Request, change func(*Message, []Button)) (any, *failure) {
	buttons, failed := keyboard(r.Form.Get("reply_markup"))
	if failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, msg, failed := s.find(r)
	if failed != nil {
		return nil, failed
	}
	before := *msg
	change(msg, buttons)
	if before.Text == msg.Text && slices.Equal(before.Buttons, msg.Buttons) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	msg.Edits++
	s.wake()
	return s.messageJSON(p, msg), nil
}

func (s *Server) deleteMessage(r *http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, msg, failed := s.find(r)
	if failed != nil {
		return nil, failed
	}
	msg.Deleted = true
	s.wake()
	return true, nil
}

// find looks up a message of the bot. The caller holds the lock.
func (s *Server) find(r *http.Request) (*Person, *Message, *failure) {
	p, failed := s.reachable(r)
	if failed != nil {
		return nil, nil, failed
	}
	id := number(r, "message_id", 0)
	i := slices.IndexFunc(p.messages, func(m *Message) bool { return m.ID == id && !m.Deleted })
	if i < 0 {
		return nil, nil, bad("message to edit not found")
	}
	return p, p.messages[i], nil
}

func (s *Server) answerCallbackQuery(r *http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cb := s.callbacks[r.Form.Get("callback_query_id")]
	if cb == nil || cb.answered {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	cb.answered = true
	s.wake()
	return true, nil
}

func checkText(text string) *failure {
	switch {
	case strings.TrimSpace(text) == "":
		return bad("message text is empty")
	case units(text) > 4096:
		return bad("message is too long")
	}
	return nil
}

func units(text string) int { return len(utf16.Encode([]rune(text))) }

// keyboard reads and checks an inline keyboard.
func keyboard(markup string) ([]Button, *failure) {
	if markup == "" {
		return nil, nil
	}
	var in struct {
		Inline [][]struct {
			Text string  `json:"text"`
			Data *string `json:"callback_data"`
			URL  string  `json:"url"`
		} `json:"inline_keyboard"`
	}
	dec := json.NewDecoder(strings.NewReader(markup))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return nil, bad("can't parse reply keyboard markup JSON object")
	}
	var buttons []Button
	for _, row := range in.Inline {
		for _, b := range row {
			switch {
			case strings.TrimSpace(b.Text) == "":
				return nil, bad("inline keyboard button text must be non-empty")
			case (b.Data == nil) == (b.URL == ""):
				return nil, bad("inline keyboard button must have exactly one action")
			case b.Data != nil && (len(*b.Data) < 1 || len(*b.Data) > 64):
				return nil, bad("BUTTON_DATA_INVALID")
			}
			button := Button{Label: b.Text, URL: b.URL}
			if b.Data != nil {
				button.Data = *b.Data
			}
			buttons = append(buttons, button)
		}
	}
	if len(buttons) > 100 {
		return nil, bad("reply markup is too long")
	}
	return buttons, nil
}
