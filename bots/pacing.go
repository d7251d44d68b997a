package bots

import (
	"time"

	"parley/adapters"
	"parley/store"
)

// patience is how long a part may wait in memory for its turn. One that has to wait longer waits in the table.
const patience = time.Second

// pacer keeps an account to its network's limits. It is guarded by the outbox's mutex.
type pacer struct {
	pace      adapters.Pace
	share     adapters.Rate // of the account's rate, for campaigns
	account   bucket
	campaigns bucket
	chats     map[string]*chatPace
	sweep     int // how many chats are remembered before the idle ones are forgotten
}

// chatPace is what one chat, or several that are counted as one, has used.
type chatPace struct {
	chat, group bucket
	paused      time.Time // the network asked for it
}

// leastChats is how many chats a pacer remembers at least.
const leastChats = 1024

func newPacer(p adapters.Pace) *pacer {
	share := p.Account
	share.Per = share.Per * 4 / 3
	share.Burst = max(share.Burst*3/4, 1)
	return &pacer{pace: p, share: share, chats: map[string]*chatPace{}, sweep: leastChats}
}

// take books a part that may leave after wait. When it would have to wait longer than it may in memory, nothing is booked, and ok is
// false. Campaigns do not wait in memory.
func (p *pacer) take(lane store.Lane, name string, group bool, now time.Time) (wait time.Duration, ok bool) {
	most := patience
	c := p.chats[name]
	if c == nil {
		c = &chatPace{}
	}
	wait = max(p.account.wait(p.pace.Account, now), c.chat.wait(p.pace.Chat, now), c.paused.Sub(now))
	if group {
		wait = max(wait, c.group.wait(p.pace.Group, now))
	}
	if lane == store.Campaigns {
		most = 0
		wait = max(wait, p.campaigns.wait(p.share, now))
	}
	if wait > most {
		return wait, false
	}
	p.account.use(p.pace.Account, now)
	c.chat.use(p.pace.Chat, now)
	if group {
		c.group.use(p.pace.Group, now)
	}
	if lane == store.Campaigns {
		p.campaigns.use(p.share, now)
	}
	if p.pace.Chat.Count > 0 || group && p.pace.Group.Count > 0 {
		p.keep(name, c, now)
	}
	return wait, true
}

// pause has a chat wait as its network asked.
func (p *pacer) pause(name string, until, now time.Time) {
	c := p.chats[name]
	if c == nil {
		c = &chatPace{}
	}
	if until.After(c.paused) {
		c.paused = until
	}
	p.keep(name, c, now)
}

// keep remembers a chat, and forgets those that have been idle long enough not to matter.
func (p *pacer) keep(name string, c *chatPace, now time.Time) {
	p.chats[name] = c
	if len(p.chats) <= p.sweep {
		return
	}
	for name, c := range p.chats {
		if !c.chat.full.After(now) && !c.group.full.After(now) && !c.paused.After(now) {
			delete(p.chats, name)
		}
	}
	p.sweep = max(leastChats, 2*len(p.chats))
}

// room is how many parts of a lane the account may begin now, or within what a part may wait in memory, up to most; and when there
// will be room if there is none.
func (p *pacer) room(lane store.Lane, most int, now time.Time) (int, time.Duration) {
	if lane != store.Campaigns {
		n := p.account.room(p.pace.Account, most, now.Add(patience))
		return n, max(0, p.account.wait(p.pace.Account, now)-patience)
	}
	n := min(p.account.room(p.pace.Account, most, now), p.campaigns.room(p.share, most, now))
	return n, max(p.account.wait(p.pace.Account, now), p.campaigns.wait(p.share, now))
}

// bucket is a token bucket, as the instant at which it will be full again.
type bucket struct{ full time.Time }

// wait is how long until the bucket has a token; 0 when it has one.
func (b bucket) wait(r adapters.Rate, now time.Time) time.Duration {
	if !b.full.After(now) {
		return 0
	}
	return max(0, b.full.Sub(now)-r.Every()*time.Duration(max(r.Burst, 1)-1))
}

func (b *bucket) use(r adapters.Rate, now time.Time) {
	every := r.Every()
	if every == 0 {
		return
	}
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(every)
}

// room is how many tokens the bucket has, up to most.
func (b bucket) room(r adapters.Rate, most int, now time.Time) int {
	every := r.Every()
	if every == 0 {
		return most
	}
	used := max(0, b.full.Sub(now)) // the zero time is long ago
	burst := every * time.Duration(max(r.Burst, 1))
	return max(0, min(most, int((burst-used)/every)))
}
