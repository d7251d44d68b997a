package store

import (
	"context"
	"fmt"
	"maps"
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

	Open bool // a part of it may be on its way out or wait to be; false says for certain that none does
	// Alerts says that parts of campaigns were among them when it was loaded for a turn.
	Alerts bool
	Held   bool // a part may be held back for later

	// What stood in the rows when they were read: only what a turn changed is written back, so that it does not undo what
	// somebody else wrote meanwhile.
	readContact conversation.Contact
	readAddress conversation.AddressState
	readKeys    [2]int64 // of the contact and the address

	heard time.Time // when the contact wrote last, if that was in this transaction
	taken bool      // a turn of this transaction has it
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
	Held           int                       `db:"held"`
	Open           int                       `db:"open"`
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

const threadColumns = `
	SELECT v.key, v.id, v.merchant_id, v.account, v.channel, v.chat, v.owner, v.reason, v.waiting_ms, v.session,
		v.created_ms, v.changed_ms, v.desk_of, v.held, v.contact_key, c.id AS contact_id, c.name, c.language, c.language_source,
		c.time_zone, c.time_zone_source, c.external_ids, v.address_key, a.id AS address_id, a.network_id,
		a.state AS address_state`

const selectThread = threadColumns + `, 1 AS open
	FROM conversations v
	JOIN contacts c ON c.key = v.contact_key
	JOIN addresses a ON a.key = v.address_key`

// scan reads threadColumns and open.
func (r *threadRow) scan(scan func(...any) error) error {
	return scan(&r.Key, &r.ID, &r.Merchant, &r.Account, &r.Channel, &r.Chat, &r.Owner, &r.Reason, &r.Waiting, &r.Session, &r.Created,
		&r.Changed, &r.DeskOf, &r.Held, &r.ContactKey, &r.ContactID, &r.Name, &r.Language, &r.LanguageSource, &r.TimeZone,
		&r.TimeZoneSource, &r.External, &r.AddressKey, &r.AddressID, &r.NetworkID, &r.AddressState, &r.Open)
}

func (r threadRow) thread() *Thread {
	th := &Thread{
		Key: r.Key, ID: r.ID, Merchant: r.Merchant, Account: r.Account, Channel: r.Channel, Chat: r.Chat,
		Owner: r.Owner, Reason: r.Reason, Waiting: at(r.Waiting), Session: r.Session.V, Created: at(r.Created),
		Changed: at(r.Changed), DeskOf: r.DeskOf, Held: r.Held != 0, Open: r.Open != 0, Alerts: r.Open > 1, ContactKey: r.ContactKey, AddressKey: r.AddressKey,
		Contact: conversation.Contact{ID: r.ContactID, Name: r.Name, Language: r.Language,
			LanguageSource: r.LanguageSource, TimeZone: r.TimeZone, TimeZoneSource: r.TimeZoneSource,
			ExternalIDs: r.External.V},
		Address: conversation.Address{ID: r.AddressID, Account: r.Account, Channel: r.Channel,
			NetworkID: r.NetworkID, State: conversation.AddressState(r.AddressState)},
	}
	th.isAsRead()
	return th
}

// isAsRead says that what stands in the rows of the contact and the address is what the thread has.
func (th *Thread) isAsRead() {
	th.readContact, th.readAddress, th.readKeys = th.Contact, th.Address.State, [2]int64{th.ContactKey, th.AddressKey}
	if len(th.Contact.ExternalIDs) > 0 {
		th.readContact.ExternalIDs = maps.Clone(th.Contact.ExternalIDs)
	} else {
		th.readContact.ExternalIDs = nil
	}
}

// knowsMore says that something was learnt about the contact.
func (th *Thread) knowsMore() bool {
	was, is := th.readContact, th.Contact
	return was.ID != is.ID || was.Name != is.Name || was.Language != is.Language || was.LanguageSource != is.LanguageSource ||
		was.TimeZone != is.TimeZone || was.TimeZoneSource != is.TimeZoneSource || !maps.Equal(was.ExternalIDs, is.ExternalIDs)
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

const moveThread = `
	UPDATE conversations
	SET contact_key = $3, address_key = $4
	WHERE key = $1 AND merchant_id = $2`

const updateContact = `
	UPDATE contacts
	SET name = $3, language = $4, language_source = $5, time_zone = $6, time_zone_source = $7, external_ids = $8
	WHERE key = $1 AND merchant_id = $2`

// SaveThread writes the conversation and what was learnt about its contact.
func (tx *Tx) SaveThread(ctx context.Context, th *Thread) error {
	th.Changed = tx.now
	held := int64(0)
	if th.Held {
		held = 1
	}
	tx.add(inStandings, th.Key, th.Owner, th.Reason, ms(th.Waiting), toJSON(th.Session), ms(th.Changed), held)
	tx.group.saved(th)
	if keys := [2]int64{th.ContactKey, th.AddressKey}; keys != th.readKeys {
		if err := tx.exec(ctx, "move conversation", moveThread, th.Key, th.Merchant, th.ContactKey, th.AddressKey); err != nil {
			return err
		}
	}
	if th.Address.State != th.readAddress {
		if err := tx.quietly(func() error { return tx.SetAddressState(ctx, th.Merchant, th.AddressKey, th.Address.State) }); err != nil {
			return err
		}
		tx.group.changed(th)
	}
	if th.knowsMore() {
		if err := tx.quietly(func() error { return tx.saveContact(ctx, th.Merchant, th.ContactKey, th.Contact) }); err != nil {
			return err
		}
		tx.group.changed(th)
	}
	th.isAsRead()
	return nil
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
