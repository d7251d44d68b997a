//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"parley/adapters"
	"parley/config"
)

const (
	// captionLimit is what the phone's own app allows.
	captionLimit = 1024

	// stateJID is the linked device: the number, a colon, the device's own number and the server.
	stateJID = "jid"
)

// limits are narrower than WhatsApp's: it takes 65 536 characters, of which phones show the first 4096 or so at once.
// Repeatable is not claimed: a repeat has the id of the first, by which the phones' own apps drop it, but no peer that can be
// tested against does.
var limits = adapters.Limits{
	Text: 4096, Unit: adapters.Runes, Caption: captionLimit,
	Typing: true, Receipts: true,
}

// Fields are the settings of an account.
func Fields() []config.Field {
	return []config.Field{
		{
			Name: "device_name", Type: config.String, Default: "Parley",
			Doc: "What the phone calls us in its list of linked devices.", Sample: "Parley",
		},
		{
			Name: "linked_api_base", Type: config.URL,
			Doc: "Where WhatsApp's servers for linked devices are, when not at WhatsApp: for tests.", Sample: "http://127.0.0.1:8082",
		},
	}
}

// Messenger is one linked phone, or one that is still to be linked.
type Messenger struct {
	account string
	device  string
	log     *slog.Logger
	now     func() time.Time
	state   adapters.State
	report  func(state, problem string)
	network *http.Client // for WhatsApp
	web     *http.Client // for pictures
	shelf   shelf

	online atomic.Bool   // Run's client is logged in
	line   chan struct{} // holds a token while somebody is connected as this device, or links it
	news   chan struct{} // a token when a phone was linked

	mu      sync.Mutex
	client  *whatsmeow.Client // while Run has one
	number  string            // digits; "" until linked
	problem string            // why WhatsApp does not take this account, until it does again
}

var (
	_ adapters.Messenger = (*Messenger)(nil)
	_ adapters.Pairer    = (*Messenger)(nil)
	_ adapters.Linker    = (*Messenger)(nil)
	_ adapters.Typer     = (*Messenger)(nil)
	_ adapters.Reactor   = (*Messenger)(nil)
)

// New reads the settings. It calls nobody and opens nothing.
func New(s config.Settings, env adapters.Env) (adapters.Messenger, error) {
	hush()
	m := &Messenger{
		account: env.Account, device: s.String("device_name"), log: env.Log, now: env.Now, state: env.State, report: env.Report, web: env.HTTP,
		shelf: shelf{db: env.DB, dialect: env.Dialect},
		line:  make(chan struct{}, 1), news: make(chan struct{}, 1),
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.report == nil {
		m.report = func(string, string) {}
	}
	if m.web == nil {
		m.web = &http.Client{Timeout: time.Minute}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	m.network = &http.Client{Transport: transport}
	if base := s.String("linked_api_base"); base != "" {
		to, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("read linked_api_base: %w", err)
		}
		m.network.Transport = redirect{to, transport}
	}
	return m, nil
}

// redirect sends what the library addresses to WhatsApp somewhere else.
type redirect struct {
	to   *url.URL
	next http.RoundTripper
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = r.to.Scheme, r.to.Host, r.to.Host
	return r.next.RoundTrip(req)
}

// Limits says what a linked phone takes.
func (m *Messenger) Limits() adapters.Limits { return limits }

// Link opens the chat with the shop's number, with the words to send already written. "" until a phone is linked.
func (m *Messenger) Link(token string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.number == "" {
		return ""
	}
	return "https://wa.me/" + m.number + "?text=" + url.PathEscape("start "+token)
}

// Typing shows "typing" for some seconds.
func (m *Messenger) Typing(ctx context.Context, chat string) error {
	to, err := address(chat)
	if err != nil {
		return err
	}
	client := m.connected()
	if client == nil {
		return whatsmeow.ErrNotConnected
	}
	return client.SendChatPresence(ctx, to, types.ChatPresenceComposing, types.ChatPresenceMediaText)
}

// connected is the client while it is logged in. The library's own answer would wait while it dials.
func (m *Messenger) connected() *whatsmeow.Client {
	if !m.online.Load() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.client
}

func (m *Messenger) setClient(c *whatsmeow.Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.client = c
}

// linkedAs reads which device the account is; empty when none.
func (m *Messenger) linkedAs(ctx context.Context) (types.JID, error) {
	if m.state == nil {
		return types.EmptyJID, nil
	}
	text, err := m.state.Load(ctx, stateJID)
	if err != nil || text == "" {
		m.setNumber("")
		return types.EmptyJID, err
	}
	jid, err := types.ParseJID(text)
	if err != nil {
		return types.EmptyJID, err
	}
	m.setNumber(jid.User)
	return jid, nil
}

// fail shows the admin why WhatsApp does not take the account; messages wait until it does, and say the same.
func (m *Messenger) fail(problem string) {
	m.mu.Lock()
	m.problem = problem
	m.mu.Unlock()
	m.report("failed", problem)
}

// mended ends what fail began.
func (m *Messenger) mended() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problem = ""
}

func (m *Messenger) setNumber(number string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.number = number
}

// keep remembers the linked device, or with the empty one that there is none.
func (m *Messenger) keep(ctx context.Context, jid types.JID) error {
	m.setNumber(jid.User)
	if m.state == nil {
		return nil
	}
	text := ""
	if !jid.IsEmpty() {
		text = jid.String()
	}
	return m.state.Save(ctx, stateJID, text)
}
