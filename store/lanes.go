package store

import (
	"context"
	"errors"
)

// A lane is an account by number, for rows that have no room for its name. What waits in one lane holds up no other.

// laneOf is the lane of the address whose key follows; it must exist (keepLane).
const laneOf = `COALESCE((SELECT l.key FROM addresses a JOIN lanes l ON l.account = a.account WHERE a.key = `

const insertLane = `
	INSERT INTO lanes (account)
	SELECT a.account
	FROM addresses a
	WHERE a.key = $1 AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.account = a.account)
	ON CONFLICT (account) DO NOTHING`

// keepLane gives the account of an address a lane, unless it has one.
func (tx *Tx) keepLane(ctx context.Context, address int64) error {
	if address == 0 {
		return nil
	}
	return tx.exec(ctx, "keep lane of address", insertLane, address)
}

// Lane is the lane of an account; 0 while nobody there watches anything.
func (tx *Tx) Lane(ctx context.Context, account string) (int64, error) {
	var lane int64
	err := tx.get(ctx, "find lane of "+account, &lane, `SELECT key FROM lanes WHERE account = $1`, account)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return lane, err
}

// keys is a list of keys as one argument of a statement: the text that stands for it behind IN, and the argument itself.
func (tx *Tx) keys(placeholder string) string {
	if tx.dialect == Postgres {
		return `(SELECT jsonb_array_elements_text(` + placeholder + `::jsonb)::bigint)`
	}
	return `(SELECT value FROM json_each(` + placeholder + `))`
}

// names is keys for text.
func (tx *Tx) names(placeholder string) string {
	if tx.dialect == Postgres {
		return `(SELECT jsonb_array_elements_text(` + placeholder + `::jsonb))`
	}
	return `(SELECT value FROM json_each(` + placeholder + `))`
}
