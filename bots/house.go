// Package bots runs merchants' bots: it takes what networks deliver (inbox), carries each event through the conversation and
// its effects through trade in one transaction (turn), sends what came of it (outbox), minds who may speak (desk), and wakes
// what is due (clock). It is the only place where talk meets trade.
//
// What does not belong here: what a flow says (package conversation and the YAML in shop/), what trade decides (package
// commerce), how a network writes things (package adapters).
package bots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/commerce/payment"
	"parley/conversation/flow"
	"parley/store"
)

// Account is a merchant's connection to a network.
type Account struct {
	Name          string // unique in the installation
	Channel       string // the adapter's name
	Messenger     adapters.Messenger
	MayWriteFirst bool // the bot may open the conversation
}

// Merchant is one shop, as the config has it.
type Merchant struct {
	ID       commerce.MerchantID
	Name     string
	Title    string // as shoppers read it
	Policy   commerce.Policy
	Flows    *flow.Set
	Payment  payment.Provider // how orders of its bot are paid
	TimeZone *time.Location   // where it is when a contact's own zone is not known; nil means UTC
	Quiet    Quiet
	Accounts []Account
}

// Options is what a House is made of. Store, Log and Merchants are required.
type Options struct {
	Store     *store.Store
	Log       *slog.Logger
	Now       func() time.Time // nil means time.Now
	Merchants []Merchant
	Keys      LinkKeys      // sign the links of purchases
	PublicURL func() string // where shoppers reach our pages, without a slash at the end
	// Poll is how often the tables are looked at for work that nobody announced; 0 means 1 s.
	Poll time.Duration
}

// House runs the bots of all merchants. Its methods may be called from many goroutines, before Run too.
type House struct {
	store     *store.Store
	log       *slog.Logger
	now       func() time.Time
	keys      LinkKeys
	publicURL func() string
	poll      time.Duration

	merchants map[commerce.MerchantID]*Merchant
	accounts  map[string]*account
	inbox     *inbox
	clock     chan struct{} // wakes the clock
	flows     flowSets
}

// account is a running Account.
type account struct {
	Account
	merchant *Merchant
	limits   adapters.Limits
	wake     chan struct{} // wakes its outbox
}

// New checks that the parts fit together. It starts nothing.
func New(o Options) (*House, error) {
	h := &House{
		store: o.Store, log: o.Log, now: o.Now, keys: o.Keys, publicURL: o.PublicURL, poll: o.Poll,
		merchants: map[commerce.MerchantID]*Merchant{}, accounts: map[string]*account{},
		inbox: newInbox(o.Store), clock: make(chan struct{}, 1),
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.poll == 0 {
		h.poll = time.Second
	}
	for _, m := range o.Merchants {
		if m.Flows == nil || m.Payment == nil {
			return nil, fmt.Errorf("merchant %s: flows and a payment provider are needed", m.Name)
		}
		if m.TimeZone == nil {
			m.TimeZone = time.UTC
		}
		h.merchants[m.ID] = &m
		for _, a := range m.Accounts {
			if h.accounts[a.Name] != nil {
				return nil, fmt.Errorf("account %s exists twice", a.Name)
			}
			h.accounts[a.Name] = &account{Account: a, merchant: &m, limits: a.Messenger.Limits(), wake: make(chan struct{}, 1)}
		}
	}
	return h, nil
}

// Run serves until ctx ends, then stops in order: first what comes in, then what is in hand, then what goes out. It returns when
// all has stopped. ready is closed once the inbox takes events.
func (h *House) Run(ctx context.Context, ready chan<- struct{}) error {
	if err := h.keepFlows(ctx); err != nil {
		return err
	}
	// Each stage outlives the one before it.
	inboxCtx, stopInbox := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInbox()
	outboxCtx, stopOutbox := context.WithCancel(context.WithoutCancel(ctx))
	defer stopOutbox()

	var networks, in, out sync.WaitGroup
	in.Go(func() { h.inbox.run(inboxCtx, h.reportParked) })
	for _, a := range h.accounts {
		out.Go(func() { h.runOutbox(outboxCtx, a) })
		networks.Go(func() { h.runMessenger(ctx, a) })
	}
	networks.Go(func() { h.runClock(ctx) })
	if ready != nil {
		close(ready)
	}
	<-ctx.Done()
	networks.Wait()
	stopInbox()
	in.Wait()
	stopOutbox()
	out.Wait()
	return nil
}

// runMessenger keeps one account receiving. An account that fails for good stays failed and never stops the others.
func (h *House) runMessenger(ctx context.Context, a *account) {
	err := a.Messenger.Run(ctx, h.Sink(a.Name))
	if err == nil || ctx.Err() != nil {
		return
	}
	h.log.ErrorContext(ctx, "account failed", "account", a.Name, "err", err)
	h.Report(ctx, a.Name, "failed", err.Error())
}

// Report notes how an account is, for the admin.
func (h *House) Report(ctx context.Context, name, state, problem string) {
	a := h.accounts[name]
	if a == nil {
		return
	}
	err := h.store.Tx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return tx.SetAccount(ctx, a.merchant.ID, store.Account{Name: name, Adapter: a.Channel, State: state, Problem: problem})
	})
	if err != nil {
		h.log.ErrorContext(ctx, "account state not kept", "account", name, "err", err)
	}
}

// Hook is the handler for what an account's network posts to us; nil when it posts nothing.
func (h *House) Hook(name string) http.Handler {
	a := h.accounts[name]
	if a == nil {
		return nil
	}
	w, ok := a.Messenger.(adapters.Webhook)
	if !ok {
		return nil
	}
	return w.Hook(h.Sink(name))
}

// Sink takes an account's events and returns after they are committed.
func (h *House) Sink(name string) adapters.Sink {
	a := h.accounts[name]
	return func(ctx context.Context, events []conversationEvent) error {
		if a == nil {
			return fmt.Errorf("account %s is not in the config", name)
		}
		turns := make([]store.Turn, len(events))
		for i, e := range events {
			e.Account = name
			turns[i] = h.receive(a, e)
		}
		return h.inbox.submit(ctx, turns...)
	}
}

func (h *House) reportParked(t store.Turn, o store.Applied) {
	h.log.Error("event parked", "account", t.Event.Account, "event", t.Event.ID, "kind", t.Event.Kind, "err", o.Cause)
}

// merchant finds a merchant of the config.
func (h *House) merchant(id commerce.MerchantID) (*Merchant, error) {
	m := h.merchants[id]
	if m == nil {
		return nil, errors.New("this merchant is not in the config")
	}
	return m, nil
}

// nudge wakes a loop that may be asleep; a wake that is pending already is enough.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
