//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// Refuse makes every further login of the number fail with WhatsApp's reason (401 logged out, 402 banned, 405 outdated, 503
// unavailable …) and cuts the lines it has. Attributes come in pairs. Allow ends it.
func (s *Server) Refuse(number string, reason int, attributes ...string) {
	refusal := waBinary.Attrs{"reason": strconv.Itoa(reason), "location": "fake"}
	for i := 0; i+1 < len(attributes); i += 2 {
		refusal[attributes[i]] = attributes[i+1]
	}
	s.mu.Lock()
	s.account(number).refusal = refusal
	s.mu.Unlock()
	s.Kick(number)
}

// Allow ends Refuse and Away.
func (s *Server) Allow(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(number).refusal, s.away = nil, false
}

// Kick cuts the number's lines; its devices may come back.
func (s *Server) Kick(number string) {
	for _, l := range s.linesOf(number) {
		l.hangUp()
	}
}

// Away cuts the number's lines and lets nobody connect until Allow.
func (s *Server) Away(number string) {
	s.mu.Lock()
	s.away = true
	s.mu.Unlock()
	s.Kick(number)
}

// LogOut removes the number's devices, as its phone can.
func (s *Server) LogOut(number string) {
	lines := s.linesOf(number)
	s.mu.Lock()
	s.account(number).devices = nil
	s.mu.Unlock()
	for _, l := range lines {
		l.send(node("stream:error", waBinary.Attrs{"code": "401"}, node("conflict", waBinary.Attrs{"type": "device_removed"})))
	}
}

// Replace tells the number's devices that another program has taken their place.
func (s *Server) Replace(number string) {
	for _, l := range s.linesOf(number) {
		l.send(node("stream:error", nil, node("conflict", waBinary.Attrs{"type": "replaced"})))
	}
}

// Cut takes the number's next message, delivers it, and cuts the line before that is said. With away nobody can connect
// afterwards, until Allow.
func (s *Server) Cut(number string, away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(number).cut, s.account(number).leave = true, away
}

// Answer refuses the number's next message with an error code.
func (s *Server) Answer(number string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(number).answer = code
}

// Redeliver hands the latest message for the number over once more.
func (s *Server) Redeliver(number string) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.account(number).devices {
		if d.latest == nil {
			s.tb.Fatalf("nothing was delivered to %s yet", number)
		}
		d.queue = append(d.queue, &item{node: *d.latest})
	}
	s.wake()
}

func (s *Server) linesOf(number string) []*line {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*line
	for _, d := range s.account(number).devices {
		if d.line != nil {
			out = append(out, d.line)
		}
	}
	return out
}
