package store

import (
	"context"
	"math/bits"
	"slices"
	"strconv"
	"strings"
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

// Lane is which queue of an account a part stands in. Order within a conversation holds across lanes.
type Lane int

const (
	Answers   Lane = iota // and all else that somebody waits for
	Campaigns             // alerts and reminders: they never delay answers
	Receipts              // sent one at a time, so that a crash repeats at most one
	Lanes                 // how many there are
)

// LaneOf is where messages of a class go out.
func LaneOf(c conversation.Class) Lane {
	switch c {
	case conversation.Notification, conversation.Reminder:
		return Campaigns
	case conversation.ReceiptClass:
		return Receipts
	}
	return Answers
}

// String is the lane's name in figures for monitoring.
func (l Lane) String() string { return [...]string{"answers", "campaigns", "receipts"}[l] }

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
	Lane       Lane
}

// The indexes of open parts serve a query on SQLite only if the query repeats their own condition to the letter:
// state IN ('queued', 'sending'). ofThread finds the open parts of the conversation $1 by it.
const ofThread = `conversation_key = $1 AND state IN ('queued', 'sending')`

// isBehind says that a part p must wait for an earlier one of its conversation, in whatever lane: one under way or to be tried
// again. One that is held back for the morning and was never tried, a reminder, holds up nobody. $2 is now.
const isBehind = `EXISTS (
			SELECT 1 FROM parts e
			WHERE e.conversation_key = p.conversation_key AND e.key < p.key AND e.state IN ('queued', 'sending')
				AND (e.state = 'sending' OR e.state = 'queued' AND (e.attempts > 0 OR e.due_ms <= $2)))`

// The queued parts of a lane, in the order of the index: those to be tried again before those that were never tried, which are due
// at 0.
const (
	queuedInLane = `p.account = $1 AND p.state IN ('queued', 'sending') AND p.state = 'queued' AND p.lane = $3`

	selectHeads = `
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
	WHERE ` + queuedInLane

	triedHeads = ` AND p.due_ms > 0 AND p.due_ms <= $2 AND NOT ` + isBehind + `
	ORDER BY p.due_ms, p.key`

	freshHeads = ` AND p.due_ms = 0 AND NOT ` + isBehind + `
	ORDER BY p.key`
)

// headsQuery selects up to limit heads. The limit stands in the text: SQLite plans a statement anew whenever a limit is bound.
func headsQuery(which string, limit int) string {
	return selectHeads + which + `
	LIMIT ` + strconv.Itoa(limit)
}

// claimRows is how many parts one statement claims at most.
const claimRows = 128

// claimParts is the statement that claims up to n of them.
func claimParts(n int) string {
	var b strings.Builder
	b.WriteString(`
	UPDATE parts
	SET state = 'sending', attempts = attempts + 1, changed_ms = $1, claimed_by = $2
	WHERE state = 'queued' AND key IN (`)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+3))
	}
	b.WriteString(`)
	RETURNING key`)
	return b.String()
}

type headRow struct {
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

func (r headRow) part(lane Lane) Part {
	return Part{Key: r.Key, Thread: r.Thread, Merchant: r.Merchant, MessageKey: r.MessageKey, MessageID: r.MessageID,
		Author: r.Author, Class: conversation.Class(r.Class), Account: r.Account, Chat: r.Chat, Position: r.Position,
		Text: r.Text, Choices: r.Choices.V, Image: r.Image, Attempts: r.Attempts + 1, AddressKey: r.AddressKey, Written: at(r.Written),
		Language: r.Language, Heard: at(r.Heard), Desk: r.DeskOf != 0, Edit: r.Edit != 0, Target: r.Target, Lane: lane}
}

// ClaimParts takes the first part that is due of conversations of an account, at most limit of each lane, and marks it sending, so
// that messages of a conversation leave one by one and in order. Without lanes it takes from all.
func (tx *Tx) ClaimParts(ctx context.Context, account string, limit int, lanes ...Lane) ([]Part, error) {
	if len(lanes) == 0 {
		lanes = []Lane{Receipts, Answers, Campaigns}
	}
	var out []Part
	for _, lane := range lanes {
		heads, err := tx.heads(ctx, account, lane, min(limit, claimRows))
		if err != nil {
			return nil, err
		}
		heads, err = tx.claim(ctx, heads)
		if err != nil {
			return nil, err
		}
		out = append(out, heads...)
	}
	return out, nil
}

// heads finds parts to claim. It may find fewer than there are: limits come in few sizes, as prepared statements do.
func (tx *Tx) heads(ctx context.Context, account string, lane Lane, limit int) ([]Part, error) {
	var parts []Part
	for _, which := range []string{triedHeads, freshHeads} {
		room := limit - len(parts)
		if room <= 0 {
			break
		}
		var rows []headRow
		if err := tx.list(ctx, "find parts to send", &rows, headsQuery(which, roundDown(room)), account, tx.now.UnixMilli(), lane); err != nil {
			return nil, err
		}
		for _, r := range rows {
			parts = append(parts, r.part(lane))
		}
	}
	return parts, nil
}

// claim marks parts and returns those that no other node was first to take.
func (tx *Tx) claim(ctx context.Context, heads []Part) ([]Part, error) {
	if len(heads) == 0 {
		return nil, nil
	}
	n := roundUp(len(heads))
	args := make([]any, 2+n)
	args[0], args[1] = tx.now.UnixMilli(), tx.process
	for i := range n {
		args[2+i] = heads[min(i, len(heads)-1)].Key
	}
	var keys []int64
	if err := tx.list(ctx, "claim parts", &keys, claimParts(n), args...); err != nil {
		return nil, err
	}
	if len(keys) == len(heads) {
		return heads, nil
	}
	return slices.DeleteFunc(heads, func(p Part) bool { return !slices.Contains(keys, p.Key) }), nil
}

// roundUp is the next power of two: statements with a varying number of rows come in few sizes, so that few are prepared.
func roundUp(n int) int { return 1 << bits.Len(uint(n-1)) }

// roundDown is the power of two that is not above n, which is positive.
func roundDown(n int) int { return 1 << (bits.Len(uint(n)) - 1) }
