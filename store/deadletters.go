package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// Letter is a dead letter: a part of a message that was tried and given up, because it was refused for good, or because nobody
// knows whether it arrived.
type Letter struct {
	Key          int64  // of the part, for paging
	Message      string // msg_…
	Conversation string // cnv_…
	Contact      string // the name, "" when it is not known
	Account      string
	Class        conversation.Class
	State        PartState // Failed or Unknown
	Cause        string
	Attempts     int
	At           time.Time // when it was given up
	// Silent says that it cannot be sent again: the contact said stop, or blocked us.
	Silent bool
}

// LetterFilter narrows dead letters. Zero fields do not narrow.
type LetterFilter struct {
	Account string
	Message string // msg_…
	Before  int64  // key to go on from, for paging
	Limit   int    // 0 means 50
}

const (
	fromLetters = `
	FROM parts p
	JOIN messages m ON m.key = p.message_key
	JOIN conversations v ON v.key = p.conversation_key
	JOIN addresses a ON a.key = v.address_key
	JOIN contacts c ON c.key = v.contact_key
	WHERE m.merchant_id = $1 AND p.state IN ('failed', 'unknown') AND p.attempts > 0 AND p.edit = 0
		AND p.account IN (SELECT name FROM accounts WHERE merchant_id = $1 AND ($2 = '' OR name = $2))
		AND ($3 = '' OR m.id = $3)`

	// isSilent says that nobody who lives there may be written to, or wants to be.
	isSilent = `(a.state = 'blocked' OR a.state = 'stopped' AND m.class <> 'receipt')`

	selectLetters = `
	SELECT p.key, m.id AS message, v.id AS conversation, c.name AS contact, p.account, m.class, p.state, p.problem, p.attempts, p.changed_ms,
		CASE WHEN ` + isSilent + ` THEN 1 ELSE 0 END AS silent` + fromLetters + ` AND ($4 = 0 OR p.key < $4)
	ORDER BY p.key DESC
	LIMIT $5`

	selectResent = `
	SELECT DISTINCT m.key, m.id` + fromLetters + ` AND NOT ` + isSilent + `
	ORDER BY m.key`

	resendParts = `
	UPDATE parts
	SET state = 'queued', attempts = 0, due_ms = 0, problem = '', changed_ms = $2
	WHERE message_key = $1 AND edit = 0 AND state IN ('failed', 'unknown')`
)

// DeadLetters lists a merchant's dead letters, the latest messages first.
func (tx *Tx) DeadLetters(ctx context.Context, merchant commerce.MerchantID, f LetterFilter) ([]Letter, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	var rows []struct {
		Key          int64
		Message      string
		Conversation string
		Contact      string
		Account      string
		Class        string
		State        string
		Problem      string
		Attempts     int
		Changed      int64 `db:"changed_ms"`
		Silent       int
	}
	err := tx.list(ctx, "list dead letters", &rows, selectLetters, merchant, f.Account, f.Message, f.Before, f.Limit)
	out := make([]Letter, len(rows))
	for i, r := range rows {
		out[i] = Letter{
			Key: r.Key, Message: r.Message, Conversation: r.Conversation, Contact: r.Contact, Account: r.Account, Class: conversation.Class(r.Class),
			State: PartState(r.State), Cause: r.Problem, Attempts: r.Attempts, At: at(r.Changed), Silent: r.Silent != 0,
		}
	}
	return out, err
}

// Resend queues the messages of dead letters again, of each what did not arrive, and says how many there were. Those whose contacts
// want or take no more messages stay. Whoever asks twice finds none left. A message that the merchant does not have is ErrNotFound.
// by is who asked.
func (tx *Tx) Resend(ctx context.Context, merchant commerce.MerchantID, f LetterFilter, by string) (int, error) {
	if f.Message != "" { // one that is there and no dead letter may have been sent again by another
		var key int64
		if err := tx.get(ctx, "find message "+f.Message, &key, `SELECT key FROM messages WHERE merchant_id = $1 AND id = $2`, merchant, f.Message); err != nil {
			return 0, err
		}
	}
	var rows []struct {
		Key int64
		ID  string
	}
	if err := tx.list(ctx, "find dead letters", &rows, selectResent, merchant, f.Account, f.Message); err != nil {
		return 0, err
	}
	sent := 0
	for _, r := range rows {
		n, err := tx.count(ctx, "send message again", resendParts, r.Key, tx.now.UnixMilli())
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue // another asked at the same moment
		}
		sent++
		if err := tx.Event(ctx, merchant, "message_resent", r.ID, map[string]any{"by": by}); err != nil {
			return 0, err
		}
	}
	return sent, nil
}
