package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/commerce"
	"parley/conversation"
)

// Owners of a conversation beside the ids of staff.
const (
	Bot     = "bot"
	Waiting = "waiting" // for a person
)

// Thread is a conversation with its contact and address: one chat on one account.
type Thread struct {
	Key      int64
	ID       string // cnv_…
	Merchant commerce.MerchantID
	Account  string
	Channel  string
	Chat     string
	Owner    string // Bot, Waiting or a staff id
	Reason   string
	Waiting  time.Time // since when a person is asked for; zero when nobody is
	Session  conversation.Session
	Created  time.Time
	Changed  time.Time
	DeskOf   int64 // in a room of the staff: the key of the shopper's conversation that it is about; 0 elsewhere

	ContactKey int64
	Contact    conversation.Contact
	AddressKey int64
	Address    conversation.Address

	// What stood in the rows of the contact and the address when they were read: only what a turn changed is written back, so
	// that it does not undo what somebody else wrote meanwhile.
	readContact string
	readAddress conversation.AddressState
}

// threadRow is what selectThread reads.
type threadRow struct {
	Key            int64
	ID             string
	Merchant       commerce.MerchantID `db:"merchant_id"`
	Account        string
	Channel        string
	Chat           string
	Owner          string
	Reason         string
	Waiting        int64 `db:"waiting_ms"`
	Session        asJSON[conversation.Session]
	Created        int64                     `db:"created_ms"`
	Changed        int64                     `db:"changed_ms"`
	DeskOf         int64                     `db:"desk_of"`
	ContactKey     int64                     `db:"contact_key"`
	ContactID      string                    `db:"contact_id"`
	Name           string                    `db:"name"`
	Language       string                    `db:"language"`
	LanguageSource string                    `db:"language_source"`
	TimeZone       string                    `db:"time_zone"`
	TimeZoneSource string                    `db:"time_zone_source"`
	External       asJSON[map[string]string] `db:"external_ids"`
	AddressKey     int64                     `db:"address_key"`
	AddressID      string                    `db:"address_id"`
	NetworkID      string                    `db:"network_id"`
	AddressState   string                    `db:"address_state"`
}

const selectThread = `
	SELECT v.key, v.id, v.merchant_id, v.account, v.channel, v.chat, v.owner, v.reason, v.waiting_ms, v.session,
		v.created_ms, v.changed_ms, v.desk_of, v.contact_key, c.id AS contact_id, c.name, c.language, c.language_source,
		c.time_zone, c.time_zone_source, c.external_ids, v.address_key, a.id AS address_id, a.network_id,
		a.state AS address_state
	FROM conversations v
	JOIN contacts c ON c.key = v.contact_key
	JOIN addresses a ON a.key = v.address_key`

func (r threadRow) thread() *Thread {
	th := &Thread{
		Key: r.Key, ID: r.ID, Merchant: r.Merchant, Account: r.Account, Channel: r.Channel, Chat: r.Chat,
		Owner: r.Owner, Reason: r.Reason, Waiting: at(r.Waiting), Session: r.Session.V, Created: at(r.Created),
		Changed: at(r.Changed), DeskOf: r.DeskOf, ContactKey: r.ContactKey, AddressKey: r.AddressKey,
		Contact: conversation.Contact{ID: r.ContactID, Name: r.Name, Language: r.Language,
			LanguageSource: r.LanguageSource, TimeZone: r.TimeZone, TimeZoneSource: r.TimeZoneSource,
			ExternalIDs: r.External.V},
		Address: conversation.Address{ID: r.AddressID, Account: r.Account, Channel: r.Channel,
			NetworkID: r.NetworkID, State: conversation.AddressState(r.AddressState)},
	}
	th.readContact, th.readAddress = toJSON(th.Contact), th.Address.State
	return th
}

const lockThread = `SELECT key FROM conversations WHERE account = $1 AND chat = $2`

