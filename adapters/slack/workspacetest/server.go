// Package workspacetest is a strict Slack: the Web API as far as a bot needs it, the Events API with signatures and repeats,
// and Socket Mode with acknowledgements, disconnects and redelivery. It plays the people of the workspace too.
//
// It refuses what the real one refuses (unknown parameters, labels too long, a wrong token), and what it refused is in the
// words of the real one. What it cannot show is whether the real one sees it the same way.
package workspacetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Who is who in the workspace.
const (
	BotToken          = "xoxb-bottoken-4711"
	AppToken          = "xapp-apptoken-4712"
	SigningSecret     = "signingsecret4713"
	VerificationToken = "verificationtoken4714"
	Ticket            = "ticket4715" // in the address of the socket
	BotUser           = "U0BOT"
	Team              = "T0TEAM"
	App               = "A0APP"
)

// patience is how long a person waits for anything.
const patience = 20 * time.Second

// Fault is what happens to the next call of a method.
type Fault struct {
	Code       string        // {"ok": false, "error": Code}
	Status     int           // of HTTP; 429 with RetryAfter
	RetryAfter time.Duration //
	Cut        bool          // the call is carried out, and the connection breaks before the answer is complete
	Drop       bool          // the connection breaks before anything was done
	Body       string        // the answer with status 200
	Hang       bool          // there is no answer for as long as the app waits
}

// Server is the workspace.
type Server struct {
	tb   testing.TB
	http *httptest.Server
	wait sync.WaitGroup
	done chan struct{}

	mu       sync.Mutex
	changed  chan struct{}
	faults   map[string][]Fault
	channels map[string]*channel
	calls    []Call
	ids      int
	hook     string
	queue    []*delivery
	last     *delivery
	pending  []*delivery // sent over a socket, not acknowledged
	socket   *socket
	opened   int // sockets so far
	acked    []string
	answers  []Answer
	people   map[string]*Person
	whispers []Whisper
}

// Call is a request that was made.
type Call struct {
	Method string
	Form   url.Values
}

// Answer is what the hook said to a delivery.
type Answer struct {
	Status int
	Body   string
	After  string // its Retry-After
	Retry  int
}

type channel struct {
	messages []*Message // of the bot
	said     []*spoken  // by people
	problem  string     // what every post there is answered with
}

// Start runs the workspace until the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, done: make(chan struct{}), changed: make(chan struct{}), faults: map[string][]Fault{},
		channels: map[string]*channel{"C0SHOP": {}, "D0ANN": {}}, people: map[string]*Person{},
	}
	s.Person("U0ANN", "Ann")
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.wait.Go(s.dispatch)
	tb.Cleanup(func() {
		close(s.done)
		s.Drop()
		s.wake()
		s.wait.Wait()
		s.http.Close()
	})
	return s
}

// URL is what to write as api_base.
func (s *Server) URL() string { return s.http.URL + "/api/" }

// Hook makes the workspace call there instead of over a socket.
func (s *Server) Hook(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = address
}

// Fail makes the next call of a method fail.
func (s *Server) Fail(method string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], f)
}

// Refuse makes every post to a channel fail with that code.
func (s *Server) Refuse(name, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channel(name).problem = code
}

// Channel adds a channel that the bot is in.
func (s *Server) Channel(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channel(name)
}

// channel is one that there is from now on. The caller holds the lock.
func (s *Server) channel(name string) *channel {
	if s.channels[name] == nil {
		s.channels[name] = &channel{}
	}
	return s.channels[name]
}

// Calls are the requests of a method so far.
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

// Messages are what the bot wrote to a channel, oldest first.
func (s *Server) Messages(name string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	if c := s.channels[name]; c != nil {
		for _, m := range c.messages {
			out = append(out, *m)
		}
	}
	return out
}

// Answers are what the hook said, oldest first.
func (s *Server) Answers() []Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Answer(nil), s.answers...)
}

// Acked are the envelopes that were acknowledged, oldest first.
func (s *Server) Acked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.acked...)
}

// Opened is how many sockets were opened so far.
func (s *Server) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Wait waits until ok holds.
func (s *Server) Wait(what string, ok func() bool) {
	s.tb.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-late:
			s.tb.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func (s *Server) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken()
}

// woken tells everybody who waits. The caller holds the lock.
func (s *Server) woken() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// ts makes a timestamp; each is later than the ones before. The caller holds the lock.
func (s *Server) ts() string {
	s.ids++
	return fmt.Sprintf("%d.%06d", 1_800_000_000+s.ids, s.ids)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/link" {
		s.accept(w, r)
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/api/")
	if !ok || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, Call{method, r.PostForm})
	var fault Fault
	if faults := s.faults[method]; len(faults) > 0 {
		fault, s.faults[method] = faults[0], faults[1:]
	}
	s.mu.Unlock()
	switch {
	case fault.Hang:
		<-r.Context().Done()
		return
	case fault.Drop:
		panic(http.ErrAbortHandler)
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(int(fault.RetryAfter.Seconds())))
		}
		w.WriteHeader(fault.Status)
		fmt.Fprint(w, fault.Body)
		return
	case fault.Body != "":
		fmt.Fprint(w, fault.Body)
		return
	case fault.Code != "":
		answer(w, map[string]any{"ok": false, "error": fault.Code})
		return
	}
	result, code := s.do(method, r)
	if fault.Cut {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"ok":`)
		panic(http.ErrAbortHandler)
	}
	if code != "" {
		code, why, _ := strings.Cut(code, ": ")
		refusal := map[string]any{"ok": false, "error": code}
		if why != "" {
			refusal["response_metadata"] = map[string]any{"messages": []string{"[ERROR] " + why}}
		}
		answer(w, refusal)
		return
	}
	result["ok"] = true
	answer(w, result)
}

func answer(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body)
}
