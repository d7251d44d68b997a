package cloud

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"parley/adapters"
	"parley/config"
	"parley/conversation"
)

// templateClasses are the messages that may go out when nobody has just written: answers never do.
var templateClasses = []string{string(conversation.Notification), string(conversation.ReceiptClass), string(conversation.Reminder)}

// template is one that Meta has approved.
type template struct {
	class     conversation.Class
	name      string
	languages []string // Meta's codes: en_US, de
	buttons   []string // ids of choices, in the order of its quick replies
}

func readTemplates(entries []config.Settings) ([]template, error) {
	var out []template
	for i, s := range entries {
		t := template{
			class: conversation.Class(s.String("class")), name: s.String("name"),
			languages: s.Strings("languages"), buttons: s.Strings("buttons"),
		}
		if len(t.languages) == 0 {
			return nil, fmt.Errorf("templates[%d] %s: name at least one language", i, t.name)
		}
		if len(t.buttons) > listLimit {
			return nil, fmt.Errorf("templates[%d] %s: a template has at most %d quick replies", i, t.name, listLimit)
		}
		out = append(out, t)
	}
	// The one with the most buttons that fits is taken.
	slices.SortStableFunc(out, func(a, b template) int { return len(b.buttons) - len(a.buttons) })
	return out, nil
}

type templateMessage struct {
	Name       string              `json:"name"`
	Language   templateLanguage    `json:"language"`
	Components []templateComponent `json:"components"`
}

type templateLanguage struct {
	Policy string `json:"policy"`
	Code   string `json:"code"`
}

type templateComponent struct {
	Type       string              `json:"type"`
	SubType    string              `json:"sub_type,omitempty"`
	Index      string              `json:"index,omitempty"`
	Parameters []templateParameter `json:"parameters"`
}

type templateParameter struct {
	Type    string `json:"type"`
	Text    string `json:"text,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// template fills the template for a part; nil when none fits. It fits when the part has every choice that its buttons stand
// for: a button that means nothing must not be shown. Choices without a button are left out, as the text tells them by word.
func (m *Messenger) template(part adapters.Part) *templateMessage {
	for _, t := range m.templates {
		if t.class != part.Class {
			continue
		}
		out := &templateMessage{
			Name:       t.name,
			Language:   templateLanguage{Policy: "deterministic", Code: t.language(part.Language)},
			Components: []templateComponent{{Type: "body", Parameters: []templateParameter{{Type: "text", Text: variable(part.Text)}}}},
		}
		fits := true
		for i, id := range t.buttons {
			at := slices.IndexFunc(part.Choices, func(c conversation.Option) bool { return c.ID == id })
			if fits = at >= 0; !fits {
				break
			}
			out.Components = append(out.Components, templateComponent{
				Type: "button", SubType: "quick_reply", Index: strconv.Itoa(i),
				Parameters: []templateParameter{{Type: "payload", Payload: part.Choices[at].Value}},
			})
		}
		if fits {
			return out
		}
	}
	return nil
}

// language is the template's code for a contact's language: the same, else one of the same base, else the first.
func (t template) language(contact string) string {
	want := strings.ReplaceAll(contact, "-", "_")
	base, _, _ := strings.Cut(want, "_")
	for _, code := range t.languages {
		if strings.EqualFold(code, want) {
			return code
		}
	}
	for _, code := range t.languages {
		if of, _, _ := strings.Cut(code, "_"); base != "" && strings.EqualFold(of, base) {
			return code
		}
	}
	return t.languages[0]
}

// variable makes a text fit for a template's variable, which takes no line breaks, tabs or runs of spaces, and at most 1024
// runes.
func variable(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	text = strings.Join(lines, " · ")
	runes := []rune(text)
	if len(runes) <= interactiveLimit {
		return text
	}
	cut := interactiveLimit - 1
	for i := cut; i > cut-80; i-- {
		if unicode.IsSpace(runes[i]) {
			cut = i
			break
		}
	}
	return strings.TrimRightFunc(string(runes[:cut]), unicode.IsSpace) + "…"
}
