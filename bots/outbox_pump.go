package bots

import (
	"context"
	"time"

	"parley/store"
)

// runOutbox sends an account's messages until ctx ends; what is under way then is finished.
func (h *House) runOutbox(ctx context.Context, a *account) {
	p := &pump{house: h, account: a, outbox: a.outbox, results: a.outbox.unnoted}
	defer func() { a.outbox.unnoted = p.results }()
	for {
		err := p.settleSingly(ctx)
		if err == nil {
			err = h.recoverInterrupted(ctx, a) // they are ahead of what is queued
		}
		if err == nil {
			break
		}
		if ctx.Err() == nil {
			h.log.ErrorContext(ctx, "interrupted messages not recovered", "account", a.Name, "err", err)
		}
		if wait(ctx, soon) != nil {
			return
		}
	}
	a.outbox.start(sender{
		send:    func(p store.Part) result { return h.send(ctx, a, p) },
		give:    func(p store.Part) { h.giveBack(a, p) },
		counted: a.counted,
	})
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(p.round(ctx))
		select {
		case <-ctx.Done():
		case <-p.outbox.wake:
			p.look = true
		case <-p.outbox.results:
		case <-timer.C:
		}
	}
	p.close(ctx)
}

// recoverInterrupted settles the parts that were handed over when the last process ended.
func (h *House) recoverInterrupted(ctx context.Context, a *account) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.Fence(ctx, dutyAccount+a.Name); err != nil {
			return err
		}
		parts, err := tx.Interrupted(ctx, a.Name)
		if err != nil {
			return err
		}
		return a.settleInterrupted(ctx, tx, parts)
	})
}

// giveBack puts back a part that was handed over when the outbox had just been shut.
func (h *House) giveBack(a *account, p store.Part) {
	h.inbox.ride(false, func(ctx context.Context, tx *store.Tx) error { return tx.ReleasePart(ctx, p) }, func(err error) {
		if err != nil {
			h.log.Error("message not put back", "account", a.Name, "message", p.MessageID, "err", err)
			return
		}
		a.rouse()
	})
}

// pump moves parts between the table and an outbox: it notes what became of them and claims the next ones, both in one transaction,
// which is shared with the turns of that moment.
type pump struct {
	house   *House
	account *account
	outbox  *outbox
	results []result  // to be noted
	look    bool      // the table may hold parts that can be claimed now
	waits   bool      // it holds some, behind others or for later
	next    time.Time // when to look next; the zero time for no moment that is known
	polled  time.Time
}

// round does what there is to do, and says how long it may be until the next one if nobody wakes it.
func (p *pump) round(ctx context.Context) time.Duration {
	now := p.house.now()
	if since := now.Sub(p.polled); since >= p.house.poll || since < 0 { // a clock that was set back must not stop the looking
		p.polled = now
		if err := p.poll(ctx, now); err != nil {
			return p.failed(ctx, "look at the outbox", err)
		}
	}
	begins := p.outbox.beginPaced(now)
	p.results = p.outbox.collect(p.results)
	p.look = p.look || len(p.results) > 0 && p.waits || !p.next.IsZero() && !p.next.After(now)
	if p.look {
		p.next = time.Time{}
	}
	var quota [store.Lanes]int
	var again time.Time
	if p.look {
		quota, again = p.outbox.quota(p.results, p.account.limits.Repeatable, now)
	}
	switch {
	case len(p.results) > 0 || quota != [store.Lanes]int{}:
		if err := p.commit(ctx, quota, again); err != nil {
			return p.failed(ctx, "what was sent is not noted yet", err)
		}
	case p.look: // there is no room: what is sent makes some, or time does
		p.look, p.waits, p.next = false, true, again
	}
	if p.look {
		return 0
	}
	wait := p.polled.Add(p.house.poll).Sub(now)
	for _, at := range []time.Time{p.next, begins} {
		if !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
	}
	return max(wait, time.Millisecond)
}

func (p *pump) failed(ctx context.Context, doing string, err error) time.Duration {
	if ctx.Err() == nil {
		p.house.log.ErrorContext(ctx, doing, "account", p.account.Name, "err", err)
	}
	return soon
}

// claim is what a commit took from the table.
type claim struct {
	parts   []store.Part
	outlook store.Outlook
	more    bool // there may be more, for which there is room
	behind  bool // there are more answers
	blocked bool // something is due for which there was no room
}

// commit notes the results and claims parts up to the quota.
func (p *pump) commit(ctx context.Context, quota [store.Lanes]int, again time.Time) error {
	looks := quota != [store.Lanes]int{}
	if len(p.results) == 0 && !looks {
		return nil
	}
	var got claim
	patient := !looks && len(p.results) < 2*senders
	err := p.transact(ctx, patient, func(ctx context.Context, tx *store.Tx) (err error) {
		if err = p.house.settle(ctx, tx, p.account, p.results); err == nil && looks {
			got, err = p.claim(ctx, tx, quota)
		}
		return err
	})
	if err != nil {
		if len(p.results) < 2 {
			return err
		}
		return p.settleSingly(ctx)
	}
	if looks {
		p.look, p.waits, p.next = got.more, got.outlook.Waits, got.outlook.Next
		if got.blocked && !again.IsZero() && (p.next.IsZero() || again.Before(p.next)) {
			p.next = again
		}
	}
	p.noted(ctx, p.results)
	p.results = emptied(p.results)
	if looks {
		p.outbox.claimed(got.parts, got.behind, p.house.now())
		if p.outbox.room() >= campaignWindow/2 && p.outbox.full.CompareAndSwap(true, false) {
			nudge(p.house.clock)
		}
	}
	return nil
}

