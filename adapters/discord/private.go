package discord

import (
	"strings"

	"parley/adapters"
)

var _ adapters.Private = (*Messenger)(nil)

// IsPrivate says that a chat is a channel of direct messages: elsewhere the person stands behind the channel.
func (m *Messenger) IsPrivate(chat string) bool { return chat != "" && !strings.Contains(chat, "/") }
