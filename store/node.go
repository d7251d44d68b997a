package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// How long a lease lasts without being renewed, and how often it is. A node that hangs is succeeded after leaseTime plus
// leaseRound; one that dies after leaseRound, since its connection dies with it.
const (
	leaseTime  = 6 * time.Second
	leaseRound = 2 * time.Second
	// leaseMargin is how much earlier than the database a holder thinks its lease over.
	leaseMargin = time.Second
	// signalRound bounds how often one node wakes the others.
	signalRound = 10 * time.Millisecond
)

// channel is the name of our notifications on Postgres.
const channel = "parley"

// Node is this process among others that share the database. It holds leases, and it tells the others of what they may want to
// look at; nothing depends on being told, everybody looks by themselves from time to time too. On SQLite there is one node, which
// holds all leases and has nobody to tell.
type Node struct {
	store *Store
	log   *slog.Logger
	topic chan struct{} // something is to be told
	renew chan struct{} // there is something to do about the leases

	mu      sync.Mutex
	wanted  map[string]bool
	held    map[string]held
	used    map[string]int // how much goes on under each lease
	changed chan struct{}  // closed and replaced when held changes
	untold  map[string]bool
	session int32 // the advisory lock of the connection at work; 0 for none

	listener int // of the store: who tells others of our commits, and must not tell them of theirs

	settle time.Duration // how long it has been there before it asks others for its share of the leases
}

// NewNode makes the node of this process; Run sets it to work.
func (s *Store) NewNode(log *slog.Logger) *Node {
	return &Node{store: s, log: log, topic: make(chan struct{}, 1), renew: make(chan struct{}, 1), wanted: map[string]bool{},
		held: map[string]held{}, used: map[string]int{}, changed: make(chan struct{}), untold: map[string]bool{}, settle: leaseTime}
}

// Tell wakes the other nodes for topics, soon. Call it after the commit that they are about.
func (n *Node) Tell(topics ...string) {
	if n.store.dialect == SQLite {
		return
	}
	n.mu.Lock()
	for _, t := range topics {
		n.untold[t] = true
	}
	n.mu.Unlock()
	nudge(n.topic)
}

// What nodes tell each other of themselves.
const (
	topicEvents = "events" // somebody has committed events
	topicLeases = "leases" // somebody asks for a lease, or has handed one over
)

// Run keeps the leases that are wanted and passes on what other nodes tell, until ctx ends; then it gives its leases back. heard
// is called with each topic of another node and must not block.
func (n *Node) Run(ctx context.Context, heard func(topic string)) {
	if n.store.dialect == SQLite {
		<-ctx.Done()
		return
	}
	listener, stop := n.store.onEvents(func() { n.Tell(topicEvents) })
	defer stop()
	n.mu.Lock()
	n.listener = listener
	n.mu.Unlock()
	var all sync.WaitGroup
	all.Go(func() { n.listen(ctx, heard) })
	all.Go(func() { n.keep(ctx) })
	all.Go(func() { n.tell(ctx) })
	all.Wait()
	n.lose()
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseRound)
	defer cancel()
	if err := n.store.dropLeases(done, []string{}); err != nil {
		n.log.Warn("leases not given back; others take them when they run out", "err", err)
	}
}

// tell passes topics on, many in one go: a notification waits for a lock that all nodes share.
func (n *Node) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.topic:
		}
		n.mu.Lock()
		topics := make([]string, 0, len(n.untold))
		for t := range n.untold {
			topics = append(topics, n.store.process+" "+t)
		}
		clear(n.untold)
		n.mu.Unlock()
		// What cannot be told is found by those who look.
		if _, err := n.store.write.ExecContext(ctx, `SELECT pg_notify($1, t) FROM unnest($2::TEXT[]) AS t`, channel, topics); err != nil && ctx.Err() == nil {
			n.log.Debug("other nodes not told", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(signalRound):
		}
	}
}

// listen keeps a connection of its own, on which notifications come in and whose end tells the others that this node is gone.
func (n *Node) listen(ctx context.Context, heard func(string)) {
	for ctx.Err() == nil {
		err := n.listenOnce(ctx, heard)
		n.lose()
		if ctx.Err() != nil {
			return
		}
		n.log.Warn("no word from other nodes; connecting again", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(leaseRound / 4):
		}
	}
}

func (n *Node) listenOnce(ctx context.Context, heard func(string)) error {
	conn, err := n.store.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", withoutDSN(err))
	}
	defer func() { _ = conn.Close() }()
	return onPgx(conn, func(pg *pgx.Conn) error {
		defer func() { // it must not go back into the pool with a lock and a subscription
			gone, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = pg.Close(gone)
		}()
		session := rand.Int32N(1<<31-1) + 1
		if _, err := pg.Exec(ctx, `SELECT pg_advisory_lock($1, $2)`, int32(advisoryClass), session); err != nil {
			return fmt.Errorf("take advisory lock: %w", err)
		}
		if _, err := pg.Exec(ctx, "LISTEN "+channel); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		n.mu.Lock()
		n.session = session
		n.mu.Unlock()
		nudge(n.renew)
		heard("") // whatever was told while nobody listened
		for {
			note, err := pg.WaitForNotification(ctx)
			if err != nil {
				return fmt.Errorf("listen: %w", err)
			}
			from, topic, _ := strings.Cut(note.Payload, " ")
			if from == n.store.process {
				continue
			}
			switch topic {
			case topicEvents:
				n.store.wakeBut(n.ownListener())
				continue
			case topicLeases:
				nudge(n.renew)
				continue
			}
			heard(topic)
		}
	})
}

func (n *Node) ownListener() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listener
}

// wakeBut wakes those whom OnEvents knows, but for one.
func (s *Store) wakeBut(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.listeners {
		if i != id {
			f()
		}
	}
}

// onPgx runs f on the driver's own connection.
func onPgx(conn *sql.Conn, f func(*pgx.Conn) error) error {
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return errors.New("not a connection of pgx")
		}
		return f(c.Conn())
	})
}

// nudge leaves a word for a loop that may be asleep; one that is pending already is enough.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
