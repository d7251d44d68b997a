package store

import (
	"context"
	"fmt"
)

// newKey gives out a key of a table.
func (tx *Tx) newKey(ctx context.Context, bit tables) (int64, error) {
	i := indexOf(bit)
	b, table := &tx.buffers[i], bufferColumns[i].table
	if tx.dialect == SQLite { // nobody else writes meanwhile
		if b.key == 0 {
			if err := tx.findKeys(ctx, bit, table); err != nil {
				return 0, fmt.Errorf("find last key of %s: %w", table, err)
			}
		}
		b.key++
		return b.key, nil
	}
	if len(b.keys) == 0 {
		if err := tx.reserveKeys(ctx, bit, table); err != nil {
			return 0, fmt.Errorf("reserve keys of %s: %w", table, err)
		}
	}
	key := b.keys[0]
	b.keys = b.keys[1:]
	return key, nil
}

// findKeys finds the last keys on SQLite: with that of an arrival those of the messages and the part that it is likely to lead to.
func (tx *Tx) findKeys(ctx context.Context, bit tables, table string) error {
	const last = `SELECT COALESCE(max(key), 0) FROM `
	key := &tx.buffers[indexOf(bit)].key
	messages, parts := &tx.buffers[indexOf(inMessages)].key, &tx.buffers[indexOf(inParts)].key
	if bit != inInbound || *messages != 0 || *parts != 0 {
		return tx.tx.GetContext(ctx, key, last+table)
	}
	return tx.tx.QueryRowContext(ctx, `SELECT (`+last+`inbound), (`+last+`messages), (`+last+`parts)`).Scan(key, messages, parts)
}

// reserveKeys reserves keys on Postgres. A turn hears a message and answers it: where many do, keys for both and for the answer's part
// are asked for together.
func (tx *Tx) reserveKeys(ctx context.Context, bit tables, table string) error {
	n := max(tx.expected, 1)
	messages, parts := &tx.buffers[indexOf(inMessages)], &tx.buffers[indexOf(inParts)]
	if bit != inMessages || tx.group == nil || messages.rows > 0 || len(parts.keys) > 0 {
		return tx.tx.SelectContext(ctx, &tx.buffers[indexOf(bit)].keys, `SELECT nextval('`+table+`_key_seq') FROM generate_series(1, $1)`, n)
	}
	rows, err := tx.tx.QueryContext(ctx, `
	SELECT nextval('messages_key_seq'), nextval('messages_key_seq'), nextval('parts_key_seq')
	FROM generate_series(1, $1)`, n)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var heard, said, part int64
		if err := rows.Scan(&heard, &said, &part); err != nil {
			return err
		}
		messages.keys, parts.keys = append(messages.keys, heard, said), append(parts.keys, part)
	}
	return rows.Err()
}

// dropKeys forgets the keys that were reserved before others could be done with rows that are locked now: keys rise with commits.
func (tx *Tx) dropKeys() {
	for i := range tx.buffers {
		tx.buffers[i].keys = nil
	}
}
