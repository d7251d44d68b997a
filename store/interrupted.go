package store

import (
	"context"
	"time"

	"parley/conversation"
)

const selectInterrupted = `
	SELECT p.key, m.class
	FROM parts p
	JOIN messages m ON m.key = p.message_key
	WHERE p.account = $1 AND p.state IN ('queued', 'sending') AND p.state = 'sending'`

const (
	selectOrphaned = selectInterrupted + ` AND p.claimed_by <> $2`
	selectStray    = selectInterrupted + ` AND p.claimed_by = $2 AND p.changed_ms < $3`
)

// Interrupted lists an account's parts (their keys and classes) that are under way while nobody sends them: what the last process
// had handed over when it ended, so that nobody knows whether they arrived.
func (tx *Tx) Interrupted(ctx context.Context, account string) ([]Part, error) {
	return tx.interrupted(ctx, selectInterrupted, account)
}

// Orphaned lists those of them that another process than this one claimed. A claim of one that was killed can be committed after its
// successor has looked for what was interrupted.
func (tx *Tx) Orphaned(ctx context.Context, account string) ([]Part, error) {
	return tx.interrupted(ctx, selectOrphaned, account, tx.process)
}

// Stray lists those that this process claimed before a moment. The caller knows which of them it still has; the others belong to
// a commit that was reported as failed and was made all the same.
func (tx *Tx) Stray(ctx context.Context, account string, before time.Time) ([]Part, error) {
	return tx.interrupted(ctx, selectStray, account, tx.process, ms(before))
}

func (tx *Tx) interrupted(ctx context.Context, query string, args ...any) ([]Part, error) {
	var rows []struct {
		Key   int64
		Class string
	}
	err := tx.list(ctx, "find interrupted parts", &rows, query+" ORDER BY p.key", args...)
	parts := make([]Part, len(rows))
	for i, r := range rows {
		parts[i] = Part{Key: r.Key, Class: conversation.Class(r.Class)}
	}
	return parts, err
}
