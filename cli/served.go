package cli

import (
	"context"
	"sync"
	"time"

	"parley/store"
)

// Between servers and commands that must not disturb one: a server says every so often which accounts it is at work on, and takes
// that back when it stops. One that crashed is taken for gone after a while.
const (
	servedEvery = 15 * time.Second
	servedFor   = 45 * time.Second
)

// tellServed says that this server is at work on its accounts, until the result is called or ctx ends.
func (in *installation) tellServed(ctx context.Context) (end func()) {
	tell := func(ctx context.Context, ended bool) {
		err := in.store.Tx(ctx, func(tx *store.Tx) error { return tx.Serve(ctx, in.plan.Load().names(), ended) })
		if err != nil && ctx.Err() == nil {
			in.log.ErrorContext(ctx, "it is not noted which accounts are served", "err", err)
		}
	}
	tell(ctx, false)
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		tick := time.NewTicker(servedEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				tell(ctx, false)
			}
		}
	})
	return func() {
		cancel()
		telling.Wait()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		tell(last, true)
	}
}
