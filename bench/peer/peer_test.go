package peer

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestSessionsGoThroughFiveStepsAndCountForEachChat(t *testing.T) {
	s, err := openSessions(t.Context(), filepath.Join(t.TempDir(), "peer.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.db.Close() }()
	say := func(chat int64) string {
		t.Helper()
		text, err := s.turn(t.Context(), chat)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for range 5 {
		say(7)
	}
	if got := say(7); !strings.HasPrefix(got, "This is step 1 of 5, and your message number 6. ") {
		t.Errorf("the sixth message is answered %q", got)
	}
	if got := say(8); !strings.HasPrefix(got, "This is step 1 of 5, and your message number 1. ") {
		t.Errorf("the first of another chat is answered %q", got)
	}
}
