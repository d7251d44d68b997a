package store

import (
	"context"
	"time"

	"parley/commerce"
)

// Notice is a notification that went out with buttons: they are shown while its quote can be bought.
type Notice struct {
	Message  int64 // the key of the message
	Merchant commerce.MerchantID
	Thread   int64
	Account  string
	Quote    int64
	Product  int64
	Watch    int64 // 0 when none led to it
	Unit     int64 // in minor units: a higher price ends it
	Quantity int   // less in stock ends it
	Due      time.Time
}

type noticeRow struct {
	Message  int64               `db:"message_key"`
	Merchant commerce.MerchantID `db:"merchant_id"`
	Thread   int64               `db:"conversation_key"`
	Account  string
	Quote    int64 `db:"quote_key"`
	Product  int64 `db:"product_key"`
	Watch    int64 `db:"watch_key"`
	Unit     int64 `db:"unit_minor"`
	Quantity int
	Due      int64 `db:"due_ms"`
}

const (
	selectNotices = `
	SELECT message_key, merchant_id, conversation_key, account, quote_key, product_key, watch_key, unit_minor, quantity, due_ms
	FROM notices
	WHERE account = $1 AND state = 'standing' AND due_ms <= $2
	ORDER BY due_ms, message_key
	LIMIT $3`

	// Each of these looks along one index.
	dearerNotices = `
	UPDATE notices
	SET due_ms = $3
	WHERE message_key IN (
		SELECT message_key
		FROM notices
		WHERE product_key = $1 AND unit_minor < $2 AND state = 'standing' AND due_ms > $3
		LIMIT $4)`

	scarcerNotices = `
	UPDATE notices
	SET due_ms = $3
	WHERE message_key IN (
		SELECT message_key
		FROM notices
		WHERE product_key = $1 AND quantity > $2 AND state = 'standing' AND due_ms > $3
		LIMIT $4)`
)

// AddNotice remembers that a message shows buttons, to be looked at when it is due.
func (tx *Tx) AddNotice(ctx context.Context, n Notice) error {
	tx.add(inNotices, n.Message, int64(n.Merchant), n.Thread, n.Account, n.Quote, n.Product, n.Watch, n.Unit, int64(n.Quantity), "standing",
		ms(n.Due))
	return nil
}

// DueNotices lists notices of an account that are to be looked at.
func (tx *Tx) DueNotices(ctx context.Context, account string, limit int) ([]Notice, error) {
	var rows []noticeRow
	if err := tx.list(ctx, "list due notices", &rows, selectNotices, account, tx.now.UnixMilli(), limit); err != nil {
		return nil, err
	}
	out := make([]Notice, len(rows))
	for i, r := range rows {
		out[i] = Notice{Message: r.Message, Merchant: r.Merchant, Thread: r.Thread, Account: r.Account, Quote: r.Quote, Product: r.Product,
			Watch: r.Watch, Unit: r.Unit, Quantity: r.Quantity, Due: at(r.Due)}
	}
	return out, nil
}

// EndNotice says why a notice no longer holds; false when that was said already.
func (tx *Tx) EndNotice(ctx context.Context, message int64, why string) (bool, error) {
	n, err := tx.count(ctx, "end notice", `UPDATE notices SET state = $2 WHERE message_key = $1 AND state = 'standing'`, message, why)
	return n == 1, err
}

// PutOffNotice has a notice that holds looked at again.
func (tx *Tx) PutOffNotice(ctx context.Context, message int64, due time.Time) error {
	return tx.exec(ctx, "put off notice", `UPDATE notices SET due_ms = $2 WHERE message_key = $1 AND state = 'standing'`, message, ms(due))
}

// noticeOrder has the notices of an order's quote looked at, and noticeWatch those that a watch led to.
func (tx *Tx) noticeOrder(ctx context.Context, quote int64) error {
	return tx.exec(ctx, "notice order", `UPDATE notices SET due_ms = $2 WHERE quote_key = $1 AND state = 'standing'`, quote, tx.now.UnixMilli())
}

func (tx *Tx) noticeWatch(ctx context.Context, watch int64) error {
	return tx.exec(ctx, "notice watch", `UPDATE notices SET due_ms = $2 WHERE watch_key = $1 AND state = 'standing'`, watch, tx.now.UnixMilli())
}

// noticesAtOnce is how many notices one transaction marks: some 10 ms, for which everybody waits.
const noticesAtOnce = 1024

