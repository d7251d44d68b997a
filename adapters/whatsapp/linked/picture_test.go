//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/conversation"
)

const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// picture is the address of a small PNG.
func picture(t *testing.T) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(dot)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page" {
			_, _ = w.Write([]byte("<html>no picture</html>"))
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAPictureGoesWithItsCaptionAndNeverCostsTheText(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	address := picture(t)
	want, err := base64.StdEncoding.DecodeString(dot)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		image string
		shown bool
	}{{address, true}, {address + "/page", false}, {"http://127.0.0.1:1/none.png", false}, {"ftp://x", false}} {
		if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "a kettle", Image: c.image, Key: c.image}); err != nil {
			t.Fatalf("%s: %v", c.image, err)
		}
		got := person.Read(shop, i)
		if got.Text != "a kettle" || bytes.Equal(got.Image, want) != c.shown {
			t.Errorf("%s: got %+v, want the text, and the picture: %v", c.image, got, c.shown)
		}
	}
}

func TestMediaStandsAsWords(t *testing.T) {
	for _, c := range []struct {
		text, media string
		msg         *waE2E.Message
	}{
		{"look at this", "photo", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("look at\x07 this")}}},
		{"[photo]", "", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{}}},
		{"[voice message]", "", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{PTT: proto.Bool(true)}}},
		{"[audio]", "", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{}}},
		{"[file]", "", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{}}},
		{"[file a b.pdf]", "", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{FileName: proto.String("a\nb.pdf")}}},
		{"page 2", "file a.pdf", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{FileName: proto.String("a.pdf"), Caption: proto.String("page 2")}}},
		{"[location] Philz, 101 Forest Ave, 37.44,-122.16", "", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{
			Name: proto.String("Philz"), Address: proto.String("101\nForest Ave"), DegreesLatitude: proto.Float64(37.44), DegreesLongitude: proto.Float64(-122.16),
		}}},
		{"[location]", "", &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{}}},
		{"[contact] Bob", "", &waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Bob")}}},
		{"see https://shop.example", "", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("see https://shop.example ")}}},
		{"", "", &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{}}},
		{"", "", nil},
	} {
		if text, media := said(c.msg); text != c.text || media != c.media {
			t.Errorf("got %q with %q, want %q with %q", text, media, c.text, c.media)
		}
	}
}

func TestAReactionIsOneAndNoAnswer(t *testing.T) {
	s := wafake.Start(t)
	h := newHouse(t)
	m, _ := h.linked(s, shop)
	person := s.Person(ann, "Ann")
	sent, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "€17 today", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	person.Read(shop, 0)
	react := func(sign string) string {
		return person.Say(shop, "", &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{
			Key: &waCommon.MessageKey{RemoteJID: proto.String(shop + "@s.whatsapp.net"), FromMe: proto.Bool(false), ID: proto.String(sent.ID)}, Text: proto.String(sign),
		}})
	}
	id := react("👍")
	react("") // taken back
	person.Type(shop, "thanks")
	h.inbox.said(t, 1)
	var got []conversation.Event
	for _, e := range h.inbox.stored() {
		if e.Kind == conversation.Reaction {
			got = append(got, e)
		}
	}
	if len(got) != 1 || got[0].Text != "👍" || got[0].Value != sent.ID || got[0].ID != id || got[0].Chat != ann {
		t.Errorf("got %+v, want the one sign under %s", got, sent.ID)
	}
}
