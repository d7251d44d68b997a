package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"parley/adapters"
	"parley/conversation"
)

// delivery is one POST of Meta's.
type delivery struct {
	Object string `json:"object"`
	Entry  []struct {
		Changes []struct {
			Field string          `json:"field"`
			Value json.RawMessage `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

// change is the value of a change in the fields messages and smb_message_echoes.
type change struct {
	Metadata struct {
		PhoneNumberID string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []struct {
		WaID    string `json:"wa_id"`
		UserID  string `json:"user_id"`
		Profile struct {
			Name string `json:"name"`
		} `json:"profile"`
	} `json:"contacts"`
	Messages      []json.RawMessage `json:"messages"`
	MessageEchoes []json.RawMessage `json:"message_echoes"`
	Statuses      []json.RawMessage `json:"statuses"`
	Errors        []metaError       `json:"errors"` // of the account, not of one message
}

// incoming is one message; what it holds besides stays in Event.Raw, such as the ad (referral) that the person came from.
type incoming struct {
	ID         string `json:"id"`
	From       string `json:"from"`
	FromUserID string `json:"from_user_id"` // instead of From, when they hide their number
	To         string `json:"to"`           // of an echo
	GroupID    string `json:"group_id"`
	Timestamp  second `json:"timestamp"`
	Type       string `json:"type"`
	Text       struct {
		Body string `json:"body"`
	} `json:"text"`
	Button struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	} `json:"button"`
	Interactive struct {
		Type        string `json:"type"`
		ButtonReply row    `json:"button_reply"`
		ListReply   row    `json:"list_reply"`
	} `json:"interactive"`
	Image, Video struct {
		Caption string `json:"caption"`
	}
	Document struct {
		Caption string `json:"caption"`
		Name    string `json:"filename"`
	} `json:"document"`
	Reaction struct {
		Message string `json:"message_id"`
		Emoji   string `json:"emoji"` // "" when it was taken back
	} `json:"reaction"`
	Audio struct {
		Voice bool `json:"voice"`
	} `json:"audio"`
	Location struct {
		Name      string      `json:"name"`
		Address   string      `json:"address"`
		Latitude  json.Number `json:"latitude"`
		Longitude json.Number `json:"longitude"`
	} `json:"location"`
	Contacts []struct {
		Name struct {
			Formatted string `json:"formatted_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
		} `json:"phones"`
	} `json:"contacts"`
	Order struct {
		Text  string `json:"text"`
		Items []struct {
			ID       string      `json:"product_retailer_id"`
			Quantity json.Number `json:"quantity"`
		} `json:"product_items"`
	} `json:"order"`
}

// status is the fate of a message of ours.
type status struct {
	ID              string      `json:"id"`
	Status          string      `json:"status"`
	Timestamp       second      `json:"timestamp"`
	RecipientID     string      `json:"recipient_id"`
	RecipientUserID string      `json:"recipient_user_id"`
	Errors          []metaError `json:"errors"`
}

// second is a unix time, which Meta writes as text or as a number.
type second time.Time

func (s *second) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	if err != nil || n <= 0 {
		return nil //nolint:nilerr // a message without a readable time is a message still
	}
	*s = second(time.Unix(n, 0).UTC())
	return nil
}

var errNoDelivery = errors.New("not a delivery of WhatsApp")

// convert reads a POST. What is in a form we do not know is logged and left out; only what is no delivery at all is an error.
func (m *Messenger) convert(raw []byte) ([]conversation.Event, error) {
	var d delivery
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoDelivery, err)
	}
	if d.Object == "" {
		return nil, fmt.Errorf("%w: it names no object", errNoDelivery)
	}
	var events []conversation.Event
	for _, entry := range d.Entry {
		for _, c := range entry.Changes {
			if d.Object != "whatsapp_business_account" || c.Field != "messages" && c.Field != "smb_message_echoes" {
				continue
			}
			var value change
			if err := json.Unmarshal(c.Value, &value); err != nil {
				m.log.Warn("whatsapp change not understood", "field", c.Field, "problem", err)
				continue
			}
			if id := value.Metadata.PhoneNumberID; id != m.numberID {
				m.log.Warn("whatsapp delivery is for another number; give that its own callback address", "phone_number_id", id)
				continue
			}
			events = append(events, m.events(value)...)
		}
	}
	return events, nil
}

