package commerce_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
	"parley/store/storetest"
)

// haggling opens a shop with a mug at €20, floor €14, accepted at once from €18.
func haggling(t *testing.T, policy commerce.Policy) *storetest.Shop {
	t.Helper()
	shop := open(t)
	policy.Currency = "EUR"
	shop.Policy = policy
	shop.Put(commerce.ProductChange{
		SKU: "mug", Title: of("Mug"), Price: of(eur(2000)), Stock: of(5), Floor: of(eur(1400)), AutoAccept: of(eur(1800)),
	})
	return shop
}

func TestOfferIsAnsweredByThePolicy(t *testing.T) {
	ask := commerce.Policy{Offers: commerce.OffersAsk}
	for _, c := range []struct {
		name   string
		policy commerce.Policy
		amount money.Amount
		want   string
		unit   int64 // of the deal
	}{
		{"between: countered", commerce.Policy{}, eur(1500), "countered", 0},
		{"at the floor: countered", commerce.Policy{}, eur(1400), "countered", 0},
		{"below the floor", commerce.Policy{}, eur(1399), "declined", 0},
		{"thirteen", commerce.Policy{}, eur(1300), "declined", 0},
		{"at what is accepted at once", commerce.Policy{}, eur(1800), "accepted", 1800},
		{"between that and the list price", commerce.Policy{}, eur(1900), "accepted", 1900},
		{"at the list price", commerce.Policy{}, eur(2000), "accepted", 2000},
		{"above the list price, which is all they pay", commerce.Policy{}, eur(9900), "accepted", 2000},
		{"nothing at all", commerce.Policy{}, eur(0), "declined", 0},
		{"without a currency", commerce.Policy{}, money.New(1850, ""), "accepted", 1850},
		{"in dollars", commerce.Policy{}, money.New(1850, "USD"), "wrong_currency", 0},
		{"ask: between waits", ask, eur(1500), "asked", 0},
		{"ask: below the floor", ask, eur(1300), "declined", 0},
		{"ask: at what is accepted at once", ask, eur(1800), "accepted", 1800},
		{"off", commerce.Policy{Offers: commerce.OffersOff}, eur(1900), "not_negotiable", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := haggling(t, c.policy)
			contact, _ := shop.Shopper()
			out := shop.Offer(contact, "mug", c.amount, 2)
			if out.Name != c.want || out.Quote.Unit.Minor != c.unit || out.Quote.Total.Minor != 2*c.unit {
				t.Errorf("got %q at %s each, %s together; want %q at %d", out.Name, out.Quote.Unit, out.Quote.Total, c.want, c.unit)
			}
			if c.unit != 0 && (out.Quote.Kind != commerce.DealQuote || !out.Quote.Expires.Equal(shop.Now.Add(24*time.Hour))) {
				t.Errorf("got a %s quote until %s, want a deal for a day", out.Quote.Kind, out.Quote.Expires)
			}
		})
	}
}

func TestOfferNeedsSomethingToSell(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	shop.Stock("firm", 2000, 5)
	contact, _ := shop.Shopper()
	for _, c := range []struct {
		sku      string
		quantity int
		want     string
	}{{"cup", 1, "no_product"}, {"mug", 6, "sold_out"}, {"firm", 1, "not_negotiable"}} {
		if out := shop.Offer(contact, c.sku, eur(1500), c.quantity); out.Name != c.want || out.Offer.ID != "" {
			t.Errorf("%d of %s: got %q, want %q", c.quantity, c.sku, out.Name, c.want)
		}
	}
}

func TestCounterIsBetweenAndYesSellsAtIt(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	contact, _ := shop.Shopper()
	other, _ := shop.Shopper()
	out := shop.Offer(contact, "mug", eur(1500), 2)
	counter := out.Offer.Counter
	if out.Name != "countered" || counter.Minor <= 1500 || counter.Minor >= 2000 || counter.Minor%10 != 0 {
		t.Fatalf("got %q at %s, want a round counter between", out.Name, counter)
	}
	if stolen := shop.Accept(other, out.Offer.ID); stolen.Name != "offer_expired" {
		t.Errorf("somebody else's yes: got %q", stolen.Name)
	}
	deal := shop.Accept(contact, out.Offer.ID)
	if deal.Name != "accepted" || deal.Quote.Unit != counter || deal.Quote.Quantity != 2 {
		t.Fatalf("got %q, %d at %s", deal.Name, deal.Quote.Quantity, deal.Quote.Unit)
	}
	if again := shop.Accept(contact, out.Offer.ID); again.Quote.ID != deal.Quote.ID || !again.Repeat {
		t.Errorf("yes again: got %q, quote %s, want the same deal", again.Name, again.Quote.ID)
	}
	for _, q := range []struct {
		name     string
		contact  int64
		quantity int
		want     int64
	}{{"the shopper", contact, 2, counter.Minor}, {"the shopper, another quantity", contact, 1, 2000}, {"somebody else", other, 2, 2000}} {
		if got := shop.Quote(q.contact, "mug", q.quantity).Quote.Unit.Minor; got != q.want {
			t.Errorf("%s: got %d, want %d", q.name, got, q.want)
		}
	}
	shop.Reprice("mug", 2600) // a deal outlives it
	bought := shop.Checkout(deal.Quote, storetest.Manual)
	if bought.Name != "payment_due" || bought.Order.Items[0].Price != counter {
		t.Errorf("got %q at %s, want %s", bought.Name, bought.Order.Items[0].Price, counter)
	}
	if got := shop.Quote(contact, "mug", 2).Quote.Unit.Minor; got != 2600 {
		t.Errorf("after the purchase: got %d, want the list price", got)
	}
}

