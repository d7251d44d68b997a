package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// page is how many messages are asked for at once.
const page = 100

// lookBack is how far before its mark a thread of the bot's own is read again, for words that were changed meanwhile.
const lookBack = 24 * time.Hour

// catchUp asks for what was missed in a channel and hands it over.
func (in *intake) catchUp(ctx context.Context, channel string) {
	at, known := in.m.seen.mark(channel)
	if !known {
		in.settled(channel)
		return
	}
	from := at.last
	if at.parent != "" {
		from = before(at.last, lookBack)
	}
	for {
		p, err := in.missedAfter(ctx, channel, at, from)
		if err != nil {
			in.postpone(ctx, channel, err)
			return
		}
		if in.deliver(ctx, p.batch) != nil {
			return
		}
		in.attempt = 0
		if !p.more {
			in.settled(channel)
			return
		}
		from = p.last
	}
}

// before is an id that was given a while earlier.
func before(id uint64, d time.Duration) uint64 {
	return id - min(id, uint64(d.Milliseconds())<<22)
}

// missed is a page of messages.
type missed struct {
	batch
	last uint64
	more bool
}

// missedAfter reads a page: of what came after the mark everything, of what was there before only what was changed.
func (in *intake) missedAfter(ctx context.Context, channel string, known mark, from uint64) (missed, error) {
	var at spot
	if known.guild {
		var err error
		if at, err = in.m.spot(ctx, channel); err != nil {
			return missed{}, err
		}
	}
	var raws []json.RawMessage
	path := fmt.Sprintf("channels/%s/messages?limit=%d&after=%d", channel, page, from)
	if err := in.m.rest.call(ctx, http.MethodGet, path, nil, &raws); err != nil {
		return missed{}, err
	}
	type pair struct {
		raw json.RawMessage
		msg message
	}
	var pairs []pair
	for _, raw := range raws {
		var msg message
		if err := json.Unmarshal(raw, &msg); err != nil || snowflake(msg.ID) <= from {
			continue
		}
		pairs = append(pairs, pair{raw, msg})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(snowflake(a.msg.ID), snowflake(b.msg.ID)) })
	p := missed{more: len(raws) == page && len(pairs) > 0}
	for _, told := range pairs {
		read := in.m.readMessage
		if snowflake(told.msg.ID) <= known.last {
			read = in.m.readEdit
		}
		if event, ours := read(told.raw, told.msg, at); ours {
			p.events = append(p.events, event)
		}
		p.last = snowflake(told.msg.ID)
		p.marks = []place{{channel, markOf(told.msg, at)}}
	}
	if len(p.events) > 0 {
		in.m.log.InfoContext(ctx, "discord messages that were missed", "channel", channel, "events", len(p.events))
	}
	return p, nil
}

// postpone decides when a channel that could not be asked is asked again.
func (in *intake) postpone(ctx context.Context, channel string, err error) {
	if ctx.Err() != nil {
		return
	}
	call, ok := errors.AsType[*callError](err)
	if isGone(err) {
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
