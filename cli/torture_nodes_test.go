package cli

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/store/storetest"
)

// restartDatabase crashes Postgres under load: nothing is confirmed while it is down, and all goes on when it is back.
func restartDatabase(t *testing.T, path string) {
	postgres, url := storetest.OwnServer(t)
	_, messages := tortureSize(t)
	const restarts = 6
	seed := tortureSeed(t)
	s := openTortured(t, path, url, 3, max(10, messages/30))
	people := s.people(min(64, messages/10))
	probing := s.people(restarts * len(s.nodes))
	probes := probing
	s.during(people, messages, restarts, seed, func(random *rand.Rand) {
		postgres.Crash()
		s.outage.Add(1)
		away := time.NewTimer(time.Duration(200+random.IntN(800)) * time.Millisecond)
		<-away.C
		var dead *server
		if random.IntN(2) == 0 { // the machine had a node as well
			dead = s.nodes[random.IntN(len(s.nodes))]
			dead.kill()
		}
		s.outage.Add(1)
		if err := postgres.Start(); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		if dead != nil {
			dead.start()
		}
		var took []string
		for _, node := range s.nodes {
			probe := probes[0]
			probes = probes[1:]
			confirmed, heard := s.probe(probe, node)
			if confirmed.Sub(back) > 5*time.Second || heard.Sub(back) > 10*time.Second {
				t.Errorf("confirmed %v and answered %v after the database was back, want 5 s and 10 s at most", confirmed.Sub(back), heard.Sub(back))
			}
			took = append(took, fmt.Sprintf("%v/%v", confirmed.Sub(back).Round(time.Millisecond), heard.Sub(back).Round(time.Millisecond)))
		}
		t.Logf("after the database was back, each node confirmed/answered in %s", strings.Join(took, ", "))
	})
	again := s.settle(append(people, probing...))
	s.stop()
	t.Logf("%d restarts of the database, %d messages: %s", restarts, messages, s.summary(again))
	if again.receipts > restarts {
		t.Errorf("%d receipts were sent twice after %d restarts", again.receipts, restarts)
	}
}

// probe has a person say something to one node, and returns when it was confirmed and when it was answered.
func (s *tortured) probe(p *person, node *server) (confirmed, heard time.Time) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	alone := &tortured{nodes: []*server{node}, client: s.client, sink: s.sink}
	alone.updates.Store(s.updates.Add(1))
	p.shop = alone
	defer func() { p.shop = s }()
	if err := p.notes(ctx); err != nil {
		s.t.Fatal(err)
	}
	confirmed = time.Now()
	m, err := s.sink.waitFor(ctx, p.chat, p.want[len(p.want)-1].words...)
	if err != nil {
		s.t.Fatal(err)
	}
	return confirmed, m.at
}

var partsSent = regexp.MustCompile(`(?m)^parley_parts_sent_total\{account="telegram"\} ([0-9]+)$`)

// sends says that a node is the one that sends the account's messages.
func (s *tortured) sends(node *server) bool {
	s.t.Helper()
	resp, err := http.Get(node.now() + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	found := partsSent.FindSubmatch(text)
	if found == nil {
		s.t.Fatalf("no figure of what was sent in\n%s", text)
	}
	return string(found[1]) != "0"
}

// loseNode ends the node that sends, for good or for a while: another sends within 10 s.
func loseNode(t *testing.T, path string) {
	for _, test := range []struct {
		name  string
		blow  syscall.Signal
		after func(*server)
	}{
		{"killed", syscall.SIGKILL, func(n *server) { n.kill() }},
		{"hanging, and then awake again", syscall.SIGSTOP, func(n *server) { _ = n.cmd.Process.Signal(syscall.SIGCONT) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openTortured(t, path, storetest.PostgresURL(t), 3, 10)
			people := s.people(20)
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			for _, p := range people {
				if err := p.notes(ctx); err != nil {
					t.Fatal(err)
				}
			}
			last := people[len(people)-1]
			if _, err := s.sink.waitFor(ctx, last.chat, last.want[0].words...); err != nil {
				t.Fatal(err)
			}
			wantNothingUnderWay(t, s.database) // what is sent is noted
			all := s.nodes
			owner := -1
			for i, n := range all {
				if s.sends(n) {
					owner = i
				}
			}
			if owner < 0 {
				t.Fatal("no node sends")
			}
			struck := all[owner]
			s.nodes = append(append([]*server{}, all[:owner]...), all[owner+1:]...)
			if err := struck.cmd.Process.Signal(test.blow); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			first := people[0]
			for _, p := range people { // they are confirmed meanwhile
				if err := p.notes(ctx); err != nil {
					t.Fatal(err)
				}
			}
			confirmed := time.Since(began)
			m, err := s.sink.waitFor(ctx, first.chat, first.want[len(first.want)-1].words...)
			if err != nil {
				t.Fatal(err)
			}
			took := m.at.Sub(began)
			t.Logf("%s: 20 messages were confirmed within %v, and the answers went on after %v", test.name, confirmed.Round(time.Millisecond), took.Round(time.Millisecond))
			if took > 10*time.Second {
				t.Errorf("the answers went on after %v, want 10 s at most", took)
			}
			test.after(struck)
			for _, p := range people { // one that is awake again must leave alone what others have taken over
				if err := p.notes(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if again := s.settle(people); again.answers > 0 {
				t.Logf("%d answers sent twice", again.answers)
			}
		})
	}
}

// restartInTurn stops and starts three nodes, one after the other, while clients try another node only where a connection is refused.
func restartInTurn(t *testing.T, path string) {
	kills, messages := tortureSize(t)
	s := openTortured(t, path, storetest.PostgresURL(t), 3, max(10, messages/30))
	s.strict = true
	// Each call has a connection of its own: what a client does on one that is closed while it is idle is not the question here.
	s.client.Transport.(*http.Transport).DisableKeepAlives = true
	people := s.people(min(32, messages/10))
	next := 0
	restarts := min(max(3, kills), 9)
	s.during(people, messages, restarts, tortureSeed(t), func(*rand.Rand) {
		node := s.nodes[next%len(s.nodes)]
		next++
		if code, took := node.stop(); code != 0 || took > 10*time.Second {
			t.Errorf("exit %d after %v, want 0 within 10 s", code, took)
		}
		node.start()
	})
	again := s.settle(people)
	if again != (repeats{}) {
		t.Errorf("%+v sent twice, want none", again)
	}
	s.stop()
	t.Logf("%d restarts, %d messages: %s", restarts, messages, s.summary(again))
}

// stopWhileSending asks the program to end, again and again.
func stopWhileSending(t *testing.T, path string) {
	kills, messages := tortureSize(t)
	kills = min(kills, 30)
	eachDatabase(t, func(t *testing.T, url string) {
		s := openTortured(t, path, url, 1, max(10, messages/30))
		people := s.people(min(64, messages/10))
		var longest time.Duration
		s.during(people, messages, kills, tortureSeed(t), func(*rand.Rand) {
			code, took := s.nodes[0].stop()
			if code != 0 || took > 10*time.Second {
				t.Errorf("exit %d after %v, want 0 within 10 s:\n%s", code, took, lastLines(s.nodes[0].stderr.String(), 10))
			}
			longest = max(longest, took)
			s.nodes[0].start()
		})
		if again := s.settle(people); again != (repeats{}) {
			t.Errorf("%+v sent twice, want none", again)
		}
		s.stop()
		t.Logf("%d stops, %d messages: the longest took %v", kills, messages, longest.Round(time.Millisecond))
	})
}
