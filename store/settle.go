package store

import (
	"context"
	"strconv"
	"strings"
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

// settleRows is how many parts one statement settles at most.
const settleRows = 64

// settleSent is the statement that notes up to n parts as sent, or as what their networks have already reported of them.
func settleSent(n int) string {
	var b strings.Builder
	b.WriteString(`
	UPDATE parts
	SET state = COALESCE((SELECT r.state FROM early_receipts r WHERE r.conversation_key = parts.conversation_key AND r.network_id = given.column2), 'sent'),
		network_id = CASE WHEN given.column2 = '' THEN parts.network_id ELSE given.column2 END, problem = '', due_ms = 0, changed_ms = $1
	FROM (VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(CAST($" + strconv.Itoa(2*i+2) + " AS BIGINT), CAST($" + strconv.Itoa(2*i+3) + " AS TEXT))")
	}
	b.WriteString(`) AS given
	WHERE parts.key = given.column1 AND parts.state = 'sending'`)
	return b.String()
}

// SettleSent notes parts as sent, many at once.
func (tx *Tx) SettleSent(ctx context.Context, parts []SentPart) error {
	for len(parts) > 0 {
		some := parts[:min(len(parts), settleRows)]
		parts = parts[len(some):]
		n := roundUp(len(some))
		args := make([]any, 1+2*n)
		args[0] = tx.now.UnixMilli()
		for i := range n {
			p := SentPart{} // no part has the key 0
			if i < len(some) {
				p = some[i]
			}
			args[1+2*i], args[2+2*i] = p.Key, p.NetworkID
		}
		if err := tx.exec(ctx, "settle sent parts", settleSent(n), args...); err != nil {
			return err
		}
	}
	return nil
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
