package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"parley/adapters"
	"parley/conversation"
)

// message is what POST /{phone number id}/messages takes. Exactly one of the parts named by Type is there.
type message struct {
	Product       string           `json:"messaging_product"`
	RecipientType string           `json:"recipient_type"`
	To            string           `json:"to,omitempty"`
	Recipient     string           `json:"recipient,omitempty"`
	Type          string           `json:"type"`
	Text          *textBody        `json:"text,omitempty"`
	Image         *media           `json:"image,omitempty"`
	Interactive   *interactive     `json:"interactive,omitempty"`
	Template      *templateMessage `json:"template,omitempty"`
	Reaction      *reaction        `json:"reaction,omitempty"`
}

type textBody struct {
	PreviewURL bool   `json:"preview_url"` // a preview would open links to buy before the person does
	Body       string `json:"body"`
}

type media struct {
	Link    string `json:"link"`
	Caption string `json:"caption,omitempty"`
}

type reaction struct {
	Message string `json:"message_id"`
	Emoji   string `json:"emoji"`
}

type interactive struct {
	Type   string  `json:"type"`
	Header *header `json:"header,omitempty"`
	Body   body    `json:"body"`
	Action action  `json:"action"`
}

type header struct {
	Type  string `json:"type"`
	Image *media `json:"image"`
}

type body struct {
	Text string `json:"text"`
}

type action struct {
	Buttons  []button  `json:"buttons,omitempty"`
	Button   string    `json:"button,omitempty"`
	Sections []section `json:"sections,omitempty"`
}

type button struct {
	Type  string `json:"type"`
	Reply row    `json:"reply"`
}

type section struct {
	Rows []row `json:"rows"`
}

type row struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Send delivers a part: as text, picture, reply buttons or list, or by a template when the person's window is closed. A
// picture that WhatsApp does not take never costs the words: it is left out and logged. Lists have no pictures.
func (m *Messenger) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	msg, failed := addressed(part.Chat)
	if failed != nil {
		return adapters.Sent{}, failed
	}
	if part.WindowClosed {
		if msg.Template = m.template(part); msg.Template == nil {
			return adapters.Sent{}, &adapters.SendError{
				Consequence: adapters.Window, Code: "no_template",
				Reason: fmt.Sprintf("the person wrote more than 24 hours ago, and no template fits a message of class %q with these choices", part.Class),
			}
		}
		msg.Type = "template"
		return m.send(ctx, part.Chat, msg)
	}
	full := compose(msg, part)
	if part.Image != "" && part.Text == "" && len(part.Choices) == 0 && full.Image == nil {
		m.log.WarnContext(ctx, "whatsapp cannot show a picture, left it out", "image", part.Image)
		return adapters.Sent{}, nil
	}
	sent, err := m.send(ctx, part.Chat, full)
	if !full.pictured() || !rejected(err) {
		return sent, err
	}
	m.log.WarnContext(ctx, "whatsapp refused a message with a picture, left that out", "image", part.Image, "problem", err)
	if part.Text == "" && len(part.Choices) == 0 {
		return adapters.Sent{}, nil
	}
	part.Image = ""
	return m.send(ctx, part.Chat, compose(msg, part))
}

func (msg message) pictured() bool {
	return msg.Image != nil || msg.Interactive != nil && msg.Interactive.Header != nil
}

func (m *Messenger) send(ctx context.Context, chat string, msg message) (adapters.Sent, error) {
	answer, err := m.graph.post(ctx, m.numberID+"/messages", msg)
	if err != nil {
		return adapters.Sent{}, m.sendError(chat, err)
	}
	m.throttle.passed(chat)
	var taken struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(answer, &taken); err != nil || len(taken.Messages) == 0 {
		return adapters.Sent{}, nil // sent, but we do not know as what
	}
	return adapters.Sent{ID: taken.Messages[0].ID}, nil
}

// businessScoped is the form of the ids of people who hide their number: US.13491208655302741918.
var businessScoped = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)

// addressed begins a message to a chat.
func addressed(chat string) (message, *adapters.SendError) {
	msg := message{Product: "whatsapp", RecipientType: "individual"}
	switch number := onlyDigits(chat); {
	case businessScoped.MatchString(chat):
		msg.Recipient = chat
	case number != "" && strings.Trim(chat, "+0123456789 ()-./") == "":
		msg.To = number
	default:
		return msg, &adapters.SendError{
			Consequence: adapters.Rejected, Code: "bad_chat", Reason: fmt.Sprintf("%q is not a number of WhatsApp", chat),
		}
	}
	return msg, nil
}

