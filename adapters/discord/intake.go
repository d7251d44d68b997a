package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"parley/adapters"
	"parley/conversation"
)

const (
	mostInHand = 64  // events handed over at once
	page       = 100 // messages asked for at once
)

// item is one thing the gateway told us.
type item struct {
	kind string // MESSAGE_CREATE or INTERACTION_CREATE
	raw  json.RawMessage
}

// intake hands events to the house, one goroutine in the order of the gateway. Discord confirms nothing and repeats nothing by
// itself, so that an event the house did not store stays in hand until it has.
type intake struct {
	m     *Messenger
	sink  adapters.Sink
	queue chan item
	wake  chan struct{} // missed has changed

	missed atomic.Bool // the gateway began anew: what came meanwhile has to be asked for

	// Only work's goroutine has these.
	pending   map[string]bool // channels to ask
	order     []string        // them, the latest active first
	notBefore time.Time       // Discord asked for a pause
	attempt   int
}

// began notes that a session of the gateway began, or that something of one was dropped.
func (in *intake) began() {
	in.missed.Store(true)
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// offer puts an item into the queue; false when the connection ended first.
func (in *intake) offer(it item, gone <-chan struct{}) bool {
	select {
	case in.queue <- it:
		return true
	default:
	}
	select {
	case in.queue <- it:
		return true
	case <-gone:
		return false
	}
}

// work runs until ctx ends.
func (in *intake) work(ctx context.Context) {
	for ctx.Err() == nil {
		if in.missed.Swap(false) {
			in.expect()
		}
		var ask <-chan time.Time
		if len(in.order) > 0 {
			t := time.NewTimer(in.notBefore.Sub(in.m.now()))
			ask = t.C
		}
		select { // what is happening now goes before what was missed elsewhere
		case it := <-in.queue:
			in.take(ctx, it)
			continue
		default:
		}
		select {
		case it := <-in.queue:
			in.take(ctx, it)
		case <-in.wake:
		case <-ask:
			in.catchUp(ctx, in.order[0])
		case <-ctx.Done():
		}
	}
}

// expect plans to ask every channel that is known.
func (in *intake) expect() {
	in.order, in.pending = in.m.seen.all(), map[string]bool{}
	for _, channel := range in.order {
		in.pending[channel] = true
	}
	in.notBefore, in.attempt = time.Time{}, 0
}

func (in *intake) settled(channel string) {
	if in.pending[channel] {
		delete(in.pending, channel)
		in.order = slices.DeleteFunc(in.order, func(c string) bool { return c == channel })
	}
}

// batch is what is handed over together and what follows from it.
type batch struct {
	events []conversation.Event
	acks   []interaction
	marks  []place
}

type place struct {
	channel string
	id      uint64
	guild   bool
}

// take hands over an item and what waits behind it. A channel in which something was missed is asked for that first.
func (in *intake) take(ctx context.Context, first item) {
	var b batch
	in.add(ctx, &b, first)
	for len(b.events) < mostInHand {
		select {
		case it := <-in.queue:
			in.add(ctx, &b, it)
			continue
		default:
		}
		break
	}
	_ = in.deliver(ctx, b)
}

func (in *intake) add(ctx context.Context, b *batch, it item) {
	if in.missed.Swap(false) { // before the item's channel is looked at: what was missed is older than the item
		in.expect()
	}
	switch it.kind {
	case "MESSAGE_CREATE":
		var msg message
		if err := json.Unmarshal(it.raw, &msg); err != nil || msg.ID == "" {
			in.m.log.WarnContext(ctx, "discord message not understood", "problem", err)
			return
		}
		guild := msg.Guild != ""
		event, ours := in.m.readMessage(it.raw, msg, guild)
		if !ours {
			return
		}
		if in.pending[msg.Channel] && !in.m.now().Before(in.notBefore) {
			in.catchUp(ctx, msg.Channel)
		}
		b.events = append(b.events, event)
		if !in.pending[msg.Channel] { // else the mark would jump over what was missed
			b.marks = append(b.marks, place{channel: msg.Channel, id: snowflake(msg.ID), guild: guild})
		}
	case "INTERACTION_CREATE":
		var press interaction
		if err := json.Unmarshal(it.raw, &press); err != nil {
			in.m.log.WarnContext(ctx, "discord interaction not understood", "problem", err)
			return
		}
		if event, ours := in.m.readInteraction(it.raw, press); ours {
			b.events, b.acks = append(b.events, event), append(b.acks, press)
		}
	}
}

// deliver hands a batch to the sink until it is taken, then moves the marks and answers the buttons. The error is ctx's.
func (in *intake) deliver(ctx context.Context, b batch) error {
	for attempt := 0; len(b.events) > 0; attempt++ {
		err := in.sink(ctx, b.events)
		if err == nil {
			break
		}
		in.m.log.WarnContext(ctx, "discord events not stored", "events", len(b.events), "problem", err)
		if err := adapters.Wait(ctx, in.m.times.again(attempt)); err != nil {
			return err
		}
	}
	for _, p := range b.marks {
		in.m.seen.advance(p.channel, p.id, p.guild)
	}
	if len(b.marks) > 0 {
		// They are stored, whatever ends now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		if err := in.m.seen.flush(ctx, in.m.now()); err != nil {
			in.m.log.WarnContext(ctx, "discord marks not saved", "problem", err)
		}
	}
	for _, press := range b.acks {
		in.m.press(press)
	}
	return nil
}

