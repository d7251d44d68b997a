package discord

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"parley/adapters"
)

// times are how long things may take; tests have shorter ones.
type times struct {
	open    time.Duration // connecting and saying hello
	grace   time.Duration // the library notices that its connection has ended
	check   time.Duration // between looks at whether Discord is silent
	settle  time.Duration // between the end of a connection and the next
	reset   time.Duration // Discord's least pause after it declared a session void; up to five times as long
	steady  time.Duration // how long a connection has to hold to count as one that works
	backoff func(attempt int) time.Duration
	again   func(attempt int) time.Duration // between hand-overs of events that were not stored
}

var usualTimes = times{
	open: 30 * time.Second, grace: 10 * time.Second, check: 5 * time.Second, settle: time.Second, reset: time.Second, steady: time.Minute,
	backoff: func(attempt int) time.Duration { return min(time.Minute, time.Second<<min(attempt, 6)) },
	again: func(attempt int) time.Duration {
		return min(10*time.Second, 50*time.Millisecond<<min(attempt, 8))
	},
}

// gateway keeps a session with Discord's gateway. The library's own reconnecting is switched off: it resumes sessions well, but
// when Discord refuses to it can wait for itself for ever. Here every connection has a link that can be ended, and a session
// whose library does not come back is replaced by a new one.
type gateway struct {
	m  *Messenger
	in *intake
}

// connection is one session of the library with what it tells us.
type connection struct {
	session      *discordgo.Session
	disconnected chan struct{} // the library has let go of its connection; holds one
	known        chan struct{} // READY or RESUMED came; holds one

	mu   sync.Mutex
	link *link // the one that is current
}

func (c *connection) current() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// begin makes l the current link and forgets what an earlier one told.
func (c *connection) begin(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
	for _, old := range []chan struct{}{c.disconnected, c.known} {
		select {
		case <-old:
		default:
		}
	}
}

// errStuck says that the library did not come back from a connection that had ended.
var errStuck = errors.New("the session is stuck")

// run connects until ctx ends. An error is final.
func (g *gateway) run(ctx context.Context) error {
	var c *connection
	for attempt := 0; ; {
		if c == nil {
			if err := g.m.insist(ctx, "ask for the gateway", g.allowed); err != nil {
				return err
			}
			c = g.connection()
		}
		l := newLink(g.m.now)
		began := g.m.now()
		err := g.hold(ctx, c, l)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if g.m.now().Sub(began) >= g.m.times.steady {
			attempt = 0
		}
		if call, ok := errors.AsType[*callError](err); ok && call.Status == http.StatusUnauthorized {
			return fmt.Errorf("ask for the gateway: Discord refuses the token: %w", err)
		}
		why, code := l.reason()
		if final := refused(why, code); final != nil && !g.forbidden(ctx, why, code) {
			return final
		}
		pause := max(g.m.times.settle, g.m.times.backoff(attempt)-g.m.times.backoff(0))
		switch {
		case errors.Is(err, errStuck):
			g.m.log.ErrorContext(ctx, "discord session stuck, replaced", "problem", why)
			c = nil
		case why == invalid || why == another || why == closed && (code == 4003 || code == 4007 || code == 4009 || code == 4014) || err != nil && attempt >= 5:
			c = nil
		}
		if why == invalid || why == resumable { // Discord wants a random pause
			pause = max(pause, g.m.times.reset+rand.N(4*g.m.times.reset))
		}
		attempt++
		g.m.log.InfoContext(ctx, "discord connection ended", "why", why, "code", code, "problem", err, "resumes", c != nil, "again_in", pause)
		if err != nil && attempt > 1 {
			g.m.report("failed", fmt.Sprintf("connect to the gateway: %s: %v", why, err))
		} else {
			g.m.report("connecting", "")
		}
		if err := adapters.Wait(ctx, pause); err != nil {
			return err
		}
	}
}

// forbidden says that Discord only refuses what the owner has switched off meanwhile: a session that asks for less may begin.
func (g *gateway) forbidden(ctx context.Context, why ending, code int) bool {
	return why == closed && code == 4014 && g.m.hearsAll() && g.m.learnHearing(ctx) == nil && !g.m.hearsAll()
}

// allowed asks whether a new session may begin, and what it may hear. Discord counts them, and resets the token of a bot that begins too many.
func (g *gateway) allowed(ctx context.Context) error {
	var said struct {
		Limit struct {
			Remaining  *int  `json:"remaining"`
			ResetAfter int64 `json:"reset_after"` // ms
		} `json:"session_start_limit"`
	}
	if err := g.m.rest.call(ctx, http.MethodGet, "gateway/bot", nil, &said); err != nil {
		return err
	}
	if err := g.m.learnHearing(ctx); err != nil {
		call, ok := errors.AsType[*callError](err)
		if !ok || call.Status < http.StatusBadRequest || call.Status >= http.StatusInternalServerError || call.Status == http.StatusTooManyRequests {
			return err
		}
		g.m.log.InfoContext(ctx, "discord does not tell what the bot may read", "problem", err)
	}
	if left := said.Limit.Remaining; left != nil && *left <= 0 {
		return &callError{
			Status: http.StatusTooManyRequests, Message: "no new session is left for today",
			RetryAfter: time.Duration(said.Limit.ResetAfter) * time.Millisecond,
		}
	}
	return nil
}

