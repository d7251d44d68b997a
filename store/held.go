package store

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

type held struct {
	epoch   int64
	until   time.Time
	leaving bool // another node has asked for it, and gets it once nothing goes on under it
}

// Want says which leases this node takes when they are free; those it no longer wants it gives back.
func (n *Node) Want(names ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted = map[string]bool{}
	for _, name := range names {
		n.wanted[name] = true
	}
	n.announce()
	nudge(n.renew)
}

// announce wakes those who wait in Changed. n.mu is held.
func (n *Node) announce() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// Holds says that this node has the lease at this moment, and until when at least; on SQLite for good, the zero time. It does not
// have one that it is about to hand to another node.
func (n *Node) Holds(name string) (until time.Time, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.holds(name)
}

func (n *Node) holds(name string) (until time.Time, ok bool) {
	if n.store.dialect == SQLite {
		return time.Time{}, n.wanted[name]
	}
	h, ok := n.held[name]
	return h.until, ok && !h.leaving && n.wanted[name] && time.Now().Before(h.until)
}

// Begin says that work under a lease begins, if this node holds it. The work ends when Holds says no; done must be called then, for
// only then is the lease handed to another node that has asked for it.
func (n *Node) Begin(name string) (done func(), ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.holds(name); !ok {
		return nil, false
	}
	n.used[name]++
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.used[name]--; n.used[name] > 0 {
			return
		}
		delete(n.used, name)
		if n.held[name].leaving {
			nudge(n.renew)
		}
	}, true
}

// Changed is closed when the leases have changed hands; ask anew for the next time.
func (n *Node) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

// keep takes and renews leases, and shares them with other nodes.
func (n *Node) keep(ctx context.Context) {
	settled := time.Now().Add(n.settle)
	for {
		if err := n.keepOnce(ctx, !time.Now().Before(settled)); err != nil && ctx.Err() == nil {
			n.log.Warn("leases not renewed", "err", err)
		}
		wait := time.NewTimer(leaseRound/2 + rand.N(leaseRound/2))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-n.renew:
			wait.Stop()
		case <-wait.C:
		}
	}
}

// keepOnce is a round of it, in which nodes that have settled ask others for their share.
func (n *Node) keepOnce(ctx context.Context, settled bool) error {
	ctx, cancel := context.WithTimeout(ctx, leaseRound)
	defer cancel()
	n.mu.Lock()
	names, session := slices.Sorted(maps.Keys(n.wanted)), n.session
	n.mu.Unlock()
	began := time.Now()
	if err := n.store.dropLeases(ctx, names); err != nil {
		return err
	}
	var leases []lease
	if len(names) > 0 {
		var err error
		if leases, err = n.store.takeLeases(ctx, names, session, leaseTime); err != nil {
			return err
		}
	}
	n.note(leases, began.Add(leaseTime-leaseMargin), session)
	if err := n.handOver(ctx); err != nil {
		return err
	}
	if !settled || session == 0 || len(leases) == len(names) { // with all leases, as a node alone has, there is nobody to ask
		return nil
	}
	asked, err := n.store.askForShare(ctx, names, session)
	if asked {
		n.Tell(topicLeases)
	}
	return err
}

// note keeps what a round has brought. One that began under another session than the present one counts for nothing: others may
// have taken over meanwhile.
func (n *Node) note(leases []lease, until time.Time, session int32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if session != n.session {
		nudge(n.renew)
		return
	}
	was := n.held
	n.held = make(map[string]held, len(leases))
	news := len(leases) != len(was)
	for _, l := range leases {
		n.held[l.Name] = held{l.Epoch, until, l.Asked}
		before, had := was[l.Name]
		news = news || !had || before.epoch != l.Epoch || before.leaving != l.Asked || !time.Now().Before(before.until)
	}
	for name := range was {
		if _, has := n.held[name]; !has && n.wanted[name] {
			n.log.Warn("this node has lost a lease", "lease", name)
		}
	}
	if news {
		n.announce()
	}
}

// handOver hands over what others have asked for and is not in use any more.
func (n *Node) handOver(ctx context.Context) error {
	free := n.leaving()
	if len(free) == 0 {
		return nil
	}
	if err := n.store.handOver(ctx, free, leaseTime); err != nil {
		return err
	}
	n.log.Info("leases handed to other nodes", "leases", free)
	n.handed(free)
	n.Tell(topicLeases)
	return nil
}

// leaving are the leases that others have asked for and under which nothing goes on, nor can begin.
func (n *Node) leaving() (names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, h := range n.held {
		if h.leaving && n.used[name] == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// handed forgets leases that other nodes have now.
func (n *Node) handed(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		delete(n.held, name)
	}
	n.announce()
}

// lose forgets all leases: the connection that stood for them is gone.
func (n *Node) lose() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.session = 0
	if len(n.held) > 0 {
		n.held = map[string]held{}
		n.announce()
	}
}
