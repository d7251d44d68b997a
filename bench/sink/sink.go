// Package sink is the end of every road: a Bot API that takes messages and answers at once. It is written on bare sockets so that
// it takes as little as it can of the cores that it shares with what is measured.
package sink

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sink serves any number of bots, told apart by their tokens.
type Sink struct {
	URL string

	listener net.Listener
	next     atomic.Int64 // message ids
	bots     sync.Map     // token → *Bot
}

// Bot is one token's share of the sink.
type Bot struct {
	// Told is called for each message, before it is answered, from many goroutines. It must not keep body.
	Told func(chat int64, body []byte)
	// Messages is how many there were.
	Messages atomic.Int64
	// Refused is how many were answered 429.
	Refused   atomic.Int64
	refuse    atomic.Int64 // until then, unix nanoseconds, 429 is answered
	hang      atomic.Int64 // until then nothing is answered
	retrySecs int          // told with a 429; set before refuse
}

// Listen opens a sink on a port of its own on 127.0.0.1.
func Listen(ctx context.Context) (*Sink, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the sink: %w", err)
	}
	s := &Sink{URL: "http://" + l.Addr().String(), listener: l}
	go s.accept() // ends with the listener
	return s, nil
}

// Close ends the sink; calls under way are cut off with the process.
func (s *Sink) Close() error { return s.listener.Close() }

// Bot makes the sink answer for a token.
func (s *Sink) Bot(token string, told func(chat int64, body []byte)) *Bot {
	b := &Bot{Told: told}
	s.bots.Store(token, b)
	return b
}

// Refuse makes a bot's messages fail with 429 for a while.
func (b *Bot) Refuse(during time.Duration, retryAfter time.Duration) {
	b.retrySecs = int(retryAfter / time.Second)
	b.refuse.Store(time.Now().Add(during).UnixNano())
}

// Hang makes a bot's messages wait for their answer, as a network that has died does.
func (b *Bot) Hang(during time.Duration) { b.hang.Store(time.Now().Add(during).UnixNano()) }

// Recover ends what Refuse and Hang began.
func (b *Bot) Recover() {
	b.refuse.Store(0)
	b.hang.Store(0)
}

func (s *Sink) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.serve(c)
	}
}

func (s *Sink) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReaderSize(c, 8<<10)
	var body, out []byte
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		path := strings.Fields(string(line))
		if len(path) < 2 {
			return
		}
		if body, err = readBody(in, body[:0]); err != nil {
			return
		}
		bot, method := s.addressee(path[1])
		if bot != nil && isMessage(method) && !bot.wait(c, in) {
			return
		}
		status, answer := s.answer(bot, method, body)
		out = append(out[:0], "HTTP/1.1 "...)
		out = append(out, status...)
		out = append(out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(answer)), 10)
		out = append(out, "\r\n\r\n"...)
		if _, err := c.Write(append(out, answer...)); err != nil {
			return
		}
	}
}

// addressee is whose path it is, nil when nobody's, and the method.
func (s *Sink) addressee(path string) (*Bot, string) {
	token, method, _ := strings.Cut(strings.TrimPrefix(path, "/bot"), "/")
	method, _, _ = strings.Cut(method, "?")
	if found, ok := s.bots.Load(token); ok {
		return found.(*Bot), method
	}
	return nil, method
}

func isMessage(method string) bool { return method == "sendMessage" || method == "sendPhoto" }

// wait hangs while the bot does; false when the caller has gone meanwhile.
func (b *Bot) wait(c net.Conn, in *bufio.Reader) bool {
	if b.hang.Load() == 0 {
		return true
	}
	hung := false
	for time.Now().UnixNano() < b.hang.Load() {
		hung = true
		time.Sleep(10 * time.Millisecond)
	}
	if !hung {
		return true
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := in.Peek(1)
	_ = c.SetReadDeadline(time.Time{})
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

func (s *Sink) answer(bot *Bot, method string, body []byte) (status, answer string) {
	switch {
	case method == "getMe":
		return "200 OK", `{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"Bench","username":"bench_bot"}}`
	case !isMessage(method):
		return "200 OK", `{"ok":true,"result":true}`
	}
	chat := chatID(body)
	switch {
	case bot == nil:
	case time.Now().UnixNano() < bot.refuse.Load():
		bot.Refused.Add(1)
		return "429 Too Many Requests", fmt.Sprintf(
			`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after %d","parameters":{"retry_after":%d}}`, bot.retrySecs, bot.retrySecs)
	default:
		bot.Messages.Add(1)
		if bot.Told != nil {
			bot.Told(chat, body)
		}
	}
	return "200 OK", fmt.Sprintf(`{"ok":true,"result":{"message_id":%d,"date":1735689600,"chat":{"id":%d,"type":"private"},"text":"x"}}`, s.next.Add(1), chat)
}

// chatID finds the chat in a body, whether JSON or a form.
func chatID(body []byte) int64 {
	i := bytes.Index(body, []byte("chat_id"))
	if i < 0 {
		return 0
	}
	var id int64
	digits := false
	for _, b := range body[i+len("chat_id"):] {
		if b >= '0' && b <= '9' {
			id, digits = id*10+int64(b-'0'), true
		} else if digits {
			break
		}
	}
	return id
}

// readBody reads headers and body of a request whose first line was read.
func readBody(in *bufio.Reader, body []byte) ([]byte, error) {
	length, chunked := 0, false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = true
		}
	}
	for {
		if chunked {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return nil, err
			}
			n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
			if err != nil {
				return nil, err
			}
			length = int(n)
		}
		at := len(body)
		body = append(body, make([]byte, length)...)
		if _, err := io.ReadFull(in, body[at:]); err != nil {
			return nil, err
		}
		if !chunked {
			return body, nil
		}
		if _, err := in.Discard(2); err != nil || length == 0 {
			return body, err
		}
	}
}
