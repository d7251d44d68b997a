package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/conversation/effect"
)

func TestChatHagglesBuysAndAsksWithoutAShop(t *testing.T) {
	files(t, nil)
	typed := strings.Join([]string{"how much is it?", "would you take 15?", "ok", "is it dishwasher safe?", "hello?", "!returned", ""}, "\n")
	got := parley(t, typed, "chat")
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("exit %d, stderr %q", got.code, got.stderr)
	}
	wantIn(t, "the talk", got.stdout, "nothing is stored", "€20.00", "€18.00", "TEST", "(handed to a person of the shop)", "the bot is silent", "1. ")
	if strings.Contains(got.stdout, "€14") {
		t.Error("the talk reveals the floor")
	}
}

func TestChatBeginsInTheFlowItIsGiven(t *testing.T) {
	files(t, nil)
	for _, c := range []struct{ language, price string }{{"en", "€20.00"}, {"de", "20,00\u00a0€"}} {
		got := parley(t, "1\n", "chat", "-flow", "notify", "-language", c.language)
		if got.code != 0 {
			t.Errorf("exit %d, stderr %q", got.code, got.stderr)
		}
		wantIn(t, "the talk", got.stdout, "Sample mug", c.price, "ord_rehearsal")
	}
}

func TestChatTalksToTheFlowsOfAFolderAndRefusesABrokenOne(t *testing.T) {
	files(t, smallBot())
	if got := parley(t, "what?\n", "chat", "-bot", "bot"); got.code != 0 || !strings.Contains(got.stdout, "Hello") || !strings.Contains(got.stdout, "Sorry") {
		t.Errorf("exit %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
	broken := smallBot()
	broken["bot/hello.yaml"] = strings.Replace(broken["bot/hello.yaml"], "start: hi", "start: hello", 1)
	files(t, broken)
	got := parley(t, "", "chat", "-bot", "bot")
	if got.code != 1 {
		t.Errorf("exit %d, want 1", got.code)
	}
	wantIn(t, "stderr", got.stderr, "bot/hello.yaml:3:", "error: ")
}

func TestRehearsalAnswersEveryEffectWithAnOutcomeItDeclares(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	for _, spec := range effect.All {
		shop := newRehearsal(now)
		facts, err := shop.happening("price_below")
		if err != nil {
			t.Fatal(err)
		}
		facts["amount"], facts["sku"] = "15.00 EUR", facts["product.sku"]
		args := map[string]string{}
		for _, a := range spec.Args {
			args[a.Name] = facts[a.Name]
		}
		e, err := spec.New(args)
		if err != nil {
			t.Fatalf("%s: %v", spec.Name, err)
		}
		outcome, vars, err := shop.answer(e)
		if err != nil {
			t.Errorf("%s: %v", spec.Name, err)
		}
		if !slices.Contains(spec.Outcomes, outcome) {
			t.Errorf("%s answers %q, which is none of %q", spec.Name, outcome, spec.Outcomes)
		}
		for name := range vars {
			if !slices.Contains(spec.Sets, name) {
				t.Errorf("%s: outcome %s brings %q, which the effect does not declare", spec.Name, outcome, name)
			}
		}
	}
}

func TestRehearsalSellsAQuoteOnceAndNoMoreThanItHas(t *testing.T) {
	shop := newRehearsal(time.Now)
	_, vars, err := shop.answer(effect.Quote{SKU: shop.sku, Quantity: 3})
	if err != nil {
		t.Fatal(err)
	}
	var orders []string
	for range 2 {
		outcome, paid, err := shop.answer(effect.Checkout{Quote: vars["quote"]})
		if err != nil || outcome != "paid" {
			t.Fatalf("checkout: %s, %v", outcome, err)
		}
		orders = append(orders, paid["order"])
	}
	if orders[0] != orders[1] || shop.stock != 2 {
		t.Errorf("orders %q with %d left, want one order and 2 left", orders, shop.stock)
	}
	if outcome, _, _ := shop.answer(effect.Quote{SKU: shop.sku, Quantity: 3}); outcome != "sold_out" {
		t.Errorf("3 of 2 pieces: %s, want sold_out", outcome)
	}
}
