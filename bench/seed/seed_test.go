package seed_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/bench/postgres"
	"parley/bench/seed"
	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

func TestSeededWatchersAreToldAsThoseWhoCame(t *testing.T) {
	const people = 1_000
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			dsn := "sqlite://" + filepath.Join(t.TempDir(), "parley.db")
			if database == "postgres" {
				dsn = onPostgres(t)
			}
			s, err := store.Open(t.Context(), dsn, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			var merchant commerce.MerchantID
			put := func(ctx context.Context, tx *store.Tx, minor int64) error {
				title, price, stock := "Lamp", money.New(minor, "EUR"), 1_000_000
				_, _, err := commerce.PutProduct(ctx, tx, merchant, commerce.ProductChange{SKU: "lamp", Title: &title, Price: &price, Stock: &stock}, commerce.Policy{Currency: "EUR"}, tx.Now())
				return err
			}
			do(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				if merchant, err = tx.SetMerchant(ctx, "bench", "Bench"); err != nil {
					return err
				}
				return put(ctx, tx, 2000)
			})
			crowd := seed.Crowd{Account: "tg", Channel: "telegram", First: 7_000, People: people, SKU: "lamp", Below: 1800}
			if err := seed.People(t.Context(), s, crowd); err != nil {
				t.Fatal(err)
			}
			if err := seed.Repeats(t.Context(), s, 5_000); err != nil {
				t.Fatal(err)
			}
			do(t, s, func(ctx context.Context, tx *store.Tx) error { return put(ctx, tx, 1700) })
			for more := true; more; {
				do(t, s, func(ctx context.Context, tx *store.Tx) error {
					keys, err := tx.ToSpread(ctx, 1)
					if more = len(keys) > 0; err != nil || !more {
						return err
					}
					_, err = tx.SpreadChunk(ctx, keys[0], 300)
					return err
				})
			}
			do(t, s, func(ctx context.Context, tx *store.Tx) error {
				all, err := tx.Fanouts(ctx, merchant, 0, 10)
				if err == nil && (len(all) != 1 || all[0].Total != people) {
					t.Errorf("got %+v, want %d to be told", all, people)
				}
				if err != nil {
					return err
				}
				th, err := tx.ThreadOfChat(ctx, merchant, "tg", "7999")
				if err != nil {
					return err
				}
				may, err := tx.MayAlert(ctx, merchant, th.ContactKey, th.AddressKey)
				if !may {
					t.Error("the last of them may not be told")
				}
				return err
			})
		})
	}
}

func do(t *testing.T, s *store.Store, f func(context.Context, *store.Tx) error) {
	t.Helper()
	if err := s.Tx(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func onPostgres(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} { // the server may run as another user
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	pg, err := postgres.Start(t.Context(), filepath.Join(dir, "pg"))
	if errors.Is(err, postgres.ErrMissing) && !slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), "postgres") {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Stop)
	url, err := pg.Create(t.Context(), "seed")
	if err != nil {
		t.Fatal(err)
	}
	return url
}
