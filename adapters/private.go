package adapters

// Private is implemented where people write to the bot in front of others as well, and a private chat has an id that is not the
// person's: what somebody asked to be told is said in the private one.
type Private interface {
	// IsPrivate says that only one person and the bot are in the chat. It does no I/O.
	IsPrivate(chat string) bool
}
