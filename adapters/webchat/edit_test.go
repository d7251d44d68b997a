package webchat

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parley/adapters"
	"parley/conversation"
)

// edited is a house whose store knows of changes.
type edited struct {
	*house
	changed []Message
	failing error
}

func (e *edited) Edited(context.Context, string, int) ([]Message, error) { return e.changed, e.failing }

func TestEditReachesEveryWindowThatHasTheMessage(t *testing.T) {
	c := start(t, Options{Now: atNoon})
	w := c.open(t, "")
	part := adapters.Part{Chat: "ann", Key: "msg_1", Text: "now €17", Choices: []conversation.Option{{Label: "Buy", Value: "v"}}}
	sent, err := c.m.Send(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	w.read()
	part.Text, part.Choices = "now €17\n\nSold out by now.", nil
	for range 2 { // an edit may be repeated
		if err := c.m.Edit(t.Context(), sent.ID, part); err != nil {
			t.Fatal(err)
		}
		w.want(map[string]any{"type": "edit", "id": "msg_1", "text": "now €17\n\nSold out by now.", "choices": []any{}})
	}
	part.Choices = []conversation.Option{{Label: "Ask", Value: "a"}}
	if err := c.m.Edit(t.Context(), sent.ID, part); err != nil {
		t.Fatal(err)
	}
	w.want(map[string]any{"type": "edit", "id": "msg_1", "text": part.Text, "choices": []any{map[string]any{"label": "Ask", "value": "a"}}})
}

func TestEditWithoutAWindowSucceedsAndATooLongOneIsRejected(t *testing.T) {
	c := start(t, Options{})
	if err := c.m.Edit(t.Context(), "msg_1", adapters.Part{Chat: "bob", Text: "x"}); err != nil {
		t.Errorf("got %v, want nil: the store has it", err)
	}
	err := c.m.Edit(t.Context(), "msg_1", adapters.Part{Chat: "ann", Text: strings.Repeat("👍", 4097)})
	if got, ok := errors.AsType[*adapters.SendError](err); !ok || got.Consequence != adapters.Rejected {
		t.Errorf("got %v, want rejected", err)
	}
}

func TestReturningClientHearsWhatWasChangedMeanwhile(t *testing.T) {
	c := start(t, Options{Now: atNoon})
	c.history = []Message{{ID: "msg_1", From: "bot", Text: "gone", At: noon}, {ID: "msg_2", From: "bot", Text: "two", At: noon}}
	c.m.Bind(c.house, &edited{house: c.house, changed: c.history[:1]}, nil)
	w := c.open(t, "?after=msg_1")
	w.want(map[string]any{"type": "message", "id": "msg_2", "from": "bot", "text": "two", "at": noon.Format("2006-01-02T15:04:05Z")})
	w.want(map[string]any{"type": "edit", "id": "msg_1", "text": "gone", "choices": []any{}})

	fresh := c.open(t, "") // has nothing yet: it is told everything as it is now
	for range c.history {
		if got := fresh.read(); got["type"] != "message" {
			t.Errorf("got %v, want a message", got)
		}
	}
	fresh.write(`{"type":"message","id":"c1","text":"hi"}`)
	fresh.want(map[string]any{"type": "ack", "id": "c1"})
}