func TestDealLapsesAfterADay(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	contact, _ := shop.Shopper()
	deal := shop.Offer(contact, "mug", eur(1800), 1)
	shop.Now = shop.Now.Add(24 * time.Hour)
	if out := shop.Checkout(deal.Quote, storetest.Manual); out.Name != "quote_expired" || out.Price != eur(2000) {
		t.Errorf("got %q at %s, want it lapsed", out.Name, out.Price)
	}
	if got := shop.Quote(contact, "mug", 1).Quote.Unit; got != eur(2000) {
		t.Errorf("got %s, want the list price", got)
	}
}

func TestCounterLapsesAfterTwoDays(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	contact, _ := shop.Shopper()
	out := shop.Offer(contact, "mug", eur(1500), 1)
	shop.Now = shop.Now.Add(48 * time.Hour)
	if late := shop.Accept(contact, out.Offer.ID); late.Name != "offer_expired" {
		t.Errorf("got %q, want offer_expired", late.Name)
	}
}

func TestThreeTriesAndTheLastIsAnnounced(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	contact, _ := shop.Shopper()
	counter := int64(2000)
	for i, c := range []struct {
		cents   int64
		want    string
		lastTry bool
	}{{1410, "countered", false}, {1300, "declined", true}, {1420, "countered", false}, {1450, "tries_used", false}} {
		out := shop.Offer(contact, "mug", eur(c.cents), 1)
		if out.Name != c.want || out.LastTry != c.lastTry {
			t.Errorf("try %d: got %q, last try %v, want %q, %v", i+1, out.Name, out.LastTry, c.want, c.lastTry)
		}
		if out.Name == "countered" {
			if out.Offer.Counter.Minor >= counter {
				t.Errorf("try %d: countered with %s after %d", i+1, out.Offer.Counter, counter)
			}
			counter = out.Offer.Counter.Minor
		}
	}
	// Naming what the shop asks is a yes, not another try.
	if out := shop.Offer(contact, "mug", eur(counter), 1); out.Name != "accepted" || out.Quote.Unit.Minor != counter {
		t.Errorf("the shop's own price: got %q at %s", out.Name, out.Quote.Unit)
	}
	other, _ := shop.Shopper()
	if out := shop.Offer(other, "mug", eur(1500), 1); out.Name != "countered" {
		t.Errorf("another shopper: got %q", out.Name)
	}
}

func TestLaterCounterVoidsTheEarlierOffer(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	contact, _ := shop.Shopper()
	first := shop.Offer(contact, "mug", eur(1410), 1)
	second := shop.Offer(contact, "mug", eur(1420), 1)
	if out := shop.Accept(contact, first.Offer.ID); out.Name != "offer_expired" {
		t.Errorf("the first counter: got %q, want it void", out.Name)
	}
	if out := shop.Accept(contact, second.Offer.ID); out.Name != "accepted" {
		t.Errorf("the second counter: got %q", out.Name)
	}
}

func TestADeclinedTryLeavesTheCounterStanding(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	contact, _ := shop.Shopper()
	first := shop.Offer(contact, "mug", eur(1500), 1)
	shop.Offer(contact, "mug", eur(1000), 1)
	if out := shop.Accept(contact, first.Offer.ID); out.Name != "accepted" || out.Quote.Unit != first.Offer.Counter {
		t.Errorf("got %q at %s, want the counter %s", out.Name, out.Quote.Unit, first.Offer.Counter)
	}
}

func TestOfferOfTheSameCauseIsAnsweredOnce(t *testing.T) {
	for _, cents := range []int64{1300, 1500, 1800} {
		shop := haggling(t, commerce.Policy{})
		contact, _ := shop.Shopper()
		var answers []commerce.Outcome
		for range 3 {
			shop.Do(func(ctx context.Context, tx *store.Tx) error {
				out, err := commerce.MakeOffer(ctx, tx, commerce.OfferCommand{
					Merchant: shop.Merchant, Contact: contact, SKU: "mug", Amount: eur(cents), Cause: "message 1",
				}, shop.Policy, shop.Now)
				answers = append(answers, out)
				return err
			})
		}
		first := answers[0]
		for _, again := range answers[1:] {
			if again.Name != first.Name || again.Offer.ID != first.Offer.ID || again.Quote.ID != first.Quote.ID || !again.Repeat {
				t.Errorf("%d: got %q, %s, %s and then %q, %s, %s", cents, first.Name, first.Offer.ID, first.Quote.ID, again.Name, again.Offer.ID, again.Quote.ID)
			}
		}
	}
}

