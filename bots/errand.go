package bots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parley/adapters"
)

// errand is a short call to a network that a commit leaves behind and that is worth something for a moment only: a question is
// answered, a sign put on a message. It is kept nowhere else: should the process end, nothing is owed.
type errand struct {
	what    string // for the log
	account *account
	until   time.Time // when it is worth nothing any more; the zero time: after one try
	do      func(context.Context) error
}

const (
	errandTime  = 5 * time.Second // for one try
	errandPause = 500 * time.Millisecond
	errandsHeld = 1024
	runners     = 8 // errands at once
)

// runs has an errand run. It does not wait.
func (h *House) runs(e errand) {
	select {
	case h.errands <- e:
	default:
		h.log.Warn("too much to do at once", "errand", e.what, "account", e.account.Name)
	}
}

// runErrands runs errands until ctx ends, and then those that wait already.
func (h *House) runErrands(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for range runners {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					for {
						select {
						case e := <-h.errands:
							h.run(ctx, e)
						default:
							return
						}
					}
				case e := <-h.errands:
					h.run(ctx, e)
				}
			}
		})
	}
}

// run tries an errand until it is done, refused or worth nothing any more.
func (h *House) run(ctx context.Context, e errand) {
	for {
		err := e.try(ctx)
		if err == nil {
			return
		}
		var refused *adapters.SendError
		lasting := errors.As(err, &refused) && refused.Consequence != adapters.Temporary && refused.Consequence != adapters.Unknown && refused.Consequence != adapters.Throttled
		if lasting || !h.now().Add(errandPause).Before(e.until) || wait(ctx, errandPause) != nil {
			level := slog.LevelWarn
			if e.until.IsZero() { // a courtesy
				level = slog.LevelDebug
			}
			h.log.Log(ctx, level, "not done", "errand", e.what, "account", e.account.Name, "err", err)
			return
		}
	}
}

// try makes a panic of an adapter an error.
func (e errand) try(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the adapter: %v", p)
		}
	}()
	ctx, cancel := inHand(ctx, errandTime)
	defer cancel()
	return e.do(ctx)
}
