package adaptertest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/conversation"
)

// concurrentRepeats has one event come again while the first is not stored yet: each time it has the id it had.
func concurrentRepeats(t *testing.T, c *call) {
	const times = 8
	if c.Hook != nil {
		c.calledAtOnce(t, times)
		return
	}
	release := c.inbox.holdUp()
	c.Type("once")
	c.inbox.await(t, "the first delivery", func(_, handed []conversation.Event) bool { return len(handed) > 0 })
	if c.Beside != nil {
		c.Beside(times)
		c.inbox.await(t, "the others beside it", func(_, handed []conversation.Event) bool { return len(handed) == 1+times })
	} else {
		for range times {
			c.Repeat()
		}
	}
	release()
	c.Type("then")
	c.inbox.event(t, 2)
	c.sameID(t, "once")
	if got := texts(c.inbox.stored()); got != "once|then" {
		t.Errorf("got %q, want once|then", got)
	}
}

// calledAtOnce has several senders post the same event side by side.
func (c *call) calledAtOnce(t *testing.T, times int) {
	t.Helper()
	hook := c.hooked(t)
	body := c.Hook.Body("once")
	release := c.inbox.holdUp()
	codes := make([]int, times)
	var wg sync.WaitGroup
	for i := range times {
		wg.Go(func() {
			codes[i] = c.calls(t, hook, c.Hook.proven(body, time.Now()), bytes.NewReader(body)).Code
		})
	}
	c.inbox.await(t, "all senders to be heard at once", func(_, handed []conversation.Event) bool { return len(handed) == 1+times })
	release()
	wg.Wait()
	for _, code := range codes {
		if code/100 != 2 {
			t.Errorf("got %v, want every sender told that it is stored", codes)
			break
		}
	}
	c.sameID(t, "once")
	if got := len(c.inbox.stored()); got != 2 {
		t.Errorf("got %+v, want hello and the event, once", c.inbox.stored())
	}
}

// sameID fails unless each event that says so has one id.
func (c *call) sameID(t *testing.T, said string) {
	t.Helper()
	ids := map[string]int{}
	for _, e := range c.inbox.all() {
		if wordsOf(e) == said {
			ids[e.ID]++
		}
	}
	if len(ids) != 1 || ids[""] > 0 {
		t.Errorf("%q came under the ids %v, want one", said, ids)
	}
}

// reordering has the network bring events in another order than they happened in: each comes with the id that it has in any order,
// and none is taken for one that was there before.
func reordering(t *testing.T, c *call) {
	said := []string{"first", "second", "third"}
	if c.Hook == nil {
		c.Shuffle(said...)
		c.inbox.event(t, len(said))
		if c.Repeat != nil {
			c.Repeat()
			c.inbox.await(t, "the repeat", func(_, handed []conversation.Event) bool { return len(handed) > len(said) })
		}
		c.allOnce(t, said, c.inbox.stored())
		return
	}
	hook := c.hooked(t)
	var bodies [][]byte
	for _, words := range said {
		bodies = append(bodies, c.Hook.Body(words))
	}
	for _, i := range []int{2, 0, 1, 0, 1, 2} {
		if w := c.calls(t, hook, c.Hook.proven(bodies[i], time.Now()), bytes.NewReader(bodies[i])); w.Code/100 != 2 {
			t.Errorf("%s: got %d %s", said[i], w.Code, w.Body)
		}
	}
	c.allOnce(t, said, c.inbox.stored()[1:])
}

func (c *call) allOnce(t *testing.T, want []string, stored []conversation.Event) {
	t.Helper()
	var got []string
	for _, e := range stored {
		got = append(got, wordsOf(e))
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored, in any order (-want +got):\n%s", diff)
	}
	for _, words := range want {
		c.sameID(t, words)
	}
}

// reconnect loses the connection between events, while one is on its way, and while one is being stored: the account comes back by
// itself, and everything is there once.
func reconnect(t *testing.T, c *call) {
	c.Type("before")
	c.inbox.event(t, 1)
	c.Drop()
	c.Type("while away")
	c.inbox.event(t, 2)

	release := c.inbox.holdUp()
	c.Type("in hand")
	c.inbox.await(t, "the hand-over", func(_, handed []conversation.Event) bool { return strings.Contains(texts(handed), "in hand") })
	c.Drop()
	release()
	c.Type("after")
	c.inbox.event(t, 4)
	if got, want := texts(c.inbox.stored()), "before|while away|in hand|after"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, said := range []string{"before", "while away", "in hand", "after"} {
		c.sameID(t, said)
	}
	for i := range 2 {
		text := fmt.Sprint("welcome back ", i)
		if failed := c.insist(t, adapters.Part{Text: text, Key: text}); failed != nil {
			t.Fatalf("send after the connection was lost: %v", failed)
		}
		if diff := cmp.Diff(Shown{Text: text}, c.Read()); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
	}
}

// insist sends as the outbox does: again for as long as the account says that it may try again.
func (c *call) insist(t *testing.T, part adapters.Part) *adapters.SendError {
	t.Helper()
	late := time.After(patience)
	for {
		_, failed := c.send(t, part)
		if failed == nil || failed.Consequence != adapters.Temporary {
			return failed
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-late:
			return failed
		}
	}
}

// runAgain has the account stop and receive anew, as on a node that lost the account to another and got it back.
func runAgain(t *testing.T, c *call) {
	c.Type("before")
	c.inbox.event(t, 1)
	c.stop()
	c.run(t)
	c.Type("after")
	c.inbox.event(t, 2)
	if got := texts(c.inbox.stored()); got != "before|after" {
		t.Errorf("got %q, want before|after", got)
	}
	if _, err := c.send(t, adapters.Part{Text: "hello again", Key: "key", From: "bot"}); err != nil {
		t.Fatalf("send: %v", err)
	}
	if got := c.Read().Text; got != "hello again" {
		t.Errorf("shown %q, want hello again", got)
	}
}
