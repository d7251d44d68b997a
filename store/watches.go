package store

import (
	"context"

	"parley/commerce"
	"parley/commerce/money"
)

type watchRow struct {
	Key         int64
	ID          commerce.WatchID
	Merchant    commerce.MerchantID `db:"merchant_id"`
	Product     int64               `db:"product_key"`
	Contact     int64               `db:"contact_key"`
	Address     int64               `db:"address_key"`
	Event       string
	Fields      asJSON[map[string]string]
	Currency    money.Currency
	Threshold   int64 `db:"threshold_minor"`
	Rearm       int64 `db:"rearm_minor"`
	Told        int64 `db:"told_minor"`
	Quantity    int
	NotAtNight  int `db:"not_at_night"`
	State       commerce.WatchState
	TokenHash   string `db:"token_hash"`
	LinkExpires int64  `db:"link_expires_ms"`
	Epoch       int
	Created     int64 `db:"created_ms"`
	Changed     int64 `db:"changed_ms"`
}

func (r watchRow) watch() commerce.Watch {
	return commerce.Watch{
		Merchant: r.Merchant, Key: r.Key, ID: r.ID, Product: r.Product, Contact: r.Contact, Address: r.Address, Event: r.Event,
		Fields: r.Fields.V, State: r.State, Threshold: orNone(r.Threshold, r.Currency), Rearm: orNone(r.Rearm, r.Currency),
		Quantity: r.Quantity, NotAtNight: r.NotAtNight != 0, TokenHash: r.TokenHash, LinkExpires: at(r.LinkExpires),
		Epoch: r.Epoch, Told: orNone(r.Told, r.Currency), Created: at(r.Created), Changed: at(r.Changed),
	}
}

const (
	selectWatches = `
	SELECT ` + watchColumns + `
	FROM watches w`

	watchColumns = `w.key, w.id, w.merchant_id, w.product_key, w.contact_key, w.address_key, w.event, w.fields, w.currency, w.threshold_minor,
		w.rearm_minor, w.told_minor, w.quantity, w.not_at_night, w.state, w.token_hash, w.link_expires_ms, w.epoch, w.created_ms, w.changed_ms`

	watchByID = selectWatches + `
	WHERE merchant_id = $1 AND id = $2`

	watchByKey = selectWatches + `
	WHERE merchant_id = $1 AND key = $2`

	watchByToken = selectWatches + `
	WHERE merchant_id = $1 AND token_hash = $2 AND token_hash <> ''`

	standingWatch = selectWatches + `
	WHERE merchant_id = $1 AND contact_key = $2 AND product_key = $3 AND event = $4 AND state IN ('armed', 'fired')`

	watchesOf = selectWatches + `
	WHERE merchant_id = $1 AND contact_key = $2
	ORDER BY key`

	countWatches = `
	SELECT COUNT(*)
	FROM watches
	WHERE merchant_id = $1 AND contact_key = $2 AND state IN ('armed', 'pending')`

	insertWatch = `
	INSERT INTO watches (id, merchant_id, product_key, contact_key, address_key, event, fields, currency, threshold_minor,
		rearm_minor, quantity, not_at_night, state, token_hash, link_expires_ms, created_ms, changed_ms, lane)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, ` + laneOf + `$5), 0))
	RETURNING key`

	updateWatch = `
	UPDATE watches
	SET contact_key = $3, address_key = $4, fields = $5, currency = $6, threshold_minor = $7, rearm_minor = $8, quantity = $9,
		not_at_night = $10, state = $11, token_hash = $12, link_expires_ms = $13, changed_ms = $14, lane = ` + laneOf + `$4), 0)
	WHERE merchant_id = $1 AND key = $2`

	mayAlert = `
	SELECT COUNT(*)
	FROM addresses a
	WHERE a.merchant_id = $1 AND a.key = $3 AND a.state IN ('linked', 'verified') AND EXISTS (
		SELECT 1
		FROM consents c
		WHERE c.merchant_id = $1 AND c.contact_key = $2 AND c.purpose = 'alert' AND c.revoked_ms = 0 AND c.address_key IN (0, $3))`
)

