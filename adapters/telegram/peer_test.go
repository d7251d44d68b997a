package telegram

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/telegram/telegrampeer"
	"parley/conversation"
)

func TestChatsThroughAServerWeDidNotWrite(t *testing.T) {
	peer := telegrampeer.Start(t)
	b := newBot(t, map[string]string{"api_base": peer.URL(), "token": telegrampeer.Token}, &http.Client{Timeout: 30 * time.Second})
	b.inbox.fails = 1 // the peer hands an update out once only
	b.start(t)
	ann := peer.Person(42, "Ann")
	waitForEvents := func(n int) conversation.Event {
		t.Helper()
		deadline := time.After(20 * time.Second)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if got := b.inbox.stored(); len(got) == n {
				return got[n-1]
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("got %+v, want %d events", b.inbox.stored(), n)
			}
		}
	}
	ann.Type("hello *you* 👋")
	if got := waitForEvents(1); got.Text != "hello *you* 👋" || got.Chat != "42" || got.SenderName != "Ann" {
		t.Errorf("got %+v, want Ann's words", got)
	}
	ann.OpenLink(b.Link("tok_1"))
	if got := waitForEvents(2); got.Kind != conversation.Start || got.Value != "tok_1" {
		t.Errorf("got %+v, want the token", got)
	}
	sent, err := b.Send(t.Context(), adapters.Part{
		Chat: "42", Text: "<pick> one", Image: "http://127.0.0.1:1/a.png",
		Choices: []conversation.Option{{Label: "Buy", Value: "v-buy"}, {Label: "Ask", Value: "v-ask"}},
	})
	if err != nil || sent.ID == "" {
		t.Fatalf("got %v, %v, want an id", sent, err)
	}
	msg := ann.WaitFor("<pick> one")
	if want := []telegrampeer.Button{{Label: "Buy", Data: "v-buy"}, {Label: "Ask", Data: "v-ask"}}; !slices.Equal(msg.Buttons, want) {
		t.Errorf("got %v, want %v", msg.Buttons, want)
	}
	ann.Press("Ask")
	if got := waitForEvents(3); got.Kind != conversation.Choice || got.Value != "v-ask" {
		t.Errorf("got %+v, want the button's value", got)
	}
}
