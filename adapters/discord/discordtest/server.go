// Package discordtest is a Discord for tests, strict where Discord is: a gateway that identifies, resumes and voids sessions,
// REST that checks the token, lengths, components and nonces, and interactions signed as Discord signs them.
//
// People (Server.Person) are the far end: they write to the bot, mention it in a channel, press buttons, pick from menus and
// shut the bot out.
package discordtest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// Token is the bot's; every other is refused.
	Token = "MTIz.strict.fake-token-of-the-test-server"
	// Bot is the bot's id.
	Bot = "100000000000000001"
	// Guild is the id of the server that the bot is in.
	Guild = "900000000000000009"
	// InteractionToken begins every interaction's token.
	InteractionToken = "interaction-secret-"
)

// Server is one Discord with one bot.
type Server struct {
	tb   testing.TB
	http *httptest.Server
	key  ed25519.PrivateKey
	work sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever something below changes
	lastID   uint64
	channels map[string]*channel
	calls    []Call
	faults   []Fault
	nonces   map[string]*Message
	hook     string
	hooked   []int // what the hook answered
	acked    map[string]int
	people   []*Person
	latest   func() // delivers the latest event once more
	content  bool   // the Message Content Intent is switched on
	gateway
}

// Call is one request of the bot.
type Call struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// Fault makes a call of the bot fail.
type Fault struct {
	On         string // which: "" for a message, "threads" for opening a thread, "channel" for asking what a channel is
	Status     int
	Code       int // Discord's
	RetryAfter int // seconds, with 429
	Global     bool
	Page       string // answered instead of JSON: a proxy's page
	Cut        bool   // the message is taken, then the connection breaks without an answer
	Used       int    // the message is taken, and the answer says that this many calls of 0 are left for so many seconds
}

type channel struct {
	thread
	id      string
	guild   bool
	person  *Person // of a direct channel
	shut    int     // Discord's code for what the bot writes there; 0 for taking it
	history []*Message
}

// Message is a message in a channel, as people see it.
type Message struct {
	ID      string
	Author  string
	Text    string
	Image   string
	Buttons []Button
	Menu    []Button
	ReplyTo string
	Edits   int
	raw     map[string]any
}

// Button is a button, or an entry of a menu.
type Button struct{ Label, ID string }

// Start serves until the test ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return start(tb, httptest.NewServer)
}

// StartTLS serves as Discord does, for Client.
func StartTLS(tb testing.TB) *Server {
	tb.Helper()
	return start(tb, httptest.NewTLSServer)
}

func start(tb testing.TB, serve func(http.Handler) *httptest.Server) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)), changed: make(chan struct{}),
		channels: map[string]*channel{}, nonces: map[string]*Message{}, acked: map[string]int{},
	}
	s.starts = 1000
	s.http = serve(http.HandlerFunc(s.serve))
	tb.Cleanup(func() {
		s.Drop()
		s.http.CloseClientConnections()
		s.http.Close()
		s.work.Wait()
	})
	return s
}

// URL is what to write as api_base.
func (s *Server) URL() string { return s.http.URL }

// Client trusts the server.
func (s *Server) Client() *http.Client { return s.http.Client() }

// PublicKey is what to write as public_key.
func (s *Server) PublicKey() string {
	return hex.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// Hook has interactions posted there instead of told over the gateway.
func (s *Server) Hook(url string) { s.change(func() { s.hook = url }) }

// Hooked are the answers of the hook so far.
func (s *Server) Hooked() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hooked)
}

// Fail makes the bot's next message, or another call, fail.
func (s *Server) Fail(f Fault) { s.change(func() { s.faults = append(s.faults, f) }) }

// Shut makes a channel refuse what the bot writes, with a code of Discord's; 0 opens it again.
func (s *Server) Shut(channel string, code int) { s.change(func() { s.channels[channel].shut = code }) }

// Calls are the bot's requests so far whose path contains part.
func (s *Server) Calls(method, part string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if (method == "" || c.Method == method) && strings.Contains(c.Path, part) {
			out = append(out, c)
		}
	}
	return out
}

// Acked is how many interactions were answered in time.
func (s *Server) Acked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, kind := range s.acked {
		if kind == 6 {
			n++
		}
	}
	return n
}

// Wait returns once ok holds, asked again whenever something changed here. It fails the test after 15 s.
func (s *Server) Wait(what string, ok func() bool) {
	s.tb.Helper()
	late := time.After(15 * time.Second)
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
			s.tb.Fatalf("discord: waited 15 s for %s", what)
		}
	}
}

