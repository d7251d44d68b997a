package store_test

import (
	"testing"

	"parley/store/storetest"
)

func TestStockAndHoldsAreLinearizable(t *testing.T) { storetest.Each(t, storetest.Linear) }