// refused is the sentence for what no reconnecting will change.
func refused(why ending, code int) error {
	if why != closed {
		return nil
	}
	switch code {
	case 4004:
		return errors.New("connect to the gateway: Discord refuses the token")
	case 4010, 4011:
		return fmt.Errorf("connect to the gateway: the bot is in too many servers for one connection (%d)", code)
	case 4012:
		return errors.New("connect to the gateway: Discord does not speak this version any more (4012)")
	case 4013, 4014:
		return fmt.Errorf("connect to the gateway: Discord does not let this bot read messages (%d)", code)
	}
	return nil
}

// connection makes a session of the library.
func (g *gateway) connection() *connection {
	c := &connection{disconnected: make(chan struct{}, 1), known: make(chan struct{}, 1)}
	client := *g.m.rest.http
	client.Transport, client.Timeout = g.m.rest.carrier, callTimeout
	var s discordgo.Session // New cannot fail
	if made, err := discordgo.New("Bot " + g.m.token); err == nil {
		c.session = made
	} else {
		c.session = &s
	}
	c.session.Client = &client
	c.session.LogLevel = silent
	c.session.SyncEvents = true // in the order of the gateway
	c.session.StateEnabled = false
	c.session.Compress = false
	c.session.ShouldReconnectOnError = false
	c.session.ShouldReconnectVoiceOnSessionError = false
	c.session.ShouldRetryOnRateLimit = false
	c.session.MaxRestRetries = 0
	c.session.Identify.Intents = g.m.intents()
	select {
	case <-g.m.anew: // this one is
	default:
	}
	c.session.AddHandler(func(_ *discordgo.Session, _ *discordgo.Disconnect) { signal(c.disconnected) })
	c.session.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) { g.heard(c, e) })
	return c
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// heard takes an event from the library's reader. It waits while the queue is full, which holds the reader back, but never
// beyond the end of the connection.
func (g *gateway) heard(c *connection, e *discordgo.Event) {
	switch e.Type {
	case "READY":
		g.in.began()
		signal(c.known)
	case "RESUMED":
		signal(c.known)
	case "MESSAGE_CREATE", "INTERACTION_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK":
		if !g.in.offer(item{kind: e.Type, raw: e.RawData}, c.current().gone) {
			g.in.began() // what was dropped is asked for
		}
	}
}

// hold opens the connection and watches it until it ends. An error says that it never stood, or errStuck.
func (g *gateway) hold(ctx context.Context, c *connection, l *link) error {
	c.begin(l)
	c.session.Dialer = g.m.dial.through(l, g.m.times.open)
	opened := make(chan error, 1)
	// The one goroutine that may be left behind, when the library waits for itself; see errStuck.
	go func() { opened <- c.session.Open() }()
	late := time.NewTimer(g.m.times.open)
	defer late.Stop()
	select {
	case err := <-opened:
		if err != nil {
			return g.openError(l, err)
		}
	case <-ctx.Done():
		l.end(stopped)
		return g.returns(opened)
	case <-late.C:
		l.end(silence)
		if err := g.returns(opened); err != nil {
			return err
		}
		return errors.New("no answer in time")
	}
	return g.watch(ctx, c, l)
}

// returns waits for Open after its link was ended.
func (g *gateway) returns(opened <-chan error) error {
	select {
	case err := <-opened:
		_ = err // it says that the link was ended, which we did
		return nil
	case <-time.After(g.m.times.grace):
		return errStuck
	}
}

// openError words why a connection was never made, without addresses.
func (g *gateway) openError(l *link, err error) error {
	l.end(lost)
	if call, ok := errors.AsType[*discordgo.RESTError](err); ok {
		return &callError{Status: call.Response.StatusCode, Message: http.StatusText(call.Response.StatusCode)}
	}
	if errors.Is(err, errEnded) {
		return nil // the reason says it
	}
	return errors.New(g.m.rest.redact(g.m.rest.broke(context.Background(), err, false).Message))
}

// watch waits until an open connection has ended and the library has noticed.
func (g *gateway) watch(ctx context.Context, c *connection, l *link) error {
	tick := time.NewTicker(g.m.times.check)
	defer tick.Stop()
	known := c.known
	for {
		select {
		case <-known:
			g.m.report("ready", "")
			known = nil
		case <-c.disconnected:
			l.end(lost)
			return nil
		case <-ctx.Done():
			// Closing tells Discord that the bot is offline; the library takes a second for it.
			closing := make(chan struct{})
			go func() {
				defer close(closing)
				_ = c.session.Close()
			}()
			select {
			case <-closing:
			case <-time.After(g.m.times.grace):
				l.end(stopped)
			}
			l.end(stopped)
			return nil
		case <-g.m.anew:
			l.end(another)
		case <-l.gone:
			select {
			case <-c.disconnected:
				return nil
			case <-time.After(g.m.times.grace):
				return errStuck
			}
		case <-tick.C:
			if beat := time.Duration(l.beat.Load()); beat > 0 && l.silent() > 2*beat {
				l.end(silence)
			}
		}
	}
}
