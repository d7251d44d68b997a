// Package telegramtest is a Bot API server for tests, strict where Telegram is: updates stay until an offset or a 2xx of
// the webhook confirms them, questions stay open, a second poller and a webhook exclude each other, parameters and lengths
// are checked, and what Telegram does not know it refuses.
//
// People (Server.Person) are the far end: they type, press buttons, open links and block the bot; in groups (Server.Group) they do so
// in topics or by replying.
package telegramtest

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

// Token is the bot's; every other is refused.
const Token = "123456789:AAStrictFakeTokenOfTheTestServer"

// Username is the bot's name, as in t.me/Username.
const Username = "ParleyTestBot"

// Server is one Bot API with one bot.
type Server struct {
	tb       testing.TB
	http     *httptest.Server
	outbound *http.Client
	done     chan struct{}
	work     sync.WaitGroup

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced whenever something below changes
	second    time.Duration
	pending   []pending
	latest    pending
	nextID    map[string]int
	poller    chan struct{} // closed when another poller comes
	hook      webhook
	people    map[int64]*Person
	groups    map[int64]*Group
	callbacks map[string]*Callback
	purchases map[string]*Purchase
	files     map[string][]byte // photos that were uploaded, by their ids
	faults    map[string][]Fault
	calls     []Call
}

// Call is one request of the bot.
type Call struct {
	Method string
	Params url.Values
	Files  map[string]bool // the parameters that were files
}

// Fault makes calls of a method fail.
type Fault struct {
	Code        int
	Description string
	RetryAfter  int    // seconds, as Telegram counts them
	Body        string // answered instead of JSON: a proxy's page
	Cut         bool   // the call is carried out, then the connection breaks without an answer
	Times       int    // how many calls; 0 means one
}

// Start serves until the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, done: make(chan struct{}), changed: make(chan struct{}), second: 10 * time.Millisecond,
		nextID: map[string]int{"update": 1000, "message": 0, "callback": 4_000_000_000},
		people: map[int64]*Person{}, groups: map[int64]*Group{}, callbacks: map[string]*Callback{},
		purchases: map[string]*Purchase{}, files: map[string][]byte{}, faults: map[string][]Fault{},
		outbound: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.work.Go(s.deliver)
	tb.Cleanup(func() {
		close(s.done)
		s.outbound.CloseIdleConnections()
		s.http.CloseClientConnections()
		s.http.Close()
		s.work.Wait()
	})
	return s
}

// URL is what to write as api_base.
func (s *Server) URL() string { return s.http.URL }

// Client reaches the server and nothing else.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Second is how long the server's seconds are between deliveries to a webhook. Starts at 10 ms.
func (s *Server) Second(d time.Duration) { s.change(func() { s.second = d }) }

// Fail makes the next calls of a method fail.
func (s *Server) Fail(method string, f Fault) {
	s.change(func() {
		for range max(1, f.Times) {
			s.faults[method] = append(s.faults[method], f)
		}
	})
}

// Calls are the requests of a method so far; of all methods when it is "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			calls = append(calls, c)
		}
	}
	return calls
}

// Wait returns once ok holds, asked again whenever something changed here. It fails the test after 20 s.
func (s *Server) Wait(what string, ok func() bool) {
	s.tb.Helper()
	late := time.After(20 * time.Second)
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
			s.tb.Fatalf("telegram: waited 20 s for %s", what)
		}
	}
}

// WaitConfirmed returns once the bot has confirmed every update.
func (s *Server) WaitConfirmed() {
	s.tb.Helper()
	s.Wait("all updates to be confirmed", func() bool { return s.Unconfirmed() == 0 })
}

// change does something under the lock and wakes whoever waits.
func (s *Server) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	s.wake()
}

func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) next(kind string) int {
	s.nextID[kind]++
	return s.nextID[kind]
}

// failure is what Telegram answers when it does not do something.
type failure struct {
	code        int
	description string
	retryAfter  int
	migrateTo   int64 // the group has become this one
}

func bad(format string, args ...any) *failure {
	return &failure{code: http.StatusBadRequest, description: "Bad Request: " + fmt.Sprintf(format, args...)}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	token, method, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	if !ok || !strings.HasPrefix(r.URL.Path, "/bot") {
		answer(w, nil, &failure{code: http.StatusNotFound, description: "Not Found"})
		return
	}
	if token != Token {
		answer(w, nil, &failure{code: http.StatusUnauthorized, description: "Unauthorized"})
		return
	}
	if err := parse(r); err != nil {
		answer(w, nil, bad("can't parse the form"))
		return
	}
	call := Call{Method: method, Params: r.Form, Files: map[string]bool{}}
	if r.MultipartForm != nil {
		for name := range r.MultipartForm.File {
			call.Files[name] = true
		}
	}
	fault, faulty := s.called(call)
	switch {
	case faulty && !fault.Cut && fault.Body != "":
		w.WriteHeader(fault.Code)
		_, _ = w.Write([]byte(fault.Body))
		return
	case faulty && !fault.Cut:
		answer(w, nil, &failure{code: fault.Code, description: fault.Description, retryAfter: fault.RetryAfter})
		return
	}
	result, failed := s.do(method, r)
	if faulty {
		panic(http.ErrAbortHandler) // the connection is cut
	}
	answer(w, result, failed)
}

// do carries out a method with the parameters in the request's form.
func (s *Server) do(method string, r *http.Request) (any, *failure) {
	known, exists := methods[method]
	if !exists {
		return nil, &failure{code: http.StatusNotFound, description: "Not Found: method not found"}
	}
	for name := range r.Form {
		if !strings.Contains(" "+known.params+" ", " "+name+" ") {
			return nil, bad("%s has no parameter %q", method, name)
		}
	}
	for _, name := range []string{"entities", "caption_entities"} {
		if value := r.Form.Get(name); value != "" && value != "null" && value != "[]" {
			return nil, bad("this server shows plain text only, not %s", name)
		}
	}
	return known.do(s, r)
}

// called notes the call and finds the fault that is due.
func (s *Server) called(c Call) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	s.wake()
	due := s.faults[c.Method]
	if len(due) == 0 {
		return Fault{}, false
	}
	s.faults[c.Method] = due[1:]
	return due[0], true
}

func answer(w http.ResponseWriter, result any, failed *failure) {
	body := map[string]any{"ok": failed == nil, "result": result}
	w.Header().Set("Content-Type", "application/json")
	if failed != nil {
		body = map[string]any{"ok": false, "error_code": failed.code, "description": failed.description}
		if failed.retryAfter > 0 {
			body["parameters"] = map[string]any{"retry_after": failed.retryAfter}
		}
		if failed.migrateTo != 0 {
			body["parameters"] = map[string]any{"migrate_to_chat_id": failed.migrateTo}
		}
		w.WriteHeader(failed.code)
	}
	_ = json.NewEncoder(w).Encode(body) // the bot may have gone
}
