package slack

import (
	"strings"
	"time"

	"parley/adapters"
)

// pace is what Slack says of chat.postMessage: one message a second in a channel, where short bursts are taken. The limit of the
// workspace is not published.
var pace = adapters.Pace{Chat: adapters.Rate{Count: 1, Per: time.Second, Burst: 3}}

var _ adapters.Paced = (*Messenger)(nil)

// PacedAs counts the threads of a channel together.
func (m *Messenger) PacedAs(chat string) (bucket string, group bool) {
	bucket, _, _ = strings.Cut(chat, ":")
	return bucket, false
}