func (m *Messenger) events(value change) []conversation.Event {
	var events []conversation.Event
	for _, raw := range value.Messages {
		var msg incoming
		if err := json.Unmarshal(raw, &msg); err != nil {
			m.log.Warn("whatsapp message not understood", "problem", err)
			continue
		}
		if e, ok := heard(msg); ok {
			e.Raw, e.SenderName = raw, value.name(e.Sender)
			events = append(events, e)
		}
	}
	for _, raw := range value.MessageEchoes {
		var msg incoming
		if err := json.Unmarshal(raw, &msg); err != nil {
			m.log.Warn("whatsapp echo not understood", "problem", err)
			continue
		}
		text, media := said(msg)
		if media != "" {
			text = "[" + media + "] " + text
		}
		if to := onlyDigits(msg.To); text != "" && to != "" && msg.ID != "" {
			events = append(events, conversation.Event{
				Kind: conversation.Staff, ID: msg.ID, Chat: to, Sender: to, At: time.Time(msg.Timestamp), Text: text, Raw: raw,
			})
		}
	}
	for _, raw := range value.Statuses {
		var s status
		if err := json.Unmarshal(raw, &s); err != nil {
			m.log.Warn("whatsapp status not understood", "problem", err)
			continue
		}
		events = append(events, m.fate(s, raw)...)
	}
	for _, e := range value.Errors {
		m.log.Warn("whatsapp reports trouble with the account", "code", e.Code, "problem", m.graph.redact(e.text()))
		m.ails(e)
	}
	return events
}

func (c change) name(sender string) string {
	for _, contact := range c.Contacts {
		if contact.WaID == sender || contact.UserID == sender {
			return oneLine(contact.Profile.Name, 128)
		}
	}
	return ""
}

// oneLine is a stranger's text of at most so many characters.
func oneLine(text string, most int) string {
	runes := []rune(strings.ReplaceAll(adapters.Clean(text), "\n", " "))
	return string(runes[:min(len(runes), most)])
}

// heard is what a person did; false when it is nothing to us: a reaction taken back, a change of their number, a word in a group,
// whose members must not read each other's prices.
func heard(msg incoming) (conversation.Event, bool) {
	who := msg.From
	if who == "" {
		who = msg.FromUserID
	}
	e := conversation.Event{Kind: conversation.Text, ID: msg.ID, Message: msg.ID, Chat: who, Sender: who, At: time.Time(msg.Timestamp)}
	if who == "" || msg.ID == "" || msg.GroupID != "" {
		return e, false
	}
	switch {
	case msg.Type == "request_welcome":
		e.Kind = conversation.Start
		return e, true
	case msg.Type == "interactive" && msg.Interactive.ButtonReply.ID != "":
		e.Kind, e.Value = conversation.Choice, msg.Interactive.ButtonReply.ID
		return e, true
	case msg.Type == "interactive" && msg.Interactive.ListReply.ID != "":
		e.Kind, e.Value = conversation.Choice, msg.Interactive.ListReply.ID
		return e, true
	case msg.Type == "button" && msg.Button.Payload != "" && msg.Button.Payload != msg.Button.Text:
		e.Kind, e.Value = conversation.Choice, msg.Button.Payload
		return e, true
	case msg.Type == "reaction":
		e.Kind, e.Message, e.Value, e.Text = conversation.Reaction, "", msg.Reaction.Message, adapters.Clean(msg.Reaction.Emoji)
		return e, e.Text != "" && e.Value != ""
	case msg.Type == "text":
		if token, ok := startToken(msg.Text.Body); ok {
			e.Kind, e.Value = conversation.Start, token
			return e, true
		}
	}
	e.Text, e.Media = said(msg)
	return e, e.Text != ""
}

// start is "start TOKEN", as Messenger.Link has it, with whatever the person wrote behind it. The token is long: "start over
// please" is just words.
var start = regexp.MustCompile(`^(?i:start)[ \t]+([A-Za-z0-9_-]{16,128})(?:\s|$)`)

