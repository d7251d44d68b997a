package webchat

import (
	"context"
	"fmt"

	"parley/adapters"
)

var _ adapters.Spread = (*Messenger)(nil)

// refreshed is how many of a visitor's latest messages Refresh looks at.
const refreshed = 20

// Refresh shows a visitor's windows on this node what they do not show yet of the latest messages.
func (m *Messenger) Refresh(ctx context.Context, visitor string) error {
	m.mu.Lock()
	history := m.history
	m.mu.Unlock()
	if history == nil || !m.hub.has(visitor) {
		return nil
	}
	messages, err := history.After(ctx, visitor, "", refreshed)
	if err != nil {
		return fmt.Errorf("refresh chat: %w", err)
	}
	for _, msg := range messages {
		m.hub.push(visitor, messageFrame(msg), nil) // a socket shows an id once
	}
	return nil
}

func (h *hub) has(visitor string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sockets[visitor]) > 0
}
