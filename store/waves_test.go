package store_test

import (
	"testing"
	"time"

	"parley/store"
	"parley/store/storetest"
)

func TestAWaveIsKeptAndShownWhereItGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Policy.Waves, shop.Now = true, time.Now().UTC().Truncate(time.Millisecond)
		shop.Stock("mug", 2000, 5)
		crowd(shop, 40)
		shop.Reprice("mug", 1700)
		shop.Spread()
		if n := shop.Told(); n != 23 {
			t.Errorf("%d were told, want 23", n)
		}
		if f := fanout(shop); f.Sent != 23 || f.Waiting != 17 || f.NextWave.Sub(shop.Now) != 30*time.Minute {
			t.Errorf("%d were told, %d wait, the next wave comes at %s, want it half an hour after %s", f.Sent, f.Waiting, f.NextWave, shop.Now)
		}
		shop.Restock("mug", 6)
		shop.Spread()
		if f := fanout(shop); !f.NextWave.IsZero() {
			t.Errorf("with more stock it waits until %s", f.NextWave)
		}
		if n := shop.Told(); n != 5 {
			t.Errorf("%d were told when one more came, want 5", n)
		}
		shop.Now = shop.Now.Add(30 * time.Minute)
		if n := shop.Told(); n != 12 {
			t.Errorf("%d were told in the next wave, want the rest", n)
		}
	})
}
