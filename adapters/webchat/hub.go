package webchat

import (
	"sync"
	"time"
)

// maxSockets is how many windows one visitor may have open: enough for people, too few to flood us.
const maxSockets = 20

// hub knows the open sockets of each visitor.
type hub struct {
	mu      sync.Mutex
	sockets map[string]map[*socket]struct{} // by visitor; nil while shut
}

// open lets sockets in.
func (h *hub) open() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets = map[string]map[*socket]struct{}{}
}

// farewell is how long a client may take to answer a goodbye. A tab that sleeps never does, and must not hold up our end.
const farewell = time.Second

// shut tells every socket to say goodbye, cuts those that have not ended a moment later, and lets no more in.
func (h *hub) shut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, of := range h.sockets {
		for s := range of {
			close(s.goodbye)
			time.AfterFunc(farewell, s.cut)
		}
	}
	h.sockets = nil
}

// add reports why the socket cannot be let in, or "" when it was.
func (h *hub) add(s *socket) (refusal string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch of := h.sockets[s.visitor]; {
	case h.sockets == nil:
		return "the chat is closing, please try again"
	case len(of) >= maxSockets:
		return "too many open chats, please close some"
	case of == nil:
		h.sockets[s.visitor] = map[*socket]struct{}{s: {}}
	default:
		of[s] = struct{}{}
	}
	return ""
}

func (h *hub) remove(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets[s.visitor], s)
	if len(h.sockets[s.visitor]) == 0 {
		delete(h.sockets, s.visitor)
	}
}

// push queues a frame for every socket of the visitor but one. A socket whose queue is full is cut: it resumes by
// ?after=, where waiting for it would hold up everybody.
func (h *hub) push(visitor string, frame outgoing, but *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.sockets[visitor] {
		if s == but {
			continue
		}
		select {
		case s.queue <- frame:
		default:
			s.cut()
		}
	}
}
