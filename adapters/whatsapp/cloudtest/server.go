// Package cloudtest is a Cloud API server for tests, strict where Meta is: token, user agent and media type are checked,
// fields it does not know are refused, lengths and counts are limited, free text needs an open window, templates need an
// approval. Deliveries are signed over Meta's own spelling of JSON and repeated until the hook answers 200.
//
// People (Server.Person) are the far end: they type, press buttons, open links, read and block.
package cloudtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// What the account of the server is set up with; every other value is refused.
const (
	NumberID      = "106540352242922"
	Token         = "EAAStrictFakeTokenOfTheTestServer"
	AppSecret     = "5ecretOfTheAppOfTheTestServer"
	VerifyToken   = "verify-word-of-the-test-server"
	DisplayNumber = "+1 555-078-3881"
)

// Server is the Graph API with one number.
type Server struct {
	tb       testing.TB
	http     *httptest.Server
	outbound *http.Client
	done     chan struct{}
	work     sync.WaitGroup

	mu        sync.Mutex
	changed   chan struct{} // closed and replaced whenever something below changes
	hook      string
	batch     *[]change // collects while Together runs
	queue     [][]byte  // deliveries not yet taken
	last      []byte
	attempts  int
	count     int
	people    map[string]*Person
	templates map[string]Template
	faults    []Fault
	calls     []Call
}

// Call is one request that the server was sent.
type Call struct {
	Method, Path string
	Header       http.Header
	Body         json.RawMessage
}

// Fault makes a message fail.
type Fault struct {
	Status  int // of HTTP
	Code    int // Meta's; 0 when Body stands instead
	Subcode int
	Message string
	Header  map[string]string
	Body    string // answered instead of JSON: a proxy's page
	Cut     bool   // the message is taken, then the connection breaks without an answer
	// Picture limits the fault to messages with a picture.
	Picture bool
}

// Template is one that Meta has approved: its body has one variable.
type Template struct {
	Name      string
	Languages []string
	Buttons   []string // labels of its quick replies
}

// Start serves until the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, done: make(chan struct{}), changed: make(chan struct{}), people: map[string]*Person{}, templates: map[string]Template{},
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
func (s *Server) URL() string { return s.http.URL + "/v23.0" }

// Client reaches the server and nothing else.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Approve makes a template usable.
func (s *Server) Approve(t Template) { s.change(func() { s.templates[t.Name] = t }) }

// Fail makes the next message fail.
func (s *Server) Fail(f Fault) { s.change(func() { s.faults = append(s.faults, f) }) }

// Calls are the requests so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// SetHook is what the admin does in Meta's form: the server shows the verify token and from then on posts to the address.
func (s *Server) SetHook(address string) {
	s.tb.Helper()
	query := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {VerifyToken}, "hub.challenge": {"1158201444"}}
	r, err := http.NewRequestWithContext(s.tb.Context(), http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	resp, err := s.outbound.Do(r)
	if err != nil {
		s.tb.Fatalf("whatsapp: verify the hook: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(answer) != "1158201444" {
		s.tb.Fatalf("whatsapp: the hook answered %d %q %v, want the challenge", resp.StatusCode, answer, err)
	}
	s.change(func() { s.hook = address })
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
			s.tb.Fatalf("whatsapp: waited 20 s for %s", what)
		}
	}
}

// WaitTaken returns once the hook has taken every delivery.
func (s *Server) WaitTaken() {
	s.tb.Helper()
	s.Wait("all deliveries to be taken", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.queue) == 0
	})
}

// Attempts is how often something was posted to the hook.
func (s *Server) Attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

// Redeliver posts the latest delivery once more, as if its 200 had been lost.
func (s *Server) Redeliver() { s.change(func() { s.queue = append(s.queue, s.last) }) }

// Together puts what people do in the meantime into one delivery.
func (s *Server) Together(do func()) {
	var all []change
	s.change(func() { s.batch = &all })
	do()
	s.change(func() {
		s.batch = nil
		s.enqueue(all)
	})
}

func (s *Server) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.changed)
	s.changed = make(chan struct{})
}

// change is one entry of a delivery's changes.
type change struct {
	Field string         `json:"field"`
	Value map[string]any `json:"value"`
}

