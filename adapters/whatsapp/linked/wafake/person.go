//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Person is somebody with a client of their own at the other end: whatsmeow's, linked to their number.
type Person struct {
	Number string
	s      *Server
	client *whatsmeow.Client

	mu     sync.Mutex
	inbox  map[string][]Message // by the sender's number
	marks  []Mark
	typing map[string]int
	signs  map[string]string // on what they wrote, by its id
}

// Message is one that the person received.
type Message struct {
	ID, Text string
	Image    []byte
	Own      bool // from another device of theirs
}

// Mark is a receipt for a message of theirs.
type Mark struct{ ID, Kind string }

// Person registers a number and links a client to it, which is then online.
func (s *Server) Person(number, name string) *Person {
	s.tb.Helper()
	s.Register(number, name)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.tb.TempDir(), "person.db")+"?_pragma=foreign_keys(1)&_pragma=synchronous(OFF)&_pragma=journal_mode(WAL)")
	if err != nil {
		s.tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	container := sqlstore.NewWithDB(db, "sqlite", nil)
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.tb.Context()))
	if err := container.Upgrade(ctx); err != nil {
		s.tb.Fatal(err)
	}
	p := &Person{Number: number, s: s, inbox: map[string][]Message{}, typing: map[string]int{}, signs: map[string]string{}}
	p.client = whatsmeow.NewClient(container.NewDevice(), nil)
	p.client.BackgroundEventCtx = ctx
	p.client.SynchronousAck = true
	redirected := &http.Client{Transport: redirect{s.URL()}}
	p.client.SetWebsocketHTTPClient(redirected)
	p.client.SetPreLoginHTTPClient(redirected)
	p.client.SetMediaHTTPClient(redirected)
	p.client.AddEventHandler(p.hear)
	s.tb.Cleanup(func() {
		p.client.Disconnect()
		cancel()
		_ = db.Close()
	})
	online := s.Online(number) + 1
	if err := p.client.Connect(); err != nil {
		s.tb.Fatalf("%s connects: %v", name, err)
	}
	s.Wait(name+" to be online", func() bool { return s.Online(number) == online })
	return p
}

func (p *Person) hear(evt any) {
	switch e := evt.(type) {
	case *events.QR:
		if err := p.s.ScanQR(p.Number, e.Codes[0]); err != nil {
			p.s.tb.Errorf("%s scans a QR code: %v", p.Number, err)
		}
	case *events.Message:
		if sign := e.Message.GetReactionMessage(); sign != nil {
			p.note(func() { p.signs[sign.GetKey().GetID()] = sign.GetText() })
			return
		}
		from := e.Info.Sender
		if from.Server == types.HiddenUserServer {
			from = e.Info.SenderAlt
		}
		msg := Message{ID: e.Info.ID, Text: e.Message.GetConversation() + e.Message.GetExtendedTextMessage().GetText(), Own: e.Info.IsFromMe}
		if picture := e.Message.GetImageMessage(); picture != nil {
			msg.Text = picture.GetCaption()
			data, err := p.client.Download(p.client.BackgroundEventCtx, picture)
			if err != nil {
				p.s.tb.Errorf("%s loads a picture: %v", p.Number, err)
			}
			msg.Image = data
		}
		p.note(func() { p.inbox[from.User] = append(p.inbox[from.User], msg) })
	case *events.Receipt:
		p.note(func() {
			for _, id := range e.MessageIDs {
				p.marks = append(p.marks, Mark{id, string(e.Type)})
			}
		})
	case *events.ChatPresence:
		p.note(func() { p.typing[string(e.State)]++ })
	}
}

func (p *Person) note(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	p.s.mu.Lock()
	p.s.wake()
	p.s.mu.Unlock()
}

// LookAtPhone makes the person's client say that messages arrived, as one in the foreground does.
func (p *Person) LookAtPhone() { p.client.SetForceActiveDeliveryReceipts(true) }

// Type writes to a number and returns the message's id.
func (p *Person) Type(to, text string) string {
	p.s.tb.Helper()
	return p.TypeAs(to, p.client.GenerateMessageID(), text)
}

// TypeAs writes under an id: one that was used before is what a client sends when it was asked to send again.
func (p *Person) TypeAs(to, id, text string) string {
	p.s.tb.Helper()
	return p.Say(to, id, &waE2E.Message{Conversation: proto.String(text)})
}

// Say sends any message.
func (p *Person) Say(to, id string, msg *waE2E.Message) string {
	p.s.tb.Helper()
	if id == "" {
		id = p.client.GenerateMessageID()
	}
	ctx, cancel := context.WithTimeout(p.client.BackgroundEventCtx, patience)
	defer cancel()
	if _, err := p.client.SendMessage(ctx, types.NewJID(to, types.DefaultUserServer), msg, whatsmeow.SendRequestExtra{ID: id}); err != nil {
		p.s.tb.Fatalf("%s writes to %s: %v", p.Number, to, err)
	}
	return id
}

// Messages are those from a number, oldest first.
func (p *Person) Messages(from string) []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.inbox[from])
}

// Read waits for the nth message from a number, from 0, without telling the sender.
func (p *Person) Read(from string, n int) Message {
	p.s.tb.Helper()
	p.s.Wait("a message for "+p.Number, func() bool { return len(p.Messages(from)) > n })
	return p.Messages(from)[n]
}

// Seen tells a number that its message was read.
func (p *Person) Seen(from, id string) {
	p.s.tb.Helper()
	chat := types.NewJID(from, types.DefaultUserServer)
	if err := p.client.MarkRead(p.client.BackgroundEventCtx, []types.MessageID{id}, time.Now(), chat, types.EmptyJID); err != nil {
		p.s.tb.Fatalf("%s marks a message read: %v", p.Number, err)
	}
}

// Marks are the receipts for the person's messages.
func (p *Person) Marks() []Mark {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.marks)
}

// SawTyping says how often somebody was seen typing.
func (p *Person) SawTyping() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.typing[string(types.ChatPresenceComposing)]
}

// Sign is what somebody put on a message of theirs; "" for nothing.
func (p *Person) Sign(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signs[id]
}

// redirect sends every request to the server, whatever host it names.
type redirect struct{ base string }

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	u, err := url.Parse(r.base)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host, req.Host = u.Scheme, u.Host, u.Host
	return http.DefaultTransport.RoundTrip(req)
}
