//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/conversation"
)

func TestTalksWithAClientWeDidNotWrite(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, stop := h.linked(s, shop)
	peer := s.Peer(ann, "Ann")

	peer.Type(shop, "Größe, 价格, 👩‍👩‍👧 *x*")
	e := h.inbox.said(t, 0)
	if e.Kind != conversation.Text || e.Text != "Größe, 价格, 👩‍👩‍👧 *x*" || e.Chat != ann || e.SenderName != "Ann" {
		t.Errorf("got %+v, want Ann's words", e)
	}
	ours := peer.Wait("to send", func(h wafake.Heard) bool { return h.Type == "sent" })
	if e.ID != ours.ID {
		t.Errorf("got the id %s, want %s", e.ID, ours.ID)
	}
	sent, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "1) Buy now\n2) Ask 👍", Key: "msg_1"})
	if err != nil {
		t.Fatal(err)
	}
	msg := peer.Wait("to receive", func(h wafake.Heard) bool { return h.Type == "message" })
	if msg.Text != "1) Buy now\n2) Ask 👍" || msg.ID != sent.ID {
		t.Errorf("Baileys got %+v, want the text under the id %s", msg, sent.ID)
	}
	peer.Seen(msg)
	h.inbox.await(t, "that it was read", func(events []conversation.Event) bool {
		return slices.ContainsFunc(events, func(e conversation.Event) bool {
			return e.Kind == conversation.Receipt && e.Name == "read" && e.Value == sent.ID && e.Chat == ann
		})
	})
	if err := m.Typing(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	peer.Wait("to see typing", func(h wafake.Heard) bool { return h.Type == "presence" && h.Text == "composing" })
	if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "a kettle", Image: picture(t), Key: "msg_2"}); err != nil {
		t.Fatal(err)
	}
	peer.Wait("to receive a picture", func(h wafake.Heard) bool {
		return h.Type == "message" && h.Text == "a kettle" && h.Image == "image/png"
	})

	// A message that we could not store, then a process that ends: the next one has it, once and in its place.
	h.inbox.set(-1, 0)
	offered := h.inbox.offered()
	peer.Type(shop, "must survive")
	h.inbox.await(t, "the hand-over", func([]conversation.Event) bool { return h.inbox.offered() > offered })
	stop()
	h.inbox.set(0, 0)
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("n", i))
		peer.Type(shop, want[i])
	}
	h.start(h.messenger(s))
	h.inbox.said(t, 11)
	if diff := cmp.Diff(append([]string{"Größe, 价格, 👩‍👩‍👧 *x*", "must survive"}, want...), h.inbox.texts()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	s.Wait("all to be confirmed", func() bool { return s.Pending(shop) == 0 })
}
