package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// DeskState is how far a conversation has come into a room of the staff.
type DeskState string

const (
	DeskDue   DeskState = "due"   // a thread is to be opened
	DeskAsked DeskState = "asked" // the network was asked to open one; its answer is not noted
	DeskOpen  DeskState = "open"
	DeskLost  DeskState = "lost" // the network no longer takes messages for it
	DeskIdle  DeskState = "idle" // nobody needs one
)

// Desk is where a conversation stands, or is to stand, in a room of the staff.
type Desk struct {
	Key          int64
	Merchant     commerce.MerchantID
	Conversation int64 // the key of the shopper's
	Account      string
	Room         string
	State        DeskState
	Thread       int64 // the key of the conversation that is the thread; 0 before the first is open
	Card         int64 // the key of the message there whose buttons hold; 0 for none
	Seen         int64 // the key of the last line of the shopper's transcript that stands there
	Attempts     int
}

type deskRow struct {
	Key          int64
	Merchant     commerce.MerchantID `db:"merchant_id"`
	Conversation int64               `db:"conversation_key"`
	Account      string
	Room         string
	State        DeskState
	Thread       int64 `db:"thread_key"`
	Card         int64 `db:"card_key"`
	Seen         int64 `db:"seen_key"`
	Attempts     int
}

const selectDesks = `
	SELECT key, merchant_id, conversation_key, account, room, state, thread_key, card_key, seen_key, attempts
	FROM desks`

func (tx *Tx) desks(ctx context.Context, doing, where string, args ...any) ([]Desk, error) {
	var rows []deskRow
	if err := tx.list(ctx, doing, &rows, selectDesks+where, args...); err != nil {
		return nil, err
	}
	out := make([]Desk, len(rows))
	for i, r := range rows {
		out[i] = Desk(r)
	}
	return out, nil
}

// Desks lists where a conversation stands in rooms.
func (tx *Tx) Desks(ctx context.Context, merchant commerce.MerchantID, conversation int64) ([]Desk, error) {
	return tx.desks(ctx, "list desks", ` WHERE merchant_id = $1 AND conversation_key = $2 ORDER BY key`, merchant, conversation)
}

// DueDesks lists threads to be opened, also those whose opening nobody has noted in time.
func (tx *Tx) DueDesks(ctx context.Context, limit int) ([]Desk, error) {
	return tx.desks(ctx, "list due desks", fmt.Sprintf(` WHERE state IN ('due', 'asked') AND due_ms <= $1 ORDER BY due_ms, key LIMIT %d`, limit), tx.now.UnixMilli())
}

// NextDesk says when the next thread is to be opened; the zero time when none is.
func (tx *Tx) NextDesk(ctx context.Context) (time.Time, error) {
	var due int64
	err := tx.get(ctx, "find next desk", &due, `SELECT COALESCE(min(due_ms), 0) FROM desks WHERE state IN ('due', 'asked')`)
	return at(due), err
}

const wantDesk = `
	INSERT INTO desks (merchant_id, conversation_key, account, room, state, due_ms)
	VALUES ($1, $2, $3, $4, 'due', $5)
	ON CONFLICT (conversation_key, account, room) DO UPDATE
	SET state = 'due', attempts = 0, due_ms = excluded.due_ms
	WHERE desks.state IN ('idle', 'lost', 'due')`

// WantDesk has a thread opened in a room for a conversation, unless it stands there already.
func (tx *Tx) WantDesk(ctx context.Context, merchant commerce.MerchantID, conversation int64, account, room string) error {
	return tx.exec(ctx, "want desk", wantDesk, merchant, conversation, account, room, tx.now.UnixMilli())
}

// ClaimDesk says that the network is being asked to open a thread. False when somebody else is at it. After the lease it is
// asked again.
func (tx *Tx) ClaimDesk(ctx context.Context, key int64, lease time.Duration) (bool, error) {
	now := tx.now.UnixMilli()
	n, err := tx.count(ctx, "claim desk", `
	UPDATE desks
	SET state = 'asked', attempts = attempts + 1, due_ms = $3
	WHERE key = $1 AND state IN ('due', 'asked') AND due_ms <= $2`, key, now, now+lease.Milliseconds())
	return n == 1, err
}

