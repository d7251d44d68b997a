package bots

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/adapters"
	"parley/commerce"
)

// roster is who the house works for, as the config had it when it was last read. It is replaced as a whole and never changed.
type roster struct {
	merchants map[commerce.MerchantID]*Merchant
	accounts  map[string]*account
}

// account is an Account with what runs it. A reload that does not touch the account makes another value of it, for the merchant as
// it is then, which shares the channel, the work and the traffic; whoever holds the older one may go on with it.
type account struct {
	Account
	merchant *Merchant
	limits   adapters.Limits
	wake     chan struct{} // wakes its outbox
	rouse    func()        // does so on whichever node has it
	work     *work         // nil until it was started
	traffic  *traffic
	outbox   *outbox
}

// newRoster checks merchants and their accounts. Of the accounts of was those are kept whose messenger is the same, but for the
// ones that have ended.
func newRoster(merchants []Merchant, was *roster, rouse func(*account)) (*roster, error) {
	r := &roster{merchants: map[commerce.MerchantID]*Merchant{}, accounts: map[string]*account{}}
	for _, m := range merchants {
		if m.Flows == nil || m.Payment == nil {
			return nil, fmt.Errorf("merchant %s: flows and a payment provider are needed", m.Name)
		}
		if m.TimeZone == nil {
			m.TimeZone = time.UTC
		}
		r.merchants[m.ID] = &m
		for _, a := range m.Accounts {
			if r.accounts[a.Name] != nil {
				return nil, fmt.Errorf("account %s exists twice", a.Name)
			}
			next := &account{Account: a, merchant: &m, limits: a.Messenger.Limits(), traffic: &traffic{}}
			if a.Pace != nil {
				next.limits.Pace = *a.Pace
			}
			next.outbox = newOutbox(next.limits.Pace)
			next.wake = next.outbox.wake
			next.rouse = func() { rouse(next) }
			if was != nil {
				next.succeed(was.accounts[a.Name])
			}
			r.accounts[a.Name] = next
		}
	}
	return r, nil
}

// succeed takes over what goes on from the account of that name before.
func (a *account) succeed(was *account) {
	if was == nil {
		return
	}
	a.traffic = was.traffic
	if a.Messenger == was.Messenger && a.merchant.ID == was.merchant.ID && !was.work.isOver() {
		a.outbox, a.wake, a.work = was.outbox, was.wake, was.work
		a.outbox.setPace(a.limits.Pace)
	}
}

// account finds an account by its name; nil when the config does not have it.
func (h *House) account(name string) *account { return h.roster.Load().accounts[name] }

// open is a house that runs.
type open struct {
	networks, outboxes context.Context // what receives and what sends runs in these
	receiving, sending sync.WaitGroup
}

// work is an account that runs: its messenger, and its outbox.
type work struct {
	stopReceiving, stopSending context.CancelFunc
	received, sent             chan struct{} // closed when each has ended
}

// isOver says that the messenger has ended by itself: the network refuses the account for good.
func (w *work) isOver() bool {
	if w == nil {
		return false
	}
	select {
	case <-w.received:
		return true
	default:
		return false
	}
}

// stop ends the work in order and waits: what is in hand is still committed and sent.
func (w *work) stop() {
	w.stopReceiving()
	<-w.received
	w.stopSending()
	<-w.sent
}

// start sets an account to work.
func (h *House) start(o *open, a *account) {
	w := &work{received: make(chan struct{}), sent: make(chan struct{})}
	a.work = w
	var receive, send context.Context
	receive, w.stopReceiving = context.WithCancel(o.networks)
	send, w.stopSending = context.WithCancel(o.outboxes)
	o.sending.Go(func() {
		defer close(w.sent)
		h.whileHeld(send, dutyAccount+a.Name, func(ctx context.Context) { h.runOutbox(ctx, a) })
	})
	o.receiving.Go(func() {
		defer close(w.received)
		if _, ok := a.Messenger.(adapters.Spread); ok {
			h.runMessenger(receive, a)
			return
		}
		h.whileHeld(receive, dutyAccount+a.Name, func(ctx context.Context) { h.runMessenger(ctx, a) })
	})
}

// runMessenger keeps one account receiving. An account that fails for good stays failed and never stops the others.
func (h *House) runMessenger(ctx context.Context, a *account) {
	err := received(ctx, a.Messenger, h.Sink(a.Name))
	if err == nil || ctx.Err() != nil {
		return
	}
	h.log.ErrorContext(ctx, "account failed", "account", a.Name, "err", err)
	h.Report(ctx, a.Name, "failed", err.Error())
}

// received makes a panic an error: a bug in one adapter must not take the others down.
func received(ctx context.Context, m adapters.Messenger, sink adapters.Sink) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the adapter: %v", p)
		}
	}()
	return m.Run(ctx, sink)
}

// Reload puts another set of merchants and accounts in force, while the house runs. An account whose Messenger is the one that
// runs already is not touched, and keeps its connection; the others are stopped, and the new ones started, in that order: what a
// stopped one has in hand is finished first. One whose messenger has ended by itself is started anew. Conversations go on in
// the flows they began in; the new ones count for those that begin.
//
// On an error all is as before. Messengers are compared by ==: they must be pointers, or other values that can be.
func (h *House) Reload(ctx context.Context, merchants []Merchant) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.roster.Load()
	next, err := newRoster(merchants, was, h.wakeOutbox)
	if err != nil {
		return err
	}
	if err := h.keepFlows(ctx, next); err != nil {
		return err
	}
	if h.open == nil { // it is not running yet, or not any more
		h.roster.Store(next)
		return nil
	}
	var ending sync.WaitGroup
	for name, a := range was.accounts {
		if successor := next.accounts[name]; successor == nil || successor.work != a.work {
			ending.Go(a.work.stop)
		}
	}
	ending.Wait() // until then turns of these accounts find them as they were
	h.roster.Store(next)
	h.want(next)
	for _, name := range slices.Sorted(maps.Keys(next.accounts)) {
		if a := next.accounts[name]; a.work == nil {
			h.start(h.open, a)
		}
	}
	h.wakeClock()
	return nil
}

// HasEnded says that an account's messenger has ended by itself, so that a Reload would start it anew.
func (h *House) HasEnded(name string) bool {
	a := h.account(name)
	if a == nil {
		return false
	}
	h.mu.Lock() // work is set by start
	defer h.mu.Unlock()
	return a.work.isOver()
}

// errNoPairing is what Pair says of an account that no phone is linked to.
var errNoPairing = errors.New("this account needs no phone to be linked to it")

// CanPair says that a phone can be linked to an account of the merchant.
func (h *House) CanPair(merchant commerce.MerchantID, name string) bool {
	_, ok := h.pairer(merchant, name)
	return ok
}

// Pair links a phone to an account of the merchant while it runs; see adapters.Pairer.
func (h *House) Pair(ctx context.Context, merchant commerce.MerchantID, name, phone string, show func(code string)) error {
	p, ok := h.pairer(merchant, name)
	if !ok {
		return errNoPairing
	}
	return p.Pair(ctx, phone, show)
}

func (h *House) pairer(merchant commerce.MerchantID, name string) (adapters.Pairer, bool) {
	a := h.account(name)
	if a == nil || a.merchant.ID != merchant {
		return nil, false
	}
	p, ok := a.Messenger.(adapters.Pairer)
	return p, ok
}
