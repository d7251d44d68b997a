//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"

	"parley/adapters"
)

// look is how often Run looks whether another process has linked a phone.
const look = 10 * time.Second

// Run receives until ctx ends, and while no phone is linked waits for one. It returns an error only when WhatsApp no longer
// speaks with this version of Parley.
func (m *Messenger) Run(ctx context.Context, sink adapters.Sink) error {
	m.report("connecting", "")
	container, leave, err := m.insist(ctx)
	if err != nil {
		return nil // only when ctx ended
	}
	defer leave()
	said := false // the admin was told why no phone is linked
	for {
		d, err := m.awaitLink(ctx, container, said)
		if err != nil {
			return nil
		}
		end := m.attend(ctx, sink, d)
		if ctx.Err() != nil {
			return nil
		}
		m.log.WarnContext(ctx, "whatsapp session ended", "problem", end.problem)
		m.fail(end.problem)
		if end.final {
			return fmt.Errorf("whatsapp: %s", end.problem)
		}
		said = end.unlinked
		if end.unlinked {
			m.forget(ctx)
		}
		if err := adapters.Wait(ctx, end.pause); err != nil {
			return nil
		}
	}
}

// insist opens the store until it works or ctx ends.
func (m *Messenger) insist(ctx context.Context) (*sqlstore.Container, func(), error) {
	for attempt := 2; ; attempt++ {
		container, leave, err := m.shelf.open(ctx)
		if err == nil {
			return container, leave, nil
		}
		if ctx.Err() == nil {
			m.log.WarnContext(ctx, "whatsapp store not opened", "problem", err)
			m.report("failed", err.Error())
		}
		if err := adapters.Wait(ctx, backoff(attempt)); err != nil {
			return nil, nil, err
		}
	}
}

// awaitLink returns the linked device once there is one, with the line taken. The error is ctx's.
func (m *Messenger) awaitLink(ctx context.Context, container *sqlstore.Container, said bool) (*store.Device, error) {
	for {
		select {
		case m.line <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		d, err := m.linkedDevice(ctx, container)
		if d != nil {
			return d, nil
		}
		<-m.line
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			m.log.WarnContext(ctx, "whatsapp device not loaded", "problem", err)
			m.report("failed", err.Error())
		case !said:
			m.report("failed", "no phone is linked: run `parley pair "+m.account+"`, or open this account in /admin, and scan the code with WhatsApp → Linked devices")
			said = true
		}
		again := time.NewTimer(look)
		select {
		case <-m.news:
		case <-again.C:
		case <-ctx.Done():
		}
		again.Stop()
	}
}

// linkedDevice is the device that the account is linked as; nil when there is none.
func (m *Messenger) linkedDevice(ctx context.Context, container *sqlstore.Container) (*store.Device, error) {
	jid, err := m.linkedAs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load which phone is linked: %w", err)
	}
	if jid.IsEmpty() {
		return nil, nil //nolint:nilnil // no phone is linked, which is no error
	}
	d, err := device(ctx, container, jid)
	if err != nil || d != nil {
		return d, err
	}
	m.forget(ctx)   // its keys are gone, with another database perhaps
	return nil, nil //nolint:nilnil // as above
}

// forget drops the link that no longer holds; the library has dropped its keys.
func (m *Messenger) forget(ctx context.Context) {
	if err := m.unlink(context.WithoutCancel(ctx)); err != nil {
		m.log.WarnContext(ctx, "whatsapp link not forgotten", "problem", err)
	}
}