// ReleaseDesks has those opened at once that were in hand when the last process ended.
func (tx *Tx) ReleaseDesks(ctx context.Context) error {
	return tx.exec(ctx, "release desks", `UPDATE desks SET due_ms = $1 WHERE state = 'asked' AND due_ms > $1`, tx.now.UnixMilli())
}

// PutOffDesk notes why a thread could not be opened, and when that is tried again.
func (tx *Tx) PutOffDesk(ctx context.Context, key int64, problem string, due time.Time) error {
	return tx.exec(ctx, "put off desk", `
	UPDATE desks
	SET state = 'due', problem = $2, due_ms = $3
	WHERE key = $1 AND state = 'asked'`, key, problem, ms(due))
}

// SetDeskState notes that a thread is not needed, lost, or to be opened once more.
func (tx *Tx) SetDeskState(ctx context.Context, key int64, state DeskState) error {
	return tx.exec(ctx, "set state of desk", `UPDATE desks SET state = $2, due_ms = $3 WHERE key = $1`, key, string(state), tx.now.UnixMilli())
}

// LoseDesk notes that the network takes no more messages for a thread, given by its own key.
func (tx *Tx) LoseDesk(ctx context.Context, thread int64, problem string) error {
	return tx.exec(ctx, "lose desk", `UPDATE desks SET state = 'lost', problem = $2 WHERE thread_key = $1 AND state = 'open'`, thread, problem)
}

const (
	insertDeskThread = `
	INSERT INTO conversations (id, merchant_id, account, channel, chat, contact_key, address_key, created_ms, changed_ms, desk_of)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
	ON CONFLICT (account, chat) DO UPDATE SET desk_of = excluded.desk_of
	RETURNING key`

	openDesk = `
	UPDATE desks
	SET state = 'open', thread_key = $2, card_key = 0, seen_key = 0, problem = ''
	WHERE key = $1`
)

// OpenDesk notes the thread that a network has opened. The room is nobody's address: a contact of its own stands for the shop.
func (tx *Tx) OpenDesk(ctx context.Context, d Desk, channel, chat string) error {
	contact, address, err := tx.deskContact(ctx, d, channel)
	if err != nil {
		return err
	}
	var thread int64
	err = tx.get(ctx, "make thread of desk", &thread, insertDeskThread, tx.NewID("cnv"), d.Merchant, d.Account, channel, chat, contact, address,
		tx.now.UnixMilli(), d.Conversation)
	if err != nil {
		return err
	}
	return tx.exec(ctx, "open desk", openDesk, d.Key, thread)
}

// deskContact finds or makes the address of a room, and the one contact that all rooms of a merchant belong to.
func (tx *Tx) deskContact(ctx context.Context, d Desk, channel string) (contactKey, addressKey int64, err error) {
	var existing []struct {
		Contact int64 `db:"contact_key"`
		Address int64 `db:"address_key"`
		Account string
		Network string `db:"network_id"`
	}
	err = tx.list(ctx, "find contact of desk", &existing, `
	SELECT v.contact_key, v.address_key, a.account, a.network_id
	FROM conversations v
	JOIN addresses a ON a.key = v.address_key
	WHERE v.merchant_id = $1 AND v.desk_of <> 0
	ORDER BY CASE WHEN a.account = $2 AND a.network_id = $3 THEN 0 ELSE 1 END, v.key
	LIMIT 1`, d.Merchant, d.Account, "room:"+d.Room)
	if err != nil {
		return 0, 0, err
	}
	if len(existing) == 1 {
		e := existing[0]
		if e.Account == d.Account && e.Network == "room:"+d.Room {
			return e.Contact, e.Address, nil
		}
		contactKey = e.Contact
	} else if contactKey, err = tx.AddContact(ctx, d.Merchant, conversation.Contact{Name: "Staff"}); err != nil {
		return 0, 0, err
	}
	err = tx.get(ctx, "make address of desk", &addressKey, insertAddress, tx.NewID("adr"), d.Merchant, contactKey, d.Account, channel,
		"room:"+d.Room, "verified", tx.now.UnixMilli())
	if errors.Is(err, ErrNotFound) {
		var found struct {
			Key     int64
			Contact int64 `db:"contact_key"`
		}
		err = tx.get(ctx, "find address of desk", &found, selectAddress, d.Account, "room:"+d.Room)
		return found.Contact, found.Key, err
	}
	return contactKey, addressKey, err
}

