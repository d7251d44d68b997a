package cloudtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Person is somebody with WhatsApp on their phone.
type Person struct {
	Number string // wa_id: digits only
	Name   string

	s        *Server
	blocked  bool
	away     bool // wrote more than 24 hours ago
	typing   bool // sees "typing"
	seen     string
	wrote    []string
	messages []Message
	signs    map[string]string // of the shop, on what they wrote
}

// Message is what a phone shows of ours.
type Message struct {
	ID       string
	Text     string
	Image    string
	Buttons  []Button
	Menu     string // what stands on the button that opens the list
	Template string
	Language string
}

// Button is a reply button, list row or quick reply.
type Button struct{ Label, Value string }

// Person returns the person of that number, who is made when there is none.
func (s *Server) Person(number, name string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[number]; p != nil {
		return p
	}
	p := &Person{Number: number, Name: name, s: s, signs: map[string]string{}}
	s.people[number] = p
	return p
}

// Type writes to the shop and returns the message's id.
func (p *Person) Type(text string) string {
	return p.Say("text", map[string]any{"text": map[string]any{"body": text}})
}

// Delivery is what Meta would post when the person writes that. It stays with the caller.
func (p *Person) Delivery(text string) []byte {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	before := p.s.batch
	var alone []change
	p.s.batch = &alone
	p.say("text", map[string]any{"text": map[string]any{"body": text}})
	p.s.batch = before
	return p.s.encode(alone)
}

// Say sends a message of any type; content is merged into it.
func (p *Person) Say(kind string, content map[string]any) (id string) {
	p.s.change(func() { id = p.say(kind, content) })
	return id
}

func (p *Person) say(kind string, content map[string]any) string {
	p.s.count++
	id := fmt.Sprintf("wamid.IN%d", p.s.count)
	message := map[string]any{"from": p.Number, "id": id, "timestamp": fmt.Sprint(time.Now().Unix()), "type": kind}
	for name, value := range content {
		message[name] = value
	}
	p.wrote, p.away = append(p.wrote, id), false
	p.s.tell("messages", map[string]any{
		"contacts": []any{map[string]any{"wa_id": p.Number, "profile": map[string]any{"name": p.Name}}},
		"messages": []any{message},
	})
	return id
}

// Open opens a wa.me link and sends what it has written there.
func (p *Person) Open(link string) string {
	p.s.tb.Helper()
	u, err := url.Parse(link)
	number := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, DisplayNumber)
	if err != nil || u.Host != "wa.me" || u.Path != "/"+number {
		p.s.tb.Fatalf("whatsapp: %q does not open the chat with %s", link, DisplayNumber)
	}
	return p.Type(u.Query().Get("text"))
}

// Press presses the button of that label on the latest message that has one.
func (p *Person) Press(label string) {
	p.s.tb.Helper()
	p.s.mu.Lock()
	var found *Message
	var button Button
	for i := len(p.messages) - 1; i >= 0 && found == nil; i-- {
		if at := slices.IndexFunc(p.messages[i].Buttons, func(b Button) bool { return b.Label == label }); at >= 0 {
			found, button = &p.messages[i], p.messages[i].Buttons[at]
		}
	}
	p.s.mu.Unlock()
	if found == nil {
		p.s.tb.Fatalf("whatsapp: %s sees no button %q", p.Name, label)
		return
	}
	content := map[string]any{"context": map[string]any{"from": strings.Trim(DisplayNumber, "+"), "id": found.ID}}
	reply := map[string]any{"id": button.Value, "title": button.Label}
	switch {
	case found.Template != "":
		content["button"] = map[string]any{"payload": button.Value, "text": button.Label}
		p.Say("button", content)
	case found.Menu != "":
		content["interactive"] = map[string]any{"type": "list_reply", "list_reply": reply}
		p.Say("interactive", content)
	default:
		content["interactive"] = map[string]any{"type": "button_reply", "button_reply": reply}
		p.Say("interactive", content)
	}
}

// Block shuts the shop out.
func (p *Person) Block() { p.s.change(func() { p.blocked = true }) }

// GoAway lets more than 24 hours pass since they wrote.
func (p *Person) GoAway() { p.s.change(func() { p.away = true }) }

// Sees says whether the person's phone shows "typing" now, and which of their messages is marked as read.
func (p *Person) Sees() (typing bool, read string) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.typing, p.seen
}

// Sign is what the shop put on a message of theirs; "" for nothing.
func (p *Person) Sign(id string) string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.signs[id]
}

// Report sends the status (sent, delivered, read or failed) of a message of ours, with Meta's code when it is not 0.
func (p *Person) Report(id, status string, code int, title string) {
	report := map[string]any{"id": id, "status": status, "timestamp": fmt.Sprint(time.Now().Unix()), "recipient_id": p.Number}
	if code != 0 {
		report["errors"] = []any{map[string]any{"code": code, "title": title, "message": title, "error_data": map[string]any{"details": title}}}
	}
	p.s.change(func() { p.s.tell("messages", map[string]any{"statuses": []any{report}}) })
}

// Hears is what somebody of the shop writes to the person from the WhatsApp Business app on their own phone.
func (p *Person) Hears(text string) {
	p.s.change(func() {
		p.s.count++
		p.s.tell("smb_message_echoes", map[string]any{"message_echoes": []any{map[string]any{
			"from": strings.Trim(DisplayNumber, "+"), "to": p.Number, "id": fmt.Sprintf("wamid.ECHO%d", p.s.count),
			"timestamp": fmt.Sprint(time.Now().Unix()), "type": "text", "text": map[string]any{"body": text},
		}}})
	})
}

// Messages are what the phone shows from the shop, oldest first.
func (p *Person) Messages() []Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return slices.Clone(p.messages)
}

// WaitFor returns the first message that contains text, waiting for it up to 10 s.
func (p *Person) WaitFor(text string) Message {
	p.s.tb.Helper()
	var found Message
	p.s.Wait(fmt.Sprintf("%s to read %q", p.Name, text), func() bool {
		messages := p.Messages()
		i := slices.IndexFunc(messages, func(m Message) bool { return strings.Contains(m.Text, text) })
		if i >= 0 {
			found = messages[i]
		}
		return i >= 0
	})
	return found
}
