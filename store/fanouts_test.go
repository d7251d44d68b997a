package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"parley/commerce"
	"parley/store"
	"parley/store/storetest"
)

var errCut = errors.New("cut off")

// crowd makes people who watch the mug at €18, and returns their watches by key.
func crowd(shop *storetest.Shop, n int) map[int64]commerce.Watch {
	all := map[int64]commerce.Watch{}
	for range n {
		contact, address := shop.Shopper()
		w, _ := shop.Watch(contact, address, "mug", commerce.PriceBelow, map[string]string{"threshold": "18.00 EUR"})
		all[w.Key] = w
	}
	return all
}

func fanout(shop *storetest.Shop) (f store.Fanout) {
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		all, err := tx.Fanouts(ctx, shop.Merchant, 0, 1)
		if err == nil && len(all) == 0 {
			err = errors.New("there is no fan-out")
		}
		if err == nil {
			f = all[0]
		}
		return err
	})
	return f
}

// spreadSome spreads a chunk of n watches; false when there is nothing to spread.
func spreadSome(ctx context.Context, tx *store.Tx, n int) (more bool, err error) {
	keys, err := tx.ToSpread(ctx, 1)
	if err != nil || len(keys) == 0 {
		return false, err
	}
	_, err = tx.SpreadChunk(ctx, keys[0], n)
	return true, err
}

// eachOnce says which of the watches were not told once.
func eachOnce(t *testing.T, watches map[int64]commerce.Watch, told map[int64]int) {
	t.Helper()
	for key := range watches {
		if told[key] != 1 {
			t.Errorf("watch %d was told %d times, want once", key, told[key])
		}
	}
}

// tellDue tells those who are due and counts them.
func tellDue(shop *storetest.Shop, told map[int64]int) {
	for _, d := range shop.Due() {
		if a := shop.Render(d); a.Dropped == "" && !a.Repeat {
			told[a.Watch.Key]++
		}
	}
}

func TestEveryWatcherIsToldOnceHoweverOftenTheTellingIsCutOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		watches := crowd(shop, 40)
		shop.Reprice("mug", 1700)
		told, random := map[int64]int{}, rand.New(rand.NewPCG(1, 2))
		cut := func() bool { return random.IntN(3) == 0 }
		// each step is undone now and then after all its statements have run, as a crash before the commit would.
		spread := func() (more bool) {
			err := shop.Try(func(ctx context.Context, tx *store.Tx) (err error) {
				if more, err = spreadSome(ctx, tx, 3); err == nil && more && cut() {
					err = errCut
				}
				return err
			})
			if err != nil && !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			return more
		}
		tell := func() (more bool) {
			var who []int64
			err := shop.Try(func(ctx context.Context, tx *store.Tx) error {
				lane, err := tx.Lane(ctx, "chat")
				if err != nil {
					return err
				}
				keys, err := tx.OpenFanouts(ctx, shop.Merchant, 0, 1)
				if err != nil || len(keys) == 0 {
					return err
				}
				b, err := commerce.LoadBatch(ctx, tx, commerce.DueFilter{Merchant: shop.Merchant, Occurrence: keys[0], Lane: lane, At: shop.Now, Limit: 4})
				if err != nil {
					return err
				}
				for len(b.Due) > 0 {
					more = true
					a, err := b.Tell(ctx, tx, b.Due[0].Watch.Key, shop.Policy, shop.Now)
					if err != nil {
						return err
					}
					if a.Dropped == "" && !a.Repeat {
						who = append(who, a.Watch.Key)
					}
				}
				if cut() {
					return errCut
				}
				return nil
			})
			if err != nil && !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			if err == nil {
				for _, key := range who {
					told[key]++
				}
			}
			return more
		}
		for step := 0; ; step++ {
			more := spread()
			if step%3 == 0 {
				more = tell() || more
			}
			if step == 5 { // while it spreads, somebody comes, and the price moves a little
				for key, w := range crowd(shop, 1) {
					watches[key] = w
				}
				shop.Reprice("mug", 1690)
			}
			if !more && step%3 == 0 {
				break
			}
		}
		tellDue(shop, told) // whoever came while it spread is told apart
		eachOnce(t, watches, told)
		if f := fanout(shop); f.Sent+f.Dropped[commerce.DropTold] != f.Total || f.Waiting != 0 {
			t.Errorf("got %+v, which does not add up", f)
		}
	})
}

