package bots

import (
	"context"
	"strings"
	"sync"
	"time"

	"parley/adapters"
)

// Of several nodes on one database each does what it holds the lease for: an account's connection and outbox, the clock, the calls
// to payment providers, the opening of threads for staff. Any node takes webhooks and runs turns.
const (
	dutyClock   = "clock"
	dutyCashier = "cashier"
	dutyRooms   = "rooms"
	dutyAccount = "account/" // and its name
	topicOutbox = "outbox/"  // and the account's name
	topicChat   = "chat/"    // and the account's name, and "/" and the chat
)

// want tells the node which leases an installation of these accounts needs.
func (h *House) want(r *roster) {
	names := []string{dutyClock, dutyCashier, dutyRooms}
	for name := range r.accounts {
		names = append(names, dutyAccount+name)
	}
	h.node.Want(names...)
}

// whileHeld runs a duty whenever this node holds its lease, until ctx ends or the duty ends by itself. The context of the duty ends
// when the lease is lost, or another node is to have it; that one waits until the duty has returned.
func (h *House) whileHeld(ctx context.Context, name string, duty func(context.Context)) {
	for ctx.Err() == nil {
		changed := h.node.Changed()
		done, holds := h.node.Begin(name)
		if !holds {
			select {
			case <-ctx.Done():
			case <-changed:
			}
			continue
		}
		work, cancel := context.WithCancel(ctx)
		var watch sync.WaitGroup
		watch.Go(func() {
			h.untilLost(work, name)
			cancel()
		})
		duty(work)
		ended := work.Err() == nil
		cancel()
		watch.Wait()
		done()
		if ended {
			return
		}
	}
}

// untilLost returns when this node no longer holds a lease, or ctx ends.
func (h *House) untilLost(ctx context.Context, name string) {
	for {
		changed := h.node.Changed()
		until, holds := h.node.Holds(name)
		if !holds {
			return
		}
		var over <-chan time.Time // never, where the lease is for good
		if !until.IsZero() {
			over = time.After(time.Until(until))
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-over:
		}
	}
}

// heard takes what another node tells; "" is that much may have been told while nobody listened.
func (h *House) heard(topic string) {
	if topic == "" || topic == dutyClock {
		nudge(h.clock)
		nudge(h.cashier)
	}
	if topic == "" || topic == dutyRooms {
		nudge(h.rooms)
	}
	if name, ok := strings.CutPrefix(topic, topicOutbox); ok || topic == "" {
		for _, a := range h.roster.Load().accounts {
			if topic == "" || a.Name == name {
				nudge(a.wake)
			}
		}
	}
	if chat, ok := strings.CutPrefix(topic, topicChat); ok {
		select {
		case h.refreshes <- chat:
		default: // they see it when they come back, or with the next message
		}
	}
}

// runRefreshes shows people who are connected here what another node has sent to them, until ctx ends.
func (h *House) runRefreshes(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case address := <-h.refreshes:
			name, chat, _ := strings.Cut(address, "/")
			a := h.account(name)
			if a == nil {
				continue
			}
			if s, ok := a.Messenger.(adapters.Spread); ok {
				if err := s.Refresh(ctx, chat); err != nil {
					h.log.DebugContext(ctx, "chat not refreshed", "account", name, "err", err)
				}
			}
		}
	}
}

// sentTo tells the other nodes that something was sent to a chat, where people may be connected to them.
func (h *House) sentTo(a *account, chat string) {
	if _, ok := a.Messenger.(adapters.Spread); ok {
		h.node.Tell(topicChat + a.Name + "/" + chat)
	}
}

// wakeClock has the clock and the cashier look for what a commit left to do.
func (h *House) wakeClock() { h.wakeDuty(dutyClock, h.clock, h.cashier) }

// wakeRooms has the rooms of the staff looked at.
func (h *House) wakeRooms() { h.wakeDuty(dutyRooms, h.rooms) }

// wakeOutbox has an account's outbox look for what a commit left to send.
func (h *House) wakeOutbox(a *account) {
	nudge(a.wake)
	if _, holds := h.node.Holds(dutyAccount + a.Name); !holds {
		h.node.Tell(topicOutbox + a.Name)
	}
}

// wakeDuty wakes the loops of a duty here, and where its lease is when that is another node.
func (h *House) wakeDuty(name string, loops ...chan struct{}) {
	for _, c := range loops {
		nudge(c)
	}
	if _, holds := h.node.Holds(name); !holds {
		h.node.Tell(name)
	}
}
