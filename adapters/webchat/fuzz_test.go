package webchat

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	for _, frame := range []string{
		`{"type":"message","id":"1","text":"hi"}`, `{"type":"choice","id":"1","value":"v"}`, `{"type":"seen","id":"msg_1"}`, `{"type":"message","id":" ","text":"x"}`,
		`{"type":"message","id":"1","text":"\u0000\ud800"}`, `{"type":7}`, `[]`, ``, "{\"type\":\"message\",\"id\":\"1\",\"text\":\"\xff\"}", `{"type":"message","id":"` + strings.Repeat("x", 65) + `","text":"x"}`,
	} {
		f.Add([]byte(frame))
	}
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, refused := parse(frame, "vis_1", now)
		if (refused != nil) && (refused.Code == "" || refused.Text == "") {
			t.Errorf("%q was refused without a reason: %+v", frame, refused)
		}
		if refused == nil && (e.Chat != "vis_1" || e.Sender != "vis_1" || !isID(strings.TrimPrefix(e.ID, "seen:")) || !utf8.ValidString(e.Text) || strings.ContainsRune(e.Text, 0) || utf8.RuneCountInString(e.Text) > maxText || len(e.Value) > maxValue) {
			t.Errorf("%q was taken as %+v", frame, e)
		}
		if id := idOf(frame); id != "" && !isID(id) {
			t.Errorf("%q has the id %q", frame, id)
		}
	})
}
