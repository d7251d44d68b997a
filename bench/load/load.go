// Package load plays customers: it posts Telegram's updates to a webhook over kept connections, in a closed loop or at a rate, and
// knows from the sink when each customer was answered.
package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Crowd is the customers of one server: each a chat with at most one message unanswered.
type Crowd struct {
	Addr    string
	Path    string
	Secret  string // shown with each call, as Telegram does
	First   int64  // the first chat's id; the others follow
	Say     Say
	Press   func(chat int64) string // instead of Say: the value of the button that a chat presses
	Answers bool                    // the server answers each message; the floor does not

	next    atomic.Int64   // numbers messages, over all runs
	waiting []atomic.Int64 // per chat: when the message was due that is not answered yet, unix nanoseconds; 0 for none
	slots   chan struct{}

	mu       sync.Mutex
	answered []time.Duration
	last     time.Time
	extra    atomic.Int64 // answers that nobody waited for
}

// NewCrowd makes chats customers.
func NewCrowd(addr, path, secret string, chats int) *Crowd {
	return &Crowd{Addr: addr, Path: path, Secret: secret, First: 1_000_000, Say: Chatter, Answers: true, waiting: make([]atomic.Int64, chats)}
}

// Chats is how many customers there are.
func (c *Crowd) Chats() int { return len(c.waiting) }

// Answered is told by the sink.
func (c *Crowd) Answered(chat int64) {
	now := time.Now()
	i := chat - c.First
	if i < 0 || i >= int64(len(c.waiting)) {
		c.extra.Add(1)
		return
	}
	sent := c.waiting[i].Swap(0)
	if sent == 0 {
		c.extra.Add(1)
		return
	}
	c.mu.Lock()
	c.answered, c.last = append(c.answered, time.Duration(now.UnixNano()-sent)), now
	slots := c.slots
	c.mu.Unlock()
	free(slots)
}

func free(slots chan struct{}) {
	select {
	case <-slots:
	default: // a late answer of an earlier run
	}
}

// Run says what is asked of the crowd.
type Run struct {
	Clients int
	Rate    float64       // messages a second; 0 means that each client writes again once it was confirmed
	During  time.Duration // how long they go on
	Count   int64         // how many messages at most; 0 means no limit
	Settle  time.Duration // how long answers are waited for at the end
}

// Result is how a run went.
type Result struct {
	Sent      int64 // confirmed with 2xx
	Failed    int64 // refused, or the connection broke
	Unheard   int64 // confirmed and not answered in time
	Extra     int64 // answers that nobody waited for
	Wall      time.Duration
	Confirmed []time.Duration // from when a message was due to its 200
	Answered  []time.Duration // from when a message was due to its answer's arrival
	Done      int64           // what was completed: answered, or confirmed where nothing is answered
}

// PerSecond is the rate of what was completed.
func (r Result) PerSecond() float64 { return float64(r.Done) / r.Wall.Seconds() }

// backlog bounds what is confirmed and not answered yet, for each client: a server that confirms before it works would otherwise
// be measured by the length of its queue.
const backlog = 8

