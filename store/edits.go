package store

import "context"

// What changes a message that has gone out is a part of it too, behind the others: it leaves after them, and is tried again as
// they are.

const (
	takeButtonsOff = `
	INSERT INTO parts (message_key, conversation_key, account, position, text, choices, image, state, due_ms, changed_ms, edit)
	SELECT message_key, conversation_key, account, position, text, '[]', image, 'queued', 0, $2, 1
	FROM parts
	WHERE message_key = $1 AND edit = 0 AND choices <> '[]' AND state <> 'failed'`

	reword = `
	INSERT INTO parts (message_key, conversation_key, account, position, text, choices, image, state, due_ms, changed_ms, edit)
	SELECT message_key, conversation_key, account, position, $2, choices, image, 'queued', 0, $3, 1
	FROM parts
	WHERE message_key = $1 AND edit = 0 AND state <> 'failed'
		AND NOT EXISTS (SELECT 1 FROM parts o WHERE o.message_key = $1 AND o.edit = 0 AND o.position > 0)`
)

// TakeButtonsOff has the buttons of a message removed where they are shown.
func (tx *Tx) TakeButtonsOff(ctx context.Context, message int64) error {
	return tx.exec(ctx, "take buttons off", takeButtonsOff, message, tx.now.UnixMilli())
}

// Reword changes the words of a message that went out in one part, and has that shown; false when it did not, or never
// left: then nothing is changed.
func (tx *Tx) Reword(ctx context.Context, message int64, text string) (bool, error) {
	n, err := tx.count(ctx, "reword message", reword, message, text, tx.now.UnixMilli())
	if err != nil || n != 1 {
		return false, err
	}
	// The part as well: it may not have left yet, and later changes begin from it.
	if err := tx.exec(ctx, "reword part", `UPDATE parts SET text = $2 WHERE message_key = $1 AND edit = 0`, message, text); err != nil {
		return false, err
	}
	return true, tx.exec(ctx, "reword message", `UPDATE messages SET text = $2 WHERE key = $1`, message, text)
}
