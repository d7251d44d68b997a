package store

import (
	"context"
	"errors"

	"parley/commerce"
	"parley/conversation"
)

const (
	selectAddress = `
	SELECT key, contact_key
	FROM addresses
	WHERE account = $1 AND network_id = $2`

	insertContact = `
	INSERT INTO contacts (id, merchant_id, name, language, language_source, time_zone, time_zone_source, external_ids, created_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	RETURNING key`

	insertAddress = `
	INSERT INTO addresses (id, merchant_id, contact_key, account, channel, network_id, state, created_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	ON CONFLICT (account, network_id) DO NOTHING
	RETURNING key`
)

// AddContact makes a contact and returns its key.
func (tx *Tx) AddContact(ctx context.Context, merchant commerce.MerchantID, c conversation.Contact) (int64, error) {
	if c.ID == "" {
		c.ID = tx.NewID("con")
	}
	if c.ExternalIDs == nil {
		c.ExternalIDs = map[string]string{}
	}
	var key int64
	err := tx.get(ctx, "make contact", &key, insertContact, c.ID, merchant, c.Name, c.Language, c.LanguageSource, c.TimeZone,
		c.TimeZoneSource, toJSON(c.ExternalIDs), tx.now.UnixMilli())
	return key, err
}

// AddressFor finds an address by account and network id, or makes it: for the contact with that key when contact.ID names
// one that exists, else for a new contact. An address that exists keeps its contact: contacts merge only by proof.
func (tx *Tx) AddressFor(ctx context.Context, merchant commerce.MerchantID, a conversation.Address, contact conversation.Contact) (addressKey, contactKey int64, err error) {
	var found struct {
		Key     int64
		Contact int64 `db:"contact_key"`
	}
	err = tx.get(ctx, "find address", &found, selectAddress, a.Account, a.NetworkID)
	if err == nil {
		return found.Key, found.Contact, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return 0, 0, err
	}
	if contact.ID != "" {
		contactKey, _, err = tx.contact(ctx, merchant, contact.ID)
	} else {
		contactKey, err = tx.AddContact(ctx, merchant, contact)
	}
	if err != nil {
		return 0, 0, err
	}
	err = tx.get(ctx, "make address", &addressKey, insertAddress, tx.NewID("adr"), merchant, contactKey, a.Account, a.Channel,
		a.NetworkID, string(a.State), tx.now.UnixMilli())
	if errors.Is(err, ErrNotFound) { // another transaction made it just now
		err = tx.get(ctx, "find address", &found, selectAddress, a.Account, a.NetworkID)
		return found.Key, found.Contact, err
	}
	return addressKey, contactKey, err
}

// Contact loads a contact by its public id, with its key.
func (tx *Tx) Contact(ctx context.Context, merchant commerce.MerchantID, id string) (int64, conversation.Contact, error) {
	return tx.contact(ctx, merchant, id)
}

func (tx *Tx) contact(ctx context.Context, merchant commerce.MerchantID, id string) (int64, conversation.Contact, error) {
	return tx.oneContact(ctx, `id = $2`, merchant, id)
}

// ContactByKey loads a contact by its key.
func (tx *Tx) ContactByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (conversation.Contact, error) {
	_, c, err := tx.oneContact(ctx, `key = $2`, merchant, key)
	return c, err
}

func (tx *Tx) oneContact(ctx context.Context, where string, merchant commerce.MerchantID, arg any) (int64, conversation.Contact, error) {
	var row struct {
		Key            int64
		ID             string
		Name           string
		Language       string
		LanguageSource string                    `db:"language_source"`
		TimeZone       string                    `db:"time_zone"`
		TimeZoneSource string                    `db:"time_zone_source"`
		External       asJSON[map[string]string] `db:"external_ids"`
	}
	err := tx.get(ctx, "load contact", &row, `
	SELECT key, id, name, language, language_source, time_zone, time_zone_source, external_ids
	FROM contacts
	WHERE merchant_id = $1 AND `+where, merchant, arg)
	return row.Key, conversation.Contact{ID: row.ID, Name: row.Name, Language: row.Language, LanguageSource: row.LanguageSource,
		TimeZone: row.TimeZone, TimeZoneSource: row.TimeZoneSource, ExternalIDs: row.External.V}, err
}

// SaveContact writes what is known about a contact.
func (tx *Tx) SaveContact(ctx context.Context, merchant commerce.MerchantID, key int64, c conversation.Contact) error {
	return tx.saveContact(ctx, merchant, key, c)
}

