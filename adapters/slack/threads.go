package slack

import (
	"context"
	"fmt"
	"sync"
)

// How the bot follows a thread of a channel: it hears what is said there without being named.
const (
	called = "1"    // it was called into the thread
	begun  = "room" // it began the thread, for the staff
)

// threadsInMemory is how many threads are known without asking the state.
const threadsInMemory = 10_000

// threads are those in channels that the bot follows, and how.
type threads struct {
	mu    sync.Mutex
	known map[string]string
}

// follows says how the bot follows a thread; "" when it does not.
func (m *Messenger) follows(ctx context.Context, channel, thread string) (string, error) {
	key := threadKey(channel, thread)
	m.threads.mu.Lock()
	how := m.threads.known[key]
	m.threads.mu.Unlock()
	if how != "" {
		return how, nil
	}
	how, err := m.load(ctx, key)
	if err != nil {
		return "", fmt.Errorf("look up thread %s: %w", key, err)
	}
	if how != "" {
		m.threads.keep(key, how)
	}
	return how, nil
}

// follow makes the bot follow a thread from now on. How it does so already stays.
func (m *Messenger) follow(ctx context.Context, channel, thread, how string) error {
	if known, err := m.follows(ctx, channel, thread); err != nil || known != "" {
		return err
	}
	key := threadKey(channel, thread)
	if err := m.save(ctx, key, how); err != nil {
		return fmt.Errorf("save thread %s: %w", key, err)
	}
	m.threads.keep(key, how)
	return nil
}

// joined follows a thread that the bot was called into.
func (m *Messenger) joined(ctx context.Context, channel, thread string) {
	if err := m.follow(ctx, channel, thread, called); err != nil {
		m.log.WarnContext(ctx, "slack thread not followed", "problem", err)
	}
}

func (t *threads) keep(key, how string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= threadsInMemory {
		t.known = map[string]string{}
	}
	t.known[key] = how
}

func threadKey(channel, thread string) string { return "thread:" + chatID(channel, thread) }
