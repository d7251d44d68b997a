package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"parley/store"
	"parley/store/storetest"
)

// twoNodes opens one Postgres twice, as two processes would.
func twoNodes(t *testing.T) (first, second *store.Store) {
	t.Helper()
	dsn := storetest.PostgresURL(t)
	var both []*store.Store
	for range 2 {
		s, err := store.Open(t.Context(), dsn, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		both = append(both, s)
	}
	return both[0], both[1]
}

// running sets a node to work on s; stop ends it and waits.
func running(t *testing.T, s *store.Store, heard func(string), want ...string) (n *store.Node, stop func()) {
	t.Helper()
	n = s.NewNode(slog.New(slog.DiscardHandler))
	n.SettleIn(0)
	n.Want(want...)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var work sync.WaitGroup
	work.Go(func() { n.Run(ctx, heard) })
	stop = sync.OnceFunc(func() { cancel(); work.Wait() })
	t.Cleanup(stop)
	return n, stop
}

func deaf(string) {}

// awaitLease waits until the node has the lease, or has it no more.
func awaitLease(t *testing.T, n *store.Node, name string, want bool) {
	t.Helper()
	awaitChange(t, n, fmt.Sprintf("lease %s: has it is to become %v", name, want), func() bool {
		_, has := n.Holds(name)
		return has == want
	})
}

// awaitChange waits until ok, asked again whenever leases have changed hands.
func awaitChange(t *testing.T, n *store.Node, what string, ok func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		changed := n.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited 20 s: %s", what)
		}
	}
}

func TestANodeThatStopsHandsItsLeasesOver(t *testing.T) {
	one, two := twoNodes(t)
	first, stop := running(t, one, deaf, "a", "b")
	awaitLease(t, first, "a", true)
	awaitLease(t, first, "b", true)
	second, _ := running(t, two, deaf, "a")
	if _, has := second.Holds("a"); has {
		t.Error("both nodes have a lease at once")
	}
	stop()
	awaitLease(t, second, "a", true)
	if _, has := first.Holds("a"); has {
		t.Error("a node that has stopped holds a lease")
	}
	if _, has := second.Holds("b"); has {
		t.Error("a node has a lease that it does not want")
	}
}

func TestTheLeasesOfANodeWhoseConnectionsDieAreTakenOverAndItsWorkIsFenced(t *testing.T) {
	one, two := twoNodes(t)
	first, _ := running(t, one, deaf, "a")
	awaitLease(t, first, "a", true)
	if err := fence(t, one, "a"); err != nil {
		t.Fatalf("the holder is fenced: %v", err)
	}
	second, _ := running(t, two, deaf, "a")
	// The end of a node, as its database sees it: all its connections go at once, and nothing is given back.
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	awaitLease(t, second, "a", true)
	if err := fence(t, two, "a"); err != nil {
		t.Fatalf("the new holder is fenced: %v", err)
	}
	awaitLease(t, first, "a", false)
}

func TestAHolderThatWasSucceededIsFenced(t *testing.T) {
	one, two := twoNodes(t)
	first, stop := running(t, one, deaf, "a")
	awaitLease(t, first, "a", true)
	stop()
	second, _ := running(t, two, deaf, "a")
	awaitLease(t, second, "a", true)
	err := fence(t, one, "a")
	if !errors.Is(err, store.ErrFenced) {
		t.Errorf("got %v, want it fenced", err)
	}
}

func TestNodesWakeEachOtherAndNotThemselves(t *testing.T) {
	one, two := twoNodes(t)
	heard, own := make(chan string, 16), make(chan string, 16)
	put := func(c chan string) func(string) {
		return func(topic string) { c <- topic }
	}
	first, _ := running(t, one, put(own))
	_, _ = running(t, two, put(heard))
	for _, c := range []chan string{heard, own} {
		if topic := <-c; topic != "" { // both listen now
			t.Fatalf("heard %q first, want the word that a connection is new", topic)
		}
	}
	first.Tell("outbox/telegram")
	if topic := <-heard; topic != "outbox/telegram" {
		t.Errorf("heard %q, want outbox/telegram", topic)
	}
	woken := make(chan struct{}, 16)
	defer two.OnEvents(func() { woken <- struct{}{} })()
	shop := storetest.NewShop(t, one)
	shop.Stock("mug", 1000, 1)
	<-woken
	if len(own) != 0 {
		t.Errorf("a node was told of its own doings: %q", <-own)
	}
}

func TestOnSQLiteTheOneNodeHoldsWhatItWants(t *testing.T) {
	n, stop := running(t, storetest.SQLite(t), deaf, "a")
	awaitLease(t, n, "a", true)
	n.Want()
	awaitLease(t, n, "a", false)
	stop()
}
