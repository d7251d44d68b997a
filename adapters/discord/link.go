package discord

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// link is the connection to the gateway, below the library. It reads along, because the library reacts badly to three things
// that it does not pass on: asked to reconnect while it connects (op 7) it waits for itself for ever; told that its session
// is void (op 9) it identifies again at once, without the pause that Discord demands, which can use up the day's sessions;
// and it does not tell why it was closed. On op 7 and op 9 the link ends instead, with the reason kept.
type link struct {
	net.Conn // what it reads along, once dialled

	now     func() time.Time
	gone    chan struct{} // closed when the link ends
	waiting atomic.Int64  // since when the network has been silent while we listen, in Unix ns; 0 while we do not listen
	beat    atomic.Int64  // how often Discord wants to hear from us, in ns; 0 until it said so

	mu    sync.Mutex
	ended bool
	why   ending
	code  int // of the close frame

	// Only the reader has these.
	in     *bufio.Reader
	shaken bool // the HTTP part is over
	ready  []byte
	stream int64 // bytes to pass on unread
}

// ending is why a link ended.
type ending string

const (
	lost      ending = "the connection was lost"
	reconnect ending = "Discord asked to connect anew"
	invalid   ending = "the session is void"
	resumable ending = "Discord asked to resume"
	closed    ending = "Discord closed the connection"
	silence   ending = "Discord was silent"
	another   ending = "a session that hears more is wanted"
	stopped   ending = "stopped"
)

// mostInspected is the largest frame that is read along: op 7, op 9 and close frames are small.
const mostInspected = 4 << 10

var errEnded = errors.New("the gateway ended the connection")

func newLink(now func() time.Time) *link { return &link{now: now, gone: make(chan struct{})} }

// end closes the link, for the first reason given.
func (l *link) end(why ending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == "" {
		l.why = why
	}
	if l.ended {
		return
	}
	l.ended = true
	close(l.gone)
	if l.Conn != nil {
		_ = l.Conn.Close()
	}
}

// Close is the library's end of it.
func (l *link) Close() error {
	l.end(lost)
	return nil
}

// reason is why the link ended, with the code of a close frame.
func (l *link) reason() (ending, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == "" {
		return lost, 0
	}
	return l.why, l.code
}

// attach gives a link its connection; false when it has ended.
func (l *link) attach(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = conn.Close()
		return false
	}
	l.Conn = conn
	l.in = bufio.NewReaderSize(listener{conn, l.now, &l.waiting}, 16<<10)
	return true
}

// silent is how long Discord has said nothing though we listened. Its answers to our heartbeats are the least it says.
func (l *link) silent() time.Duration {
	since := l.waiting.Load()
	if since == 0 {
		return 0
	}
	return l.now().Sub(time.Unix(0, since))
}

// listener notes when it waits for the network.
type listener struct {
	conn    net.Conn
	now     func() time.Time
	waiting *atomic.Int64
}

func (r listener) Read(p []byte) (int, error) {
	r.waiting.Store(r.now().UnixNano())
	defer r.waiting.Store(0)
	return r.conn.Read(p)
}

// Read passes on what Discord sent, whole small frames at once, after a look at them.
func (l *link) Read(p []byte) (int, error) {
	if len(l.ready) == 0 && l.stream == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	if len(l.ready) > 0 {
		n := copy(p, l.ready)
		l.ready = l.ready[n:]
		return n, nil
	}
	n, err := l.in.Read(p[:min(int64(len(p)), l.stream)])
	l.stream -= int64(n)
	return n, err
}

// next reads the HTTP answer, or one frame's head and, if it is small, the frame.
func (l *link) next() error {
	if !l.shaken {
		return l.shake()
	}
	head := make([]byte, 2, 14)
	if _, err := io.ReadFull(l.in, head); err != nil {
		return err
	}
	size := int64(head[1] & 0x7f)
	extended := map[int64]int{126: 2, 127: 8}[size]
	masked := head[1]&0x80 != 0 // which a server must not; the library says so
	more := extended
	if masked {
		more += 4
	}
	head = head[:2+more]
	if _, err := io.ReadFull(l.in, head[2:]); err != nil {
		return err
	}
	switch extended {
	case 2:
		size = int64(binary.BigEndian.Uint16(head[2:]))
	case 8:
		size = int64(min(binary.BigEndian.Uint64(head[2:]), math.MaxInt64))
	}
	if masked || size > mostInspected {
		l.ready, l.stream = head, size
		return nil
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(l.in, payload); err != nil {
		return err
	}
	if err := l.inspect(head[0], payload); err != nil {
		return err
	}
	l.ready = append(head, payload...)
	return nil
}

func (l *link) shake() error {
	var head bytes.Buffer
	for {
		line, err := l.in.ReadSlice('\n')
		head.Write(line)
		if err != nil {
			return err
		}
		if head.Len() > 64<<10 {
			return errors.New("the gateway's answer is no WebSocket's")
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
	}
	l.shaken, l.ready = true, head.Bytes()
	if first, _, _ := strings.Cut(head.String(), "\r\n"); !strings.Contains(first, " 101 ") {
		l.stream = math.MaxInt64 // a refusal: the library reads it
	}
	return nil
}

// inspect looks at a frame for what the library must not see.
func (l *link) inspect(first byte, payload []byte) error {
	const whole, text, closing = 0x80, 0x1, 0x8
	switch {
	case first&0x0f == closing:
		l.mu.Lock()
		l.why = closed
		if len(payload) >= 2 {
			l.code = int(binary.BigEndian.Uint16(payload))
		}
		l.mu.Unlock()
		return nil
	case first&0x0f != text || first&whole == 0:
		return nil
	}
	var said struct {
		Op int             `json:"op"`
		D  json.RawMessage `json:"d"`
	}
	if json.Unmarshal(payload, &said) != nil {
		return nil
	}
	switch said.Op {
	case 7:
		l.end(reconnect)
		return errEnded
	case 9:
		if string(said.D) == "true" {
			l.end(resumable)
		} else {
			l.end(invalid)
		}
		return errEnded
	case 10:
		var hello struct {
			Interval int64 `json:"heartbeat_interval"`
		}
		if json.Unmarshal(said.D, &hello) == nil {
			l.beat.Store(hello.Interval * int64(time.Millisecond))
		}
	}
	return nil
}

// dialer connects to the gateway.
type dialer struct{ tls *tls.Config }

// tlsConfig takes over what the house trusts. A WebSocket needs HTTP/1.1.
func tlsConfig(house *http.Client) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if house != nil {
		if t, ok := house.Transport.(*http.Transport); ok && t.TLSClientConfig != nil {
			c = t.TLSClientConfig.Clone()
		}
	}
	c.NextProtos = []string{"http/1.1"}
	return c
}

// through makes the library connect through l. A dial that is under way ends with l.
func (d dialer) through(l *link, limit time.Duration) *websocket.Dialer {
	connect := func(ctx context.Context, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		var wg sync.WaitGroup
		defer wg.Wait()
		done := make(chan struct{})
		defer close(done)
		wg.Go(func() {
			select {
			case <-l.gone:
				cancel()
			case <-done:
			}
		})
		conn, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		if !l.attach(conn) {
			return nil, errEnded
		}
		return l, nil
	}
	return &websocket.Dialer{
		HandshakeTimeout: limit,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return connect(ctx, func(ctx context.Context) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			})
		},
		NetDialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return connect(ctx, func(ctx context.Context) (net.Conn, error) {
				return (&tls.Dialer{Config: d.tls}).DialContext(ctx, network, addr)
			})
		},
	}
}
