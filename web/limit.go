package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Rate is how often one caller may come: Burst at once, then one each Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// limiter is a token bucket for each caller. It forgets a caller whose bucket is full again.
type limiter struct {
	rate Rate
	now  func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(rate Rate, now func() time.Time) *limiter {
	if rate.Burst <= 0 {
		rate.Burst = 300
	}
	if rate.Every <= 0 {
		rate.Every = 200 * time.Millisecond
	}
	return &limiter{rate: rate, now: now, buckets: map[string]bucket{}, swept: now()}
}

// take uses one token. Without one it reports how long until there is.
func (l *limiter) take(caller string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.sweep(now)
	b, known := l.buckets[caller]
	if !known {
		b = bucket{tokens: float64(l.rate.Burst), at: now}
	}
	b = l.refill(b, now)
	if b.tokens < 1 {
		l.buckets[caller] = b
		return time.Duration((1 - b.tokens) * float64(l.rate.Every))
	}
	b.tokens--
	l.buckets[caller] = b
	return 0
}

func (l *limiter) refill(b bucket, now time.Time) bucket {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(float64(l.rate.Burst), b.tokens+float64(d)/float64(l.rate.Every))
		b.at = now
	}
	return b
}

// sweep forgets full buckets, once in the time that fills any of them.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Duration(l.rate.Burst)*l.rate.Every {
		return
	}
	l.swept = now
	for caller, b := range l.buckets {
		if l.refill(b, now).tokens >= float64(l.rate.Burst) {
			delete(l.buckets, caller)
		}
	}
}

// caller is whom a request is counted against: the address, of IPv6 the network it lies in.
func (s *Server) caller(r *http.Request) string {
	addr := s.address(r)
	if !addr.IsValid() {
		return "unknown"
	}
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}

// address is the caller's, read from X-Forwarded-For only as far as our own proxies wrote it.
func (s *Server) address(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	addr = addr.Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.isProxy(addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next.Unmap().WithZone("")
	}
	return addr
}

func (s *Server) isProxy(addr netip.Addr) bool {
	for _, p := range s.opt.Proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
