package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/store/storetest"
)

// Programs that are killed while people talk to the bot of testdata/torture and buy: the contract of docs/reliability.md, checked
// from outside. PARLEY_TORTURE=500x50000 says how often they are killed and how much is said meanwhile; without it both are few.

const (
	tortureSecret = "torture-secret"
	torturePrice  = 2000
	tortureSKU    = "torture-mug"
)

// tortureSize is how often programs are killed in a test and how many messages are sent meanwhile.
func tortureSize(t *testing.T) (kills, messages int) {
	t.Helper()
	size := os.Getenv("PARLEY_TORTURE")
	if size == "" {
		return 6, 800
	}
	if _, err := fmt.Sscanf(size, "%dx%d", &kills, &messages); err != nil || kills < 1 || messages < 100 {
		t.Fatalf("PARLEY_TORTURE=%s: want kills and messages, such as 30x4000", size)
	}
	return kills, messages
}

// tortureSeed makes the moments of a run; PARLEY_SEED repeats them.
func tortureSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("PARLEY_SEED"); given != "" {
		if _, err := fmt.Sscan(given, &seed); err != nil {
			t.Fatalf("PARLEY_SEED=%s: %v", given, err)
		}
	}
	t.Logf("PARLEY_SEED=%d", seed)
	return seed
}

// tortured is a shop of one node or several, with a network that counts what it is sent.
type tortured struct {
	t        *testing.T
	program  string
	config   string
	database string
	nodes    []*server
	key      string
	sink     *sink
	client   *http.Client
	stock    int
	strict   bool // only connections that were refused are tried again

	updates atomic.Int64 // update ids given out
	turn    atomic.Int64 // whose turn it is to be posted to
	buying  atomic.Int64 // purchases begun
	refused atomic.Int64 // calls told to come again
	outage  atomic.Int64 // odd while the database is down
	lied    atomic.Int64 // updates confirmed while it was
	longest atomic.Int64 // nanoseconds that somebody waited for an answer

	confirmed chan struct{} // one for each thing that was said and confirmed, while they are counted
	counted   atomic.Bool
}

func openTortured(t *testing.T, program, database string, nodes, stock int) *tortured {
	t.Helper()
	s := &tortured{t: t, program: program, database: database, sink: startSink(t), stock: stock, confirmed: make(chan struct{}, aheadOfBlows)}
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	s.client = &http.Client{Transport: transport, Timeout: 10 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	bot, err := filepath.Abs(filepath.Join("testdata", "torture"))
	if err != nil {
		t.Fatal(err)
	}
	account := fmt.Sprintf("      - {name: telegram, adapter: telegram, api_base: %q, token: %q, mode: webhook, webhook_url: %q, webhook_secret: %s, pace: {account: 0, chat: 0}}\n    bot: %q\n",
		s.sink.http.URL, "1:torture", "http://127.0.0.1:9/hooks/telegram", tortureSecret, bot)
	s.config = filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(s.config, []byte(testShop(fmt.Sprintf("%q", database), account)), 0o600); err != nil {
		t.Fatal(err)
	}
	made := ran(t, program, nil, "key", "new", "test", "-scope", "*", "-config", s.config)
	if made.code != 0 {
		t.Fatal(made.stderr)
	}
	s.key = strings.TrimSpace(made.stdout)
	for range nodes {
		s.nodes = append(s.nodes, started(t, program, nil, "serve", "-config", s.config, "-addr", "127.0.0.1:0"))
	}
	s.shop().product(tortureSKU, "Torture mug", torturePrice, stock, "")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("under way:\n%s", s.underWay())
			for i, n := range s.nodes {
				t.Logf("node %d said, at last:\n%s", i, lastLines(n.stderr.String(), 30))
			}
		}
	})
	return s
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// shop is the first node as a shop.
func (s *tortured) shop() *shop { return s.nodes[0].as(s.t, s.key) }

func (s *tortured) confirm() {
	if s.counted.Load() {
		s.confirmed <- struct{}{}
	}
}

// aheadOfBlows is how much may be confirmed while a blow is struck: then people wait, so that each blow falls on a talk that goes on,
// however fast the program is.
const aheadOfBlows = 32

// people are so many persons whose chats are new.
func (s *tortured) people(n int) []*person {
	all := make([]*person, n)
	for i := range all {
		all[i] = &person{shop: s, chat: s.updates.Add(1) + 1_000_000}
	}
	return all
}

