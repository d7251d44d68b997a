//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Peer is a person whose client we did not write: the npm package Baileys.
type Peer struct {
	Number string
	s      *Server
	in     io.Writer

	mu    sync.Mutex
	heard []Heard
}

// Heard is something that the person's client said: open, message, sent, status (3 delivered, 4 read), presence or error.
type Heard struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Text   string `json:"text"`
	From   string `json:"from"`
	Also   string `json:"also"` // the sender's other address
	Image  string `json:"image"`
	Status int    `json:"status"`
}

// Peer links Baileys to a number and waits until it is online. Without node or the package it skips the test, or fails it when
// PARLEY_REQUIRE names node.
func (s *Server) Peer(number, name string) *Peer {
	s.tb.Helper()
	s.Register(number, name)
	dir, err := folder()
	if err != nil {
		s.tb.Fatalf("find the peer's folder: %v", err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(s.tb, "node is not installed")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@whiskeysockets", "baileys")); err != nil {
		missing(s.tb, "Baileys is not installed: run npm ci --ignore-scripts in adapters/whatsapp/linked/peer")
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.tb.Context()))
	cmd := exec.CommandContext(ctx, node, "peer.mjs", s.URL(), s.Root())
	cmd.Dir = dir
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		s.tb.Fatalf("start Baileys: %v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.tb.Fatalf("start Baileys: %v", err)
	}
	if err := cmd.Start(); err != nil {
		s.tb.Fatalf("start Baileys: %v", err)
	}
	p := &Peer{Number: number, s: s, in: in}
	var reader sync.WaitGroup
	reader.Go(func() { p.listen(out) })
	s.tb.Cleanup(func() {
		_ = in.Close() // it ends with its input
		reader.Wait()
		cancel()
		_ = cmd.Wait()
		if s.tb.Failed() {
			s.tb.Logf("Baileys: %s", complaints.String())
		}
	})
	p.Wait("to be online", func(h Heard) bool { return h.Type == "open" })
	s.Wait("the peer's keys", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.ContainsFunc(s.account(number).devices, func(d *device) bool { return len(d.oneTime) > 0 })
	})
	return p
}

func (p *Peer) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var h Heard
		if json.Unmarshal(lines.Bytes(), &h) != nil || h.Type == "" {
			continue // the library's own chatter
		}
		if h.Type == "qr" {
			if err := p.s.ScanQR(p.Number, h.Text); err != nil {
				p.s.tb.Errorf("%s scans a QR code: %v", p.Number, err)
			}
			continue
		}
		p.mu.Lock()
		p.heard = append(p.heard, h)
		p.mu.Unlock()
		p.s.mu.Lock()
		p.s.wake()
		p.s.mu.Unlock()
	}
}

// Wait returns the first thing for which ok holds.
func (p *Peer) Wait(what string, ok func(Heard) bool) Heard {
	p.s.tb.Helper()
	var found Heard
	p.s.Wait("Baileys "+what, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		i := slices.IndexFunc(p.heard, ok)
		if i >= 0 {
			found = p.heard[i]
		}
		return i >= 0
	})
	return found
}

// Heard is all so far.
func (p *Peer) Heard() []Heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

// Type writes to a number.
func (p *Peer) Type(to, text string) {
	p.s.tb.Helper()
	p.command(map[string]string{"do": "send", "to": to, "text": text})
}

// Seen tells the sender that a message was read.
func (p *Peer) Seen(msg Heard) {
	p.s.tb.Helper()
	p.command(map[string]string{"do": "read", "to": msg.From, "id": msg.ID})
}

func (p *Peer) command(c map[string]string) {
	p.s.tb.Helper()
	line, err := json.Marshal(c)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	if err != nil {
		p.s.tb.Fatalf("tell Baileys: %v", err)
	}
}

func missing(tb testing.TB, why string) {
	tb.Helper()
	if slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "node") {
		tb.Fatal(why)
	}
	tb.Skip(why)
}

// folder finds adapters/whatsapp/linked/peer from any package of the module.
func folder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "adapters", "whatsapp", "linked", "peer"), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the test")
		}
		dir = up
	}
}
