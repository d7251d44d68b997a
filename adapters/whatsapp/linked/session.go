//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types/events"

	"parley/adapters"
)

const (
	// loginTime is how long a connection may take until it is ready; the first one makes and uploads hundreds of keys.
	loginTime = 2 * time.Minute
	// steady is how long a connection must have held for the next one to be tried at once.
	steady = 30 * time.Second
)

// ending is why a session is over and what follows.
type ending struct {
	problem  string        // for the admin: what happened and what to do
	final    bool          // this program cannot go on
	unlinked bool          // the phone must be linked again
	pause    time.Duration // before the next session
}

// signal is what a session's handler tells its loop. The order is that of weight.
type signal int

const (
	ready signal = iota
	refused
	lost
	over
)

type news struct {
	signal signal
	end    ending
}

// session speaks as one linked device, over as many connections as it takes.
type session struct {
	m      *Messenger
	client *whatsmeow.Client
	sink   adapters.Sink
	news   chan news
	done   chan struct{} // closed when nobody reads news any more
	gate   gate
	turn   sync.Mutex // one event at a time, also when an old connection's last one still waits

	refusing atomic.Bool // an event was not stored: nothing behind it may be, until it came again
	taken    atomic.Bool // an event was stored since the last refusal
}

// attend runs a session until it is over or ctx ends, then gives the line back. No event is with the sink afterwards.
func (m *Messenger) attend(ctx context.Context, sink adapters.Sink, d *store.Device) ending {
	defer func() { <-m.line }()
	living, die := context.WithCancel(context.WithoutCancel(ctx))
	defer die()
	s := &session{m: m, client: m.newClient(living, d), sink: sink, news: make(chan news, 16), done: make(chan struct{})}
	s.client.AddEventHandlerWithSuccessStatus(func(evt any) bool { return s.hear(living, evt) })
	m.setClient(s.client)
	defer func() {
		m.setClient(nil)
		close(s.done)
		s.gate.close()
		s.client.Disconnect()
	}()
	for attempt := 0; ; attempt++ {
		s.refusing.Store(false)
		held, end, err := s.connection(ctx, living, die)
		switch {
		case ctx.Err() != nil:
			return ending{}
		case end != nil:
			return *end
		case err != nil:
			m.log.WarnContext(ctx, "whatsapp not reached", "problem", err)
			m.report("failed", fmt.Sprintf("reach WhatsApp: %v", err))
		}
		if held {
			attempt = 0
		}
		if err := adapters.Wait(ctx, backoff(attempt)); err != nil {
			return ending{}
		}
	}
}

// connection connects and returns when that connection is to be left; held says that it was a good one.
func (s *session) connection(ctx, living context.Context, die func()) (held bool, end *ending, err error) {
	s.drain()
	stopped := context.AfterFunc(ctx, die) // a dial is called off at once, a connection is closed in order
	err = s.client.ConnectContext(living)
	stopped()
	if err != nil {
		return false, nil, err
	}
	since := time.Time{}
	held, end = s.watch(ctx, &since)
	s.m.online.Store(false)
	if s.client.IsConnected() { // on a line that was lost, sends wait for the next one
		s.client.Disconnect()
	}
	return held || !since.IsZero() && s.m.now().Sub(since) > steady, end, nil
}

func (s *session) watch(ctx context.Context, since *time.Time) (held bool, end *ending) {
	login := time.NewTimer(loginTime)
	defer login.Stop()
	for {
		select {
		case n := <-s.news:
			switch n.signal {
			case ready:
				login.Stop()
				*since = s.m.now()
				s.m.mended()
				s.m.online.Store(true)
				s.m.report("ready", "")
			case refused:
				return s.taken.Swap(false), nil
			case lost:
				s.m.report("connecting", "")
				return false, nil
			case over:
				return false, &n.end
			}
		case <-login.C:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
	}
}

// drain drops what an earlier connection had to say.
func (s *session) drain() {
	for {
		select {
		case <-s.news:
		default:
			return
		}
	}
}

func (s *session) tell(n news) {
	select {
	case s.news <- n:
	case <-s.done:
	}
}

// hear is called by the library with each event. False leaves a stanza unconfirmed, and so does a panic here: the library
// itself would take that for success.
func (s *session) hear(ctx context.Context, evt any) (ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			s.m.log.ErrorContext(ctx, "whatsapp event panicked", "event", fmt.Sprintf("%T", evt), "cause", cause, "stack", string(debug.Stack()))
			s.refuse()
			ok = false
		}
	}()
	switch e := evt.(type) {
	case *events.Connected:
		s.tell(news{signal: ready})
	case *events.Disconnected, *events.StreamError, *events.ManualLoginReconnect:
		s.tell(news{signal: lost})
	case *events.KeepAliveTimeout:
		if e.ErrorCount >= 3 {
			s.tell(news{signal: lost})
		}
	case *events.Message:
		return s.take(ctx, e)
	case *events.Receipt:
		return s.take(ctx, e)
	default:
		if end, ok := ended(s.m.account, s.m.now(), evt); ok {
			s.tell(news{over, end})
		}
	}
	return true
}

// take hands what an event says to the sink. While a refused one waits to come again it takes nothing, for the order's sake.
func (s *session) take(ctx context.Context, evt any) bool {
	if !s.gate.enter() {
		return false
	}
	defer s.gate.leave()
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.refusing.Load() {
		return false
	}
	converted, err := s.convert(ctx, evt)
	if err == nil && len(converted) > 0 {
		err = s.sink(context.WithoutCancel(ctx), converted)
	}
	if err != nil {
		s.m.log.WarnContext(ctx, "whatsapp event not stored, asking for it again", "problem", err)
		s.refuse()
		return false
	}
	if len(converted) > 0 {
		s.taken.Store(true)
	}
	return true
}

// refuse leaves everything from here on unconfirmed and has the connection made anew, which brings it again.
func (s *session) refuse() {
	if s.refusing.Swap(true) {
		return
	}
	select {
	case s.news <- news{signal: refused}:
	default: // the loop has enough reasons to connect anew
	}
}

// gate counts who is inside and can be shut.
type gate struct {
	mu     sync.Mutex
	shut   bool
	inside sync.WaitGroup
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.inside.Add(1)
	return true
}

func (g *gate) leave() { g.inside.Done() }

// close lets nobody in any more and waits for those inside.
func (g *gate) close() {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.inside.Wait()
}
