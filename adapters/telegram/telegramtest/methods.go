package telegramtest

import (
	"encoding/json"
	"net/http"
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
		"chat_id text entities reply_markup disable_web_page_preview link_preview_options disable_notification message_thread_id reply_parameters",
		(*Server).sendMessage,
	},
	"sendPhoto": {"chat_id photo caption caption_entities reply_markup disable_notification message_thread_id reply_parameters", (*Server).sendPhoto},
	"sendInvoice": {
		"chat_id title description payload provider_token currency prices start_parameter photo_url reply_markup disable_notification protect_content",
		(*Server).sendInvoice,
	},
	"answerPreCheckoutQuery": {"pre_checkout_query_id ok error_message", (*Server).answerPreCheckoutQuery},
	"setMessageReaction":     {"chat_id message_id reaction is_big", (*Server).setMessageReaction},
	"sendChatAction":         {"chat_id action message_thread_id", (*Server).sendChatAction},
	"editMessageText":        {"chat_id message_id text entities reply_markup disable_web_page_preview", (*Server).editMessageText},
	"editMessageCaption":     {"chat_id message_id caption caption_entities reply_markup", (*Server).editMessageCaption},
	"getChat":                {"chat_id", (*Server).getChat},
	"createForumTopic":       {"chat_id name icon_color icon_custom_emoji_id", (*Server).createForumTopic},
	"editMessageReplyMarkup": {"chat_id message_id reply_markup", (*Server).editMessageReplyMarkup},
	"deleteMessage":          {"chat_id message_id", (*Server).deleteMessage},
	"answerCallbackQuery":    {"callback_query_id text show_alert cache_time url", (*Server).answerCallbackQuery},
}

// Message is a message of the bot as the person's phone shows it.
type Message struct {
	ID      int
	Text    string // or the caption
	Image   string // where it is; of one that was uploaded its id
	Upload  []byte // the picture itself, when the bot sent that
	Buttons []Button
	Invoice *Invoice
	Edits   int
	Deleted bool

	Reaction string // what the person put on it
}

// Button is one button under a message.
type Button struct {
	Label, Data, URL string
	Pay              bool
}

func (s *Server) getMe(*http.Request) (any, *failure) {
	return bot(), nil
}

func (s *Server) sendMessage(r *http.Request) (any, *failure) {
	msg := &Message{Text: r.Form.Get("text")}
	if failed := checkText(msg.Text); failed != nil {
		return nil, failed
	}
	return s.show(r, msg)
}

func (s *Server) sendPhoto(r *http.Request) (any, *failure) {
	msg := &Message{Text: r.Form.Get("caption")}
	if units(msg.Text) > 1024 {
		return nil, bad("message caption is too long")
	}
	if failed := s.photo(r, msg); failed != nil {
		return nil, failed
	}
	return s.show(r, msg)
}

// show puts a message on the person's phone.
func (s *Server) show(r *http.Request, msg *Message) (any, *failure) {
	buttons, failed := keyboard(r.Form.Get("reply_markup"))
	if failed != nil {
		return nil, failed
	}
	msg.Buttons, msg.Text = buttons, strings.TrimSpace(msg.Text)
	if failed := payable(msg); failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, failed := s.group(r)
	if failed != nil {
		return nil, failed
	}
	if g != nil {
		msg.ID = s.next("message")
		return g.post(r, msg)
	}
	p, failed := s.reachable(r)
	if failed != nil {
		return nil, failed
	}
	if r.Form.Has("message_thread_id") {
		return nil, bad("message thread not found")
	}
	msg.ID = s.next("message")
	p.messages = append(p.messages, msg)
	s.wake()
	return s.messageJSON(p, msg), nil
}

