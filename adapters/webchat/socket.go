package webchat

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"parley/adapters"
	"parley/conversation"
)

const (
	cookieName   = "parley_visitor"
	queueLength  = 64               // frames that may wait for one socket
	historyPage  = 100              // messages asked of History at once
	writeTimeout = 10 * time.Second // for one frame to leave
	shownLength  = 512              // message ids a socket remembers
)

// errCut says that the socket ended while it was written to.
var errCut = errors.New("socket ended")

// socket is one window of a visitor. Its handler's goroutine reads, another writes.
type socket struct {
	conn     *websocket.Conn
	visitor  string
	language string
	after    string
	sink     adapters.Sink
	history  History
	queue    chan outgoing
	cut      context.CancelFunc // ends the socket without a word
	goodbye  chan struct{}      // closed by the hub: say 1001 and end
	shown    shown              // only the writer uses it
}

func (m *Messenger) serveSocket(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	sink, visitors, history, origins := m.sink, m.visitors, m.history, m.origins
	ready := sink != nil && visitors != nil && history != nil
	if ready {
		m.handlers.Add(1)
	}
	m.mu.Unlock()
	if !ready {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the chat is starting, please try again", http.StatusServiceUnavailable)
		return
	}
	defer m.handlers.Done()

	if !originAllowed(r, origins) {
		http.Error(w, "this page may not open the chat; add its origin to the allowed ones", http.StatusForbidden)
		return
	}
	visitor, ok := m.admit(w, r, visitors)
	if !ok {
		return
	}
	// The origin was checked above, by whole origins; the library would compare hosts.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		m.log.DebugContext(r.Context(), "web chat socket refused", "problem", err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxWaste)

	ctx, cut := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cut()
	s := &socket{
		conn: conn, visitor: visitor, language: language(r), after: r.URL.Query().Get("after"), sink: sink, history: history,
		queue: make(chan outgoing, queueLength), cut: cut, goodbye: make(chan struct{}),
	}
	if refusal := m.hub.add(s); refusal != "" {
		_ = conn.Close(websocket.StatusTryAgainLater, refusal)
		return
	}
	defer m.hub.remove(s)
	written := make(chan struct{})
	m.handlers.Go(func() {
		defer close(written)
		defer cut()
		m.write(ctx, s)
	})
	m.read(ctx, s)
	cut()
	<-written
}

// admit finds the visitor behind the cookie, or answers the request.
func (m *Messenger) admit(w http.ResponseWriter, r *http.Request, visitors Visitors) (string, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil || cookie.Value == "" || len(cookie.Value) > 256 {
		http.Error(w, "no visitor cookie: open the chat page first", http.StatusUnauthorized)
		return "", false
	}
	visitor, err := visitors.Visitor(r.Context(), cookie.Value)
	switch {
	case errors.Is(err, ErrUnknownVisitor), err == nil && visitor == "":
		http.Error(w, "the visitor cookie is not known here: open the chat page again", http.StatusUnauthorized)
		return "", false
	case err != nil:
		m.log.ErrorContext(r.Context(), "web chat visitor not looked up", "problem", err)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the chat is not available at the moment, please try again", http.StatusServiceUnavailable)
		return "", false
	}
	return visitor, true
}

// originAllowed keeps other sites from using a visitor's cookie. What is not a browser sends no Origin and has no cookie
// but its own.
func originAllowed(r *http.Request, origins []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	for _, o := range origins {
		if strings.EqualFold(strings.TrimSuffix(o, "/"), origin) {
			return true
		}
	}
	return false
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// language is the first language the browser asks for, a hint only.
func language(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	tag, _, _ := strings.Cut(strings.TrimSpace(first), ";")
	if len(tag) > 35 || !languageTag.MatchString(tag) {
		return ""
	}
	return tag
}

// read takes the client's frames one at a time, so that its messages keep their order, until the socket ends.
func (m *Messenger) read(ctx context.Context, s *socket) {
	for {
		kind, r, err := s.conn.Reader(ctx)
		if err != nil {
			return
		}
		data, whole, err := readFrame(r)
		if err != nil {
			return
		}
		var answer any
		switch {
		case kind != websocket.MessageText:
			answer = refuse("", "bad_json", "This is not a message in JSON.")
		case !whole:
			answer = refuse(idOf(data), "too_long", "This message is too long: at most 4096 characters, please.")
		default:
			answer = m.take(ctx, s, data)
		}
		if answer == nil {
			continue
		}
		select { // the client's own answers wait for the client, unlike pushes
		case s.queue <- outgoing{data: encode(answer)}:
		case <-ctx.Done():
			return
		}
	}
}

// take hands one frame on and returns what to answer, nil for nothing.
func (m *Messenger) take(ctx context.Context, s *socket, data []byte) any {
	event, refusal := parse(data, s.visitor, m.now())
	if wait := m.rates.take(rateKey(s.visitor, event.Kind), m.now()); wait > 0 {
		if event.Kind == conversation.Receipt {
			return nil
		}
		late := refuse(event.ID, "too_fast", "That was a bit fast. Please wait a moment.")
		late.Retry, late.RetryAfter = true, wait.Milliseconds()+1
		return late
	}
	if refusal != nil {
		return refusal
	}
	event.Language = s.language
	if err := s.sink(ctx, []conversation.Event{event}); err != nil {
		m.log.WarnContext(ctx, "web chat event not stored", "visitor", s.visitor, "event", event.ID, "problem", err)
		if event.Kind == conversation.Receipt {
			return nil
		}
		later := refuse(event.ID, "unavailable", "Your message did not get through. Trying again.")
		later.Retry, later.RetryAfter = true, 1000
		return later
	}
	if event.Kind == conversation.Receipt {
		return nil
	}
	if event.Kind == conversation.Text {
		m.hub.push(s.visitor, messageFrame(Message{ID: event.ID, From: "contact", Text: event.Text, At: event.At}), s)
	}
	return struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}{"ack", event.ID}
}

