package discordtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// outgoing is all that this server takes in a message; what else comes is refused.
type outgoing struct {
	Content    string `json:"content"`
	Embeds     []card `json:"embeds"`
	Components []row  `json:"components"`
	Flags      int    `json:"flags"`
	Mentions   *struct {
		Parse   []string `json:"parse"`
		Replied bool     `json:"replied_user"`
	} `json:"allowed_mentions"`
	Reference *struct {
		Message string `json:"message_id"`
		Must    bool   `json:"fail_if_not_exists"`
	} `json:"message_reference"`
	Nonce   string `json:"nonce"`
	Enforce bool   `json:"enforce_nonce"`
}

type card struct {
	Description string `json:"description"`
	Image       *struct {
		URL string `json:"url"`
	} `json:"image"`
}

type row struct {
	Type       int    `json:"type"`
	Components []part `json:"components"`
}

type part struct {
	Type        int     `json:"type"`
	Label       string  `json:"label"`
	Style       int     `json:"style"`
	CustomID    string  `json:"custom_id"`
	Disabled    bool    `json:"disabled"`
	Placeholder string  `json:"placeholder"`
	Options     []entry `json:"options"`
}

type entry struct {
	Label       string          `json:"label"`
	Value       string          `json:"value"`
	Description string          `json:"description"`
	Emoji       json.RawMessage `json:"emoji"`
	Default     bool            `json:"default"`
}

func (s *Server) inChannel(r *http.Request, parts []string, body []byte) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[parts[1]]
	if ch == nil {
		return nil, &refusal{http.StatusNotFound, 10003, "Unknown Channel"}
	}
	if len(parts) == 2 {
		return s.aboutChannel(r, ch, body)
	}
	switch what := r.Method + " " + strings.Join(parts[2:min(len(parts), 3)], "") + strconv.Itoa(len(parts)); what {
	case "GET messages3":
		return s.list(ch, r.URL.Query())
	case "POST typing3":
		return nil, nil
	case "POST messages3":
		if ch.shut != 0 {
			return nil, &refusal{http.StatusForbidden, ch.shut, "Cannot send messages to this user"}
		}
		if no := ch.woken(); no != nil {
			return nil, no
		}
		return s.create(ch, body)
	case "POST threads3":
		return s.openThread(ch, body)
	case "PATCH messages4":
		if ch.Archived {
			return nil, &refusal{http.StatusBadRequest, 50083, "Thread is archived"}
		}
		return s.edit(ch, parts[3], body)
	}
	return nil, &refusal{http.StatusMethodNotAllowed, 0, "405: Method Not Allowed"}
}

// list answers newest first, as Discord does.
func (s *Server) list(ch *channel, q url.Values) (any, *refusal) {
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		return nil, bad("limit: int value should be between 1 and 100.")
	}
	after, _ := strconv.ParseUint(q.Get("after"), 10, 64)
	out := []map[string]any{}
	for _, m := range ch.history {
		if id, _ := strconv.ParseUint(m.ID, 10, 64); id > after && len(out) < limit {
			over := s.told(m.raw)
			delete(over, "guild_id") // which REST does not have
			out = append(out, over)
		}
	}
	slices.Reverse(out)
	return out, nil
}

func (s *Server) create(ch *channel, body []byte) (any, *refusal) {
	out, m, no := read(body)
	if no != nil {
		return nil, no
	}
	if out.Enforce && out.Nonce == "" || len(out.Nonce) > 25 {
		return nil, bad("nonce: Must be 25 or fewer in length.")
	}
	if out.Enforce {
		if before := s.nonces[out.Nonce]; before != nil {
			return before.raw, nil
		}
	}
	if out.Reference != nil {
		known := slices.ContainsFunc(ch.history, func(m *Message) bool { return m.ID == out.Reference.Message })
		if !known && out.Reference.Must {
			return nil, bad("message_reference: Unknown message")
		}
		if known {
			m.ReplyTo = out.Reference.Message
		}
	}
	m.ID, m.Author = s.next(), Bot
	m.raw = map[string]any{
		"id": m.ID, "channel_id": ch.id, "content": out.Content, "type": 0,
		"author": map[string]any{"id": Bot, "username": "parley", "bot": true},
	}
	if out.Enforce {
		s.nonces[out.Nonce] = m
	}
	ch.history = append(ch.history, m)
	s.dispatch("MESSAGE_CREATE", m.raw) // the bot hears itself
	s.wake()
	return m.raw, nil
}