const insertThread = `
	INSERT INTO conversations (id, merchant_id, account, channel, chat, contact_key, address_key, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
	ON CONFLICT (account, chat) DO NOTHING`

// threadFor loads the conversation of an event, locked, and makes it, its contact and its address when they are new.
func (tx *Tx) threadFor(ctx context.Context, turn Turn) (*Thread, error) {
	e := turn.Event
	var key int64
	err := tx.get(ctx, "lock conversation", &key, lockThread+tx.forUpdate(), e.Account, e.Chat)
	if errors.Is(err, ErrNotFound) {
		if err := tx.newThread(ctx, turn); err != nil {
			return nil, err
		}
		err = tx.get(ctx, "lock conversation", &key, lockThread+tx.forUpdate(), e.Account, e.Chat)
	}
	if err != nil {
		return nil, err
	}
	return tx.threadByKey(ctx, turn.Merchant, key)
}

func (tx *Tx) newThread(ctx context.Context, turn Turn) error {
	e := turn.Event
	sender := e.Sender
	if sender == "" {
		sender = e.Chat
	}
	address, contactKey, err := tx.AddressFor(ctx, turn.Merchant, conversation.Address{
		Account: e.Account, Channel: turn.Channel, NetworkID: sender, State: conversation.Verified,
	}, conversation.Contact{Name: e.SenderName, Language: "", TimeZone: ""})
	if err != nil {
		return err
	}
	now := tx.now.UnixMilli()
	return tx.exec(ctx, "make conversation", insertThread, tx.NewID("cnv"), turn.Merchant, e.Account, turn.Channel, e.Chat,
		contactKey, address, now)
}

func (tx *Tx) threadByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (*Thread, error) {
	var row threadRow
	err := tx.get(ctx, "load conversation", &row, selectThread+` WHERE v.key = $1 AND v.merchant_id = $2`, key, merchant)
	if err != nil {
		return nil, err
	}
	return row.thread(), nil
}

// Thread loads a conversation by its public id. Threads in rooms of the staff are none.
func (tx *Tx) Thread(ctx context.Context, merchant commerce.MerchantID, id string) (*Thread, error) {
	var row threadRow
	err := tx.get(ctx, "load conversation", &row, selectThread+` WHERE v.merchant_id = $1 AND v.id = $2 AND v.desk_of = 0`, merchant, id)
	if err != nil {
		return nil, err
	}
	return row.thread(), nil
}

// ThreadByKey loads a conversation by its key.
func (tx *Tx) ThreadByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (*Thread, error) {
	return tx.threadByKey(ctx, merchant, key)
}

// ThreadOfAddress loads the conversation with an address that was used last; ErrNotFound when they never talked.
func (tx *Tx) ThreadOfAddress(ctx context.Context, merchant commerce.MerchantID, addressKey int64) (*Thread, error) {
	var row threadRow
	err := tx.get(ctx, "load conversation of address", &row, selectThread+`
	WHERE v.merchant_id = $1 AND v.address_key = $2
	ORDER BY v.changed_ms DESC
	LIMIT 1`, merchant, addressKey)
	if err != nil {
		return nil, err
	}
	return row.thread(), nil
}

// ThreadOfChat loads the conversation of a chat on an account.
func (tx *Tx) ThreadOfChat(ctx context.Context, merchant commerce.MerchantID, account, chat string) (*Thread, error) {
	var row threadRow
	err := tx.get(ctx, "load conversation of chat", &row, selectThread+` WHERE v.merchant_id = $1 AND v.account = $2 AND v.chat = $3`, merchant, account, chat)
	if err != nil {
		return nil, err
	}
	return row.thread(), nil
}

// ThreadOfContact loads the conversation with that key if it is the contact's (0 means none), else the one they used last.
func (tx *Tx) ThreadOfContact(ctx context.Context, merchant commerce.MerchantID, contactKey, key int64) (*Thread, error) {
	var row threadRow
	err := tx.get(ctx, "load conversation of contact", &row, selectThread+`
	WHERE v.merchant_id = $1 AND v.contact_key = $2
	ORDER BY CASE WHEN v.key = $3 THEN 0 ELSE 1 END, v.changed_ms DESC
	LIMIT 1`, merchant, contactKey, key)
	if err != nil {
		return nil, err
	}
	return row.thread(), nil
}