// staff calls one of the answers of a person.
func staff(shop *storetest.Shop, do func(ctx context.Context, tx *store.Tx, a commerce.StaffAnswer) (commerce.Outcome, error), id commerce.OfferID, cents int64) (out commerce.Outcome, err error) {
	err = shop.Try(func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = do(ctx, tx, commerce.StaffAnswer{Merchant: shop.Merchant, Offer: id, Actor: "stf_1", Price: eur(cents)})
		return err
	})
	return out, err
}

func TestAPersonAnswersWhatThePolicyAsks(t *testing.T) {
	shop := haggling(t, commerce.Policy{Offers: commerce.OffersAsk})
	contact, _ := shop.Shopper()
	accept := func(ctx context.Context, tx *store.Tx, a commerce.StaffAnswer) (commerce.Outcome, error) {
		return commerce.AcceptOffer(ctx, tx, a, shop.Policy, shop.Now)
	}
	decline := func(ctx context.Context, tx *store.Tx, a commerce.StaffAnswer) (commerce.Outcome, error) {
		return commerce.DeclineOffer(ctx, tx, a, shop.Now)
	}
	counter := func(ctx context.Context, tx *store.Tx, a commerce.StaffAnswer) (commerce.Outcome, error) {
		return commerce.CounterOffer(ctx, tx, a, shop.Policy, shop.Now)
	}

	first := shop.Offer(contact, "mug", eur(1500), 1).Offer
	var refused *commerce.Invalid
	for _, cents := range []int64{1499, 2000, 0} {
		if _, err := staff(shop, counter, first.ID, cents); !errors.As(err, &refused) {
			t.Errorf("a counter of %d: got %v, want a refusal", cents, err)
		}
	}
	if out, err := staff(shop, counter, first.ID, 1700); err != nil || out.Name != "countered" || out.Offer.Counter != eur(1700) || out.Offer.Actor != "stf_1" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if _, err := staff(shop, counter, first.ID, 1600); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("twice in a row: got %v, want a conflict", err)
	}
	if out, err := staff(shop, counter, first.ID, 1700); err != nil || !out.Repeat {
		t.Errorf("the same again: got %+v, %v, want a repeat", out.Name, err)
	}

	second := shop.Offer(contact, "mug", eur(1550), 1).Offer
	if _, err := staff(shop, counter, second.ID, 1750); !errors.As(err, &refused) {
		t.Errorf("above the earlier counter: got %v, want a refusal", err)
	}
	if _, err := staff(shop, accept, first.ID, 0); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("a void offer: got %v, want a conflict", err)
	}
	out, err := staff(shop, accept, second.ID, 0)
	if err != nil || out.Name != "accepted" || out.Quote.Unit != eur(1550) || out.Quote.Contact != contact {
		t.Errorf("got %q at %s, %v", out.Name, out.Quote.Unit, err)
	}
	if again, err := staff(shop, accept, second.ID, 0); err != nil || again.Quote.ID != out.Quote.ID || !again.Repeat {
		t.Errorf("accepted again: got %s, %v", again.Quote.ID, err)
	}

	other, _ := shop.Shopper()
	third := shop.Offer(other, "mug", eur(1450), 1).Offer
	if out, err := staff(shop, decline, third.ID, 0); err != nil || out.Name != "declined" {
		t.Errorf("got %q, %v", out.Name, err)
	}
	fourth := shop.Offer(other, "mug", eur(1460), 1).Offer
	shop.Now = shop.Now.Add(48 * time.Hour)
	if _, err := staff(shop, accept, fourth.ID, 0); !errors.Is(err, commerce.ErrConflict) {
		t.Errorf("too late: got %v, want a conflict", err)
	}
}

func TestFirstToAgreeGetsASinglePiece(t *testing.T) {
	shop := haggling(t, commerce.Policy{})
	shop.Restock("mug", 1)
	first, _ := shop.Shopper()
	second, _ := shop.Shopper()
	countered := shop.Offer(second, "mug", eur(1500), 1)
	if out := shop.Offer(first, "mug", eur(1800), 1); out.Name != "accepted" {
		t.Fatalf("got %q", out.Name)
	}
	if out := shop.Accept(second, countered.Offer.ID); out.Name != "sold_out" {
		t.Errorf("the second to agree: got %q, want sold_out", out.Name)
	}
	shop.Now = shop.Now.Add(25 * time.Hour)
	if out := shop.Accept(second, countered.Offer.ID); out.Name != "accepted" {
		t.Errorf("when the first let it lapse: got %q, want accepted", out.Name)
	}
}
