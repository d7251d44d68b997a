// Package floor is what no gateway can go below: net/http, a parsed update, 1 KB appended and synced with whoever waits, 200.
package floor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
)

// update is what any bot must read of one.
type update struct {
	ID      int64 `json:"update_id"`
	Message *struct {
		ID   int64 `json:"message_id"`
		From struct {
			ID       int64  `json:"id"`
			Name     string `json:"first_name"`
			Language string `json:"language_code"`
		} `json:"from"`
		Chat struct {
			ID   int64  `json:"id"`
			Type string `json:"type"`
		} `json:"chat"`
		Date int64  `json:"date"`
		Text string `json:"text"`
	} `json:"message"`
}

// Serve answers on a port of its own until the process ends. Posts to /sync are durable before they are confirmed, those to /json
// are only parsed.
func Serve(ctx context.Context, file string, ready func(addr string)) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer func() { _ = f.Close() }()
	log := newLog(f)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /json", func(w http.ResponseWriter, r *http.Request) {
		_, err := parse(r)
		answer(w, err)
	})
	mux.HandleFunc("POST /sync", func(w http.ResponseWriter, r *http.Request) {
		body, err := parse(r)
		if err == nil {
			err = log.append(body)
		}
		answer(w, err)
	})
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve the floor: %w", err)
	}
	ready(l.Addr().String())
	return http.Serve(l, mux) //nolint:gosec // a yardstick has no timeouts
}

func parse(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	var u update
	return body, json.Unmarshal(body, &u)
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// groupLog appends what waits together and syncs it once.
type groupLog struct {
	file *os.File

	mu      sync.Mutex
	wake    sync.Cond
	waiting []byte
	done    []chan error
}

// newLog writes to a file for as long as the process lives.
func newLog(f *os.File) *groupLog {
	g := &groupLog{file: f}
	g.wake.L = &g.mu
	go g.run()
	return g
}

func (g *groupLog) append(b []byte) error {
	done := make(chan error, 1)
	g.mu.Lock()
	g.waiting, g.done = append(g.waiting, b...), append(g.done, done)
	g.mu.Unlock()
	g.wake.Signal()
	return <-done
}

func (g *groupLog) run() {
	var spare []byte
	for {
		g.mu.Lock()
		for len(g.done) == 0 {
			g.wake.Wait()
		}
		data, done := g.waiting, g.done
		g.waiting, g.done = spare[:0], nil
		g.mu.Unlock()
		_, err := g.file.Write(data)
		if err == nil {
			err = syscall.Fdatasync(int(g.file.Fd()))
		}
		for _, d := range done {
			d <- err
		}
		spare = data
	}
}
