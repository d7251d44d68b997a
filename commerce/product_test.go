package commerce_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
	"parley/store/storetest"
)

func open(t *testing.T) *storetest.Shop {
	t.Helper()
	return storetest.NewShop(t, storetest.SQLite(t))
}

var eur = storetest.EUR

func of[T any](v T) *T { return &v }

func TestPutProductRefusesWhatCannotBeTradedAndNamesTheField(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 3)
	before := shop.Product("mug")
	for _, c := range []struct {
		name    string
		change  commerce.ProductChange
		field   string
		problem string
	}{
		{"no article number", commerce.ProductChange{}, "sku", "needed"},
		{"a control character in it", commerce.ProductChange{SKU: "mug\x00"}, "sku", "U+0000"},
		{"an article number too long", commerce.ProductChange{SKU: strings.Repeat("m", 65)}, "sku", "at most 64"},
		{"a new product without title", commerce.ProductChange{SKU: "new", Price: of(eur(100))}, "title", "needs a title"},
		{"a new product without price", commerce.ProductChange{SKU: "new", Title: of("New")}, "price", "needs a price"},
		{"an empty title", commerce.ProductChange{SKU: "mug", Title: of(" ")}, "title", "needed"},
		{"a title that is not text", commerce.ProductChange{SKU: "mug", Title: of("\xff")}, "title", "UTF-8"},
		{"a line break in the title", commerce.ProductChange{SKU: "mug", Title: of("a\nb")}, "title", "U+000A"},
		{"a negative price", commerce.ProductChange{SKU: "mug", Price: of(eur(-1))}, "price", "negative"},
		{"a price of nothing", commerce.ProductChange{SKU: "mug", Price: of(eur(0))}, "price", "more than zero"},
		{"a price beyond reckoning", commerce.ProductChange{SKU: "mug", Price: of(eur(1 << 60))}, "price", "too large"},
		{"another currency", commerce.ProductChange{SKU: "mug", Price: of(money.New(2000, "USD"))}, "price", "EUR"},
		{"no currency", commerce.ProductChange{SKU: "mug", Price: of(money.New(2000, ""))}, "price", "no currency"},
		{"a negative stock", commerce.ProductChange{SKU: "mug", Stock: of(-1)}, "stock", "from 0"},
		{"a floor in another currency", commerce.ProductChange{SKU: "mug", Floor: of(money.New(1, "USD"))}, "offers.floor", "EUR"},
		{"a floor at the price", commerce.ProductChange{SKU: "mug", Floor: of(eur(2000))}, "offers.floor", "below the price"},
		{"an acceptance at the price", commerce.ProductChange{SKU: "mug", AutoAccept: of(eur(2000))}, "offers.auto_accept", "below the price"},
		{"a floor at the acceptance", commerce.ProductChange{SKU: "mug", Floor: of(eur(1800)), AutoAccept: of(eur(1800))}, "offers.floor", "accepted at once"},
		{"an address that runs", commerce.ProductChange{SKU: "mug", URL: of("javascript:alert(1)")}, "url", "https://"},
		{"an address of another site in disguise", commerce.ProductChange{SKU: "mug", Image: of("//evil.example/x.png")}, "image", "https://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := shop.Try(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := commerce.PutProduct(ctx, tx, shop.Merchant, c.change, shop.Policy, shop.Now)
				return err
			})
			var refused *commerce.Invalid
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if refused.Field != c.field || !strings.Contains(refused.Problem, c.problem) {
				t.Errorf("got %s: %s, want %s with %q", refused.Field, refused.Problem, c.field, c.problem)
			}
		})
	}
	if diff := cmp.Diff(before, shop.Product("mug")); diff != "" {
		t.Errorf("a refused change changed the product (-before +after):\n%s", diff)
	}
}

func TestPutProductChangesOnlyWhatIsNamed(t *testing.T) {
	shop := open(t)
	shop.Put(commerce.ProductChange{
		SKU: "mug", Title: of("Mug"), Description: of("Two\nlines"), URL: of("https://shop.example/mug"), Image: of("/mug.png"),
		Price: of(eur(2000)), Stock: of(3), Floor: of(eur(1400)), AutoAccept: of(eur(1800)),
	})
	first := shop.Product("mug")
	shop.Reprice("mug", 1900)
	got, want := shop.Product("mug"), first
	want.Price, want.WasPrice, want.Version = eur(1900), eur(2000), 2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	shop.Put(commerce.ProductChange{SKU: "mug", Floor: of(eur(0)), AutoAccept: of(eur(0))})
	if got = shop.Product("mug"); got.Floor != (money.Amount{}) || got.AutoAccept != (money.Amount{}) {
		t.Errorf("got limits %s and %s, want none", got.Floor, got.AutoAccept)
	}
}

func TestPutProductThatChangesNothingLeavesNoTrace(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 3)
	shop.Stock("mug", 2000, 3)
	if got := shop.Product("mug").Version; got != 1 {
		t.Errorf("got version %d, want 1", got)
	}
	if got := kinds(t, shop); !cmp.Equal(got, []string{"product_created"}) {
		t.Errorf("got events %v, want the first alone", got)
	}
}

// kinds lists the events of a shop.
func kinds(t *testing.T, shop *storetest.Shop) (kinds []string) {
	t.Helper()
	shop.Do(func(ctx context.Context, tx *store.Tx) error {
		events, err := tx.Events(ctx, shop.Merchant, 0, 1000)
		for _, e := range events {
			kinds = append(kinds, e.Kind)
		}
		return err
	})
	return kinds
}

func TestStockThatIsPutIsTheFigureAvailable(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	contact, _ := shop.Shopper()
	shop.Checkout(shop.Quote(contact, "mug", 2).Quote, storetest.Manual)
	shop.Restock("mug", 10)
	if p := shop.Product("mug"); p.Available() != 10 || p.OnHand != 12 || p.Held != 2 {
		t.Errorf("got %d on hand, %d held, want 10 available beside the 2 held", p.OnHand, p.Held)
	}
}

func TestAPriceMayFallBelowItsLimits(t *testing.T) {
	shop := open(t)
	shop.Stock("mug", 2000, 5)
	shop.Put(commerce.ProductChange{SKU: "mug", Floor: of(eur(1400)), AutoAccept: of(eur(1800))})
	shop.Reprice("mug", 1300)
	contact, _ := shop.Shopper()
	if out := shop.Offer(contact, "mug", eur(1200), 1); out.Name != "declined" {
		t.Errorf("12 € of 13 €: got %q, want declined", out.Name)
	}
	if out := shop.Offer(contact, "mug", eur(1400), 1); out.Name != "accepted" || out.Quote.Unit != eur(1300) {
		t.Errorf("14 € of 13 €: got %q at %s, want the list price", out.Name, out.Quote.Unit)
	}
}