func startToken(text string) (string, bool) {
	found := start.FindStringSubmatch(adapters.Clean(text))
	if found == nil {
		return "", false
	}
	return found[1], true
}

// said is the words of a message and what came along with them. Of a message without words the text is what stands for it; it is
// empty for what is none of staff's business.
func said(msg incoming) (text, media string) {
	with := func(media, caption string) (string, string) {
		if caption = adapters.Clean(caption); caption != "" {
			return caption, media
		}
		return "[" + media + "]", ""
	}
	switch msg.Type {
	case "text":
		return adapters.Clean(msg.Text.Body), ""
	case "button": // a quick reply without a payload of ours carries its own words: "Stop", say
		return adapters.Clean(msg.Button.Text), ""
	case "interactive":
		return "[form]", ""
	case "image":
		return with("photo", msg.Image.Caption)
	case "video":
		return with("video", msg.Video.Caption)
	case "document":
		return with(strings.TrimSpace("file "+oneLine(msg.Document.Name, 100)), msg.Document.Caption)
	case "sticker":
		return "[sticker]", ""
	case "audio":
		if msg.Audio.Voice {
			return "[voice message]", ""
		}
		return "[audio]", ""
	case "location":
		return msg.place(), ""
	case "contacts":
		return msg.people(), ""
	case "order":
		return msg.cart(), ""
	case "", "system", "reaction":
		return "", ""
	}
	return "[unsupported message]", "" // also what WhatsApp will think of next: somebody said something
}

// people are the contacts that somebody passed on, each with the numbers.
func (msg incoming) people() string {
	names := []string{}
	for _, c := range msg.Contacts {
		about := []string{c.Name.Formatted}
		for _, p := range c.Phones {
			about = append(about, p.Phone)
		}
		names = append(names, strings.TrimSpace(strings.Join(about, " ")))
	}
	return adapters.Clean("[contact] " + strings.Join(names, ", "))
}

func (msg incoming) place() string {
	parts := []string{}
	for _, part := range []string{msg.Location.Name, msg.Location.Address} {
		if part = adapters.Clean(part); part != "" {
			parts = append(parts, part)
		}
	}
	if at := msg.Location; at.Latitude != "" && at.Longitude != "" {
		parts = append(parts, at.Latitude.String()+","+at.Longitude.String())
	}
	return strings.TrimSpace("[location] " + strings.Join(parts, ", "))
}

// cart is an order from the catalogue in WhatsApp, which we do not sell from: staff can read what was meant.
func (msg incoming) cart() string {
	var items []string
	for _, item := range msg.Order.Items {
		items = append(items, item.Quantity.String()+" × "+item.ID)
	}
	return adapters.Clean("[order] " + strings.Join(items, ", ") + "\n" + msg.Order.Text)
}

// fate reports what became of a message. A failure says why in Text; one that means that the address is dead blocks it.
func (m *Messenger) fate(s status, raw []byte) []conversation.Event {
	who := s.RecipientID
	if who == "" {
		who = s.RecipientUserID
	}
	switch s.Status {
	case "delivered", "read", "failed":
	default:
		return nil // "sent" says no more than that Send had no error
	}
	if who == "" || s.ID == "" {
		return nil
	}
	e := conversation.Event{
		Kind: conversation.Receipt, Name: s.Status, Value: s.ID, ID: s.ID + ":" + s.Status,
		Chat: who, Sender: who, At: time.Time(s.Timestamp), Raw: raw,
	}
	if s.Status != "failed" {
		m.works()
		return []conversation.Event{e}
	}
	if len(s.Errors) == 0 {
		return []conversation.Event{e}
	}
	why := s.Errors[0]
	e.Text = fmt.Sprintf("%d: %s", why.Code, adapters.Clean(m.graph.redact(why.text())))
	m.log.Warn("whatsapp message failed after it was taken", "message", s.ID, "code", why.Code, "problem", e.Text)
	m.ails(why)
	events := []conversation.Event{e}
	if why.Code == codeUndeliverable {
		blocked := e
		blocked.Kind, blocked.Name, blocked.Value, blocked.ID = conversation.Blocked, "", "", s.ID+":blocked"
		events = append(events, blocked)
	}
	return events
}