// Go runs the crowd. It returns when all have been answered, or patience ends.
func (c *Crowd) Go(ctx context.Context, run Run) (Result, error) {
	bound := min(max(run.Clients*backlog, 64), len(c.waiting)*3/4)
	if run.Rate > 0 {
		bound = len(c.waiting) * 3 / 4
	}
	c.mu.Lock()
	c.slots, c.answered, c.last = make(chan struct{}, max(bound, 1)), nil, time.Time{}
	slots := c.slots
	c.mu.Unlock()
	for i := range c.waiting { // whoever was not answered in time is not waited for any more
		c.waiting[i].Store(0)
	}
	c.extra.Store(0)
	var result Result
	var sent, failed, started atomic.Int64
	var confirmed sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	end := began.Add(run.During)
	errs := make(chan error, run.Clients)
	for range run.Clients {
		wg.Go(func() {
			w := &client{crowd: c, slots: slots}
			defer w.close()
			for ctx.Err() == nil && time.Now().Before(end) {
				k := started.Add(1) - 1
				if run.Count > 0 && k >= run.Count {
					break
				}
				due := time.Now()
				if run.Rate > 0 {
					due = began.Add(time.Duration(float64(k) / run.Rate * float64(time.Second)))
					if due.After(end) {
						break
					}
					time.Sleep(time.Until(due))
				}
				ok, err := w.write(ctx, due)
				if err != nil {
					errs <- err
					break
				}
				if ok {
					sent.Add(1)
				} else {
					failed.Add(1)
				}
			}
			confirmed.Lock()
			result.Confirmed = append(result.Confirmed, w.confirmed...)
			confirmed.Unlock()
		})
	}
	wg.Wait()
	lastConfirmed := time.Now()
	result.Sent, result.Failed = sent.Load(), failed.Load()
	select {
	case err := <-errs:
		return result, err
	default:
	}
	if c.Answers {
		c.settle(run.Settle, result.Sent)
	}
	c.mu.Lock()
	result.Answered, c.answered = c.answered, nil
	last := c.last
	c.mu.Unlock()
	result.Extra = c.extra.Load()
	result.Done, result.Wall = result.Sent, lastConfirmed.Sub(began)
	if c.Answers {
		result.Done = int64(len(result.Answered))
		result.Unheard = max(0, result.Sent-result.Done)
		if last.After(lastConfirmed) {
			result.Wall = last.Sub(began)
		}
	}
	return result, ctx.Err()
}

// settle waits until as many answers have come as messages were confirmed.
func (c *Crowd) settle(patience time.Duration, sent int64) {
	if patience == 0 {
		patience = 30 * time.Second
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		c.mu.Lock()
		n := int64(len(c.answered))
		c.mu.Unlock()
		if n >= sent {
			return
		}
	}
}

// client is one connection of a crowd.
type client struct {
	crowd     *Crowd
	slots     chan struct{}
	conn      net.Conn
	in        *bufio.Reader
	out, body []byte
	confirmed []time.Duration
}

func (w *client) close() {
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// stride has the customers come in no order that a database could make use of.
const stride = 7919

// pick numbers the next message and finds whose it is: the next customer who does not wait for an answer. The slots leave some.
func (c *Crowd) pick(due time.Time) (n, chat int64) {
	for {
		n = c.next.Add(1) - 1
		i := n * stride % int64(len(c.waiting))
		if !c.Answers || c.waiting[i].CompareAndSwap(0, due.UnixNano()) {
			return n, c.First + i
		}
	}
}

// write posts the next message and waits for its confirmation; false when the server refused it for now.
func (w *client) write(ctx context.Context, due time.Time) (bool, error) {
	c := w.crowd
	if c.Answers {
		select {
		case w.slots <- struct{}{}:
		case <-time.After(30 * time.Second):
			return false, errors.New("the server has stopped answering")
		case <-ctx.Done():
			return false, nil
		}
	}
	n, chat := c.pick(due)
	if w.conn == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Addr)
		if err != nil {
			return false, fmt.Errorf("reach the server under test: %w", err)
		}
		w.conn, w.in = conn, bufio.NewReaderSize(conn, 4<<10)
	}
	if c.Press != nil {
		w.body = appendPress(w.body[:0], n, chat, c.Press(chat))
	} else {
		w.body = appendMessage(w.body[:0], n, chat, c.Say)
	}
	w.out = append(w.out[:0], "POST "...)
	w.out = append(w.out, c.Path...)
	w.out = append(w.out, " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: "...)
	w.out = append(w.out, c.Secret...)
	w.out = append(w.out, "\r\nContent-Length: "...)
	w.out = strconv.AppendInt(w.out, int64(len(w.body)), 10)
	w.out = append(w.out, "\r\n\r\n"...)
	w.out = append(w.out, w.body...)
	status, err := w.exchange()
	if err != nil {
		return false, fmt.Errorf("post an update: %w", err)
	}
	switch {
	case status/100 == 2:
		w.confirmed = append(w.confirmed, time.Since(due))
		return true, nil
	case status == 429 || status == 503: // back-pressure: Telegram comes again later
		if c.Answers && c.waiting[chat-c.First].Swap(0) != 0 {
			free(w.slots)
		}
		time.Sleep(20 * time.Millisecond)
		return false, nil
	}
	return false, fmt.Errorf("post an update: the server answered %d", status)
}
