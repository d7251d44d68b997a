package slack

import (
	"strings"

	"parley/adapters"
)

var _ adapters.Private = (*Messenger)(nil)

// IsPrivate says that a chat is the direct one with somebody, not a thread of it or of a channel.
func (m *Messenger) IsPrivate(chat string) bool {
	return strings.HasPrefix(chat, "D") && !strings.Contains(chat, ":")
}