func (tx *Tx) watch(ctx context.Context, query string, merchant commerce.MerchantID, args ...any) (commerce.Watch, error) {
	var row watchRow
	err := tx.get(ctx, "load watch", &row, query, append([]any{merchant}, args...)...)
	return row.watch(), err
}

// Watch loads a watch by its public id.
func (tx *Tx) Watch(ctx context.Context, merchant commerce.MerchantID, id commerce.WatchID) (commerce.Watch, error) {
	return tx.watch(ctx, watchByID, merchant, id)
}

// WatchByKey loads a watch.
func (tx *Tx) WatchByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (commerce.Watch, error) {
	return tx.watch(ctx, watchByKey, merchant, key)
}

// WatchByToken loads the watch that a link belongs to.
func (tx *Tx) WatchByToken(ctx context.Context, merchant commerce.MerchantID, hash string) (commerce.Watch, error) {
	return tx.watch(ctx, watchByToken, merchant, hash)
}

// StandingWatch loads the contact's armed or fired watch of a product and event.
func (tx *Tx) StandingWatch(ctx context.Context, merchant commerce.MerchantID, contact, product int64, event string) (commerce.Watch, error) {
	return tx.watch(ctx, standingWatch, merchant, contact, product, event)
}

// WatchesOf lists a contact's watches, oldest first, cancelled ones too.
func (tx *Tx) WatchesOf(ctx context.Context, merchant commerce.MerchantID, contact int64) ([]commerce.Watch, error) {
	var rows []watchRow
	if err := tx.list(ctx, "list watches", &rows, watchesOf, merchant, contact); err != nil {
		return nil, err
	}
	watches := make([]commerce.Watch, len(rows))
	for i, row := range rows {
		watches[i] = row.watch()
	}
	return watches, nil
}

// CountWatches counts the contact's watches that wait.
func (tx *Tx) CountWatches(ctx context.Context, merchant commerce.MerchantID, contact int64) (int, error) {
	var n int
	err := tx.get(ctx, "count watches", &n, countWatches, merchant, contact)
	return n, err
}

// AddWatch inserts a watch and gives it its key and id.
func (tx *Tx) AddWatch(ctx context.Context, w *commerce.Watch) error {
	if err := tx.keepLane(ctx, w.Address); err != nil {
		return err
	}
	w.ID = commerce.WatchID(tx.NewID("wat"))
	return tx.get(ctx, "add watch", &w.Key, insertWatch, w.ID, w.Merchant, w.Product, w.Contact, w.Address, w.Event, toJSON(w.Fields),
		w.Threshold.Currency, w.Threshold.Minor, w.Rearm.Minor, w.Quantity, flag(w.NotAtNight), w.State, w.TokenHash,
		ms(w.LinkExpires), ms(w.Created), ms(w.Changed))
}

// SaveWatch writes a watch, but for what its firings leave.
func (tx *Tx) SaveWatch(ctx context.Context, w commerce.Watch) error {
	if err := tx.keepLane(ctx, w.Address); err != nil {
		return err
	}
	err := tx.exec(ctx, "save watch "+string(w.ID), updateWatch, w.Merchant, w.Key, w.Contact, w.Address, toJSON(w.Fields),
		w.Threshold.Currency, w.Threshold.Minor, w.Rearm.Minor, w.Quantity, flag(w.NotAtNight), w.State, w.TokenHash,
		ms(w.LinkExpires), ms(w.Changed))
	if err != nil || w.State != commerce.WatchCancelled {
		return err
	}
	return tx.noticeWatch(ctx, w.Key)
}

// MayAlert says whether the consent stands and the address takes messages.
func (tx *Tx) MayAlert(ctx context.Context, merchant commerce.MerchantID, contact, address int64) (bool, error) {
	var n int
	err := tx.get(ctx, "look up consent to alerts", &n, mayAlert, merchant, contact, address)
	return n > 0, err
}

// flag is a truth as the tables keep it.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