// tell delivers one value of a field. The caller holds the lock.
func (s *Server) tell(field string, value map[string]any) {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = map[string]any{"display_phone_number": strings.Trim(DisplayNumber, "+"), "phone_number_id": NumberID}
	if s.batch != nil {
		*s.batch = append(*s.batch, change{field, value})
		return
	}
	s.enqueue([]change{{field, value}})
}

func (s *Server) enqueue(changes []change) {
	s.last = s.encode(changes)
	s.queue = append(s.queue, s.last)
}

// encode is the body of a delivery.
func (s *Server) encode(changes []change) []byte {
	raw, err := json.Marshal(map[string]any{
		"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "102290129340398", "changes": changes}},
	})
	if err != nil {
		s.tb.Errorf("whatsapp: encode a delivery: %v", err)
	}
	return Spell(raw)
}

// Spell writes JSON as Meta does: ASCII only, everything else as \uxxxx, and slashes escaped.
func Spell(raw []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(raw) {
		switch {
		case r == '/':
			b.WriteString(`\/`)
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}

// Sign is the header X-Hub-Signature-256 for a body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// deliver posts what is in the queue, each until it is taken.
func (s *Server) deliver() {
	for {
		s.mu.Lock()
		changed, hook := s.changed, s.hook
		var next []byte
		if hook != "" && len(s.queue) > 0 {
			next = s.queue[0]
		}
		s.mu.Unlock()
		if next == nil {
			select {
			case <-changed:
				continue
			case <-s.done:
				return
			}
		}
		taken := s.post(hook, next)
		s.change(func() {
			s.attempts++
			if taken {
				s.queue = s.queue[1:]
			}
		})
		if taken {
			continue
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-s.done:
			return
		}
	}
}

func (s *Server) post(hook string, body []byte) bool {
	r, err := http.NewRequest(http.MethodPost, hook, bytes.NewReader(body)) //nolint:noctx // the client has a time limit
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "facebookexternalua")
	r.Header.Set("X-Hub-Signature-256", Sign(AppSecret, body))
	resp, err := s.outbound.Do(r)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// agent is the form of a user agent that Meta's description of the API demands.
var agent = regexp.MustCompile(`^[a-zA-Z0-9\-_]+/[0-9]+\.[0-9]+\.[0-9]+(;[a-zA-Z0-9\-=.]+)?(\s+[a-zA-Z0-9\-_]+/[0-9\-.]+)?$`)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.change(func() {
		s.calls = append(s.calls, Call{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: raw})
	})
	answer, failed := s.answer(r, raw)
	if failed == nil {
		write(w, http.StatusOK, answer)
		return
	}
	for name, value := range failed.Header {
		w.Header().Set(name, value)
	}
	switch {
	case failed.Cut:
		panic(http.ErrAbortHandler)
	case failed.Body != "":
		w.WriteHeader(failed.Status)
		_, _ = io.WriteString(w, failed.Body)
	default:
		write(w, failed.Status, map[string]any{"error": map[string]any{
			"message": fmt.Sprintf("(#%d) %s", failed.Code, failed.Message), "type": "OAuthException", "code": failed.Code, "error_subcode": failed.Subcode,
			"error_data": map[string]any{"messaging_product": "whatsapp", "details": failed.Message}, "fbtrace_id": "AXsgnV2Cm3ZMGF3dF",
		}})
	}
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func bad(format string, args ...any) *Fault {
	return &Fault{Status: http.StatusBadRequest, Code: 100, Message: fmt.Sprintf(format, args...)}
}

func (s *Server) answer(r *http.Request, raw []byte) (any, *Fault) {
	version, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	id, verb, _ := strings.Cut(path, "/")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token:
		return nil, &Fault{Status: http.StatusUnauthorized, Code: 190, Message: "Invalid OAuth access token"}
	case !agent.MatchString(r.Header.Get("User-Agent")):
		return nil, bad("Header User-Agent must match %s", agent)
	case version != "v23.0":
		return nil, bad("Invalid version format")
	case id != NumberID:
		return nil, &Fault{Status: http.StatusBadRequest, Code: 100, Subcode: 33, Message: "Unsupported request. Object with ID '" + id + "' does not exist"}
	case r.Method == http.MethodGet && verb == "":
		return map[string]any{"id": NumberID, "display_phone_number": DisplayNumber}, nil
	case r.Method != http.MethodPost || verb != "messages":
		return nil, bad("Unsupported %s request", r.Method)
	case r.Header.Get("Content-Type") != "application/json":
		return nil, bad("The body must be application/json")
	}
	return s.message(raw)
}
