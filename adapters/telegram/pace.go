package telegram

import (
	"strings"
	"time"

	"parley/adapters"
)

// pace is what the bots' FAQ says: 30 messages a second over all, one a second in a chat, where short bursts are taken, and 20 a
// minute in a group.
var pace = adapters.Pace{
	Account: adapters.Rate{Count: 30, Per: time.Second, Burst: 5},
	Chat:    adapters.Rate{Count: 1, Per: time.Second, Burst: 5},
	Group:   adapters.Rate{Count: 20, Per: time.Minute, Burst: 5},
}

var _ adapters.Paced = (*Messenger)(nil)

// PacedAs counts the threads of a group together. The ids of groups are negative.
func (m *Messenger) PacedAs(chat string) (bucket string, group bool) {
	bucket, _, _ = strings.Cut(chat, ":")
	return bucket, strings.HasPrefix(bucket, "-")
}