// rateKey counts receipts by themselves: scrolling must not cost anybody their words.
func rateKey(visitor string, kind conversation.Kind) string {
	if kind == conversation.Receipt {
		return visitor + " seen"
	}
	return visitor
}

// write greets, tells what the client missed, then passes on what is queued until the socket ends.
func (m *Messenger) write(ctx context.Context, s *socket) {
	hello := encode(struct {
		Type    string `json:"type"`
		Visitor string `json:"visitor"`
	}{"hello", s.visitor})
	if !s.send(ctx, outgoing{data: hello}) {
		return
	}
	err := m.catchUp(ctx, s)
	if err == nil {
		err = m.catchUpEdits(ctx, s)
	}
	if err != nil {
		if !errors.Is(err, errCut) && ctx.Err() == nil {
			m.log.ErrorContext(ctx, "web chat history not read", "visitor", s.visitor, "problem", err)
			_ = s.conn.Close(websocket.StatusInternalError, "history not available, please reconnect")
		}
		return
	}
	ping := time.NewTicker(m.ping)
	defer ping.Stop()
	for {
		select {
		case frame := <-s.queue:
			if !s.send(ctx, frame) {
				return
			}
		case <-ping.C:
			pingCtx, cancel := context.WithTimeout(ctx, writeTimeout)
			err := s.conn.Ping(pingCtx)
			cancel()
			if err != nil {
				return
			}
		case <-s.goodbye:
			_ = s.conn.Close(websocket.StatusGoingAway, "the server is restarting, please reconnect")
			return
		case <-ctx.Done():
			return
		}
	}
}

// catchUp sends what was said after the client's last message; to a new client only the latest page. The socket is in the
// hub already, so what is said meanwhile waits in its queue and is not shown twice.
func (m *Messenger) catchUp(ctx context.Context, s *socket) error {
	for after := s.after; ; {
		page, err := s.history.After(ctx, s.visitor, after, historyPage)
		if err != nil {
			return err
		}
		fresh := false
		for _, msg := range page {
			fresh = fresh || !s.shown.has(msg.ID)
			if !s.send(ctx, messageFrame(msg)) {
				return errCut
			}
		}
		next := resumeAt(page)
		if after == "" || !fresh || next == "" || next == after {
			return nil
		}
		after = next
	}
}

// resumeAt is the message to ask for the next page with: the last of ours, because the house made its id, before one that
// a client made. A page may be short because the house kept lines for staff out of it, so only an empty or known one is
// the last.
func resumeAt(page []Message) string {
	for _, msg := range slices.Backward(page) {
		if speaker(msg.From) != "me" {
			return msg.ID
		}
	}
	if len(page) == historyPage {
		return page[len(page)-1].ID
	}
	return ""
}

// send writes one frame, leaving out a message that this socket was shown before. It reports whether the socket lives.
func (s *socket) send(ctx context.Context, frame outgoing) bool {
	if frame.id != "" && !s.shown.add(frame.id) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, frame.data) == nil
}

// shown remembers the latest ids.
type shown struct {
	ids  map[string]struct{}
	ring []string
	next int
}

func (sh *shown) has(id string) bool {
	_, old := sh.ids[id]
	return old
}

// add reports whether the id is new.
func (sh *shown) add(id string) bool {
	if sh.has(id) {
		return false
	}
	if sh.ids == nil {
		sh.ids = map[string]struct{}{}
	}
	if len(sh.ring) < shownLength {
		sh.ring = append(sh.ring, id)
	} else {
		delete(sh.ids, sh.ring[sh.next])
		sh.ring[sh.next] = id
		sh.next = (sh.next + 1) % shownLength
	}
	sh.ids[id] = struct{}{}
	return true
}
