package adaptertest

import (
	"errors"
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

// cases are what a messenger must do, by the name that Harness.Without uses.
var cases = map[string]play{
	"text in":            {textIn, nil},
	"text out":           {textOut, nil},
	"choice":             {choice, needs("Press", func(l *Line) bool { return l.Press != nil })},
	"repeated delivery":  {repeatedDelivery, needs("Repeat", func(l *Line) bool { return l.Repeat != nil })},
	"concurrent repeats": {concurrentRepeats, needs("Hook, Beside or Repeat", func(l *Line) bool { return l.Hook != nil || l.Beside != nil || l.Repeat != nil })},
	"reordering":         {reordering, needs("Hook or Shuffle", func(l *Line) bool { return l.Hook != nil || l.Shuffle != nil })},
	"commit fails":       {commitFails, nil},
	"order":              {order, nil},
	"at the limit":       {atTheLimit, nil},
	"over the limit":     {overTheLimit, nil},
	"markup":             {markup, nil},
	"control characters": {controlCharacters, nil},
	"blocked":            {blocked, needs("Block", func(l *Line) bool { return l.Block != nil })},
	"rate limit":         {rateLimit, needs("Hold", func(l *Line) bool { return l.Hold != nil })},
	"cut while sending":  {cutWhileSending, needs("Cut", func(l *Line) bool { return l.Cut != nil })},
	"reconnect":          {reconnect, needs("Drop", func(l *Line) bool { return l.Drop != nil })},
	"run again":          {runAgain, nil},
	"stop while sending": {stopWhileSending, nil},
	"stop with an event": {stopWithAnEvent, nil},
	"forged call":        {forgedCall, nil},
	"oversize call":      {oversizeCall, nil},
	"typing":             {typing, nil},
	"edit":               {edit, nil},
	"sign":               {sign, nil},
	"room":               {room, nil},
	"limits":             {limitsAreData, nil},
}

// needs says that a case cannot be played without a part of the line.
func needs(what string, has func(*Line) bool) func(*Line) string {
	return func(l *Line) string {
		if has(l) {
			return ""
		}
		return what
	}
}

func textIn(t *testing.T, c *call) {
	c.Type("hello there")
	e := c.inbox.event(t, 1)
	if e.Kind != conversation.Text || e.Text != "hello there" || e.Chat != c.Chat || e.Sender == "" || e.ID == "" {
		t.Errorf("got %+v, want the words with chat %q, a sender and an id", e, c.Chat)
	}
}

func textOut(t *testing.T, c *call) {
	for i, text := range []string{"hello", "line one\nline two", "Größe, 价格, 👩‍👩‍👧"} {
		if _, err := c.send(t, adapters.Part{Text: text, Key: fmt.Sprint("key-", i), From: "bot"}); err != nil {
			t.Fatalf("send %q: %v", text, err)
		}
		if diff := cmp.Diff(Shown{Text: text}, c.Read()); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
	}
}

func choice(t *testing.T, c *call) {
	longest := c.Messenger.Limits().Buttons
	if longest.Max == 0 {
		t.Fatal("a channel without buttons is without this case")
	}
	value := strings.Repeat("v", 64)
	if longest.Value > 0 {
		value = strings.Repeat("v", min(64, longest.Value))
	}
	part := adapters.Part{
		Text: "Pick one", Key: "key", From: "bot",
		Choices: []conversation.Option{{ID: "buy", Label: "Buy now, pay €35.50", Value: value}, {ID: "ask", Label: "<Ask> *me*", Value: "v2"}},
	}
	if _, err := c.send(t, part); err != nil {
		t.Fatal(err)
	}
	want := Shown{Text: "Pick one", Labels: []string{"Buy now, pay €35.50", "<Ask> *me*"}}
	if diff := cmp.Diff(want, c.Read()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	for i, label := range want.Labels {
		c.Press(label)
		e := c.inbox.event(t, i+1)
		if e.Kind != conversation.Choice || e.Value != part.Choices[i].Value || e.Chat != c.Chat || e.ID == "" {
			t.Errorf("got %+v, want the value of %q", e, label)
		}
	}
}

func repeatedDelivery(t *testing.T, c *call) {
	c.Type("once")
	c.inbox.event(t, 1)
	c.Repeat()
	c.inbox.await(t, "the repeat", func(_, handed []conversation.Event) bool { return len(handed) == 2 })
	c.Type("then")
	c.inbox.event(t, 2)
	if got := texts(c.inbox.stored()); got != "once|then" {
		t.Errorf("got %q, want once|then: a repeat has the id it had", got)
	}
}

func commitFails(t *testing.T, c *call) {
	c.inbox.mu.Lock()
	c.inbox.refuse = 2
	c.inbox.mu.Unlock()
	c.Type("kept")
	c.inbox.event(t, 1)
	c.Type("next")
	c.inbox.event(t, 2)
	if got := texts(c.inbox.stored()); got != "kept|next" {
		t.Errorf("got %q, want kept|next", got)
	}
	handed := c.inbox.all()
	for _, e := range handed[:3] {
		if e.Text != "kept" || e.ID != handed[0].ID {
			t.Errorf("got %+v, want the same event handed over three times", handed[:3])
		}
	}
}

func order(t *testing.T, c *call) {
	var want []string
	for i := range 15 {
		want = append(want, fmt.Sprint("n", i))
		c.Type(want[i])
	}
	c.inbox.event(t, len(want))
	if got := texts(c.inbox.stored()); got != strings.Join(want, "|") {
		t.Errorf("got %s, want them in order", got)
	}
}

// atTheLimit fills the limit in the channel's unit with letters of every size.
func atTheLimit(t *testing.T, c *call) {
	limits := c.Messenger.Limits()
	limit := limits.Text
	if limit == 0 {
		limit = 20_000
	}
	for _, letter := range []string{"a", "ß", "价", "👍"} {
		text := strings.Repeat(letter, limit/limits.Unit.Count(letter))
		if _, err := c.send(t, adapters.Part{Text: text, Key: letter}); err != nil {
			t.Errorf("%s: %v", letter, err)
			continue
		}
		if got := c.Read().Text; got != text {
			t.Errorf("%s: got %d bytes, want all %d", letter, len(got), len(text))
		}
	}
}

func overTheLimit(t *testing.T, c *call) {
	limits := c.Messenger.Limits()
	text := strings.Repeat("👍", limits.Text/limits.Unit.Count("👍")+1)
	_, err := c.send(t, adapters.Part{Text: text, Key: "key"})
	if err == nil || err.Consequence != adapters.Rejected {
		t.Errorf("got %v, want it rejected, never shortened or split", err)
	}
}

func markup(t *testing.T, c *call) {
	const text = `*bold* _it_ ~no~ [x](https://shop.example) <b>&amp;</b> <!channel> @all #1 \ "quoted" {{ 7 }}` + " `code`"
	if _, err := c.send(t, adapters.Part{Text: text, Key: "key"}); err != nil {
		t.Fatal(err)
	}
	if got := c.Read().Text; got != text {
		t.Errorf("shown %q, want %q", got, text)
	}
	c.Type(text)
	if got := c.inbox.event(t, 1).Text; got != text {
		t.Errorf("received %q, want %q", got, text)
	}
}

func controlCharacters(t *testing.T, c *call) {
	c.Type("a\x00b\x1b[31m\x07c")
	if got, want := c.inbox.event(t, 1).Text, "ab[31mc"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func blocked(t *testing.T, c *call) {
	c.Type("hello")
	c.inbox.event(t, 1)
	c.Block()
	if e := c.inbox.event(t, 2); e.Kind != conversation.Blocked || e.Chat != c.Chat {
		t.Errorf("got %+v, want blocked", e)
	}
	if _, err := c.send(t, adapters.Part{Text: "are you there?", Key: "key"}); err == nil || err.Consequence != adapters.Gone {
		t.Errorf("got %v, want %s", err, adapters.Gone)
	}
}

func rateLimit(t *testing.T, c *call) {
	const pause = 300 * time.Second
	c.Hold(pause)
	began := time.Now()
	_, err := c.send(t, adapters.Part{Text: "too much", Key: "key"})
	if err == nil || err.Consequence != adapters.Throttled || err.RetryAfter != pause {
		t.Errorf("got %+v, want throttled for %v", err, pause)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("send waited %v, want it to return: the outbox waits", took)
	}
}

func cutWhileSending(t *testing.T, c *call) {
	c.Cut()
	_, err := c.send(t, adapters.Part{Text: "did you get it?", Key: "key"})
	if err == nil || err.Consequence != adapters.Unknown {
		t.Errorf("got %v, want %s: it may have been delivered", err, adapters.Unknown)
	}
}

func stopWhileSending(t *testing.T, c *call) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 10 {
		wg.Go(func() {
			_, err := c.Messenger.Send(t.Context(), adapters.Part{Chat: c.Chat, Text: fmt.Sprint("part ", i), Key: fmt.Sprint("key-", i)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				return
			}
			c.errs = append(c.errs, err)
			if _, ok := errors.AsType[*adapters.SendError](err); !ok {
				t.Errorf("send failed with %T %v, want a *SendError", err, err)
			}
		})
	}
	c.stop()
	wg.Wait()
}

// stopWithAnEvent ends Run while the house stores an event: Run waits for it, so that the store may be closed afterwards.
func stopWithAnEvent(t *testing.T, c *call) {
	release := c.inbox.holdUp()
	c.Type("in hand")
	c.inbox.await(t, "the hand-over", func(_, handed []conversation.Event) bool { return len(handed) > 0 })
	c.cancel()
	select {
	case <-c.ended:
		t.Error("run ended while an event was in hand")
	case <-time.After(50 * time.Millisecond):
	}
	release()
	c.stop()
	if got := texts(c.inbox.stored()); got != "in hand" {
		t.Errorf("got %q, want the event stored", got)
	}
}

func limitsAreData(t *testing.T, c *call) {
	first := c.Messenger.Limits()
	if diff := cmp.Diff(first, c.Messenger.Limits()); diff != "" {
		t.Errorf("limits changed:\n%s", diff)
	}
	for name, n := range map[string]int{"text": first.Text, "caption": first.Caption, "buttons": first.Buttons.Max, "label": first.Buttons.Label} {
		if n < 0 {
			t.Errorf("%s is %d", name, n)
		}
	}
	if !slices.Contains([]adapters.Unit{adapters.Runes, adapters.UTF16, adapters.Bytes, adapters.GSM7}, first.Unit) {
		t.Errorf("unit %d is not known", first.Unit)
	}
	if first.Text > 0 && first.Caption > first.Text {
		t.Errorf("a caption of %d is longer than a text of %d", first.Caption, first.Text)
	}
}

func texts(events []conversation.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.Text)
	}
	return strings.Join(out, "|")
}
