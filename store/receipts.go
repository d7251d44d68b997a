package store

import (
	"context"
	"time"
)

const noteReceipt = `
	UPDATE parts
	SET state = $4, changed_ms = $5
	WHERE account = $1 AND conversation_key = $2 AND network_id = $3 AND network_id <> ''
		AND (state IN ('sent', 'unknown') OR state = 'delivered' AND $4 = 'read')`

// keepReceipt keeps a report about a message that is not known, while one of that conversation is under way.
const keepReceipt = `
	INSERT INTO early_receipts (conversation_key, network_id, account, state, at_ms)
	SELECT CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($1 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT)
	FROM (SELECT 1) AS given
	WHERE EXISTS (SELECT 1 FROM parts p WHERE p.conversation_key = $2 AND p.state IN ('queued', 'sending') AND p.state = 'sending')
		AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.account = $1 AND p.conversation_key = $2 AND p.network_id = $3 AND p.network_id <> '')
	ON CONFLICT (conversation_key, network_id) DO UPDATE SET state = excluded.state
	WHERE early_receipts.state = 'delivered'`

// NoteReceipt takes a network's report about a message of ours in a conversation: ids of networks are often unique in their chat
// only, and nobody reports on the messages of others. A late report never undoes a later state. One that comes before its message
// is noted as sent is kept until then, which early says.
func (tx *Tx) NoteReceipt(ctx context.Context, th *Thread, networkID string, state PartState) (early bool, err error) {
	n, err := tx.count(ctx, "note receipt", noteReceipt, th.Account, th.Key, networkID, string(state), tx.now.UnixMilli())
	if err != nil || n > 0 || networkID == "" {
		return false, err
	}
	n, err = tx.count(ctx, "keep receipt", keepReceipt, th.Account, th.Key, networkID, string(state), tx.now.UnixMilli())
	return n > 0, err
}

// receiptsKept is how long a report waits for its message.
const receiptsKept = time.Minute

const (
	applyReceipts = `
	UPDATE parts
	SET state = r.state, changed_ms = $2
	FROM early_receipts r
	WHERE r.account = $1 AND parts.account = r.account AND parts.network_id = r.network_id AND parts.network_id <> ''
		AND parts.conversation_key = r.conversation_key
		AND (parts.state IN ('sent', 'unknown') OR parts.state = 'delivered' AND r.state = 'read')`

	forgetReceipts = `DELETE FROM early_receipts WHERE account = $1 AND at_ms < $2`
)

// HasEarlyReceipts says that reports wait for their messages.
func (tx *Tx) HasEarlyReceipts(ctx context.Context, account string) (bool, error) {
	var n int
	err := tx.get(ctx, "look for early receipts", &n, `SELECT COUNT(*) FROM (SELECT 1 FROM early_receipts WHERE account = $1 LIMIT 1) AS given`, account)
	return n > 0, err
}

// SweepReceipts gives an account's early reports to those of their messages that were noted at the same moment, and forgets the
// old ones.
func (tx *Tx) SweepReceipts(ctx context.Context, account string) error {
	if err := tx.exec(ctx, "apply early receipts", applyReceipts, account, tx.now.UnixMilli()); err != nil {
		return err
	}
	return tx.exec(ctx, "forget early receipts", forgetReceipts, account, tx.now.Add(-receiptsKept).UnixMilli())
}
