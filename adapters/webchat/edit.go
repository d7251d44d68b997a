package webchat

import (
	"context"
	"fmt"

	"parley/adapters"
)

// Edits is implemented by a History that knows which messages were changed after they had been sent.
type Edits interface {
	// Edited returns those of the visitor's latest messages that were changed, as they are now, at most limit.
	Edited(ctx context.Context, visitor string, limit int) ([]Message, error)
}

// editsShown is how many changed messages a client hears of that was away.
const editsShown = 50

// Edit changes the message on every socket of the visitor. Without one it succeeds too: the store has the message as it is now,
// and the next socket is given that.
func (m *Messenger) Edit(_ context.Context, id string, part adapters.Part) error {
	if failed := unfit(part); failed != nil {
		return failed
	}
	m.hub.push(part.Chat, editFrame(Message{ID: id, Text: part.Text, Choices: part.Choices}), nil)
	return nil
}

// unfit refuses what is longer than a client takes.
func unfit(part adapters.Part) *adapters.SendError {
	n := limits.Unit.Count(part.Text)
	if n <= limits.Text {
		return nil
	}
	return &adapters.SendError{
		Consequence: adapters.Rejected, Code: "too_long", Reason: fmt.Sprintf("the text has %d characters, web chat takes %d", n, limits.Text),
	}
}

// editFrame says what a message reads now. It has no outgoing.id: a socket that has shown the message is the one to hear of it.
func editFrame(msg Message) outgoing {
	return outgoing{data: encode(struct {
		Type    string   `json:"type"`
		ID      string   `json:"id"`
		Text    string   `json:"text"`
		Choices []choice `json:"choices"`
	}{"edit", msg.ID, msg.Text, choices(msg)})}
}

// catchUpEdits tells a client that was away what has changed among the messages that it has.
func (m *Messenger) catchUpEdits(ctx context.Context, s *socket) error {
	edits, ok := s.history.(Edits)
	if !ok || s.after == "" {
		return nil
	}
	changed, err := edits.Edited(ctx, s.visitor, editsShown)
	if err != nil {
		return err
	}
	for _, msg := range changed {
		if !s.send(ctx, editFrame(msg)) {
			return errCut
		}
	}
	return nil
}
