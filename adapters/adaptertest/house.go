package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/conversation"
)

// inbox takes events as the house does: all or nothing, repeats dropped by id.
type inbox struct {
	mu      sync.Mutex
	changed chan struct{}
	events  []conversation.Event
	handed  []conversation.Event // with repeats and refusals
	refuse  int                  // how many hand-overs fail
	hold    chan struct{}        // while not nil, hand-overs wait for it
}

func (in *inbox) sink(_ context.Context, events []conversation.Event) error {
	in.mu.Lock()
	in.handed = append(in.handed, events...)
	in.wake()
	hold := in.hold
	in.mu.Unlock()
	if hold != nil {
		<-hold
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuse > 0 {
		in.refuse--
		return errors.New("commit failed")
	}
	for _, e := range events {
		if !slices.ContainsFunc(in.events, func(o conversation.Event) bool { return o.Chat == e.Chat && o.ID == e.ID }) {
			in.events = append(in.events, e)
		}
	}
	in.wake()
	return nil
}

// holdUp makes hand-overs wait until what it returns is called.
func (in *inbox) holdUp() (release func()) {
	hold := make(chan struct{})
	in.mu.Lock()
	defer in.mu.Unlock()
	in.hold = hold
	return func() {
		in.mu.Lock()
		in.hold = nil
		in.mu.Unlock()
		close(hold)
	}
}

func (in *inbox) wake() {
	close(in.changed)
	in.changed = make(chan struct{})
}

func (in *inbox) all() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.handed)
}

func (in *inbox) stored() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.events)
}

// await waits until ok holds for what was stored and what was handed over.
func (in *inbox) await(t *testing.T, what string, ok func(stored, handed []conversation.Event) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		in.mu.Lock()
		done, changed := ok(in.events, in.handed), in.changed
		in.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited %v for %s; stored is %+v", patience, what, in.stored())
		}
	}
}

// event waits for the nth stored event.
func (in *inbox) event(t *testing.T, n int) conversation.Event {
	t.Helper()
	in.await(t, fmt.Sprintf("event %d", n), func(stored, _ []conversation.Event) bool { return len(stored) >= n })
	return in.stored()[n-1]
}

// memory is an account's state.
type memory struct {
	mu     sync.Mutex
	values map[string]string
}

func (m *memory) Load(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], nil
}

func (m *memory) Save(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

// lines collects what is logged and reported.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
