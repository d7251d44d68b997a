package adapters

import "time"

// Pace is how fast a network takes messages, as it publishes that. Its own figure, in a SendError, comes before these.
type Pace struct {
	Account Rate // all that the account sends
	Chat    Rate // to one chat
	Group   Rate // to one chat of several people, beside Chat
}

// Rate is so many messages in a time. The zero Rate limits nothing.
type Rate struct {
	Count int
	Per   time.Duration
	Burst int // how many may leave at once after a silence; 0 means one
}

// Every is the time from one message to the next; 0 where nothing is limited.
func (r Rate) Every() time.Duration {
	if r.Count <= 0 {
		return 0
	}
	return r.Per / time.Duration(r.Count)
}

// Paced is implemented where several chats share one limit, as the threads of a channel do, or where chats of several people have a
// limit of their own (Pace.Group). It does no I/O.
type Paced interface {
	// PacedAs is what a chat is counted as, and whether several people are in it.
	PacedAs(chat string) (bucket string, group bool)
}
