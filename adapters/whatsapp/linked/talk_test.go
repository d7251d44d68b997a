//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/conversation"
)

func TestTalksWithAPerson(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann\nArbor")
	person.LookAtPhone()

	id := person.Type(shop, "hello *you* 👋")
	e := h.inbox.said(t, 0)
	if e.Kind != conversation.Text || e.Text != "hello *you* 👋" || e.Chat != ann || e.Sender != ann || e.SenderName != "Ann Arbor" || e.ID != id || e.At.IsZero() {
		t.Errorf("got %+v, want Ann's words", e)
	}
	sent, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "1) Buy\n2) Ask", Key: "msg_1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := person.Read(shop, 0); got.Text != "1) Buy\n2) Ask" || got.ID != sent.ID {
		t.Errorf("got %+v, want the text under the id %s", got, sent.ID)
	}
	person.Seen(shop, sent.ID)
	h.inbox.await(t, "both receipts", func(events []conversation.Event) bool {
		seen := map[string]bool{}
		for _, e := range events {
			if e.Kind == conversation.Receipt && e.Value == sent.ID && e.Chat == ann {
				seen[e.Name] = true
			}
		}
		return seen["delivered"] && seen["read"]
	})
	if err := m.Typing(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	s.Wait("Ann to see typing", func() bool { return person.SawTyping() > 0 })

	token := strings.Repeat("Ab3_", 13)
	if got, want := m.Link(token), "https://wa.me/"+shop+"?text=start%20"+token; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	person.Type(shop, "start "+token)
	if e := h.inbox.said(t, 1); e.Kind != conversation.Start || e.Value != token || e.Text != "" {
		t.Errorf("got %+v, want the token", e)
	}
	person.Type(shop, "start over please")
	if e := h.inbox.said(t, 2); e.Kind != conversation.Text {
		t.Errorf("got %+v, want words", e)
	}
}

func TestKeepsTheOrderOfFiftyMessages(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	h.linked(s, shop)
	person := s.Person(ann, "Ann")
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint("n", i))
		person.Type(shop, want[i])
	}
	h.inbox.said(t, 49)
	if diff := cmp.Diff(want, h.inbox.texts()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestWhatTheShopWritesOnItsPhoneIsStaffs(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	h.linked(s, shop)
	person := s.Person(ann, "Ann")
	phone := s.Person(shop, "The Shop") // another device of the same number
	phone.Type(ann, "I'll answer that myself")
	person.Read(shop, 0)
	e := h.inbox.said(t, 0)
	if e.Kind != conversation.Staff || e.Text != "I'll answer that myself" || e.Chat != ann || e.Sender != shop {
		t.Errorf("got %+v, want the words of the shop's staff to Ann", e)
	}
	phone.Type(shop, "a note to myself")
	person.Type(shop, "thanks")
	if e := h.inbox.said(t, 1); e.Text != "thanks" {
		t.Errorf("got %+v, want Ann's thanks and no note", e)
	}
}
