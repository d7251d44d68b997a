//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
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
		want string
		msg  *waE2E.Message
	}{
		{"[photo] look at this", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("look at\x07 this")}}},
		{"[photo]", &waE2E.Message{ImageMessage: &waE2E.ImageMessage{}}},
		{"[voice message]", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{PTT: proto.Bool(true)}}},
		{"[audio]", &waE2E.Message{AudioMessage: &waE2E.AudioMessage{}}},
		{"[file]", &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{}}},
		{"[location]", &waE2E.Message{LocationMessage: &waE2E.LocationMessage{}}},
		{"see https://shop.example", &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("see https://shop.example ")}}},
		{"", &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Text: proto.String("👍")}}},
		{"", nil},
	} {
		if got := said(c.msg); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
