package bots

import (
	"testing"
	"time"

	"parley/adapters"
)

func TestAfterAPauseForEverANetworkIsAskedAgainWithinTheHour(t *testing.T) {
	for name, pause := range map[string]time.Duration{"31 years": 31 * 365 * 24 * time.Hour, "a figure that ran over": -1 << 62, "no time": 0} {
		for _, perChat := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				bubble(t, opening{}, func(t *testing.T, s *shop) {
					s.net.failing(func(adapters.Part) error {
						return &adapters.SendError{Consequence: adapters.Throttled, RetryAfter: pause, PerChat: perChat, Reason: "too many"}
					})
					s.says("ada", "help")
					passes(time.Minute)
					if n := len(s.net.tries()); n == 0 || n > 700 {
						t.Fatalf("%d tries in a minute", n)
					}
					s.net.failing(nil)
					passes(adapters.LongestPause)
					if len(s.hears("ada")) == 0 {
						t.Error("the answer has not left")
					}
				})
			})
		}
	}
}
