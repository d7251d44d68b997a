package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// Authors of messages beside the ids of staff.
const (
	FromContact = "contact"
	FromBot     = "bot"
	FromSystem  = "system" // marks in the transcript: handed to a person, back to the bot
)

// Message is one line of a transcript.
type Message struct {
	Key     int64
	ID      string // msg_…
	Author  string // FromContact, FromBot, FromSystem or a staff id
	Kind    string // the event's kind for what came in, "reply" for what goes out, "mark" for marks
	Text    string
	Choices []conversation.Option
	Image   string
	Class   conversation.Class
	Context *conversation.Context // where its choices lead
	Network string                // the network's id of what came in
	Closed  bool                  // its choices were taken off where it is shown; whoever presses one on an old screen is still answered
	State   string                // of what goes out: queued, sending, sent, delivered, read, failed, unknown; "" else
	At      time.Time
}

// AddMessage appends to a transcript and returns the row's key. A message that goes out needs parts as well (AddParts).
func (tx *Tx) AddMessage(ctx context.Context, th *Thread, m Message, networkID string) (int64, error) {
	key, err := tx.newKey(ctx, inMessages)
	if err != nil {
		return 0, fmt.Errorf("append message: %w", err)
	}
	if m.ID == "" {
		m.ID = tx.NewID("msg")
	}
	place := ""
	if m.Context != nil {
		place = toJSON(*m.Context)
	}
	if m.Author == FromContact {
		th.heard = tx.now
	}
	tx.add(inMessages, key, m.ID, int64(th.Merchant), th.Key, m.Author, m.Kind, m.Text, choicesText(m.Choices), m.Image, place,
		string(m.Class), networkID, tx.now.UnixMilli())
	return key, nil
}

func choicesText(choices []conversation.Option) string {
	if len(choices) == 0 {
		return "[]"
	}
	return toJSON(choices)
}

type messageRow struct {
	Key     int64
	ID      string
	Author  string
	Kind    string
	Text    string
	Choices asJSON[[]conversation.Option]
	Image   string
	Class   string
	Context asJSON[*conversation.Context]
	Network string `db:"network_id"`
	State   string
	Closed  int
	At      int64 `db:"created_ms"`
}

func (r messageRow) message() Message {
	return Message{Key: r.Key, ID: r.ID, Author: r.Author, Kind: r.Kind, Text: r.Text, Choices: r.Choices.V, Image: r.Image,
		Class: conversation.Class(r.Class), Context: r.Context.V, Network: r.Network, Closed: r.Closed != 0, State: r.State, At: at(r.At)}
}

// selectMessages shows of a message's parts the state of the last one that is not through yet.
const selectMessages = `
	SELECT m.key, m.id, m.author, m.kind, m.text, m.choices, m.image, m.class, m.context, m.network_id, m.created_ms,
		COALESCE((SELECT p.state FROM parts p WHERE p.message_key = m.key AND p.edit = 0 ORDER BY p.position DESC LIMIT 1), '') AS state,
		COALESCE((SELECT MAX(1) FROM parts e WHERE e.message_key = m.key AND e.edit = 1 AND e.choices = '[]'), 0) AS closed
	FROM messages m`

// Messages lists a conversation's transcript after a message (by its id or its network's, "" for the beginning), oldest first, at most
// limit; with limit < 0 the last -limit of it.
func (tx *Tx) Messages(ctx context.Context, merchant commerce.MerchantID, thread int64, after string, limit int) ([]Message, error) {
	var from int64
	if after != "" {
		// An id that is unknown here starts from the beginning: the reader may see a line again, and misses none.
		var keys []int64
		id, _, _ := strings.Cut(after, ".") // a later part of a message is its id with a number behind
		err := tx.listIn(ctx, thread, "find message", &keys, `
	SELECT key
	FROM messages
	WHERE conversation_key = $1 AND (id = $2 OR network_id = $2)
	ORDER BY key DESC
	LIMIT 1`, thread, id)
		if err != nil {
			return nil, err
		}
		if len(keys) == 1 {
			from = keys[0]
		}
	}
	order, n := "ASC", limit
	if limit < 0 {
		order, n = "DESC", -limit
	}
	var rows []messageRow
	err := tx.listIn(ctx, thread, "list messages", &rows, selectMessages+`
	WHERE m.merchant_id = $1 AND m.conversation_key = $2 AND m.key > $3
	ORDER BY m.key `+order+`
	LIMIT $4`, merchant, thread, from, n)
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(rows))
	for i, r := range rows {
		if limit < 0 {
			i = len(rows) - 1 - i
		}
		out[i] = r.message()
	}
	return out, nil
}

// Message loads a message of a conversation by its public id.
func (tx *Tx) Message(ctx context.Context, merchant commerce.MerchantID, thread int64, id string) (Message, error) {
	var row messageRow
	err := tx.getIn(ctx, thread, "load message", &row, selectMessages+` WHERE m.merchant_id = $1 AND m.conversation_key = $2 AND m.id = $3`, merchant, thread, id)
	return row.message(), err
}

// LastChoices is the latest message of a conversation that offered choices, for those who answer by number or word.
func (tx *Tx) LastChoices(ctx context.Context, merchant commerce.MerchantID, thread int64) (Message, error) {
	var row messageRow
	err := tx.getIn(ctx, thread, "load last choices", &row, selectMessages+`
	WHERE m.merchant_id = $1 AND m.conversation_key = $2 AND m.choices <> '[]'
	ORDER BY m.key DESC
	LIMIT 1`, merchant, thread)
	return row.message(), err
}