func (p *pump) claim(ctx context.Context, tx *store.Tx, quota [store.Lanes]int) (got claim, err error) {
	if err := tx.Fence(ctx, dutyAccount+p.account.Name); err != nil {
		return got, err
	}
	if got.outlook, err = tx.Outlook(ctx, p.account.Name); err != nil {
		return got, err
	}
	for _, lane := range [...]store.Lane{store.Receipts, store.Answers, store.Campaigns} {
		if !got.outlook.Ready[lane] {
			continue
		}
		n := 0
		if quota[lane] > 0 {
			parts, err := tx.ClaimParts(ctx, p.account.Name, quota[lane], lane)
			if err != nil {
				return got, err
			}
			n = len(parts)
			got.parts = append(got.parts, parts...)
		}
		if 2*n >= quota[lane] { // a claim may take fewer than there are
			got.blocked = true
			got.more = got.more || n > 0
			got.behind = got.behind || lane == store.Answers
		}
	}
	return got, nil
}

// settleSingly notes the results one by one, so that one which cannot be noted holds up no other.
func (p *pump) settleSingly(ctx context.Context) error {
	var failed error
	var left []result
	for _, r := range p.results {
		err := p.transact(ctx, false, func(ctx context.Context, tx *store.Tx) error {
			return p.house.settle(ctx, tx, p.account, []result{r})
		})
		if err != nil {
			failed, left = err, append(left, r)
			continue
		}
		p.noted(ctx, []result{r})
	}
	p.results = left
	return failed
}

// noted does what follows from results that are in the table.
func (p *pump) noted(ctx context.Context, results []result) {
	if len(results) == 0 {
		return
	}
	p.outbox.noted(results)
	p.account.traffic.note(results)
	p.house.noteAccount(ctx, p.account, results)
	for _, r := range results {
		switch r.state {
		case store.Queued:
			p.look, p.waits = true, true
		case store.Sent:
			p.house.sentTo(p.account, r.part.Chat)
		}
		if r.state == store.Failed && !r.shut {
			p.house.unbilled(context.WithoutCancel(ctx), p.account, r.part)
		}
	}
}

// poll looks for what nobody announced: parts that others queued or left behind, and reports that came early.
func (p *pump) poll(ctx context.Context, now time.Time) error {
	h, a := p.house, p.account
	var lost []store.Part
	queued, early := 0, false
	err := h.store.View(ctx, func(tx *store.Tx) error {
		look, err := tx.Outlook(ctx, a.Name)
		if err != nil {
			return err
		}
		p.look = p.look || look.Ready != [store.Lanes]bool{}
		p.waits = p.waits || look.Waits
		p.next = look.Next
		if queued, err = tx.CountQueued(ctx, a.Name, store.Campaigns, campaignWindow); err != nil {
			return err
		}
		if lost, err = tx.Orphaned(ctx, a.Name); err != nil {
			return err
		}
		stray, err := tx.Stray(ctx, a.Name, now.Add(-2*sendTime))
		for _, part := range stray {
			if !p.outbox.has(part.Key) {
				lost = append(lost, part)
			}
		}
		if err != nil {
			return err
		}
		early, err = tx.HasEarlyReceipts(ctx, a.Name)
		return err
	})
	if err != nil {
		return err
	}
	p.outbox.campaigns.Store(int64(queued))
	if len(lost) == 0 && !early {
		return nil
	}
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		if err := a.settleInterrupted(ctx, tx, lost); err != nil {
			return err
		}
		tx.AfterCommit(func() { p.look = p.look || len(lost) > 0 })
		return tx.SweepReceipts(ctx, a.Name)
	})
}

// close puts back what was not begun, waits for what is under way and notes it. Should the database stay away, that is done when the
// account is taken up again; after the end of the process what is left is settled as interrupted.
func (p *pump) close(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	p.outbox.shut()
	p.results = p.outbox.collect(p.results)
	if err := p.commit(ctx, [store.Lanes]int{}, time.Time{}); err != nil {
		p.failed(ctx, "what was not sent is not put back yet", err)
	}
	p.outbox.sending.Wait()
	p.results = p.outbox.collect(p.results)
	ctx, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	for len(p.results) > 0 {
		err := p.commit(ctx, [store.Lanes]int{}, time.Time{})
		if err == nil {
			continue
		}
		p.failed(ctx, "what was sent is not noted", err)
		if wait(ctx, soon) != nil {
			return
		}
	}
}

// transact runs fn in a transaction that it shares with the turns of the moment, and waits for the commit. A patient one waits for
// turns for a while, unless the pump is woken meanwhile.
func (p *pump) transact(ctx context.Context, patient bool, fn func(context.Context, *store.Tx) error) error {
	done := make(chan error, 1)
	p.house.inbox.ride(patient, fn, func(err error) { done <- err })
	if !patient {
		return <-done
	}
	select {
	case err := <-done:
		return err
	case <-p.outbox.wake:
		p.look = true
	case <-ctx.Done():
	}
	p.house.inbox.hurry()
	return <-done
}
