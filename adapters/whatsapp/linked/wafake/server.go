//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// patience is how long a test waits for anything here.
const patience = 20 * time.Second

// root signs every server of this process, and the process trusts it: whatsmeow has one root key for all its clients.
var root = sync.OnceValue(func() *keys.KeyPair {
	pair := keys.NewKeyPair()
	whatsmeow.WACertPubKey = *pair.Pub
	return pair
})

// Server is a running WhatsApp.
type Server struct {
	tb          testing.TB
	http        *httptest.Server
	static      *keys.KeyPair
	certificate []byte
	lines       sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	closed   bool
	away     bool // nobody new gets through
	open     map[*line]bool
	accounts map[string]*account // by phone number
	linking  map[string]*line    // companions that wait for a phone, by Noise key
	codes    map[string]*code    // and those that wait for a code, by phone number
	media    map[string][]byte
	next     int
}

// account is a number on WhatsApp.
type account struct {
	number, lid, name string
	identity          *keys.KeyPair // its phone's
	devices           []*device
	nextID            uint16

	refusal waBinary.Attrs // how a login fails; nil for not
	cut     bool           // the next message is taken and the line cut before that is said
	leave   bool           // with cut: and then the server is away
	answer  int            // the error code with which the next message is answered
}

// device is one companion of an account.
type device struct {
	owner        *account
	id           uint16
	noise        []byte
	identity     []byte
	registration []byte
	signed       waBinary.Node
	oneTime      []waBinary.Node
	line         *line   // its socket, nil while it is away
	queue        []*item // what it has not acknowledged
	latest       *waBinary.Node
	active       bool // it said that it is ready for what comes
}

// item is a stanza for a device.
type item struct {
	node waBinary.Node
	sent bool // on the present line
}

func (d *device) jid() types.JID {
	return types.JID{User: d.owner.number, Device: d.id, Server: types.DefaultUserServer}
}

func (d *device) lid() types.JID {
	return types.JID{User: d.owner.lid, Device: d.id, Server: types.HiddenUserServer}
}

// Start runs a server on 127.0.0.1 until the test ends and makes whatsmeow trust it.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, static: keys.NewKeyPair(), changed: make(chan struct{}), open: map[*line]bool{},
		accounts: map[string]*account{}, linking: map[string]*line{}, codes: map[string]*code{}, media: map[string][]byte{},
	}
	var err error
	if s.certificate, err = certify(root(), s.static); err != nil {
		tb.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws/chat", s.chat)
	mux.HandleFunc("POST /mms/{kind}/{token}", s.upload)
	mux.HandleFunc("GET /media", s.download)
	s.http = httptest.NewServer(mux)
	tb.Cleanup(s.close)
	return s
}

func (s *Server) close() {
	s.mu.Lock()
	s.closed = true
	for l := range s.open {
		l.hangUp()
	}
	s.mu.Unlock()
	s.lines.Wait()
	s.http.Close()
}

// URL is what to write as linked_api_base.
func (s *Server) URL() string { return s.http.URL }

// Root is the key that proves the server, for clients in other languages.
func (s *Server) Root() string { return hex.EncodeToString(root().Pub[:]) }

// Wait returns once ok holds; it is asked, under no lock, after every change.
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

// wake tells waiters and pumps that something changed; the caller holds mu.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Register makes a number that is on WhatsApp; name is what others see.
func (s *Server) Register(number, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(number).name = name
}

// account finds or makes one; the caller holds mu.
func (s *Server) account(number string) *account {
	a := s.accounts[number]
	if a == nil {
		a = &account{number: number, lid: "9" + number, identity: keys.NewKeyPair()}
		s.accounts[number] = a
	}
	return a
}

// find returns a device, or any of the account's when the address names none; the caller holds mu.
func (s *Server) find(jid types.JID) *device {
	a := s.owner(jid)
	if a == nil {
		return nil
	}
	i := slices.IndexFunc(a.devices, func(d *device) bool { return d.id == jid.Device || jid.Device == 0 })
	if i < 0 {
		return nil
	}
	return a.devices[i]
}

func (s *Server) owner(jid types.JID) *account {
	for _, a := range s.accounts {
		if jid.Server == types.HiddenUserServer && a.lid == jid.User || jid.Server == types.DefaultUserServer && a.number == jid.User {
			return a
		}
	}
	return nil
}

// Online says how many of the number's devices are logged in and ready for messages.
func (s *Server) Online(number string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.account(number).devices {
		if d.line != nil && d.active {
			n++
		}
	}
	return n
}

// Pending says how many messages the number's devices have not acknowledged.
func (s *Server) Pending(number string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, d := range s.account(number).devices {
		for _, i := range d.queue {
			if i.node.Tag == "message" {
				n++
			}
		}
	}
	return n
}
