package discord

import (
	"testing"

	"go.uber.org/goleak"
)

// One goroutine may be left behind for each session that waits for itself for ever; see errStuck. A test brings that about.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/bwmarrin/discordgo.(*Session).CloseWithCode"))
}
