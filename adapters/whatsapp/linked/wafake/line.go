//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"context"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
)

// line is one client's socket.
type line struct {
	s        *Server
	in       frames
	static   []byte
	payload  waWa6.ClientPayload
	dev      *device // who logged in; nil while linking
	linkAs   *device // whom the phone links it as
	readKey  cipher.AEAD
	readN    uint32
	hangUp   func()
	mu       sync.Mutex
	writeKey cipher.AEAD
	writeN   uint32
}

func node(tag string, attrs waBinary.Attrs, children ...waBinary.Node) waBinary.Node {
	n := waBinary.Node{Tag: tag, Attrs: attrs}
	if len(children) > 0 {
		n.Content = children
	}
	return n
}

func leaf(tag string, content []byte) waBinary.Node { return waBinary.Node{Tag: tag, Content: content} }

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	away := s.away
	s.mu.Unlock()
	if away {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	ws.SetReadLimit(1 << 24)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	l := &line{s: s, in: frames{ws: ws}}
	l.hangUp = func() { cancel() }
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		cancel()
		_ = ws.CloseNow()
		return
	}
	s.open[l] = true
	s.lines.Add(1)
	s.mu.Unlock()
	defer func() {
		cancel()
		_ = ws.CloseNow()
		s.mu.Lock()
		delete(s.open, l)
		if l.dev != nil && l.dev.line == l {
			l.dev.line, l.dev.active = nil, false
		}
		s.wake()
		s.mu.Unlock()
		s.lines.Done()
	}()
	_ = l.serve(ctx) // a line ends when its client goes or a test cuts it
}

func (l *line) serve(ctx context.Context) error {
	if err := l.handshake(ctx); err != nil {
		return err
	}
	if l.payload.Username == nil {
		l.offerLinking()
	} else if err := l.login(); err != nil {
		for { // a refused client hangs up by itself
			if _, gone := l.in.next(ctx); gone != nil {
				return err
			}
		}
	} else {
		var pump sync.WaitGroup
		pumping, stop := context.WithCancel(ctx)
		defer pump.Wait()
		defer stop()
		pump.Go(func() { l.pump(pumping) })
	}
	for {
		n, err := l.read(ctx)
		if err != nil {
			return err
		}
		l.handle(n)
	}
}

func (l *line) read(ctx context.Context) (*waBinary.Node, error) {
	frame, err := l.in.next(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := l.readKey.Open(nil, nonce(l.readN), frame, nil)
	l.readN++
	if err != nil {
		return nil, fmt.Errorf("open frame: %w", err)
	}
	if plain, err = waBinary.Unpack(plain); err != nil {
		return nil, err
	}
	return waBinary.Unmarshal(plain)
}

// send writes a stanza; a line that broke meanwhile is noticed by its reader.
func (l *line) send(n waBinary.Node) {
	plain, err := waBinary.Marshal(n)
	if err != nil {
		l.s.tb.Errorf("write %s: %v", n.Tag, err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	sealed := l.writeKey.Seal(nil, nonce(l.writeN), plain, nil)
	l.writeN++
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = writeFrame(ctx, l.in.ws, sealed)
}

func (l *line) login() error {
	s, number := l.s, strconv.FormatUint(l.payload.GetUsername(), 10)
	s.mu.Lock()
	a := s.account(number)
	i := slices.IndexFunc(a.devices, func(d *device) bool { return string(d.noise) == string(l.static) })
	refusal := a.refusal
	if i < 0 && refusal == nil {
		refusal = waBinary.Attrs{"reason": "401", "location": "fake"}
	}
	if refusal != nil {
		s.mu.Unlock()
		l.send(node("failure", refusal))
		return fmt.Errorf("%s may not log in", number)
	}
	d := a.devices[i]
	if old := d.line; old != nil {
		old.hangUp()
	}
	l.dev, d.line, d.active = d, l, false
	pending := 0
	for _, i := range d.queue {
		i.sent = false
		i.node.Attrs = maps.Clone(i.node.Attrs)
		i.node.Attrs["offline"] = "1"
		pending++
	}
	s.mu.Unlock()
	l.send(node("success", waBinary.Attrs{"t": time.Now().Unix(), "props": "1", "lid": d.lid(), "location": "fake"}))
	l.send(node("ib", waBinary.Attrs{"from": types.ServerJID}, node("offline_preview", waBinary.Attrs{
		"count": pending, "message": pending, "receipt": 0, "notification": 0, "appdata": 0,
	})))
	return nil
}

// pump sends what is queued for the device, in order; a stanza stays queued until it is acknowledged.
func (l *line) pump(ctx context.Context) {
	s := l.s
	for {
		s.mu.Lock()
		changed := s.changed
		var next *waBinary.Node
		if i := slices.IndexFunc(l.dev.queue, func(i *item) bool { return !i.sent }); i >= 0 && l.dev.line == l {
			l.dev.queue[i].sent = true
			next = &l.dev.queue[i].node
		}
		s.mu.Unlock()
		if next != nil {
			l.send(*next)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// put queues a stanza behind what waits for the device; the caller holds mu.
func (d *device) put(n waBinary.Node) {
	d.queue = append(d.queue, &item{node: n})
	if n.Tag == "message" {
		d.latest = &n
	}
}

// acknowledged drops a stanza from the queue.
func (l *line) acknowledged(class, id string) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	q := l.dev.queue
	if i := slices.IndexFunc(q, func(i *item) bool { return i.node.Tag == class && i.node.Attrs["id"] == id }); i >= 0 {
		l.dev.queue = slices.Delete(q, i, i+1)
	}
	s.wake()
}

func (l *line) offerLinking() {
	s := l.s
	s.mu.Lock()
	s.linking[base64.StdEncoding.EncodeToString(l.static)] = l
	s.wake()
	s.mu.Unlock()
	var refs []waBinary.Node
	for i := range 6 {
		refs = append(refs, leaf("ref", fmt.Appendf(nil, "2@ref%d", i)))
	}
	l.send(node("iq", waBinary.Attrs{"from": types.ServerJID, "type": "set", "id": "link-1", "xmlns": "md"}, node("pair-device", nil, refs...)))
}