// press has a stored press acknowledged.
func (m *Messenger) press(i interaction) {
	select {
	case m.acks <- i:
	default: // the queue is full; see acknowledge
	}
}

// catchUp asks for what was missed in a channel and hands it over.
func (in *intake) catchUp(ctx context.Context, channel string) {
	for {
		at, known := in.m.seen.mark(channel)
		if !known {
			in.settled(channel)
			return
		}
		b, more, err := in.missedAfter(ctx, channel, at)
		if err != nil {
			in.postpone(ctx, channel, err)
			return
		}
		if in.deliver(ctx, b) != nil {
			return
		}
		in.attempt = 0
		if !more {
			in.settled(channel)
			return
		}
	}
}

// missedAfter reads a page of messages.
func (in *intake) missedAfter(ctx context.Context, channel string, at mark) (b batch, more bool, err error) {
	var raws []json.RawMessage
	path := fmt.Sprintf("channels/%s/messages?limit=%d&after=%d", channel, page, at.last)
	if err := in.m.rest.call(ctx, http.MethodGet, path, nil, &raws); err != nil {
		return b, false, err
	}
	type pair struct {
		raw json.RawMessage
		msg message
	}
	var pairs []pair
	for _, raw := range raws {
		var msg message
		if err := json.Unmarshal(raw, &msg); err != nil || snowflake(msg.ID) <= at.last {
			continue
		}
		pairs = append(pairs, pair{raw, msg})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(snowflake(a.msg.ID), snowflake(b.msg.ID)) })
	for _, p := range pairs {
		if event, ours := in.m.readMessage(p.raw, p.msg, at.guild); ours {
			b.events = append(b.events, event)
		}
		b.marks = []place{{channel: channel, id: snowflake(p.msg.ID), guild: at.guild}}
	}
	if len(b.events) > 0 {
		in.m.log.InfoContext(ctx, "discord messages that were missed", "channel", channel, "events", len(b.events))
	}
	return b, len(raws) == page && len(pairs) > 0, nil
}

// postpone decides when a channel that could not be asked is asked again.
func (in *intake) postpone(ctx context.Context, channel string, err error) {
	if ctx.Err() != nil {
		return
	}
	call, ok := errors.AsType[*callError](err)
	if ok && (call.Status == http.StatusForbidden || call.Status == http.StatusNotFound) {
		in.m.log.InfoContext(ctx, "discord channel is gone", "channel", channel, "problem", err)
		in.m.seen.forget(channel)
		in.settled(channel)
		return
	}
	delay := in.m.times.backoff(in.attempt)
	if ok && call.RetryAfter > 0 {
		delay = call.RetryAfter
	} else {
		in.attempt++
		in.m.log.WarnContext(ctx, "discord messages not asked for", "channel", channel, "problem", err, "again_in", delay)
	}
	in.notBefore = in.m.now().Add(delay)
	// Another channel may work meanwhile.
	in.order = append(slices.DeleteFunc(in.order, func(c string) bool { return c == channel }), channel)
}
