package slack

import (
	"context"
	"fmt"
	"sync"
)

// threadsInMemory is how many threads are known without asking the state.
const threadsInMemory = 10_000

// threads are those in channels that the bot was called into: there it hears what is said without being named.
type threads struct {
	mu    sync.Mutex
	known map[string]bool
}

// follows says whether the bot was called into the thread.
func (m *Messenger) follows(ctx context.Context, channel, thread string) (bool, error) {
	key := threadKey(channel, thread)
	m.threads.mu.Lock()
	known := m.threads.known[key]
	m.threads.mu.Unlock()
	if known {
		return true, nil
	}
	value, err := m.load(ctx, key)
	if err != nil {
		return false, fmt.Errorf("look up thread %s: %w", key, err)
	}
	if value != "" {
		m.threads.keep(key)
	}
	return value != "", nil
}

// joined makes the bot follow a thread from now on.
func (m *Messenger) joined(ctx context.Context, channel, thread string) {
	key := threadKey(channel, thread)
	if !m.threads.keep(key) {
		return
	}
	if err := m.save(ctx, key, "1"); err != nil {
		m.log.WarnContext(ctx, "slack thread not saved", "thread", key, "problem", err)
	}
}

// keep says whether the thread was new.
func (t *threads) keep(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known[key] {
		return false
	}
	if t.known == nil || len(t.known) >= threadsInMemory {
		t.known = map[string]bool{}
	}
	t.known[key] = true
	return true
}

func threadKey(channel, thread string) string { return "thread:" + chatID(channel, thread) }
