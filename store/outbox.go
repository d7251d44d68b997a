package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// PartState is how far a part of a message has come.
type PartState string

const (
	Queued    PartState = "queued"
	Sending   PartState = "sending" // handed to the network, no answer yet
	Sent      PartState = "sent"
	Delivered PartState = "delivered"
	Read      PartState = "read"
	Failed    PartState = "failed"
	Unknown   PartState = "unknown" // the network may have it: a crash or a cut came between call and answer
)

// Part is one piece of a message on its way out, with what a sender needs to know.
type Part struct {
	Key        int64
	Thread     int64
	Merchant   commerce.MerchantID
	MessageKey int64
	MessageID  string
	Author     string
	Class      conversation.Class
	Account    string
	Chat       string
	Position   int
	Text       string
	Choices    []conversation.Option
	Image      string
	Attempts   int
	AddressKey int64
	Written    time.Time
	Language   string    // the contact's
	Heard      time.Time // when the contact wrote last; zero for never
	Desk       bool      // it goes to a room of the staff
	Edit       bool      // it changes what the message has shown at this position
	Target     string    // with Edit: the network's id of that; "" when it never got there
}

const insertPart = `
	INSERT INTO parts (message_key, conversation_key, account, position, text, choices, image, state, due_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// AddParts queues the parts of a message in their order. due may be in the future; the zero time is at once, and is kept as 0: the
// instants of transactions that run side by side on Postgres are not in the order of their commits, so that "now" would still be
// ahead for some.
func (tx *Tx) AddParts(ctx context.Context, th *Thread, message int64, parts []Part, due time.Time) error {
	now := tx.now.UnixMilli()
	for i, p := range parts {
		if p.Choices == nil {
			p.Choices = []conversation.Option{}
		}
		err := tx.exec(ctx, "queue part", insertPart, message, th.Key, th.Account, i, p.Text, toJSON(p.Choices), p.Image, string(Queued), ms(due), now)
		if err != nil {
			return err
		}
	}
	return nil
}

// The index of open parts serves a query on SQLite only if the query repeats the index's own condition to the letter:
// state IN ('queued', 'sending'). ofThread finds the open parts of the conversation $1 by it.
const ofThread = `account = (SELECT account FROM conversations WHERE key = $1) AND conversation_key = $1 AND state IN ('queued', 'sending')`

// isBehind says that a part p must wait for an earlier one of its conversation: one under way or to be tried again. One that is
// held back for the morning and was never tried, a reminder, holds up nobody. $2 is now.
const isBehind = `EXISTS (
			SELECT 1 FROM parts e
			WHERE e.account = p.account AND e.conversation_key = p.conversation_key AND e.key < p.key AND e.state IN ('queued', 'sending')
				AND (e.state = 'sending' OR e.state = 'queued' AND (e.attempts > 0 OR e.due_ms <= $2)))`

const selectHeads = `
	SELECT p.key, p.conversation_key, m.merchant_id, p.message_key, m.id AS message_id, m.author, m.class, p.account, v.chat,
		p.position, p.text, p.choices, p.image, p.attempts, v.address_key, m.created_ms, c.language,
		COALESCE((SELECT w.created_ms FROM messages w WHERE w.conversation_key = p.conversation_key AND w.author = 'contact'
			ORDER BY w.key DESC LIMIT 1), 0) AS heard_ms,
		v.desk_of, p.edit, COALESCE((SELECT o.network_id FROM parts o
			WHERE p.edit = 1 AND o.message_key = p.message_key AND o.position = p.position AND o.edit = 0), '') AS target
	FROM parts p
	JOIN messages m ON m.key = p.message_key
	JOIN conversations v ON v.key = p.conversation_key
	JOIN contacts c ON c.key = v.contact_key
	WHERE p.account = $1 AND p.state IN ('queued', 'sending') AND p.state = 'queued' AND p.due_ms <= $2
		AND NOT ` + isBehind + `
	ORDER BY p.key
	LIMIT $3`

const claimPart = `
	UPDATE parts
	SET state = 'sending', attempts = attempts + 1, changed_ms = $2, claimed_by = $3
	WHERE key = $1 AND state = 'queued'`

// ClaimParts takes the first part that is due of each of an account's conversations and marks it sending, so that
// messages of a conversation leave one by one and in order.
func (tx *Tx) ClaimParts(ctx context.Context, account string, limit int) ([]Part, error) {
	var rows []struct {
		Key        int64
		Thread     int64               `db:"conversation_key"`
		Merchant   commerce.MerchantID `db:"merchant_id"`
		MessageKey int64               `db:"message_key"`
		MessageID  string              `db:"message_id"`
		Author     string
		Class      string
		Account    string
		Chat       string
		Position   int
		Text       string
		Choices    asJSON[[]conversation.Option]
		Image      string
		Attempts   int
		AddressKey int64 `db:"address_key"`
		Written    int64 `db:"created_ms"`
		Language   string
		Heard      int64 `db:"heard_ms"`
		DeskOf     int64 `db:"desk_of"`
		Edit       int
		Target     string
	}
	if err := tx.list(ctx, "find parts to send", &rows, selectHeads, account, tx.now.UnixMilli(), limit); err != nil {
		return nil, err
	}
	var out []Part
	for _, r := range rows {
		n, err := tx.count(ctx, "claim part", claimPart, r.Key, tx.now.UnixMilli(), tx.process)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue // another node was first
		}
		out = append(out, Part{Key: r.Key, Thread: r.Thread, Merchant: r.Merchant, MessageKey: r.MessageKey, MessageID: r.MessageID,
			Author: r.Author, Class: conversation.Class(r.Class), Account: r.Account, Chat: r.Chat, Position: r.Position,
			Text: r.Text, Choices: r.Choices.V, Image: r.Image, Attempts: r.Attempts + 1, AddressKey: r.AddressKey, Written: at(r.Written),
			Language: r.Language, Heard: at(r.Heard), Desk: r.DeskOf != 0, Edit: r.Edit != 0, Target: r.Target})
	}
	return out, nil
}

const settlePart = `
	UPDATE parts
	SET state = $2, network_id = CASE WHEN $3 = '' THEN network_id ELSE $3 END, problem = $4, due_ms = $5, changed_ms = $6
	WHERE key = $1 AND state = 'sending'`

// SettlePart notes what became of a claimed part. With Queued it is tried again at due.
func (tx *Tx) SettlePart(ctx context.Context, key int64, state PartState, networkID, problem string, due time.Time) error {
	return tx.exec(ctx, "settle part", settlePart, key, string(state), networkID, problem, ms(due), tx.now.UnixMilli())
}

// HoldPart puts a claimed part back because the network asked to wait, or because the account does not work: that is no failed
// attempt.
func (tx *Tx) HoldPart(ctx context.Context, key int64, problem string, due time.Time) error {
	return tx.exec(ctx, "hold part", `
	UPDATE parts
	SET state = 'queued', attempts = CASE WHEN attempts > 1 THEN attempts - 1 ELSE 1 END, problem = $2, due_ms = $3, changed_ms = $4
	WHERE key = $1 AND state = 'sending'`, key, problem, ms(due), tx.now.UnixMilli())
}

const failRest = `
	UPDATE parts
	SET state = 'failed', problem = $2, changed_ms = $3
	WHERE message_key = $1 AND state = 'queued'`

// FailRest gives up the later parts of a message one of whose parts was refused: half a message is not sent on.
func (tx *Tx) FailRest(ctx context.Context, message int64, problem string) error {
	return tx.exec(ctx, "give up message", failRest, message, problem, tx.now.UnixMilli())
}

const nextDue = `
	SELECT COALESCE(min(CASE WHEN p.due_ms = 0 THEN $2 ELSE p.due_ms END), 0)
	FROM parts p
	WHERE p.account = $1 AND p.state IN ('queued', 'sending') AND p.state = 'queued' AND NOT ` + isBehind

// NextDue says when the next part that waits for no other is due; the zero time when there is none.
func (tx *Tx) NextDue(ctx context.Context, account string) (time.Time, error) {
	var due int64
	err := tx.get(ctx, "find next part", &due, nextDue, account, tx.now.UnixMilli())
	return at(due), err
}

const selectInterrupted = `
	SELECT p.key, m.class
	FROM parts p
	JOIN messages m ON m.key = p.message_key
	WHERE p.account = $1 AND p.state IN ('queued', 'sending') AND p.state = 'sending'`

const selectOrphaned = selectInterrupted + ` AND p.claimed_by <> $2`

// Interrupted lists an account's parts (their keys and classes) that are under way while nobody sends them: what the last process
// had handed over when it ended, so that nobody knows whether they arrived.
func (tx *Tx) Interrupted(ctx context.Context, account string) ([]Part, error) {
	return tx.interrupted(ctx, selectInterrupted, account)
}

// Orphaned lists those of them that another process than this one claimed. A claim of one that was killed can be committed after its
// successor has looked for what was interrupted.
func (tx *Tx) Orphaned(ctx context.Context, account string) ([]Part, error) {
	return tx.interrupted(ctx, selectOrphaned, account, tx.process)
}

func (tx *Tx) interrupted(ctx context.Context, query string, args ...any) ([]Part, error) {
	var rows []struct {
		Key   int64
		Class string
	}
	err := tx.list(ctx, "find interrupted parts", &rows, query+" ORDER BY p.key", args...)
	parts := make([]Part, len(rows))
	for i, r := range rows {
		parts[i] = Part{Key: r.Key, Class: conversation.Class(r.Class)}
	}
	return parts, err
}

const noteReceipt = `
	UPDATE parts
	SET state = $4, changed_ms = $5
	WHERE account = $1 AND conversation_key = $2 AND network_id = $3 AND network_id <> ''
		AND (state IN ('sent', 'unknown') OR state = 'delivered' AND $4 = 'read')`

// NoteReceipt takes a network's report about a message of ours in a conversation: ids of networks are often unique in their chat
// only, and nobody reports on the messages of others. A late report never undoes a later state.
func (tx *Tx) NoteReceipt(ctx context.Context, th *Thread, networkID string, state PartState) error {
	return tx.exec(ctx, "note receipt", noteReceipt, th.Account, th.Key, networkID, string(state), tx.now.UnixMilli())
}

const dropHeld = `
	UPDATE parts
	SET state = 'failed', problem = 'the conversation went on', changed_ms = $2
	WHERE ` + ofThread + ` AND state = 'queued' AND attempts = 0 AND due_ms > $2`

// DropHeld gives up what was held back for later and never tried: the conversation went on without it.
func (tx *Tx) DropHeld(ctx context.Context, thread int64) error {
	return tx.exec(ctx, "drop held parts", dropHeld, thread, tx.now.UnixMilli())
}

const dropQueued = `
	UPDATE parts
	SET state = 'failed', problem = $2, changed_ms = $3
	WHERE ` + ofThread + ` AND state = 'queued'`

// DropQueued gives up what is still queued for an address that said stop or blocked us. What is written later goes out.
func (tx *Tx) DropQueued(ctx context.Context, thread int64, problem string) error {
	return tx.exec(ctx, "drop queued parts", dropQueued, thread, problem, tx.now.UnixMilli())
}
