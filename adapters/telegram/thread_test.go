package telegram

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

func inGroups(t *testing.T) (*telegramtest.Server, *bot) {
	t.Helper()
	srv := telegramtest.Start(t)
	b := newBot(t, map[string]string{"api_base": srv.URL()}, &http.Client{Timeout: 30 * time.Second})
	b.start(t)
	srv.Wait("the bot to ask for updates", func() bool { return len(srv.Calls("getUpdates")) > 0 })
	return srv, b
}

// brief is what of an event tells a thread's reader something.
type brief struct {
	Kind                               conversation.Kind
	Chat, Sender, Name, Text, Value, M string
}

func (b *bot) briefs() []brief {
	var out []brief
	for _, e := range b.inbox.stored() {
		out = append(out, brief{e.Kind, e.Chat, e.Sender, e.SenderName, e.Text, e.Value, e.Message})
	}
	return out
}

func TestAThreadInAForumIsATopic(t *testing.T) {
	srv, b := inGroups(t)
	staff := srv.Group(-1001, "Staff", true)
	eve := srv.Person(7, "Eve")
	thread, err := b.Open(t.Context(), "-1001", strings.Repeat("é", 200))
	if err != nil {
		t.Fatal(err)
	}
	topic := staff.Topics()[0]
	if !strings.HasSuffix(topic.Name, "é…") {
		t.Errorf("the topic is called %q, want it shortened", topic.Name)
	}
	sent, err := b.Send(t.Context(), adapters.Part{Chat: thread, Text: "Ada asks", Choices: []conversation.Option{{Label: "I take it", Value: "v"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Typing(t.Context(), thread); err != nil {
		t.Error(err)
	}
	staff.Say(eve, 0, "who has lunch?")
	said := staff.Say(eve, topic.ID, "Yes, it does")
	staff.Edit(eve, said, "Yes, it does.")
	staff.Press(eve, topic.ID, "I take it")
	srv.WaitConfirmed()
	id := strconv.Itoa(said)
	want := []brief{
		{conversation.Text, thread, "7", "Eve", "Yes, it does", "", id},
		{conversation.Edited, thread, "7", "Eve", "Yes, it does.", id, ""},
		{conversation.Choice, thread, "7", "Eve", "", "v", ""},
	}
	if diff := cmp.Diff(want, b.briefs()); diff != "" {
		t.Errorf("what was heard (-want +got):\n%s", diff)
	}
	for range 2 { // the second time nothing is left to change
		if err := b.Edit(t.Context(), sent.ID, adapters.Part{Chat: thread, Text: "Ada asks"}); err != nil {
			t.Fatal(err)
		}
	}
	if m := staff.Messages(topic.ID)[0]; len(m.Buttons) != 0 || m.Edits != 1 {
		t.Errorf("got %+v, want the buttons off", m)
	}
	staff.DeleteTopic(topic.ID)
	if _, err := b.Send(t.Context(), adapters.Part{Chat: thread, Text: "hello?"}); consequence(err) != adapters.Rejected {
		t.Errorf("got %v for a topic that is gone, want rejected", err)
	}
	if err := b.Edit(t.Context(), "999", adapters.Part{Chat: thread, Text: "x"}); consequence(err) != adapters.Rejected {
		t.Errorf("got %v for a message that is not there, want rejected", err)
	}
}

func TestAThreadInAPlainGroupIsWhatIsSaidInReply(t *testing.T) {
	srv, b := inGroups(t)
	staff := srv.Group(-5, "Staff", false)
	eve, bob := srv.Person(7, "Eve"), srv.Person(8, "Bob")
	thread, err := b.Open(t.Context(), "-5", "Ada · Harbour mug")
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.Open(t.Context(), "-5", "Cem · Kettle")
	if err != nil || other == thread {
		t.Fatalf("got %q and %q, %v", thread, other, err)
	}
	sent, err := b.Send(t.Context(), adapters.Part{Chat: thread, Text: "Ada: does it leak?", Choices: []conversation.Option{{Label: "I take it", Value: "v"}}})
	if err != nil {
		t.Fatal(err)
	}
	shown := staff.Messages(0)
	if len(shown) != 3 || shown[2].Answers != shown[0].ID || strconv.Itoa(shown[2].ID) != sent.ID {
		t.Fatalf("the group shows %+v, want the last in reply to the first", shown)
	}
	staff.Say(eve, 0, "lunch?")
	staff.Reply(eve, shown[2].ID, "No.")
	staff.Reply(bob, shown[0].ID, "Never.")
	staff.Reply(bob, shown[1].ID, "Hello Cem")
	staff.Press(eve, 0, "I take it")
	srv.WaitConfirmed()
	var got []string
	for _, e := range b.briefs() {
		got = append(got, e.Chat+" "+e.Name+" "+e.Text+e.Value)
	}
	want := []string{thread + " Eve No.", thread + " Bob Never.", other + " Bob Hello Cem", thread + " Eve v"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was heard (-want +got):\n%s", diff)
	}
}

func TestThreadsAreKnownAfterARestart(t *testing.T) {
	srv, b := inGroups(t)
	staff := srv.Group(-1001, "Staff", true)
	thread, err := b.Open(t.Context(), "-1001", "Ada")
	if err != nil {
		t.Fatal(err)
	}
	b.stop()
	next := newBot(t, map[string]string{"api_base": srv.URL()}, &http.Client{Timeout: 30 * time.Second})
	next.state = b.memory
	next.start(t)
	staff.Say(srv.Person(7, "Eve"), staff.Topics()[0].ID, "still here")
	srv.WaitConfirmed()
	if got := next.briefs(); len(got) != 1 || got[0].Chat != thread {
		t.Errorf("got %+v, want what was said in %s", got, thread)
	}
}

func TestARoomThatIsNoneIsRefused(t *testing.T) {
	srv, b := inGroups(t)
	srv.Person(42, "Ann").Meet()
	srv.Group(-9, "Gone", true).Kick()
	for room, want := range map[string]adapters.Consequence{
		"42": adapters.Rejected, "-8": adapters.Gone, "-9": adapters.Gone, "staff": adapters.Rejected,
	} {
		if _, err := b.Open(t.Context(), room, "Ada"); consequence(err) != want {
			t.Errorf("%s: got %v, want %s", room, err, want)
		}
	}
}

func TestChatsAreReadAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{"42", "-100123:77", "-5:r77"} {
		if c, err := parseChat(text); err != nil || c.String() != text {
			t.Errorf("%s: got %s, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "x", "-100123:", "-5:rx", "1:2:3"} {
		if c, err := parseChat(text); err == nil {
			t.Errorf("%q: got %v, want it refused", text, c)
		}
	}
}

func consequence(err error) adapters.Consequence {
	if e, ok := errors.AsType[*adapters.SendError](err); ok {
		return e.Consequence
	}
	return ""
}