// during lets blows fall at random moments while people say so many things, and returns when all was said.
func (s *tortured) during(people []*person, messages, blows int, seed uint64, blow func(*rand.Rand)) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second+time.Duration(blows)*3*time.Second+time.Duration(messages)*10*time.Millisecond)
	defer cancel()
	random := rand.New(rand.NewPCG(seed, 1<<63))
	// A purchase is a confirmation for two of its three messages.
	moments := make([]int, blows)
	for i := range moments {
		moments[i] = 1 + random.IntN(messages*2/3)
	}
	slices.Sort(moments)
	s.counted.Store(true)
	defer s.counted.Store(false)
	ended := make(chan error, 1)
	go func() { ended <- s.talk(ctx, people, messages, seed) }()
	n := 0
	for _, moment := range moments {
		for ; n < moment; n++ {
			select {
			case <-s.confirmed:
			case err := <-ended:
				s.t.Fatalf("the talk ended after %d confirmations, before all blows had fallen: %v", n, err)
			}
		}
		after := time.NewTimer(time.Duration(random.Int64N(int64(10 * time.Millisecond))))
		<-after.C
		blow(random)
	}
	for {
		select {
		case <-s.confirmed:
		case err := <-ended:
			if err != nil {
				s.t.Fatal(err)
			}
			for len(s.confirmed) > 0 {
				<-s.confirmed
			}
			return
		}
	}
}

// kill ends a node as a power cut does and starts it again; sometimes it is killed again while it starts.
func (s *tortured) kill(random *rand.Rand) {
	node := s.nodes[random.IntN(len(s.nodes))]
	node.kill()
	if random.IntN(4) == 0 {
		again := exec.Command(node.path, node.args...)
		again.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := again.Start(); err != nil {
			s.t.Fatal(err)
		}
		after := time.NewTimer(time.Duration(random.Int64N(int64(150 * time.Millisecond))))
		<-after.C
		_ = again.Process.Kill()
		_ = again.Wait()
	}
	node.start()
}

// stop ends all nodes as an operator does.
func (s *tortured) stop() {
	s.t.Helper()
	for _, n := range s.nodes {
		if code, took := n.stop(); code != 0 || took > 10*time.Second {
			s.t.Errorf("exit %d after %v, want 0 within 10 s:\n%s", code, took, lastLines(n.stderr.String(), 20))
		}
	}
}

// killAgainAndAgain ends the only node, or one of three, as a power cut does.
func killAgainAndAgain(t *testing.T, path string) {
	for _, test := range []struct {
		name  string
		nodes int
		url   func(*testing.T) string
	}{
		{"one node on sqlite", 1, func(t *testing.T) string { return "sqlite://" + filepath.Join(t.TempDir(), "parley.db") }},
		{"one node of three on postgres", 3, func(t *testing.T) string { return storetest.PostgresURL(t) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			kills, messages := tortureSize(t)
			seed := tortureSeed(t)
			s := openTortured(t, path, test.url(t), test.nodes, max(10, messages/30))
			people := s.people(min(64, messages/10))
			began := time.Now()
			s.during(people, messages, kills, seed, s.kill)
			took := time.Since(began)
			again := s.settle(people)
			s.stop()
			t.Logf("%d kills, %d messages in %v: %v", kills, messages, took.Round(time.Millisecond), s.summary(again))
			// With the network at the moment of a kill, or about to be: at most one message of a chat, and one receipt.
			if again.answers > kills*len(people) || again.receipts > kills {
				t.Errorf("%d answers and %d receipts were sent twice after %d kills", again.answers, again.receipts, kills)
			}
		})
	}
}

// summary is what a run has cost.
func (s *tortured) summary(again repeats) string {
	return fmt.Sprintf("%d calls told to come again, %d answers and %d receipts sent twice, the latest answer after %v",
		s.refused.Load(), again.answers, again.receipts, time.Duration(s.longest.Load()).Round(time.Millisecond))
}

func TestWhatWasConfirmedIsDoneOnceWhateverHappens(t *testing.T) {
	path := program(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, string)
	}{
		{"killing the program loses nothing and doubles nothing", killAgainAndAgain},
		{"a database that is restarted by force costs nothing", restartDatabase},
		{"the work of a node that ends is taken over within 10 seconds", loseNode},
		{"a rolling restart fails no call", restartInTurn},
		{"an account that moves from node to node loses nothing and repeats nothing", moveAccount},
		{"stopping while messages are sent loses nothing and repeats nothing", stopWhileSending},
		{"events that come five times and in any order count once", repeatEvents},
		{"a message that cannot be handled is parked and holds up nobody", poison},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, path) })
	}
}
