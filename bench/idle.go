package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/coder/websocket"

	"parley/bench/child"
	"parley/bench/figures"
	"parley/bench/load"
	"parley/bench/proc"
	"parley/bench/shop"
)

// idle asks what the product takes when nothing happens: memory, and the time to its start.
func (b *bench) idle() (err error) {
	s, in, err := b.parleyWith(shop.Setup{Name: onSQLite, Bot: botFiles(), Webchat: true}, b.chats)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Stop()) }()
	if err := in.Stop(); err != nil { // its first start made the database
		return err
	}
	r := &idleRun{bench: b, system: s, shop: in}
	for round := range b.rounds {
		b.report.say("idle: round %d of %d", round+1, b.rounds)
		if err := r.doNothing(); err != nil {
			return err
		}
		if err := r.round(); err != nil {
			return err
		}
	}
	r.tell()
	return nil
}

type idleRun struct {
	*bench
	*system
	shop                             *shop.Shop
	linked, resting, loaded, sockets []float64 // MB, and kB for each socket
	starts, startCPU                 []float64 // ms
}

// settle is how long a process is left alone before its memory is looked at.
const settle = 500 * time.Millisecond

// doNothing looks at a program that does nothing.
func (r *idleRun) doNothing() error {
	p, err := child.Start("idle", exec.CommandContext(r.ctx, r.nothing.Path), readyLine)
	if err != nil {
		return err
	}
	time.Sleep(settle)
	r.linked = append(r.linked, float64(proc.Resident(p.PID()))/1e6)
	return p.Stop()
}

func (r *idleRun) round() error {
	took, err := r.shop.Start(r.ctx)
	if err != nil {
		return err
	}
	r.pids[0], r.crowd.Addr = r.shop.PID(), r.shop.Addr()
	r.starts = append(r.starts, float64(took)/float64(time.Millisecond))
	r.startCPU = append(r.startCPU, float64(proc.Tree(r.shop.PID()))/float64(time.Millisecond))
	time.Sleep(settle)
	rest := float64(proc.Resident(r.shop.PID())) / 1e6
	r.resting = append(r.resting, rest)
	perSocket, err := r.chatSockets(rest)
	if err != nil {
		return err
	}
	r.sockets = append(r.sockets, perSocket)
	if err := r.shop.Stop(); err != nil {
		return err
	}
	if err := r.restart(r.system, r.shop); err != nil {
		return err
	}
	m, err := r.measure(r.system, load.Run{Clients: 256, During: r.cell})
	if err != nil {
		return err
	}
	r.loaded = append(r.loaded, m.memory)
	return r.shop.Stop()
}

// chatSockets opens web chats, each of a visitor of its own, and says how many kB each takes.
func (r *idleRun) chatSockets(rest float64) (float64, error) {
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	var open []*websocket.Conn
	defer func() {
		for _, c := range open {
			_ = c.CloseNow()
		}
	}()
	for i := range r.bench.sockets {
		c, err := chatSocket(ctx, r.shop.Addr(), i)
		if err != nil {
			return 0, fmt.Errorf("web chat %d: %w", i+1, err)
		}
		open = append(open, c)
	}
	time.Sleep(settle)
	return (float64(proc.Resident(r.shop.PID()))/1e6 - rest) * 1e3 / float64(len(open)), nil
}

// chatSocket opens the chat page, which gives a visitor's cookie, and then its socket, and reads the greeting. Each visitor seems to
// come from an address of their own: one address may not open as many.
func chatSocket(ctx context.Context, addr string, visitor int) (*websocket.Conn, error) {
	from := fmt.Sprintf("198.51.%d.%d", visitor/250, visitor%250+1)
	page, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/chat", nil)
	if err != nil {
		return nil, err
	}
	page.Header.Set("X-Forwarded-For", from)
	resp, err := http.DefaultClient.Do(page)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	header := http.Header{"X-Forwarded-For": {from}}
	for _, cookie := range resp.Cookies() {
		header.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	if len(resp.Cookies()) == 0 {
		return nil, fmt.Errorf("the chat page gives no cookie (%s)", resp.Status)
	}
	c, _, err := websocket.Dial(ctx, "ws://"+addr+"/chat/ws", &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the caller closes the socket
	if err != nil {
		return nil, err
	}
	_, hello, err := c.Read(ctx)
	if err == nil && !strings.Contains(string(hello), `"hello"`) {
		err = fmt.Errorf("the chat greets with %s", hello)
	}
	return c, err
}

func (r *idleRun) tell() {
	mb := func(values []float64) string { return figures.Number(figures.Median(values)) + " MB" }
	r.report.add(table{
		title: "At rest on SQLite",
		head:  []string{"", "median"},
		rows: [][]string{
			{"memory of a program that links the same and does nothing", mb(r.linked)},
			{"memory of Parley at rest", mb(r.resting)},
			{"memory at full load, 256 clients, the most", mb(r.loaded)},
			{fmt.Sprintf("memory for each of %d open web chats", r.bench.sockets), figures.Number(figures.Median(r.sockets)) + " kB"},
			{"start-up to /readyz, database migrated and empty", figures.Number(figures.Median(r.starts)) + " ms"},
			{"CPU of the start-up", figures.Number(figures.Median(r.startCPU)) + " ms"},
		},
	})
	above := figures.Sum(r.resting, each(r.linked, func(f float64) float64 { return -f }))
	for _, g := range []figures.Gate{
		{Name: "memory at rest above a program that does nothing", Rounds: above, Limit: 25, Unit: " MB"},
		{Name: "memory at full load", Rounds: r.loaded, Limit: 120, Unit: " MB"},
		{Name: "start-up, empty", Rounds: r.starts, Limit: 150, Unit: " ms"},
	} {
		r.report.gate(g)
	}
}
