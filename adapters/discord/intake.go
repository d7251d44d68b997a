package discord

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"
	"time"

	"parley/adapters"
	"parley/conversation"
)

// mostInHand is how many events are handed over at once.
const mostInHand = 64

// item is one thing the gateway told us.
type item struct {
	kind string // as the gateway calls it
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
	at      mark
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
	case "MESSAGE_CREATE", "MESSAGE_UPDATE":
		var msg message
		if err := json.Unmarshal(it.raw, &msg); err != nil || msg.ID == "" {
			in.m.log.WarnContext(ctx, "discord message not understood", "problem", err)
			return
		}
		if it.kind == "MESSAGE_CREATE" {
			in.said(ctx, b, it.raw, msg)
		} else if msg.Guild != "" && msg.Edited != "" && in.m.isSaid(msg) && in.m.hearsAll() {
			if at, known := in.spot(ctx, msg.Channel, msg.ID); known {
				if event, ours := in.m.readEdit(it.raw, msg, at); ours {
					b.events = append(b.events, event)
				}
			}
		}
	case "MESSAGE_DELETE", "MESSAGE_DELETE_BULK":
		var gone removal
		if err := json.Unmarshal(it.raw, &gone); err != nil {
			in.m.log.WarnContext(ctx, "discord deletion not understood", "problem", err)
			return
		}
		// Only in a thread of the bot's own, which is known, does it matter.
		at, _ := in.m.knownSpot(gone.Channel)
		b.events = append(b.events, in.m.readRemoval(it.raw, gone, at)...)
	case "INTERACTION_CREATE":
		var press interaction
		if err := json.Unmarshal(it.raw, &press); err != nil {
			in.m.log.WarnContext(ctx, "discord interaction not understood", "problem", err)
			return
		}
		if !press.isPress() {
			return
		}
		at, err := in.m.spotOf(ctx, press)
		if err != nil { // not acknowledged: Discord shows that it failed, and the next press may work
			in.m.log.WarnContext(ctx, "discord press in a thread that cannot be looked up", "channel", press.Channel, "problem", err)
			return
		}
		b.events, b.acks = append(b.events, in.m.readInteraction(it.raw, press, at)), append(b.acks, press)
	}
}

// said adds what a person said, if it is for the bot.
func (in *intake) said(ctx context.Context, b *batch, raw json.RawMessage, msg message) {
	var at spot
	switch {
	case !in.m.isSaid(msg), msg.Guild != "" && !in.m.hearsAll() && !in.m.names(msg):
		return
	case msg.Guild != "":
		var known bool
		if at, known = in.spot(ctx, msg.Channel, msg.ID); !known {
			return
		}
	case in.canAsk(msg.Channel):
		in.catchUp(ctx, msg.Channel)
	}
	event, ours := in.m.readMessage(raw, msg, at)
	if !ours {
		return
	}
	b.events = append(b.events, event)
	if !in.pending[msg.Channel] { // else the mark would jump over what was missed
		b.marks = append(b.marks, place{msg.Channel, markOf(msg, at)})
	}
}

// markOf is how far a channel is known with a message.
func markOf(msg message, at spot) mark {
	m := mark{last: snowflake(msg.ID), guild: at.server}
	if at.own {
		m.parent = at.parent
	}
	return m
}

// canAsk says that something was missed in a channel, and that Discord may be asked for it now.
func (in *intake) canAsk(channel string) bool {
	return in.pending[channel] && !in.m.now().Before(in.notBefore)
}

// spot is what the channel of a message is, after what was missed there. While Discord cannot be asked it is not known: then the
// channel is one in which something was missed, from that message on.
func (in *intake) spot(ctx context.Context, channel, message string) (spot, bool) {
	if in.canAsk(channel) {
		in.catchUp(ctx, channel)
	}
	if at, known := in.m.knownSpot(channel); known || in.pending[channel] {
		return at, known
	}
	at, err := in.m.spot(ctx, channel)
	if err == nil || isGone(err) || ctx.Err() != nil {
		return at, err == nil
	}
	in.m.seen.meet(channel, mark{last: snowflake(message) - 1, guild: true})
	in.pending[channel] = true
	in.postpone(ctx, channel, err)
	return spot{}, false
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
		in.m.seen.advance(p.channel, p.at)
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
