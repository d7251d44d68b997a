package webchat

import (
	"bytes"
	"encoding/json"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/adapters"
	"parley/conversation"
)

const (
	maxText  = 4096     // runes of one message of a visitor
	maxID    = 64       // bytes of a client's id
	maxValue = 64       // bytes of a choice, as limits.Buttons.Value
	maxFrame = 64 << 10 // bytes of a frame that we keep
	maxWaste = 4 << 20  // bytes of a frame that we read to answer it; beyond, the socket is closed with 1009
)

// incoming is what a client sends.
type incoming struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Text  string `json:"text"`
	Value string `json:"value"`
}

// refusal answers a frame that was not taken. Retry says that the same frame may be taken later.
type refusal struct {
	Type       string `json:"type"` // always error
	ID         string `json:"id,omitempty"`
	Code       string `json:"code"`
	Text       string `json:"text"`
	Retry      bool   `json:"retry,omitempty"`
	RetryAfter int64  `json:"retry_after_ms,omitempty"`
}

func refuse(id, code, text string) *refusal {
	return &refusal{Type: "error", ID: id, Code: code, Text: text}
}

// readFrame reads a whole frame and keeps the first maxFrame bytes; whole says whether that was all.
func readFrame(r io.Reader) (data []byte, whole bool, err error) {
	data, err = io.ReadAll(io.LimitReader(r, maxFrame+1))
	if err != nil || len(data) <= maxFrame {
		return data, true, err
	}
	_, err = io.Copy(io.Discard, r)
	return data[:maxFrame], false, err
}

// parse reads a frame into an event of the visitor, or says why it is refused.
func parse(data []byte, visitor string, now time.Time) (conversation.Event, *refusal) {
	var in incoming
	if err := json.Unmarshal(data, &in); err != nil {
		return conversation.Event{}, refuse("", "bad_json", "This is not a message in JSON.")
	}
	event := conversation.Event{Chat: visitor, Sender: visitor, ID: in.ID, At: now}
	if !isID(in.ID) {
		return event, refuse("", "bad_id", "A message needs an id of 1 to 64 visible characters.")
	}
	switch in.Type {
	case "message":
		event.Kind = conversation.Text
		event.Text = adapters.Clean(in.Text)
		if event.Text == "" {
			return event, refuse(in.ID, "empty", "There is nothing in this message.")
		}
		if utf8.RuneCountInString(event.Text) > maxText {
			return event, refuse(in.ID, "too_long", "This message is too long: at most 4096 characters, please.")
		}
	case "choice":
		event.Kind = conversation.Choice
		event.Value = in.Value
		if in.Value == "" || len(in.Value) > maxValue || adapters.Clean(in.Value) != in.Value {
			return event, refuse(in.ID, "bad_choice", "This is not one of the choices.")
		}
	case "seen":
		event.Kind = conversation.Receipt
		event.ID = "seen:" + in.ID
		event.Name, event.Value = "read", in.ID
	default:
		return event, refuse(in.ID, "bad_type", "A frame is a message, a choice or seen.")
	}
	return event, nil
}

func isID(id string) bool {
	if id == "" || len(id) > maxID || !utf8.ValidString(id) {
		return false
	}
	for _, r := range id {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// idOf finds the id in the beginning of a frame that was too big to keep, so that the client learns which it was; "" when
// the id came too late.
func idOf(beginning []byte) string {
	dec := json.NewDecoder(bytes.NewReader(beginning))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for {
		key, err := dec.Token()
		if err != nil {
			return ""
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return ""
		}
		if id, ok := value.(string); ok && key == "id" && isID(id) {
			return id
		}
	}
}