// AddressByKey loads an address.
func (tx *Tx) AddressByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (conversation.Address, error) {
	var row struct {
		ID        string
		Account   string
		Channel   string
		NetworkID string `db:"network_id"`
		State     string
	}
	err := tx.get(ctx, "load address", &row, `
	SELECT id, account, channel, network_id, state
	FROM addresses
	WHERE merchant_id = $1 AND key = $2`, merchant, key)
	return conversation.Address{ID: row.ID, Account: row.Account, Channel: row.Channel, NetworkID: row.NetworkID,
		State: conversation.AddressState(row.State)}, err
}

// SetAddressState says how sure we are of an address, or that it wants no more messages.
func (tx *Tx) SetAddressState(ctx context.Context, merchant commerce.MerchantID, key int64, state conversation.AddressState) error {
	return tx.exec(ctx, "set address state", `UPDATE addresses SET state = $3 WHERE merchant_id = $1 AND key = $2`, merchant, key, string(state))
}

// MoveAddress gives an address to another contact, with its conversations: somebody proved by a link or a code that it is theirs.
func (tx *Tx) MoveAddress(ctx context.Context, merchant commerce.MerchantID, addressKey, contactKey int64) error {
	err := tx.exec(ctx, "move address", `UPDATE addresses SET contact_key = $3 WHERE merchant_id = $1 AND key = $2`, merchant, addressKey, contactKey)
	if err != nil {
		return err
	}
	return tx.exec(ctx, "move conversations", `UPDATE conversations SET contact_key = $3 WHERE merchant_id = $1 AND address_key = $2`, merchant, addressKey, contactKey)
}

const (
	insertConsent = `
	INSERT INTO consents (merchant_id, contact_key, address_key, purpose, wording, version, evidence, at_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

	revokeConsents = `
	UPDATE consents
	SET revoked_ms = $3
	WHERE merchant_id = $1 AND address_key = $2 AND revoked_ms = 0`

	hasConsent = `
	SELECT count(*)
	FROM consents
	WHERE merchant_id = $1 AND contact_key = $2 AND purpose = $3 AND revoked_ms = 0`

	selectConsents = `
	SELECT purpose, wording, version, evidence, at_ms, revoked_ms
	FROM consents
	WHERE merchant_id = $1 AND contact_key = $2
	ORDER BY key`
)

// AddConsent records that a contact agreed. addressKey is 0 while the address is not known; BindConsents fills it in.
func (tx *Tx) AddConsent(ctx context.Context, merchant commerce.MerchantID, contactKey, addressKey int64, c conversation.Consent) error {
	if c.Evidence == nil {
		c.Evidence = map[string]string{}
	}
	return tx.exec(ctx, "record consent", insertConsent, merchant, contactKey, addressKey, string(c.Purpose), c.Wording, c.Version,
		toJSON(c.Evidence), ms(c.At))
}

// BindConsents says that the consents a contact gave before its address was known are for that address. They may be a
// form's contact's, who turned out to be the address's.
func (tx *Tx) BindConsents(ctx context.Context, merchant commerce.MerchantID, formContact, contactKey, addressKey int64) error {
	return tx.exec(ctx, "bind consents", `
	UPDATE consents
	SET contact_key = $3, address_key = $4
	WHERE merchant_id = $1 AND contact_key = $2 AND address_key = 0`, merchant, formContact, contactKey, addressKey)
}

// RevokeConsents ends all consents of an address.
func (tx *Tx) RevokeConsents(ctx context.Context, merchant commerce.MerchantID, addressKey int64) error {
	return tx.exec(ctx, "revoke consents", revokeConsents, merchant, addressKey, tx.now.UnixMilli())
}

// HasConsent says that a contact has agreed to a purpose and not taken it back.
func (tx *Tx) HasConsent(ctx context.Context, merchant commerce.MerchantID, contactKey int64, p conversation.Purpose) (bool, error) {
	var n int
	err := tx.get(ctx, "look up consent", &n, hasConsent, merchant, contactKey, string(p))
	return n > 0, err
}

// Consents lists what a contact agreed to, oldest first, with what was taken back.
func (tx *Tx) Consents(ctx context.Context, merchant commerce.MerchantID, contactKey int64) ([]conversation.Consent, error) {
	var rows []struct {
		Purpose  string
		Wording  string
		Version  string
		Evidence asJSON[map[string]string]
		At       int64 `db:"at_ms"`
		Revoked  int64 `db:"revoked_ms"`
	}
	if err := tx.list(ctx, "list consents", &rows, selectConsents, merchant, contactKey); err != nil {
		return nil, err
	}
	out := make([]conversation.Consent, len(rows))
	for i, r := range rows {
		out[i] = conversation.Consent{Purpose: conversation.Purpose(r.Purpose), Wording: r.Wording, Version: r.Version,
			Evidence: r.Evidence.V, At: at(r.At), Revoked: at(r.Revoked)}
	}
	return out, nil
}