func (s *Server) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	s.wake()
}

// wake tells Wait that something changed. The caller holds the lock.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// next makes an id. The caller holds the lock.
func (s *Server) next() string {
	id := uint64(time.Now().UnixMilli()-1420070400000) << 22
	s.lastID = max(id, s.lastID+1)
	return strconv.FormatUint(s.lastID, 10)
}

// refusal is what Discord answers instead of doing something.
type refusal struct {
	status, code int
	message      string
}

func bad(message string) *refusal { return &refusal{http.StatusBadRequest, 50035, message} }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/gw") {
		s.serveGateway(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.change(func() { s.calls = append(s.calls, Call{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body}) })
	path, api := strings.CutPrefix(r.URL.Path, "/api/v10/")
	parts := strings.Split(path, "/")
	var answer any
	var no *refusal
	switch {
	case !api:
		no = &refusal{http.StatusNotFound, 0, "404: Not Found"}
	case parts[0] == "interactions" && r.Method == http.MethodPost && len(parts) == 4:
		no = s.callback(parts[1], parts[2], body)
	case r.Header.Get("Authorization") != "Bot "+Token:
		no = &refusal{http.StatusUnauthorized, 0, "401: Unauthorized"}
	case !strings.HasPrefix(r.UserAgent(), "DiscordBot ("):
		no = &refusal{http.StatusForbidden, 40333, "internal network error"} // what a wrong user agent gets
	case path == "users/@me":
		answer = map[string]any{"id": Bot, "username": "parley", "bot": true}
	case path == "applications/@me":
		answer = s.application()
	case path == "gateway/bot":
		s.mu.Lock()
		answer = map[string]any{
			"url": strings.Replace(s.http.URL, "http", "ws", 1) + "/gw", "shards": 1,
			"session_start_limit": map[string]any{"total": 1000, "remaining": s.starts, "reset_after": 200, "max_concurrency": 1},
		}
		s.mu.Unlock()
	case parts[0] == "channels" && len(parts) >= 2:
		if s.failed(w, r, parts, body) {
			return
		}
		answer, no = s.inChannel(r, parts, body)
	default:
		no = &refusal{http.StatusNotFound, 0, "404: Not Found"}
	}
	if no != nil {
		write(w, no.status, map[string]any{"message": no.message, "code": no.code})
		return
	}
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	write(w, http.StatusOK, answer)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// failed does the next fault to a call of the bot; false when there is none for it.
func (s *Server) failed(w http.ResponseWriter, r *http.Request, parts []string, body []byte) bool {
	s.mu.Lock()
	i := slices.IndexFunc(s.faults, func(f Fault) bool { return f.concerns(r.Method, parts) })
	if i < 0 {
		s.mu.Unlock()
		return false
	}
	f := s.faults[i]
	s.faults = slices.Delete(s.faults, i, i+1)
	s.wake()
	s.mu.Unlock()
	switch {
	case f.Cut:
		_, _ = s.inChannel(r, parts, body)
		panic(http.ErrAbortHandler)
	case f.Used > 0:
		answer, _ := s.inChannel(r, parts, body)
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset-After", strconv.Itoa(f.Used))
		write(w, http.StatusOK, answer)
	case f.Page != "":
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Page)
	case f.Status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		write(w, f.Status, map[string]any{"message": "You are being rate limited.", "retry_after": float64(f.RetryAfter), "global": f.Global})
	default:
		write(w, f.Status, map[string]any{"message": fmt.Sprint("refused with ", f.Code), "code": f.Code})
	}
	return true
}

func (f Fault) concerns(method string, parts []string) bool {
	switch f.On {
	case "channel":
		return method == http.MethodGet && len(parts) == 2
	case "threads":
		return method == http.MethodPost && len(parts) == 3 && parts[2] == "threads"
	}
	return method == http.MethodPost && len(parts) == 3 && parts[2] == "messages"
}

func (s *Server) callback(id, token string, body []byte) *refusal {
	var answer struct {
		Type int `json:"type"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Type == 0 {
		return bad("Invalid Form Body")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, known := s.acked[id]
	switch {
	case !known || token != InteractionToken+id:
		return &refusal{http.StatusNotFound, 10062, "Unknown interaction"}
	case kind != 0:
		return &refusal{http.StatusBadRequest, 40060, "Interaction has already been acknowledged."}
	}
	s.acked[id] = answer.Type
	s.wake()
	return nil
}
