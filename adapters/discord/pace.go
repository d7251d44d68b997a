package discord

import (
	"time"

	"parley/adapters"
)

// pace is Discord's: 50 calls a second over all, and of messages five in five seconds in a channel.
var pace = adapters.Pace{
	Account: adapters.Rate{Count: 50, Per: time.Second, Burst: 10},
	Chat:    adapters.Rate{Count: 5, Per: 5 * time.Second, Burst: 5},
}

var _ adapters.Paced = (*Messenger)(nil)

// PacedAs counts the conversations of a channel together; a thread is a channel of its own.
func (m *Messenger) PacedAs(text string) (bucket string, group bool) {
	c, err := parseChat(text)
	if err != nil {
		return text, false
	}
	return c.target(), false
}
