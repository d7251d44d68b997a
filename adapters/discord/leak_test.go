package discord

import (
	"testing"

	"go.uber.org/goleak"

	"parley/adapters/adaptertest"
)

// One goroutine may be left behind for each session that waits for itself for ever; see errStuck. A test brings that about.
func TestMain(m *testing.M) {
	adaptertest.Together(16) // each bot waits a second for the library when it closes
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/bwmarrin/discordgo.(*Session).CloseWithCode"))
}
