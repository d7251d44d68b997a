package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"parley/commerce"
	"parley/store"
	"parley/web"
)

// pairings link phones to accounts for /admin, while the accounts run: at most one at a time for each account.
type pairings struct {
	house phones
	tell  func(ctx context.Context, merchant commerce.MerchantID, account string) error // that a pairing has changed
	log   *slog.Logger

	mu      sync.Mutex
	closed  bool
	under   map[string]*pairing // by account; stays when it has ended, to be looked at
	waiting sync.WaitGroup
}

// phones are the accounts that phones are linked to; *bots.House has them.
type phones interface {
	CanPair(merchant commerce.MerchantID, account string) bool
	Pair(ctx context.Context, merchant commerce.MerchantID, account, phone string, show func(code string)) error
}

// pairing is one try to link a phone.
type pairing struct {
	state  web.PairState
	cancel context.CancelFunc
}

// pairingTime is how long somebody may take to find the phone.
const pairingTime = 5 * time.Minute

func newPairings(in *installation) *pairings {
	return &pairings{house: in.house, log: in.log, under: map[string]*pairing{},
		tell: func(ctx context.Context, merchant commerce.MerchantID, account string) error {
			return in.store.Tx(ctx, func(tx *store.Tx) error { return tx.Event(ctx, merchant, "pairing_changed", account, nil) })
		},
	}
}

// CanPair says that a phone can be linked to the account.
func (p *pairings) CanPair(merchant commerce.MerchantID, account string) bool {
	return p.house.CanPair(merchant, account)
}

// Begin starts a pairing; one that is under way for the account ends.
func (p *pairings) Begin(merchant commerce.MerchantID, account, phone string) {
	ctx, cancel := context.WithTimeout(context.Background(), pairingTime)
	next := &pairing{cancel: cancel, state: web.PairState{Step: web.PairWaiting, Typed: phone != ""}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		cancel()
		return
	}
	if was := p.under[account]; was != nil {
		was.cancel()
		next.state.Number = was.state.Number
	}
	p.under[account] = next
	p.waiting.Go(func() {
		defer cancel()
		err := p.house.Pair(ctx, merchant, account, phone, func(code string) {
			p.note(merchant, account, next, func(s *web.PairState) { s.Step, s.Code = web.PairCode, code })
		})
		p.note(merchant, account, next, func(s *web.PairState) {
			s.Code = ""
			switch {
			case err == nil:
				s.Step = web.PairLinked
			case ctx.Err() != nil:
				s.Step = web.PairNone
			default:
				s.Step, s.Problem = web.PairFailed, err.Error()
			}
		})
	})
}

// State tells how the latest pairing of an account stands.
func (p *pairings) State(account string) web.PairState {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.under[account]; now != nil {
		return now.state
	}
	return web.PairState{}
}

// note changes the state of a pairing that is still the account's, and tells the pages that show it. The event holds no code.
func (p *pairings) note(merchant commerce.MerchantID, account string, of *pairing, change func(*web.PairState)) {
	p.mu.Lock()
	current := p.under[account] == of
	if current {
		of.state.Number++
		change(&of.state)
	}
	p.mu.Unlock()
	if !current {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.tell(ctx, merchant, account); err != nil {
		p.log.ErrorContext(ctx, "pages not told of a pairing", "account", account, "err", err)
	}
}

// end gives up the pairings of accounts that are no longer what they were.
func (p *pairings) end(accounts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range accounts {
		if now := p.under[name]; now != nil {
			now.cancel()
			delete(p.under, name)
		}
	}
}

// close ends all pairings and waits. Afterwards none begins.
func (p *pairings) close() {
	p.mu.Lock()
	p.closed = true
	for _, now := range p.under {
		now.cancel()
	}
	p.mu.Unlock()
	p.waiting.Wait()
}

// metrics are figures of how the bots work.
func (in *installation) metrics() []web.Metric {
	var out []web.Metric
	for _, m := range in.house.Metrics() {
		out = append(out, web.Metric(m))
	}
	return out
}
