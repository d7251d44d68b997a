package cli

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/adapters/telegram/telegramtest"
)

// negotiable are the limits of an item of €20.00: nothing below €14.00, €18.00 at once.
const negotiable = `,"offers":{"floor":{"amount":1400,"currency":"EUR"},"auto_accept":{"amount":1800,"currency":"EUR"}}`

// tellsFloor says that a text names the floor, and not a day or an hour of that number.
func tellsFloor(text string) bool {
	return strings.Contains(text, "€14") || strings.Contains(text, "14 €") || strings.Contains(text, "14.00")
}

func TestACounterofferOnTelegramSellsAtThatPriceToThatShopperAlone(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("lamp", "Desk lamp", 2000, 5, negotiable)
		ann, bob := s.customer(42, "Ann", "lamp", "1.00"), s.customer(43, "Bob", "lamp", "1.00")
		ann.Type("would you take 15?")
		counter := ann.WaitFor("€15.00 is not quite enough")
		if !strings.Contains(counter.Text, "€18.50") || tellsFloor(counter.Text) {
			s.t.Errorf("countered by %q, want €18.50 and not a word of the floor", counter.Text)
		}
		ann.Type("ok")
		if receipt := ann.WaitFor("Thank you!"); !strings.Contains(receipt.Text, "Paid: €18.50") {
			s.t.Errorf("the receipt %q is not for €18.50", receipt.Text)
		}
		s.soldFor("lamp", 1850)

		bob.Type("buy")
		bob.WaitFor("1 × Desk lamp, €20.00 in all")
		bob.Type("no")
		bob.WaitFor("nothing is ordered")
		bob.Type("would you take 13?")
		refused := bob.WaitFor("cannot go for €13.00")
		if tellsFloor(refused.Text) || slices.ContainsFunc(refused.Buttons, func(b telegramtest.Button) bool { return strings.Contains(b.Label, "13") }) {
			s.t.Errorf("declined by %+v, want neither the floor nor a way to buy at that price", refused)
		}
		bob.Type("ok") // to nothing
		bob.WaitFor("What would you pay for one?")
		s.soldFor("lamp", 1850)
		if n := s.stock("lamp"); n != 4 {
			s.t.Errorf("%d in stock, want 4", n)
		}
	})
}

func TestAnOfferOnTelegramAboveTheLimitIsADealAtOnce(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("lamp", "Desk lamp", 2000, 5, negotiable)
		ann := s.customer(42, "Ann", "lamp", "1.00")
		ann.Type("would you take 18?")
		ann.WaitFor("Deal!")
		ann.Press("Buy now, pay €18.00")
		ann.WaitFor("Thank you!")
		s.soldFor("lamp", 1800)
	})
}

func TestAnotherShopperCannotPressTheButtonOfACounteroffer(t *testing.T) {
	t.Parallel()
	eachWebhook(t, "", func(s *telegramShop) {
		s.product("lamp", "Desk lamp", 2000, 5, negotiable)
		ann, bob := s.customer(42, "Ann", "lamp", "1.00"), s.customer(43, "Bob", "lamp", "1.00")
		ann.Type("would you take 15?")
		counter := ann.WaitFor("not quite enough")
		// Bob's client is not Telegram's own, and he has seen the value of Ann's button.
		press := `{"update_id":9001,"callback_query":{"id":"1","from":{"id":43,"first_name":"Bob"},"chat_instance":"1","data":"` + counter.Buttons[0].Data + `"}}`
		if status, answer := s.post("/hooks/telegram", webhookSecret, press); status != http.StatusOK {
			s.t.Fatalf("the forged press: %d %s", status, answer)
		}
		bob.WaitFor("I did not get that")
		if n := len(s.orders()); n != 0 {
			s.t.Errorf("%d orders, want none", n)
		}
		ann.Press(counter.Buttons[0].Label)
		ann.WaitFor("Thank you!")
		s.soldFor("lamp", 1850)
	})
}

func TestAnOfferOnTelegramWaitsForTheMerchantUnderThePolicyAskMe(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "    policy: {offers: {mode: ask}}\n", func(s *telegramShop) {
		s.product("lamp", "Desk lamp", 2000, 5, negotiable)
		ann, bob := s.customer(42, "Ann", "lamp", "1.00"), s.customer(43, "Bob", "lamp", "1.00")
		ann.Type("would you take 15?")
		ann.WaitFor("I have put €15.00 for Desk lamp to the shop")
		open := s.api("GET", "/api/v1/offers?status=open", "", http.StatusOK)["items"].([]any)
		if len(open) != 1 {
			s.t.Fatalf("%d offers wait, want 1", len(open))
		}
		id := open[0].(map[string]any)["id"].(string)
		if inbox := s.staffPage("/inbox"); !strings.Contains(inbox, "€15.00") {
			s.t.Error("the offer does not stand in /inbox")
		}
		accepted := s.api("POST", "/api/v1/offers/"+id+"/accept", "", http.StatusOK)
		if accepted["status"] != "accepted" {
			s.t.Errorf("got %v, want it accepted", accepted)
		}
		deal := ann.WaitFor("Deal!")
		if len(deal.Buttons) == 0 || deal.Buttons[0].Label != "Buy now, pay €15.00" {
			s.t.Fatalf("buttons %+v, want to buy for €15.00 first", deal.Buttons)
		}
		s.api("POST", "/api/v1/offers/"+id+"/accept", "", http.StatusOK) // once more tells nobody again
		ann.Press("Buy now, pay €15.00")
		ann.WaitFor("Thank you!")
		s.hearsOften(ann, "Deal!", 1)
		s.soldFor("lamp", 1500)
		if left := s.api("GET", "/api/v1/offers?status=open", "", http.StatusOK)["items"].([]any); len(left) != 0 {
			s.t.Errorf("%d offers still wait", len(left))
		}
		bob.Type("buy")
		bob.WaitFor("€20.00 in all")
	})
}

// soldFor says that there is one order, of one piece at that price.
func (s *shop) soldFor(sku string, cents float64) {
	s.t.Helper()
	orders := s.orders()
	if len(orders) != 1 {
		s.t.Fatalf("%d orders, want 1", len(orders))
	}
	order := orders[0].(map[string]any)
	item := order["items"].([]any)[0].(map[string]any)
	if total := order["total"].(map[string]any)["amount"]; total != cents || item["sku"] != sku || item["quantity"] != 1.0 {
		s.t.Errorf("sold %v for %v, want one %s for %v", item, total, sku, cents)
	}
}
