package store

import (
	"context"

	"parley/commerce"
)

const chatsOfAddress = `
	SELECT chat
	FROM conversations
	WHERE merchant_id = $1 AND address_key = $2 AND desk_of = 0
	ORDER BY changed_ms DESC, key DESC
	LIMIT 20`

// ChatsOfAddress lists the chats with an address, the one used last first: there may be several where people write to the bot in
// channels as well as directly.
func (tx *Tx) ChatsOfAddress(ctx context.Context, merchant commerce.MerchantID, addressKey int64) ([]string, error) {
	var out []string
	err := tx.list(ctx, "list chats of address", &out, chatsOfAddress, merchant, addressKey)
	return out, err
}
