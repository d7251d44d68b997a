package store_test

import (
	"fmt"
	"testing"

	"parley/store"
)

// of are those of the names that a node holds.
func of(n *store.Node, names []string) (held []string) {
	for _, name := range names {
		if _, has := n.Holds(name); has {
			held = append(held, name)
		}
	}
	return held
}

// awaitShare waits until the node holds at least so many of the leases.
func awaitShare(t *testing.T, n *store.Node, names []string, want int) {
	t.Helper()
	awaitChange(t, n, fmt.Sprintf("the node is to hold %d of %q", want, names), func() bool { return len(of(n, names)) >= want })
}

func TestNodesThatJoinGetTheirShareOfTheLeases(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprint("account/", i))
	}
	one, two := twoNodes(t)
	first, _ := running(t, one, deaf, names...)
	awaitShare(t, first, names, 7)
	second, stop := running(t, two, deaf, names...)
	awaitShare(t, second, names, 3)
	if mine, theirs := of(first, names), of(second, names); len(mine)+len(theirs) > 7 || len(mine) < 4 {
		t.Errorf("the nodes hold %q and %q, want 4 and 3 that differ", mine, theirs)
	}
	for _, name := range of(second, names) {
		if err := fence(t, two, name); err != nil {
			t.Errorf("who was handed %s is fenced: %v", name, err)
		}
		if fence(t, one, name) == nil {
			t.Errorf("who handed %s over is not fenced", name)
		}
	}
	stop()
	awaitShare(t, first, names, 7)
}

// askedForWhatIsAtWork has two nodes, of which the second has asked for lease b, under which the first is at work until done.
func askedForWhatIsAtWork(t *testing.T, one, two *store.Store) (first, second *store.Node, done func()) {
	t.Helper()
	first, _ = running(t, one, deaf, "a", "b")
	awaitShare(t, first, []string{"a", "b"}, 2)
	done, ok := first.Begin("b")
	if !ok {
		t.Fatal("work cannot begin under a lease that the node holds")
	}
	second, _ = running(t, two, deaf, "a", "b")
	awaitLease(t, first, "b", false)
	return first, second, done
}

func TestALeaseIsHandedOverOnlyWhenTheWorkUnderItHasEnded(t *testing.T) {
	t.Parallel()
	one, two := twoNodes(t)
	first, second, done := askedForWhatIsAtWork(t, one, two)
	if _, ok := first.Begin("b"); ok {
		t.Error("more work begins under a lease that is about to go")
	}
	if _, has := second.Holds("b"); has {
		t.Error("the lease was handed over while work went on under it")
	}
	if err := fence(t, one, "b"); err != nil {
		t.Errorf("the work that goes on is fenced: %v", err)
	}
	done()
	awaitLease(t, second, "b", true)
	if got := of(first, []string{"a", "b"}); len(got) != 1 || got[0] != "a" {
		t.Errorf("the first node holds %q, want a alone", got)
	}
}

func TestANodeThatAsksForALeaseAndDiesDoesNotKeepIt(t *testing.T) {
	t.Parallel()
	one, two := twoNodes(t)
	first, _, done := askedForWhatIsAtWork(t, one, two)
	if err := two.Close(); err != nil { // all its connections go at once
		t.Fatal(err)
	}
	done()
	awaitLease(t, first, "b", true)
	if err := fence(t, one, "b"); err != nil {
		t.Errorf("the holder is fenced: %v", err)
	}
}

func TestNobodyIsAskedForLeasesByANodeThatHasItsShare(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	one, two := twoNodes(t)
	first, _ := running(t, one, deaf, names...)
	awaitShare(t, first, names, 3)
	second, _ := running(t, two, deaf, names...)
	awaitShare(t, second, names, 1)
	for name, s := range map[string]*store.Store{"first": one, "second": two} {
		if asked, err := s.AskForShare(t.Context(), names); asked || err != nil {
			t.Errorf("the %s node asks for more: %v, %v", name, asked, err)
		}
	}
}

// fence says what becomes of a change that needs the lease.
func fence(t *testing.T, s *store.Store, name string) error {
	t.Helper()
	return s.Tx(t.Context(), func(tx *store.Tx) error { return tx.Fence(t.Context(), name) })
}