// LockThread loads a conversation by its public id and locks it, for a change from outside a turn.
func (tx *Tx) LockThread(ctx context.Context, merchant commerce.MerchantID, id string) (*Thread, error) {
	var key int64
	err := tx.get(ctx, "lock conversation", &key, `SELECT key FROM conversations WHERE merchant_id = $1 AND id = $2 AND desk_of = 0`+tx.forUpdate(), merchant, id)
	if err != nil {
		return nil, err
	}
	return tx.threadByKey(ctx, merchant, key)
}

const updateThread = `
	UPDATE conversations
	SET owner = $3, reason = $4, waiting_ms = $5, session = $6, changed_ms = $7, contact_key = $8, address_key = $9
	WHERE key = $1 AND merchant_id = $2`

const updateContact = `
	UPDATE contacts
	SET name = $3, language = $4, language_source = $5, time_zone = $6, time_zone_source = $7, external_ids = $8
	WHERE key = $1 AND merchant_id = $2`

// SaveThread writes the conversation and what was learnt about its contact.
func (tx *Tx) SaveThread(ctx context.Context, th *Thread) error {
	th.Changed = tx.now
	err := tx.exec(ctx, "save conversation", updateThread, th.Key, th.Merchant, th.Owner, th.Reason, ms(th.Waiting),
		toJSON(th.Session), ms(th.Changed), th.ContactKey, th.AddressKey)
	if err != nil {
		return err
	}
	if th.Address.State != th.readAddress {
		if err := tx.SetAddressState(ctx, th.Merchant, th.AddressKey, th.Address.State); err != nil {
			return err
		}
		th.readAddress = th.Address.State
	}
	contact := toJSON(th.Contact)
	if contact == th.readContact {
		return nil
	}
	th.readContact = contact
	return tx.saveContact(ctx, th.Merchant, th.ContactKey, th.Contact)
}

func (tx *Tx) saveContact(ctx context.Context, merchant commerce.MerchantID, key int64, c conversation.Contact) error {
	if c.ExternalIDs == nil {
		c.ExternalIDs = map[string]string{}
	}
	return tx.exec(ctx, "save contact", updateContact, key, merchant, c.Name, c.Language, c.LanguageSource, c.TimeZone,
		c.TimeZoneSource, toJSON(c.ExternalIDs))
}

// ThreadFilter narrows Threads. Zero fields do not narrow.
type ThreadFilter struct {
	Contact string // con_…
	Owned   bool   // only those that wait for a person or that one has
	Before  int64  // key to go on from, for paging
	Limit   int    // 0 means 50
}

// Threads lists conversations, but for threads in rooms of the staff: those that wait longest first with Owned, else the latest first.
func (tx *Tx) Threads(ctx context.Context, merchant commerce.MerchantID, f ThreadFilter) ([]*Thread, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	query := selectThread + ` WHERE v.merchant_id = $1 AND v.desk_of = 0 AND ($2 = '' OR c.id = $2) AND ($3 = 0 OR v.key < $3)`
	if f.Owned {
		query += ` AND v.owner <> 'bot' ORDER BY CASE WHEN v.owner = 'waiting' THEN 0 ELSE 1 END, v.waiting_ms, v.key DESC`
	} else {
		query += ` ORDER BY v.key DESC`
	}
	var rows []threadRow
	if err := tx.list(ctx, "list conversations", &rows, query+fmt.Sprintf(" LIMIT %d", f.Limit), merchant, f.Contact, f.Before); err != nil {
		return nil, err
	}
	out := make([]*Thread, len(rows))
	for i, r := range rows {
		out[i] = r.thread()
	}
	return out, nil
}
