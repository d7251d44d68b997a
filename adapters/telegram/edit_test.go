package telegram

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

func TestEditReplacesWordsAndButtons(t *testing.T) {
	const public = "https://shop.example/a.png"
	buttons := []conversation.Option{{Label: "Buy", Value: "v"}, {Label: "Ask", Value: "a"}}
	tests := []struct {
		name, image, text string
		choices           []conversation.Option
		refusePicture     bool
		want              telegramtest.Message
	}{
		{"of a text", "", "gone", nil, false, telegramtest.Message{Text: "gone", Edits: 1}},
		{"of a picture", public, "gone", nil, false, telegramtest.Message{Text: "gone", Image: public, Edits: 1}},
		{"of a picture that was never shown", public, "gone", nil, true, telegramtest.Message{Text: "gone", Edits: 1}},
		{"the buttons alone", "", "*now* €17", nil, false, telegramtest.Message{Text: "*now* €17", Edits: 1}},
		{"with other buttons", "", "gone", buttons[1:], false, telegramtest.Message{Text: "gone", Buttons: []telegramtest.Button{{Label: "Ask", Data: "a"}}, Edits: 1}},
		{"with words that are no caption", public, strings.Repeat("x", 1025), nil, false, telegramtest.Message{Text: "*now* €17", Image: public, Edits: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, ann, b := chatting(t)
			if tt.refusePicture {
				srv.Fail("sendPhoto", telegramtest.Fault{Code: 400, Description: "Bad Request: failed to get HTTP URL content"})
			}
			part := adapters.Part{Chat: "42", Text: "*now* €17", Image: tt.image, Choices: buttons}
			sent, err := b.Send(t.Context(), part)
			if err != nil {
				t.Fatal(err)
			}
			part.Text, part.Choices = tt.text, tt.choices
			for range 2 { // an edit may be repeated
				if err := b.Edit(t.Context(), sent.ID, part); err != nil {
					t.Fatal(err)
				}
			}
			got := ann.Messages()[0]
			tt.want.ID = got.ID
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFailedEditSaysWhatFollows(t *testing.T) {
	srv, ann, b := chatting(t)
	sent, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "hi"})
	if err != nil {
		t.Fatal(err)
	}
	consequence := func(id string) adapters.Consequence {
		t.Helper()
		err := b.Edit(t.Context(), id, adapters.Part{Chat: "42", Text: "x"})
		got, ok := errors.AsType[*adapters.SendError](err)
		if !ok {
			t.Fatalf("got %v, want a SendError", err)
		}
		return got.Consequence
	}
	if got := consequence("4711"); got != adapters.Rejected {
		t.Errorf("a message that is not there: got %s, want rejected", got)
	}
	for _, id := range []string{"", "abc", "-1"} {
		if got := consequence(id); got != adapters.Rejected {
			t.Errorf("message %q: got %s, want rejected", id, got)
		}
	}
	srv.Fail("editMessageText", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after 3", RetryAfter: 3})
	if got := consequence(sent.ID); got != adapters.Throttled {
		t.Errorf("got %s, want throttled", got)
	}
	ann.Block()
	if got := consequence(sent.ID); got != adapters.Gone {
		t.Errorf("got %s, want blocked", got)
	}
}

func TestAGroupThatBecomesASupergroupKeepsItsRoom(t *testing.T) {
	for _, told := range []bool{true, false} {
		t.Run(map[bool]string{true: "told by a message", false: "told by a refusal"}[told], func(t *testing.T) {
			srv, b := inGroups(t)
			staff, eve := srv.Group(-123, "Staff", false), srv.Person(7, "Eve")
			thread, err := b.Open(t.Context(), "-123", "Ada")
			if err != nil {
				t.Fatal(err)
			}
			forum := staff.Upgrade(-1009, told)
			if told {
				srv.WaitConfirmed()
			}
			before := len(srv.Calls("sendMessage"))
			if _, err := b.Send(t.Context(), adapters.Part{Chat: thread, Text: "still there?"}); err != nil {
				t.Fatal(err)
			}
			if got := len(srv.Calls("sendMessage")) - before; told && got != 1 || !told && got != 2 {
				t.Errorf("got %d calls, want one more only where nobody told", got)
			}
			forum.Reply(eve, forum.WaitFor(0, "still there?").ID, "here")
			srv.Wait("Eve's answer", func() bool { return b.inbox.texts() == "here" })
			if got := b.inbox.stored()[0].Chat; got != thread {
				t.Errorf("got an answer in %s, want %s", got, thread)
			}
			topic, err := b.Open(t.Context(), "-123", "Bob") // as the config still names it
			if err != nil {
				t.Fatal(err)
			}
			forum.Say(eve, forum.WaitTopic("Bob").ID, "yes")
			srv.Wait("Eve's words", func() bool { return strings.Contains(b.inbox.texts(), "yes") })
			if got := b.inbox.stored()[1].Chat; got != topic {
				t.Errorf("got words in %s, want %s", got, topic)
			}

			// After a restart it is known without asking.
			again := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
			again.memory.values = b.memory.values
			again.Messenger.state = again.memory
			before = len(srv.Calls("sendMessage"))
			if _, err := again.Send(t.Context(), adapters.Part{Chat: topic, Text: "good"}); err != nil {
				t.Fatal(err)
			}
			if got := len(srv.Calls("sendMessage")) - before; got != 1 {
				t.Errorf("got %d calls, want 1", got)
			}
		})
	}
}
