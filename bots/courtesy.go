package bots

import (
	"context"
	"time"
)

// courtesyPause is how long a courtesy waits for its next turn while people write.
const courtesyPause = 5 * time.Second

// courtesy is a chore that nobody waits for. Whoever writes is ahead of it: meanwhile it is done now and then only.
type courtesy struct {
	house *House
	chore func(context.Context) (int, error)
	last  time.Time // when it was done
	waits bool
}

// do does the chore, or leaves it for later.
func (c *courtesy) do(ctx context.Context) (int, error) {
	now := c.house.now()
	c.waits = c.house.inbox.isAsked() && now.Sub(c.last) < courtesyPause && !now.Before(c.last)
	if c.waits {
		return 0, nil
	}
	c.last = now
	return c.chore(ctx)
}

// until is how long the clock may sleep: others say how long, and the courtesy may be sooner.
func (c *courtesy) until(others func(context.Context) time.Duration) func(context.Context) time.Duration {
	return func(ctx context.Context) time.Duration {
		wait := others(ctx)
		if c.waits {
			wait = min(wait, soon)
		}
		return wait
	}
}