func TestAPriceThatRisesWhileItIsSpreadDropsTheRest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		crowd(shop, 10)
		shop.Reprice("mug", 1700)
		for range 3 { // the lane begins, and three chunks of two
			shop.Do(func(ctx context.Context, tx *store.Tx) error {
				_, err := spreadSome(ctx, tx, 2)
				return err
			})
		}
		shop.Reprice("mug", 1850) // above what they wish, and no move of 5 %
		if n := shop.Told(); n != 0 {
			t.Errorf("%d told of a price that is gone", n)
		}
		f := fanout(shop)
		if f.Total != 10 || f.Dropped[commerce.DropPrice] != 10 || f.Waiting != 0 {
			t.Errorf("got %+v, want all ten dropped because the price rose", f)
		}
		shop.Reprice("mug", 1700)
		if n := shop.Told(); n != 10 {
			t.Errorf("%d told when the price was met again, want 10", n)
		}
	})
}

func TestWhoWaitsAlreadyIsNotAddedAgainWhenTheSpreadingStartsOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		watches := crowd(shop, 10)
		shop.Reprice("mug", 1700)
		spread := func(n int) (more bool) {
			shop.Do(func(ctx context.Context, tx *store.Tx) (err error) {
				more, err = spreadSome(ctx, tx, n)
				return err
			})
			return more
		}
		for range 2 {
			spread(2)
		}
		shop.Reprice("mug", 1690)
		for spread(3) { // all of the first chunk wait, one of the second, none of the others
		}
		if f := fanout(shop); f.Total != 10 {
			t.Errorf("got %+v, want ten found, each once", f)
		}
		told := map[int64]int{}
		tellDue(shop, told)
		eachOnce(t, watches, told)
	})
}

func TestSeveralNodesThatSpreadAtOnceAddNobodyTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		watches := crowd(shop, 60)
		shop.Reprice("mug", 1700)
		var nodes sync.WaitGroup
		for range 4 {
			nodes.Go(func() {
				for more := true; more; {
					err := shop.Try(func(ctx context.Context, tx *store.Tx) (err error) {
						more, err = spreadSome(ctx, tx, 2)
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		nodes.Wait()
		if f := fanout(shop); f.Total != len(watches) || f.State != "sending" {
			t.Errorf("got %+v, want %d found, each once", f, len(watches))
		}
		if n := shop.Told(); n != len(watches) {
			t.Errorf("%d told, want %d", n, len(watches))
		}
	})
}

func TestWatchesThatAreArmedAgainWhileOthersAreToldAreToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		crowd(shop, 6)
		shop.Reprice("mug", 1700)
		for _, d := range shop.Due()[:3] {
			shop.Render(d)
		}
		shop.Reprice("mug", 2000) // arms the three again
		shop.Reprice("mug", 1700) // before anybody has looked
		if n := shop.Told(); n != 6 {
			t.Errorf("%d told, want all six: three again, three for the first time", n)
		}
		if n := shop.Told(); n != 0 {
			t.Errorf("%d told once more", n)
		}
	})
}

func TestACancelledFanoutTellsNobodyAndTheNextChangeTellsAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		crowd(shop, 7)
		shop.Reprice("mug", 1700)
		shop.Render(shop.Due()[0])
		id := fanout(shop).ID
		shop.Do(func(ctx context.Context, tx *store.Tx) error { return tx.CancelFanout(ctx, shop.Merchant, id) })
		if n := shop.Told(); n != 0 {
			t.Errorf("%d told of what was cancelled", n)
		}
		if f := fanout(shop); f.State != "cancelled" || f.Sent != 1 || f.Dropped[commerce.DropStopped] != 6 || f.Ended.IsZero() {
			t.Errorf("got %+v", f)
		}
		shop.Reprice("mug", 1690)
		if n := shop.Told(); n != 6 {
			t.Errorf("%d told of the next change, want the six who were not told yet", n)
		}
	})
}

func TestAPausedFanoutSpreadsAndTellsNothingUntilItGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 500)
		crowd(shop, 5)
		shop.Reprice("mug", 1700)
		id := fanout(shop).ID
		pause := func(on bool) {
			shop.Do(func(ctx context.Context, tx *store.Tx) error { return tx.PauseFanout(ctx, shop.Merchant, id, on) })
		}
		pause(true)
		if n := shop.Told(); n != 0 || fanout(shop).Total != 0 {
			t.Errorf("%d told, %d found while paused", n, fanout(shop).Total)
		}
		pause(false)
		due := shop.Due()
		pause(true)
		if a := shop.Render(due[0]); !a.Repeat {
			t.Errorf("got %+v while paused, want it left alone", a)
		}
		pause(false)
		if n := shop.Told(); n != 5 {
			t.Errorf("%d told when it went on, want 5", n)
		}
	})
}

func TestAProductWithoutWatchersLeavesNoTrace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 2000, 5)
		contact, address := shop.Shopper()
		shop.Watch(contact, address, "mug", commerce.PriceBelow, map[string]string{"threshold": "10.00 EUR"})
		for _, cents := range []int64{1900, 1800, 2100} {
			if raised := shop.Reprice("mug", cents); len(raised) != 0 {
				t.Errorf("at %d cents: raised %v, though nobody is concerned", cents, raised)
			}
		}
	})
}
