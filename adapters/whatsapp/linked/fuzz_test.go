//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// FuzzSaid holds that whatever a stranger's phone sends is words without control characters, or nothing.
func FuzzSaid(f *testing.F) {
	for _, seed := range []*waE2E.Message{
		{},
		{Conversation: proto.String("hello\x00 there")},
		{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("hello")}},
		{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("this one?")}},
		{DocumentMessage: &waE2E.DocumentMessage{FileName: proto.String("bill\n.pdf")}},
		{LocationMessage: &waE2E.LocationMessage{Name: proto.String("home"), DegreesLatitude: proto.Float64(52.5)}},
		{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Ada")}},
	} {
		text, err := proto.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		var msg waE2E.Message
		if proto.Unmarshal(sent, &msg) != nil {
			return
		}
		text, media := said(&msg)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }) {
			t.Errorf("said %q", text)
		}
		if media != "" && text == "" {
			t.Errorf("%s without words", media)
		}
		if token, ok := startToken(text); ok && (len(token) < 16 || len(token) > 128 || !strings.Contains(text, token)) {
			t.Errorf("the token of %q is %q", text, token)
		}
	})
}
