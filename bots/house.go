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
	"sync/atomic"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/commerce/payment"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/store"
)

// Account is a merchant's connection to a network.
type Account struct {
	Name          string // unique in the installation
	Channel       string // the adapter's name
	Messenger     adapters.Messenger
	MayWriteFirst bool // the bot may open the conversation
	// Pace is in force instead of what the network publishes; nil for that.
	Pace *adapters.Pace
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
	Language string     // what the staff read in their rooms; "" means en
	Desk     []DeskRoom // where the staff work beside the inbox; none means in the inbox alone
}

// Options is what a House is made of. Store, Log, Merchants, Keys and PublicURL are required.
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

	roster    atomic.Pointer[roster]
	inbox     *inbox
	clock     chan struct{} // wakes the clock
	cashier   chan struct{} // wakes the calls to payment providers
	rooms     chan struct{} // wakes the opening of threads for staff
	flows     flowSets
	node      *store.Node
	refreshes chan string // chats of this node's people that another node has written to: account/chat
	places    places
	typing    *typing
	telling   *telling
	errands   chan errand

	mu   sync.Mutex
	open *open // nil unless Run is at work
}

// New checks that the parts fit together. It starts nothing.
func New(o Options) (*House, error) {
	h := &House{
		store: o.Store, log: o.Log, now: o.Now, keys: o.Keys, publicURL: o.PublicURL, poll: o.Poll,
		inbox: newInbox(o.Store), clock: make(chan struct{}, 1), cashier: make(chan struct{}, 1), rooms: make(chan struct{}, 1),
		typing: newTyping(), telling: newTelling(o.Store), errands: make(chan errand, errandsHeld), node: o.Store.NewNode(o.Log), refreshes: make(chan string, 1024),
	}
	if len(o.Keys.Keys[o.Keys.Current]) == 0 || o.PublicURL == nil {
		return nil, errors.New("a key to sign links with and the public address are needed")
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.poll == 0 {
		h.poll = time.Second
	}
	r, err := newRoster(o.Merchants, nil, h.wakeOutbox)
	if err != nil {
		return nil, err
	}
	h.roster.Store(r)
	return h, nil
}

// Run serves until ctx ends, then stops in order: first what comes in, then what is in hand, then what goes out. It returns when
// all has stopped. ready is closed once the inbox takes events.
func (h *House) Run(ctx context.Context, ready chan<- struct{}) error {
	h.mu.Lock()
	if err := h.keepFlows(ctx, h.roster.Load()); err != nil {
		h.mu.Unlock()
		return err
	}
	// Each stage outlives the one before it.
	inboxCtx, stopInbox := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInbox()
	outboxCtx, stopOutbox := context.WithCancel(context.WithoutCancel(ctx))
	defer stopOutbox()

	o := &open{networks: ctx, outboxes: outboxCtx}
	var in sync.WaitGroup
	in.Go(func() { h.inbox.run(inboxCtx, h.noteApplied) })
	nodeCtx, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	var node sync.WaitGroup
	h.want(h.roster.Load())
	node.Go(func() { h.node.Run(nodeCtx, h.heard) })
	node.Go(func() { h.runRefreshes(nodeCtx) })
	for _, a := range h.roster.Load().accounts {
		h.start(o, a)
	}
	o.receiving.Go(func() { h.whileHeld(ctx, dutyClock, h.runClock) })
	o.receiving.Go(func() { h.whileHeld(ctx, dutyCashier, h.runCashier) })
	o.receiving.Go(func() { h.whileHeld(ctx, dutyRooms, h.runRooms) })
	o.receiving.Go(func() { h.runTyping(ctx) })
	o.sending.Go(func() { h.runErrands(outboxCtx) }) // what the last commits leave behind as well
	h.open = o
	h.mu.Unlock()
	if ready != nil {
		close(ready)
	}
	<-ctx.Done()
	h.mu.Lock() // a change of the accounts that is under way ends first
	h.open = nil
	h.mu.Unlock()
	o.receiving.Wait()
	stopInbox()
	in.Wait()
	stopOutbox()
	o.sending.Wait()
	leave() // the last: others may take over what has ended here
	node.Wait()
	return nil
}

// Report notes how an account is, for the admin.
func (h *House) Report(ctx context.Context, name, state, problem string) {
	a := h.account(name)
	if a == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := h.store.Tx(ctx, func(tx *store.Tx) error {
		return tx.SetAccount(ctx, a.merchant.ID, store.Account{Name: name, Adapter: a.Channel, State: state, Problem: problem})
	})
	if err != nil {
		h.log.ErrorContext(ctx, "account state not kept", "account", name, "err", err)
	}
}

// Hook is the handler for what an account's network posts to us; nil when it posts nothing.
func (h *House) Hook(name string) http.Handler {
	a := h.account(name)
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
	return func(ctx context.Context, events []conversation.Event) error {
		a := h.account(name)
		if a == nil {
			return fmt.Errorf("account %s is not in the config", name)
		}
		turns := make([]store.Turn, 0, len(events))
		for _, e := range events {
			e.Account = name
			switch e = scrubbed(e); {
			case e.Kind == conversation.Checkout && e.Payment != nil:
				turns = append(turns, h.approval(a, e))
				continue
			case e.Kind == conversation.Paid && e.Payment != nil:
				turns = append(turns, h.collected(a, e)...)
				continue
			}
			turn, ok, err := h.turnOf(ctx, a, e)
			if err != nil {
				return err
			}
			if ok {
				turns = append(turns, turn)
			}
		}
		if len(turns) == 0 {
			return nil
		}
		return h.inbox.submit(ctx, turns...)
	}
}

// noteApplied hears what became of each turn, and how long it was waited for.
func (h *House) noteApplied(t store.Turn, o store.Applied, took time.Duration) {
	if o.Cause != nil {
		h.reportParked(t, o)
	}
	if a := h.account(t.Event.Account); a != nil && t.Event.Kind != "" {
		a.traffic.turns.observe(took)
		if o.Repeat {
			a.traffic.repeats.Add(1)
		}
	}
}

func (h *House) reportParked(t store.Turn, o store.Applied) {
	if t.Event.Kind == "" { // our own: its row brings it back
		h.log.Error("turn failed", "account", t.Event.Account, "err", o.Cause)
		return
	}
	h.log.Error("event parked", "account", t.Event.Account, "event", t.Event.ID, "kind", t.Event.Kind, "err", o.Cause)
}

// merchant finds a merchant of the config.
func (h *House) merchant(id commerce.MerchantID) (*Merchant, error) {
	m := h.roster.Load().merchants[id]
	if m == nil {
		return nil, errors.New("this merchant is not in the config")
	}
	return m, nil
}

// hurry is how long what is in hand may go on after the house began to close.
const hurry = 2 * time.Second

// inHand is the context of a call outside that a stop of the house must not cut off at once: it ends after most, or a moment
// after ctx.
func inHand(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(hurry, cancel) })
	return work, func() { stop(); cancel() }
}

// nudge wakes a loop that may be asleep; a wake that is pending already is enough.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
