package webchat

import (
	"sync"
	"time"
)

// A visitor may send burst frames at once and perSecond for ever.
const (
	burst     = 20
	perSecond = 5
)

// rates is a token bucket for each visitor. It outlives their sockets, so that reconnecting wins nothing, and forgets a
// visitor once the bucket is full again.
type rates struct {
	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take uses one token. Without one it reports how long until there is.
func (r *rates) take(visitor string, now time.Time) (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	b, known := r.buckets[visitor]
	if !known {
		b = bucket{tokens: burst, at: now}
	}
	b = b.refilled(now)
	if b.tokens < 1 {
		r.buckets[visitor] = b
		return time.Duration((1 - b.tokens) / perSecond * float64(time.Second))
	}
	b.tokens--
	r.buckets[visitor] = b
	return 0
}

func (b bucket) refilled(now time.Time) bucket {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(burst, b.tokens+d.Seconds()*perSecond)
		b.at = now
	}
	return b
}

// sweep forgets full buckets, once in the time that fills any of them.
func (r *rates) sweep(now time.Time) {
	if r.buckets == nil {
		r.buckets = map[string]bucket{}
		r.swept = now
	}
	if now.Sub(r.swept) < burst/perSecond*time.Second {
		return
	}
	r.swept = now
	for visitor, b := range r.buckets {
		if b.refilled(now).tokens >= burst {
			delete(r.buckets, visitor)
		}
	}
}