// NoticeProducts has the notices looked at that changes of price and stock have ended. It does some of that, and says whether
// more is left.
func (tx *Tx) NoticeProducts(ctx context.Context, limit int) (more bool, err error) {
	var keys []int64
	if err := tx.list(ctx, "list changed products", &keys, `SELECT key FROM products WHERE unseen = 1 ORDER BY key LIMIT $1`, limit); err != nil {
		return false, err
	}
	more = len(keys) == limit
	for _, key := range keys {
		// The row is locked by this, so that a change that comes meanwhile is noticed next time.
		var p struct {
			Price     int64 `db:"price_minor"`
			Available int64
		}
		err := tx.get(ctx, "notice product", &p, `
	UPDATE products SET unseen = 0 WHERE key = $1 RETURNING price_minor, on_hand - held AS available`, key)
		if err != nil {
			return false, err
		}
		dearer, err := tx.count(ctx, "notice price", dearerNotices, key, p.Price, tx.now.UnixMilli(), noticesAtOnce)
		if err != nil {
			return false, err
		}
		scarcer, err := tx.count(ctx, "notice stock", scarcerNotices, key, p.Available, tx.now.UnixMilli(), noticesAtOnce)
		if err != nil {
			return false, err
		}
		if dearer == noticesAtOnce || scarcer == noticesAtOnce {
			return true, tx.exec(ctx, "notice product again", `UPDATE products SET unseen = 1 WHERE key = $1`, key)
		}
	}
	return more, nil
}

// OpenEdits counts the changes of an account's messages that have not left yet.
func (tx *Tx) OpenEdits(ctx context.Context, account string) (int, error) {
	var n int
	err := tx.get(ctx, "count open edits", &n, `
	SELECT COUNT(*) FROM parts WHERE account = $1 AND state IN ('queued', 'sending') AND edit = 1`, account)
	return n, err
}

// ButtonPart is the part of a message that shows its buttons; ErrNotFound when none does.
func (tx *Tx) ButtonPart(ctx context.Context, message int64) (Part, error) {
	var row struct {
		Key      int64
		Position int
		Text     string
		Image    string
	}
	err := tx.get(ctx, "find part with buttons", &row, `
	SELECT key, position, text, image
	FROM parts
	WHERE message_key = $1 AND edit = 0 AND choices <> '[]' AND state <> 'failed'
	ORDER BY position DESC
	LIMIT 1`, message)
	return Part{Key: row.Key, MessageKey: message, Position: row.Position, Text: row.Text, Image: row.Image}, err
}

// Unbutton has a part's buttons removed where they are shown, and its words replaced. The transcript keeps what the buttons
// were, so that one that is pressed on an old screen is still understood.
func (tx *Tx) Unbutton(ctx context.Context, part Part, text string) error {
	return tx.exec(ctx, "take buttons off part", `
	INSERT INTO parts (message_key, conversation_key, account, position, text, choices, image, state, due_ms, changed_ms, edit)
	SELECT message_key, conversation_key, account, position, $2, '[]', image, 'queued', 0, $3, 1
	FROM parts
	WHERE key = $1`, part.Key, text, tx.now.UnixMilli())
}

// Append adds a line to what the transcript says of a message.
func (tx *Tx) Append(ctx context.Context, message int64, line string) error {
	return tx.exec(ctx, "append to message", `UPDATE messages SET text = text || $2 WHERE key = $1`, message, "\n\n"+line)
}

// MessageByKey loads a message of a merchant.
func (tx *Tx) MessageByKey(ctx context.Context, merchant commerce.MerchantID, key int64) (Message, error) {
	var row messageRow
	err := tx.get(ctx, "load message", &row, selectMessages+` WHERE m.merchant_id = $1 AND m.key = $2`, merchant, key)
	return row.message(), err
}

// EditedMessages lists those of a conversation's last messages, at most limit of them, that were changed after they were sent,
// oldest first.
func (tx *Tx) EditedMessages(ctx context.Context, merchant commerce.MerchantID, thread int64, limit int) ([]Message, error) {
	var rows []messageRow
	err := tx.list(ctx, "list edited messages", &rows, selectMessages+`
	WHERE m.merchant_id = $1 AND m.conversation_key = $2
		AND m.key >= COALESCE((SELECT min(l.key) FROM (SELECT key FROM messages WHERE conversation_key = $2 ORDER BY key DESC LIMIT $3) l), 0)
		AND EXISTS (SELECT 1 FROM parts e WHERE e.message_key = m.key AND e.edit = 1)
	ORDER BY m.key`, merchant, thread, limit)
	out := make([]Message, len(rows))
	for i, r := range rows {
		out[i] = r.message()
	}
	return out, err
}