func (s *Server) edit(ch *channel, id string, body []byte) (any, *refusal) {
	i := slices.IndexFunc(ch.history, func(m *Message) bool { return m.ID == id })
	if i < 0 {
		return nil, &refusal{http.StatusNotFound, 10008, "Unknown Message"}
	}
	if ch.history[i].Author != Bot {
		return nil, &refusal{http.StatusForbidden, 50005, "Cannot edit a message authored by another user"}
	}
	out, m, no := read(body)
	if no != nil {
		return nil, no
	}
	if out.Nonce != "" || out.Reference != nil {
		return nil, bad("nonce: not here")
	}
	m.ID, m.Author, m.raw, m.Edits = id, Bot, ch.history[i].raw, ch.history[i].Edits+1
	ch.history[i] = m
	s.wake()
	return m.raw, nil
}

// read checks a message and shows it as people see it.
func read(body []byte) (outgoing, *Message, *refusal) {
	var out outgoing
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil {
		return out, nil, bad("Invalid Form Body: " + err.Error())
	}
	m := &Message{Text: render(out.Content)}
	if utf8.RuneCountInString(out.Content) > 2000 {
		return out, nil, bad("content: Must be 2000 or fewer in length.")
	}
	if len(out.Embeds) > 10 {
		return out, nil, bad("embeds: Must be 10 or fewer in length.")
	}
	if out.Mentions == nil || len(out.Mentions.Parse) > 0 {
		return out, nil, bad("this message would call everybody whom its text names")
	}
	for _, e := range out.Embeds {
		if utf8.RuneCountInString(e.Description) > 4096 {
			return out, nil, bad("embeds: description: Must be 4096 or fewer in length.")
		}
		m.Text += render(e.Description)
		if e.Image != nil {
			if u, err := url.Parse(e.Image.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" {
				return out, nil, bad("embeds: image: Not a well formed URL.")
			}
			m.Image = e.Image.URL
		}
	}
	if no := readComponents(m, out.Components); no != nil {
		return out, nil, no
	}
	if strings.TrimSpace(out.Content) == "" && len(out.Embeds) == 0 && len(out.Components) == 0 {
		return out, nil, &refusal{http.StatusBadRequest, 50006, "Cannot send an empty message"}
	}
	return out, m, nil
}

func readComponents(m *Message, rows []row) *refusal {
	if len(rows) > 5 {
		return bad("components: Must be 5 or fewer in length.")
	}
	ids := map[string]bool{}
	for _, r := range rows {
		if r.Type != 1 || len(r.Components) < 1 || len(r.Components) > 5 {
			return bad("components: Must be between 1 and 5 in length.")
		}
		for _, p := range r.Components {
			if p.CustomID == "" || utf8.RuneCountInString(p.CustomID) > 100 || ids[p.CustomID] {
				return bad("components: Component custom id cannot be duplicated, empty or longer than 100.")
			}
			ids[p.CustomID] = true
			switch {
			case p.Type == 2 && between(p.Label, 1, 80) && p.Style >= 1 && p.Style <= 4:
				m.Buttons = append(m.Buttons, Button{p.Label, p.CustomID})
			case p.Type == 3 && len(r.Components) == 1 && len(p.Options) >= 1 && len(p.Options) <= 25:
				for _, o := range p.Options {
					if !between(o.Label, 1, 100) || !between(o.Value, 1, 100) || ids["option "+o.Value] {
						return bad("components: options: bad, or values are not unique")
					}
					ids["option "+o.Value] = true
					m.Menu = append(m.Menu, Button{o.Label, o.Value})
				}
			default:
				return bad("components: not a button or menu that can be shown")
			}
		}
	}
	return nil
}

func between(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most
}

// render shows Markdown as people see it: escapes are undone, links stay, and what is markup shows as ⟦…⟧ so that a test
// notices it.
func render(text string) string {
	var b strings.Builder
	start := true
	for text != "" {
		size := 1
		switch {
		case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
			if size = strings.IndexAny(text, " \t\n<"); size < 0 {
				size = len(text)
			}
			b.WriteString(text[:size])
		case text[0] == '\\' && len(text) > 1 && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", text[1]) >= 0:
			size = 2
			b.WriteByte(text[1])
		case strings.IndexByte("*_~`|<[", text[0]) >= 0, start && strings.IndexByte("#>-", text[0]) >= 0, start && numbered(text):
			b.WriteString("⟦" + text[:1] + "⟧")
		default:
			_, size = utf8.DecodeRuneInString(text)
			b.WriteString(text[:size])
		}
		start = text[0] == '\n' || start && (text[0] == ' ' || text[0] == '\t')
		text = text[size:]
	}
	return b.String()
}

func numbered(text string) bool {
	rest := strings.TrimLeft(text, "0123456789")
	return rest != text && strings.HasPrefix(rest, ". ")
}