func compose(msg message, part adapters.Part) message {
	picture := ""
	if showable(part.Image) && utf8.RuneCountInString(part.Text) <= interactiveLimit {
		picture = part.Image
	}
	text := part.Text
	if text == "" {
		text = "…" // buttons and lists must have one
	}
	switch {
	case Limits.InList(part.Choices):
		msg.Type = "interactive"
		msg.Interactive = &interactive{Type: "list", Body: body{Text: text}, Action: action{Button: choose(part.Language), Sections: []section{{Rows: rows(part.Choices)}}}}
	case len(part.Choices) > 0:
		msg.Type = "interactive"
		msg.Interactive = &interactive{Type: "button", Body: body{Text: text}}
		if picture != "" {
			msg.Interactive.Header = &header{Type: "image", Image: &media{Link: picture}}
		}
		for _, r := range rows(part.Choices) {
			msg.Interactive.Action.Buttons = append(msg.Interactive.Action.Buttons, button{Type: "reply", Reply: r})
		}
	case picture != "":
		msg.Type, msg.Image = "image", &media{Link: picture, Caption: part.Text}
	default:
		msg.Type, msg.Text = "text", &textBody{Body: part.Text}
	}
	return msg
}

// rows are the choices with titles that differ, as WhatsApp demands: labels may have been shortened to the same.
func rows(choices []conversation.Option) []row {
	longest := Limits.Buttons.Label
	if Limits.InList(choices) {
		longest = Limits.List.Label
	}
	out := make([]row, len(choices))
	seen := map[string]bool{}
	for i, c := range choices {
		title := c.Label
		for n := 2; seen[title]; n++ {
			mark := fmt.Sprintf(" (%d)", n)
			runes := []rune(c.Label)
			title = strings.TrimSpace(string(runes[:min(len(runes), longest-len(mark))])) + mark
		}
		seen[title] = true
		out[i] = row{ID: c.Value, Title: title}
	}
	return out
}

// choose is what stands on the button that opens a list.
func choose(language string) string {
	if base, _, _ := strings.Cut(strings.ToLower(language), "-"); base == "de" {
		return "Auswählen"
	}
	return "Choose"
}

// showable says that Meta's servers can load the picture, and that it is not of a kind that WhatsApp is known to refuse: it
// takes JPEG and PNG.
func showable(image string) bool {
	u, err := url.Parse(image)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".webp", ".gif", ".svg", ".avif", ".heic", ".bmp", ".tif", ".tiff", ".ico":
		return false
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost") && !strings.HasSuffix(host, ".local")
}

func rejected(err error) bool {
	refusal, ok := errors.AsType[*adapters.SendError](err)
	return ok && refusal.Consequence == adapters.Rejected
}

// readMark marks a message of theirs as read, and shows "typing" for 25 seconds or until we write.
type readMark struct {
	Product string `json:"messaging_product"`
	Status  string `json:"status"`
	Message string `json:"message_id"`
	Typing  struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`
}

// Typing shows "typing" under the latest message of the chat, which is thereby marked as read. Where this process has seen
// none, it does nothing.
func (m *Messenger) Typing(ctx context.Context, chat string) error {
	id := m.latest.get(chat)
	if id == "" {
		return nil
	}
	mark := readMark{Product: "whatsapp", Status: "read", Message: id}
	mark.Typing.Type = "text"
	if _, err := m.graph.post(ctx, m.numberID+"/messages", mark); err != nil {
		return fmt.Errorf("show typing: %w", err)
	}
	return nil
}

// React puts an emoji on a message of the person's. To WhatsApp that is a message, with the window and the rate of one.
func (m *Messenger) React(ctx context.Context, chat, message, emoji string) error {
	msg, failed := addressed(chat)
	if failed != nil {
		return failed
	}
	msg.Type, msg.Reaction = "reaction", &reaction{Message: message, Emoji: emoji}
	if _, err := m.send(ctx, chat, msg); err != nil {
		return fmt.Errorf("put a sign on a message: %w", err)
	}
	return nil
}

// recent remembers the latest message of each chat, of some thousand chats.
type recent struct {
	mu        sync.Mutex
	now, past map[string]string
}

const recentChats = 4096

func (r *recent) put(chat, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || len(r.now) >= recentChats {
		r.now, r.past = map[string]string{}, r.now
	}
	r.now[chat] = id
}

func (r *recent) get(chat string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id := r.now[chat]; id != "" {
		return id
	}
	return r.past[chat]
}
