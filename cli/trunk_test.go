package cli

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAShopperIsToldAndBuysOnTheSpot(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		v := s.visit("mug")
		done := v.subscribe(map[string]string{"sku": "mug", "event": "price_below", "price_below.threshold": "17.50"}, http.StatusOK)
		if done["state"] != "armed" {
			t.Fatalf("got %v, want the watch armed at once", done)
		}
		v.open()
		v.hears("Harbour mug")
		s.reprice("mug", 1700)
		told := v.hears("now costs €17.00")
		if len(told.Choices) == 0 || told.Choices[0].Label != "Buy now, pay €17.00" {
			t.Fatalf("choices %+v, want the purchase first, with the duty to pay", told.Choices)
		}
		v.presses(told, "Buy now")
		receipt := v.hears("Thank you!")
		if !strings.Contains(receipt.Text, "TEST") {
			t.Errorf("the receipt %q does not say that it is a test", receipt.Text)
		}
		v.presses(told, "Buy now") // once more
		v.hears("Thank you!")
		if n := len(s.orders()); n != 1 {
			t.Errorf("%d orders, want 1", n)
		}
		if n := s.stock("mug"); n != 4 {
			t.Errorf("%d in stock, want 4", n)
		}
	})
}

// haggler is a shopper who was told of a product and so talks about it.
func haggler(s *shop, sku string) *visitor {
	v := s.visit(sku)
	v.subscribe(map[string]string{"sku": sku, "event": "price_below", "price_below.threshold": "1.00"}, http.StatusOK)
	v.open()
	v.hears("I will write to you")
	return v
}

func TestACounterofferSellsAtThatPriceToThatShopperAlone(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("lamp", "Desk lamp", 2000, 5, negotiable)
		ann, bob := haggler(s, "lamp"), haggler(s, "lamp")
		ann.says("would you take 15?")
		counter := ann.hears("€18.50")
		if tellsFloor(counter.Text) {
			t.Errorf("%q tells the floor", counter.Text)
		}
		ann.says("ok")
		ann.hears("Thank you!")
		orders := s.orders()
		if len(orders) != 1 {
			t.Fatalf("%d orders, want 1", len(orders))
		}
		if total := orders[0].(map[string]any)["total"].(map[string]any)["amount"].(float64); total != 1850 {
			t.Errorf("sold for %v, want the counter of 1850", total)
		}
		bob.says("buy")
		bob.hears("€20.00")
		bob.says("would you take 13?")
		bob.hears("13.00")
		bob.says("would you take 18?")
		deal := bob.hears("Deal!")
		if !strings.Contains(deal.Choices[0].Label, "€18.00") {
			t.Errorf("choices %+v, want to buy for €18.00", deal.Choices)
		}
		if n := len(s.orders()); n != 1 {
			t.Errorf("%d orders before anybody pressed, want 1", n)
		}
	})
}

func TestAnOfferWaitsForTheMerchantUnderThePolicyAskMe(t *testing.T) {
	t.Parallel()
	eachShop(t, "    policy: {offers: {mode: ask}}\n", func(s *shop) {
		s.product("lamp", "Desk lamp", 2000, 5, negotiable)
		ann := haggler(s, "lamp")
		ann.says("would you take 15?")
		ann.hears("€15.00")
		open := s.api("GET", "/api/v1/offers?status=open", "", http.StatusOK)["items"].([]any)
		if len(open) != 1 {
			t.Fatalf("%d offers wait, want 1", len(open))
		}
		id := open[0].(map[string]any)["id"].(string)
		s.api("POST", "/api/v1/offers/"+id+"/counter", `{"price":{"amount":1700,"currency":"EUR"}}`, http.StatusOK)
		countered := ann.hears("€17.00")
		ann.presses(countered, "Buy now, pay €17.00")
		ann.hears("Thank you!")
		if n := s.stock("lamp"); n != 4 {
			t.Errorf("%d in stock, want 4", n)
		}
	})
}

func TestAPersonAnswersAQuestionAndTheBotIsSilentMeanwhile(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("lamp", "Desk lamp", 2000, 5, "")
		ann := haggler(s, "lamp")
		ann.says("I want to talk to a person")
		ann.hears("person")
		list := s.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any)
		id := list[0].(map[string]any)["id"].(string)
		s.api("POST", "/api/v1/conversations/"+id+"/messages", `{"text":"This is Eve. How can I help?"}`, http.StatusCreated)
		if f := ann.hears("This is Eve"); f.From != "staff" {
			t.Errorf("the answer is from %q, want staff", f.From)
		}
		ann.says("buy") // which the bot would take up at once
		ann.says("help")
		s.api("POST", "/api/v1/conversations/"+id+"/return", "", http.StatusOK)
		if f := ann.hears(""); !strings.Contains(f.Text, "bot") {
			t.Errorf("the first thing heard after the return is %q, want the bot to say that it is the bot again", f.Text)
		}
		ann.says("help")
		ann.hears("STOP")
	})
}

func TestMetricsCountWhatWaitsAndNameNobody(t *testing.T) {
	t.Parallel()
	s := openShop(t, testShop("sqlite://"+t.TempDir()+"/parley.db", ""))
	s.product("lamp", "Desk lamp", 2000, 5, "")
	v := haggler(s, "lamp")
	v.says("I want to talk to a person")
	v.hears("person")
	resp, err := http.Get(s.base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "parley_conversations_waiting 1\n") || !strings.Contains(string(page), `parley_account_ready{account="webchat"} 1`) {
		t.Errorf("got\n%s", page)
	}
	if strings.Contains(string(page), v.id) || strings.Contains(string(page), "Ann") {
		t.Errorf("the metrics name a person:\n%s", page)
	}
}
