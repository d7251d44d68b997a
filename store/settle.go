package store

import (
	"context"
	"time"
)

const settlePart = `
	UPDATE parts
	SET state = $2, network_id = CASE WHEN $3 = '' THEN network_id ELSE $3 END, problem = $4, due_ms = $5, changed_ms = $6
	WHERE key = $1 AND state = 'sending'`

// SettlePart notes what became of a claimed part. With Queued it is tried again at due.
func (tx *Tx) SettlePart(ctx context.Context, key int64, state PartState, networkID, problem string, due time.Time) error {
	return tx.exec(ctx, "settle part", settlePart, key, string(state), networkID, problem, ms(due), tx.now.UnixMilli())
}

// SentPart is a part that a network took, with the id that it has there ("" for none).
type SentPart struct {
	Key       int64
	NetworkID string
}

const (
	reported = `(SELECT r.state FROM early_receipts r WHERE r.conversation_key = parts.conversation_key AND r.network_id = `

	settleSent = `
	UPDATE parts
	SET state = COALESCE(` + reported + `?), 'sent'), network_id = COALESCE(NULLIF(?, ''), network_id), problem = '', due_ms = 0, changed_ms = ?
	WHERE key = ? AND state = 'sending'`

	settleManySent = `
	UPDATE parts
	SET state = COALESCE(` + reported + `given.id), 'sent'), network_id = COALESCE(NULLIF(given.id, ''), network_id), problem = '',
		due_ms = 0, changed_ms = $1
	FROM unnest($2::bigint[], $3::text[]) AS given (key, id)
	WHERE parts.key = given.key AND parts.state = 'sending'`
)

// SettleSent notes parts as sent, or as what their networks have already reported of them, many at once.
func (tx *Tx) SettleSent(ctx context.Context, parts []SentPart) error {
	const doing = "settle sent parts"
	if len(parts) == 0 {
		return nil
	}
	if tx.dialect == Postgres {
		keys, ids := make([]int64, len(parts)), make([]string, len(parts))
		for i, p := range parts {
			keys[i], ids[i] = p.Key, p.NetworkID
		}
		return tx.exec(ctx, doing, settleManySent, tx.now.UnixMilli(), keys, ids)
	}
	values := make([]any, 0, 4*len(parts))
	for _, p := range parts {
		values = append(values, p.NetworkID, p.NetworkID, tx.now.UnixMilli(), p.Key)
	}
	return tx.exec(ctx, doing, settleSent, eachRow{4, values})
}

// HoldPart puts a claimed part back because the network asked to wait, or because the account does not work: that is no failed
// attempt.
func (tx *Tx) HoldPart(ctx context.Context, key int64, problem string, due time.Time) error {
	return tx.exec(ctx, "hold part", `
	UPDATE parts
	SET state = 'queued', attempts = CASE WHEN attempts > 1 THEN attempts - 1 ELSE 1 END, problem = $2, due_ms = $3, changed_ms = $4
	WHERE key = $1 AND state = 'sending'`, key, problem, ms(due), tx.now.UnixMilli())
}

const releasePart = `
	UPDATE parts
	SET state = 'queued', attempts = attempts - 1, changed_ms = $3
	WHERE key = $1 AND attempts = $2 AND state = 'sending'`

// ReleasePart puts a claimed part back that was not begun to be sent: as it was before the claim.
func (tx *Tx) ReleasePart(ctx context.Context, p Part) error {
	return tx.exec(ctx, "release part", releasePart, p.Key, p.Attempts, tx.now.UnixMilli())
}

const failRest = `
	UPDATE parts
	SET state = 'failed', problem = $2, changed_ms = $3
	WHERE message_key = $1 AND state = 'queued'`

// FailRest gives up the later parts of a message one of whose parts was refused: half a message is not sent on.
func (tx *Tx) FailRest(ctx context.Context, message int64, problem string) error {
	return tx.exec(ctx, "give up message", failRest, message, problem, tx.now.UnixMilli())
}

const dropHeld = `
	UPDATE parts
	SET state = 'failed', problem = 'the conversation went on', changed_ms = $2
	WHERE ` + ofThread + ` AND state = 'queued' AND attempts = 0 AND due_ms > $2`

// DropHeld gives up what was held back for later and never tried: the conversation went on without it.
func (tx *Tx) DropHeld(ctx context.Context, th *Thread) error {
	if !th.Held {
		return nil
	}
	th.Held = false
	return tx.exec(ctx, "drop held parts", dropHeld, th.Key, tx.now.UnixMilli())
}

const dropQueued = `
	UPDATE parts
	SET state = 'failed', problem = $2, changed_ms = $3
	WHERE ` + ofThread + ` AND state = 'queued'`

// DropQueued gives up what is still queued for an address that said stop or blocked us. What is written later goes out.
func (tx *Tx) DropQueued(ctx context.Context, thread int64, problem string) error {
	return tx.exec(ctx, "drop queued parts", dropQueued, thread, problem, tx.now.UnixMilli())
}

const hasten = `
	UPDATE parts
	SET lane = 0
	WHERE ` + ofThread + ` AND state = 'queued' AND lane = 1 AND (attempts > 0 OR due_ms <= $2)`

// Hasten moves the alerts that an answer of the same conversation has to wait for into the lane of answers.
func (tx *Tx) Hasten(ctx context.Context, thread int64) error {
	return tx.exec(ctx, "hasten parts", hasten, thread, tx.now.UnixMilli())
}