func (s *Server) messageJSON(p *Person, msg *Message) map[string]any {
	out := map[string]any{"message_id": msg.ID, "date": time.Now().Unix(), "chat": p.chat(), "from": bot()}
	switch {
	case msg.Invoice != nil:
		in := msg.Invoice
		out["invoice"] = map[string]any{
			"title": in.Title, "description": in.Description, "start_parameter": "", "currency": in.Currency, "total_amount": in.Amount,
		}
	case msg.Upload != nil:
		out["caption"] = msg.Text
		out["photo"] = []any{
			map[string]any{"file_id": "small-" + msg.Image, "file_unique_id": "us", "width": 90, "height": 90},
			map[string]any{"file_id": msg.Image, "file_unique_id": "ul", "width": 800, "height": 800},
		}
	default:
		out["text"] = msg.Text
	}
	return out
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
	switch g, failed := s.group(r); {
	case failed != nil:
		return nil, failed
	case g == nil:
		if _, failed := s.reachable(r); failed != nil {
			return nil, failed
		}
	case r.Form.Has("message_thread_id") && g.topic(number(r, "message_thread_id", 0)) == nil:
		return nil, bad("message thread not found")
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
	return s.edit(r, func(msg *Message, buttons []Button) *failure {
		if msg.Image != "" {
			return bad("there is no text in the message to edit")
		}
		msg.Text, msg.Buttons = strings.TrimSpace(text), buttons
		return nil
	})
}

func (s *Server) editMessageReplyMarkup(r *http.Request) (any, *failure) {
	return s.edit(r, func(msg *Message, buttons []Button) *failure { msg.Buttons = buttons; return nil })
}

func (s *Server) edit(r *http.Request, change func(*Message, []Button) *failure) (any, *failure) {
	buttons, failed := keyboard(r.Form.Get("reply_markup"))
	if failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	msg, shown, failed := s.find(r)
	if failed != nil {
		return nil, failed
	}
	before := *msg
	if failed := change(msg, buttons); failed != nil {
		return nil, failed
	}
	if before.Text == msg.Text && slices.Equal(before.Buttons, msg.Buttons) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	msg.Edits++
	s.wake()
	return shown(), nil
}

func (s *Server) editMessageCaption(r *http.Request) (any, *failure) {
	caption := r.Form.Get("caption")
	if units(caption) > 1024 {
		return nil, bad("message caption is too long")
	}
	return s.edit(r, func(msg *Message, buttons []Button) *failure {
		if msg.Image == "" {
			return bad("there is no caption in the message to edit")
		}
		msg.Text, msg.Buttons = strings.TrimSpace(caption), buttons
		return nil
	})
}

func (s *Server) deleteMessage(r *http.Request) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	msg, _, failed := s.find(r)
	if failed != nil {
		return nil, failed
	}
	msg.Deleted = true
	s.wake()
	return true, nil
}

// find looks up a message of the bot, and what is answered about it. The caller holds the lock.
func (s *Server) find(r *http.Request) (msg *Message, shown func() any, failed *failure) {
	id := number(r, "message_id", 0)
	g, failed := s.group(r)
	if failed != nil {
		return nil, nil, failed
	}
	if g != nil {
		switch m := g.find(id); {
		case m == nil || m.Topic != 0 && g.topic(m.Topic) == nil:
			return nil, nil, bad("message to edit not found")
		case m.From != Username:
			return nil, nil, bad("message can't be edited")
		default:
			return &m.Message, func() any { return g.json(m, bot()) }, nil
		}
	}
	p, failed := s.reachable(r)
	if failed != nil {
		return nil, nil, failed
	}
	i := slices.IndexFunc(p.messages, func(m *Message) bool { return m.ID == id && !m.Deleted })
	if i < 0 {
		return nil, nil, bad("message to edit not found")
	}
	return p.messages[i], func() any { return s.messageJSON(p, p.messages[i]) }, nil
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
			Pay  bool    `json:"pay"`
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
			case b.Pay && (b.Data != nil || b.URL != ""), !b.Pay && (b.Data == nil) == (b.URL == ""):
				return nil, bad("inline keyboard button must have exactly one action")
			case b.Data != nil && (len(*b.Data) < 1 || len(*b.Data) > 64):
				return nil, bad("BUTTON_DATA_INVALID")
			}
			button := Button{Label: b.Text, URL: b.URL, Pay: b.Pay}
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
