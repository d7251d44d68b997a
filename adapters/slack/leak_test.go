package slack

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// slacktest waits for ever to write down what was posted on a socket of its own, which it cannot close.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/slack-go/slack/slacktest.(*Server).queueForWebsocket"))
}
