package discord

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// rates remembers what Discord said about its limits, so that a call which would be refused is not made: too many refused
// calls get an address banned.
type rates struct {
	now func() time.Time

	mu      sync.Mutex
	all     time.Time            // until when nothing may be called
	buckets map[string]time.Time // until when one kind of call may not be made
}

func newRates(now func() time.Time) *rates {
	return &rates{now: now, buckets: map[string]time.Time{}}
}

// pause is how long a call has to be put off, and whether that binds the whole account.
func (r *rates) pause(bucket string) (d time.Duration, global bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if d := r.all.Sub(now); d > 0 {
		return d, true
	}
	return max(0, r.buckets[bucket].Sub(now)), false
}

// note reads what an answer says about the calls that are left.
func (r *rates) note(bucket string, status int, header http.Header) {
	if status == http.StatusTooManyRequests || header.Get("X-RateLimit-Remaining") != "0" {
		return
	}
	after, err := strconv.ParseFloat(header.Get("X-RateLimit-Reset-After"), 64)
	if err != nil {
		return
	}
	r.hold(bucket, seconds(after), false)
}

func (r *rates) hold(bucket string, d time.Duration, global bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if global {
		r.all = now.Add(d)
		return
	}
	if len(r.buckets) >= 1024 {
		maps.DeleteFunc(r.buckets, func(_ string, until time.Time) bool { return !until.After(now) })
	}
	r.buckets[bucket] = now.Add(d)
}