const findDesk = `
	SELECT d.key AS thread, d.id AS thread_id, d.merchant_id, v.key AS conversation, v.account, v.channel, v.chat
	FROM conversations d
	JOIN conversations v ON v.key = d.desk_of
	WHERE d.account = $1 AND d.chat = $2 AND d.desk_of <> 0`

// DeskPlace is a thread in a room, and the shopper's conversation that it is about.
type DeskPlace struct {
	Thread   int64               // the key of the conversation that is the thread
	ThreadID string              `db:"thread_id"`
	Merchant commerce.MerchantID `db:"merchant_id"`

	Conversation           int64
	Account, Channel, Chat string // of the shopper
}

// DeskAt finds what a chat on an account is a thread about; ErrNotFound when it is none.
func (tx *Tx) DeskAt(ctx context.Context, account, chat string) (DeskPlace, error) {
	var p DeskPlace
	err := tx.get(ctx, "find desk", &p, findDesk, account, chat)
	return p, err
}

// ShowDesk notes how far a shopper's transcript stands in a thread, and the message whose buttons hold there.
func (tx *Tx) ShowDesk(ctx context.Context, key, seen, card int64) error {
	return tx.exec(ctx, "note what a desk shows", `UPDATE desks SET seen_key = $2, card_key = $3 WHERE key = $1`, key, seen, card)
}

// MessagesSince lists the last of a conversation's lines after the one with that key, oldest first, at most limit.
func (tx *Tx) MessagesSince(ctx context.Context, merchant commerce.MerchantID, thread, after int64, limit int) ([]Message, error) {
	var rows []messageRow
	err := tx.list(ctx, "list messages", &rows, selectMessages+`
	WHERE m.merchant_id = $1 AND m.conversation_key = $2 AND m.key > $3
	ORDER BY m.key DESC
	LIMIT $4`, merchant, thread, after, limit)
	out := make([]Message, len(rows))
	for i, r := range rows {
		out[len(rows)-1-i] = r.message()
	}
	return out, err
}

// MessageFrom finds the line of a conversation that has a network's id.
func (tx *Tx) MessageFrom(ctx context.Context, merchant commerce.MerchantID, thread int64, networkID string) (Message, error) {
	var row messageRow
	err := tx.get(ctx, "find message", &row, selectMessages+`
	WHERE m.merchant_id = $1 AND m.conversation_key = $2 AND m.network_id = $3
	ORDER BY m.key DESC
	LIMIT 1`, merchant, thread, networkID)
	return row.message(), err
}

const (
	upsertDeskPerson = `
	INSERT INTO desk_people (merchant_id, id, name)
	VALUES ($1, $2, $3)
	ON CONFLICT (merchant_id, id) DO UPDATE SET name = excluded.name
	WHERE desk_people.name <> excluded.name`

	selectDeskPeople = `
	SELECT id, name
	FROM desk_people
	WHERE merchant_id = $1`
)

// NameDeskPerson remembers what a person of the staff is called in a messenger.
func (tx *Tx) NameDeskPerson(ctx context.Context, merchant commerce.MerchantID, id, name string) error {
	return tx.exec(ctx, "name person of desk", upsertDeskPerson, merchant, id, name)
}

// DeskPeople are the names, by id, of the staff who have worked in a messenger.
func (tx *Tx) DeskPeople(ctx context.Context, merchant commerce.MerchantID) (map[string]string, error) {
	var rows []struct{ ID, Name string }
	if err := tx.list(ctx, "list people of desk", &rows, selectDeskPeople, merchant); err != nil {
		return nil, err
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}
