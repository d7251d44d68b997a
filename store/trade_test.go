package store_test

import (
	"testing"

	"parley/store/storetest"
)

func TestTradeKeepsItsPromisesOnEveryDatabase(t *testing.T) { storetest.Each(t, storetest.Trade) }
