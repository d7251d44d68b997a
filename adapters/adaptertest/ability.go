package adaptertest

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/conversation"
)

// Room is a room of the network with somebody of the staff in it. A thread is what Messenger.Open returned.
type Room struct {
	ID   string                    // as in Room.Open
	Say  func(thread, text string) // they write in a thread
	Read func(thread string) Shown // the next message of the account's that they see there; waits for it. What Open wrote is not one.
	// Edit and Delete change their latest words in a thread; nil where the network tells nobody of that.
	Edit   func(thread, text string)
	Delete func(thread string)
	// Press presses the button of that label on the latest message of a thread that has it.
	Press func(thread, label string)
	// Aside is what they write in the room outside of any thread.
	Aside func(text string)
}

// typing is best effort, but where a network can show it, it does.
func typing(t *testing.T, c *call) {
	typer, ok := c.Messenger.(adapters.Typer)
	if ok != c.Messenger.Limits().Typing {
		t.Fatalf("the messenger can show typing: %v, its limits say %v", ok, c.Messenger.Limits().Typing)
	}
	if !ok {
		t.Skip("this network shows nobody that an answer is being written")
	}
	if c.Typing == nil {
		t.Fatal("the messenger shows typing, but the line has no Typing to see it by")
	}
	c.Type("is anybody there?")
	c.inbox.event(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := typer.Typing(ctx, c.Chat); err != nil {
		t.Fatalf("show typing: %v", err)
	}
	c.Typing()
	if err := typer.Typing(ctx, "nobody's chat"); err != nil {
		c.errs = append(c.errs, err)
	}
}

// edit changes a message that was sent: words as they were written, and no buttons where none are left.
func edit(t *testing.T, c *call) {
	editor, ok := c.Messenger.(adapters.Editor)
	if ok != c.Messenger.Limits().Edits {
		t.Fatalf("the messenger can edit: %v, its limits say %v", ok, c.Messenger.Limits().Edits)
	}
	if !ok {
		t.Skip("what was sent cannot be changed on this network")
	}
	if c.Reread == nil {
		t.Fatal("the messenger edits, but the line has no Reread to see it by")
	}
	part := adapters.Part{Text: "Only €17 today", Key: "key", From: "bot"}
	if c.Messenger.Limits().Buttons.Max > 0 {
		part.Choices = []conversation.Option{{ID: "buy", Label: "Buy", Value: "v1"}, {ID: "ask", Label: "Ask", Value: "v2"}}
	}
	sent, failed := c.send(t, part)
	if failed != nil {
		t.Fatal(failed)
	}
	if sent.ID == "" {
		t.Fatal("a network that edits names what it took")
	}
	c.Read()
	const text = "*This* offer is <over>: €20 again_"
	changed := adapters.Part{Chat: c.Chat, Text: text}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, what := range []string{"edit", "edit once more the same"} {
		if failed := c.failure(t, what, editor.Edit(ctx, sent.ID, changed)); failed != nil {
			t.Fatalf("%s: %v", what, failed)
		}
		if diff := cmp.Diff(Shown{Text: text}, c.Reread()); diff != "" {
			t.Errorf("%s: shown (-want +got):\n%s", what, diff)
		}
	}
	if limits := c.Messenger.Limits(); limits.Text > 0 {
		long := adapters.Part{Chat: c.Chat, Text: strings.Repeat("x", limits.Text+1)}
		if failed := c.failure(t, "edit beyond the limit", editor.Edit(ctx, sent.ID, long)); failed == nil || failed.Consequence != adapters.Rejected {
			t.Errorf("edit beyond the limit: got %v, want it rejected", failed)
		}
	}
	failed = c.failure(t, "edit what is no message", editor.Edit(ctx, "no message", changed))
	if failed != nil && failed.Consequence != adapters.Rejected {
		t.Errorf("edit what is no message: got %v, want it rejected", failed)
	}
}

// sign puts an emoji on what the person wrote.
func sign(t *testing.T, c *call) {
	reactor, ok := c.Messenger.(adapters.Reactor)
	if !ok {
		t.Skip("no sign can be put on somebody's message on this network")
	}
	if c.Sign == nil {
		t.Fatal("the messenger puts signs on messages, but the line has no Sign to see them by")
	}
	c.Type("is it blue?")
	e := c.inbox.event(t, 1)
	if e.Message == "" {
		t.Fatalf("got %+v, want the message named: a sign is to be put on it", e)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := reactor.React(ctx, c.Chat, e.Message, "👀"); err != nil {
		t.Fatalf("put a sign on a message: %v", err)
	}
	if got := c.Sign(); got != "👀" {
		t.Errorf("got the sign %q, want the eyes", got)
	}
	if err := reactor.React(ctx, c.Chat, "no message", "👀"); err != nil {
		c.errs = append(c.errs, err)
	}
}

// room has staff work in a thread: it is theirs, whole and apart from others.
func room(t *testing.T, c *call) {
	opener, ok := c.Messenger.(adapters.Room)
	if !ok {
		t.Skip("the staff of a shop cannot work in rooms of this network")
	}
	if c.Room == nil {
		t.Fatal("the messenger has rooms, but the line has no Room to see them by")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	open := func(title string) string {
		t.Helper()
		thread, err := opener.Open(ctx, c.Room.ID, title)
		if failed := c.failure(t, "open a thread", err); failed != nil {
			t.Fatal(failed)
		}
		return thread
	}
	thread, other := open("*Ann* <asks> about "+strings.Repeat("价", 300)), open("Bob")
	if thread == "" || thread == other || thread == c.Room.ID {
		t.Fatalf("got the threads %q and %q in %q, want two of their own", thread, other, c.Room.ID)
	}

	part := adapters.Part{Chat: thread, Text: "Ann: is it *blue*?", Key: "k1", From: "bot", Choices: []conversation.Option{{ID: "take", Label: "I take it", Value: "take-v"}}}
	if _, failed := c.post(t, part); failed != nil {
		t.Fatal(failed)
	}
	if diff := cmp.Diff(Shown{Text: part.Text, Labels: []string{"I take it"}}, c.Room.Read(thread)); diff != "" {
		t.Errorf("shown in the thread (-want +got):\n%s", diff)
	}
	c.Room.Press(thread, "I take it")
	if e := c.inbox.event(t, 1); e.Kind != conversation.Choice || e.Value != "take-v" || e.Chat != thread || e.ID == "" {
		t.Errorf("got %+v, want the press in thread %s", e, thread)
	}

	if c.Room.Aside != nil {
		c.Room.Aside("lunch?")
	}
	c.Room.Say(thread, "yes, *blue* as the <sea>")
	said := c.inThread(t, thread, conversation.Text)
	if said.Text != "yes, *blue* as the <sea>" || said.Message == "" || said.Sender == "" || said.ID == "" {
		t.Errorf("got %+v, want the words with message, sender and id", said)
	}
	if c.Room.Edit != nil {
		c.Room.Edit(thread, "no, green")
		if e := c.inThread(t, thread, conversation.Edited); e.Text != "no, green" || e.Value != said.Message || e.ID == said.ID {
			t.Errorf("got %+v, want the changed words of message %s under an id of their own", e, said.Message)
		}
	}
	if c.Room.Delete != nil {
		c.Room.Delete(thread)
		if e := c.inThread(t, thread, conversation.Deleted); e.Value != said.Message {
			t.Errorf("got %+v, want message %s taken back", e, said.Message)
		}
	}
	c.Room.Say(other, "and Bob?")
	if e := c.inThread(t, other, conversation.Text); e.Text != "and Bob?" {
		t.Errorf("got %+v, want Bob's in his own thread", e)
	}
	for _, e := range c.inbox.stored() {
		if strings.Contains(e.Text, "lunch") && (e.Chat == thread || e.Chat == other) {
			t.Errorf("got %+v, want what is said beside the threads not in one", e)
		}
	}
}

// inThread waits for the first event of a kind in a thread.
func (c *call) inThread(t *testing.T, thread string, kind conversation.Kind) (found conversation.Event) {
	t.Helper()
	c.inbox.await(t, string(kind)+" in thread "+thread, func(stored, _ []conversation.Event) bool {
		for _, e := range stored {
			if e.Chat == thread && e.Kind == kind {
				found = e
				return true
			}
		}
		return false
	})
	return found
}
