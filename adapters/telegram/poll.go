package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/adapters"
)

// breath is the pause after an answer that came at once and brought nothing new: a server that keeps no question open
// must not make us ask without end.
const breath = 300 * time.Millisecond

// poll asks for updates until ctx ends. Asking from an offset on confirms all before it, so the offset moves only once
// the sink has taken everything.
func (m *Messenger) poll(ctx context.Context, sink adapters.Sink) error {
	offset := m.savedOffset(ctx)
	ready := false
	for attempt := 0; ; {
		asked := m.now()
		timeout := m.timeout
		if !ready {
			timeout = 0 // the first answer shows that all is well: it must not wait until somebody writes
		}
		raws, err := m.api.getUpdates(ctx, offset, timeout)
		if err != nil {
			ready = false
			if err := m.pause(ctx, "receive messages", m.conflict(ctx, err), attempt); err != nil {
				return err
			}
			attempt++
			continue
		}
		attempt = 0
		if !ready {
			m.report("ready", "")
			ready = true
		}
		next, err := m.deliver(ctx, offset, raws, sink)
		if err != nil {
			return err
		}
		if next != offset {
			offset = next
			if err := m.save(ctx, stateOffset, strconv.Itoa(offset)); err != nil {
				m.log.WarnContext(ctx, "telegram offset not saved", "problem", err)
			}
			continue
		}
		if timeout > 0 && m.now().Sub(asked) < time.Second {
			if err := adapters.Wait(ctx, breath); err != nil {
				return err
			}
		}
	}
}

// deliver hands a batch to the sink until it is taken and returns the offset that confirms it. It keeps the batch in hand
// rather than ask for it again, because not every server gives an update twice.
func (m *Messenger) deliver(ctx context.Context, offset int, raws []json.RawMessage, sink adapters.Sink) (int, error) {
	var updates []update
	for _, raw := range raws {
		u, err := m.convert(raw)
		if err != nil {
			m.log.WarnContext(ctx, "telegram sent what is no update", "problem", err)
			continue
		}
		updates = append(updates, u)
		offset = u.id + 1
	}
	for attempt := 0; ; attempt++ {
		err := m.hand(context.WithoutCancel(ctx), updates, sink) // what is in hand when ctx ends is still stored
		if err == nil {
			break
		}
		m.log.WarnContext(ctx, "telegram updates not stored", "updates", len(updates), "problem", err)
		if err := adapters.Wait(ctx, backoff(attempt)); err != nil {
			return 0, err
		}
	}
	m.committed(updates)
	return offset, nil
}

// hand gives the sink what updates come to.
func (m *Messenger) hand(ctx context.Context, updates []update, sink adapters.Sink) error {
	events, err := m.placed(ctx, updates)
	if err != nil || len(events) == 0 {
		return err
	}
	return sink(ctx, events)
}

func (m *Messenger) savedOffset(ctx context.Context) int {
	text, err := m.load(ctx, stateOffset)
	if err == nil && text == "" {
		return 0
	}
	offset := 0
	if err == nil {
		offset, err = strconv.Atoi(text)
	}
	if err != nil {
		// Telegram remembers what we confirmed; repeats drop out.
		m.log.WarnContext(ctx, "telegram offset not loaded", "problem", err)
		return 0
	}
	return offset
}

// conflict explains a 409: a webhook of earlier days is removed, another program that polls is the admin's to find.
func (m *Messenger) conflict(ctx context.Context, err error) error {
	var call *callError
	if !errors.As(err, &call) || call.Code != http.StatusConflict {
		return err
	}
	if !strings.Contains(strings.ToLower(call.Message), "webhook") {
		return fmt.Errorf("another program receives this bot's messages, stop it or make a bot of your own for it: %w", err)
	}
	if _, err := m.api.call(ctx, callTimeout, "deleteWebhook", nil); err != nil {
		return fmt.Errorf("remove the webhook that was set before: %w", err)
	}
	return fmt.Errorf("a webhook was set before; it is removed: %w", err)
}
