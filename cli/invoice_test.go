package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/adapters/telegram/telegramtest"
)

const invoices = ", payments_token: \"" + telegramtest.PaymentsToken + "\""

// eachInvoicing runs a test against a shop whose purchases on Telegram are paid there, on each database.
func eachInvoicing(t *testing.T, test func(*telegramShop)) {
	eachDatabase(t, func(t *testing.T, url string) {
		s := openTelegram(t, url, telegramtest.Start(t), invoices, "")
		s.tg.Wait("the bot to ask for updates", func() bool { return len(s.tg.Calls("getUpdates")) > 0 })
		test(s)
	})
}

// invoiced is somebody who has pressed the button of an alert and sees the invoice.
func (s *telegramShop) invoiced(id int64, name, sku string) *telegramtest.Person {
	s.t.Helper()
	p := s.tg.Person(id, name)
	_, link := s.subscribe(sku, "17.50")
	p.OpenLink(link)
	p.WaitFor("Hello Ann")
	s.reprice(sku, 1700)
	p.WaitFor("now costs €17.00")
	p.Press("Buy now, pay €17.00")
	p.WaitFor("Harbour mug\n")
	return p
}

// mugs puts mugs on the shelf, at a price that nobody is told of.
func (s *telegramShop) mugs(n int) { s.t.Helper(); s.product("mug", "Harbour mug", 2000, n, "") }

func (s *telegramShop) order() map[string]any {
	s.t.Helper()
	orders := s.orders()
	if len(orders) != 1 {
		s.t.Fatalf("%d orders, want 1", len(orders))
	}
	return orders[0].(map[string]any)
}

func (s *telegramShop) isOrder(state string) {
	s.t.Helper()
	if got := s.order()["status"]; got != state {
		s.t.Errorf("the order is %s, want %s", got, state)
	}
}

// expires ends the hold of the order, as ten minutes would.
func (s *telegramShop) expires() {
	s.t.Helper()
	s.sql(`UPDATE orders SET hold_expires_ms = 1 WHERE state = 'awaiting_payment'`)
	s.until("the hold to end", func() bool { return value[string](s.shop, `SELECT state FROM orders`) == "expired" })
}

func TestAShopperPaysAnInvoiceInTheChatOnce(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(5)
		ann := s.invoiced(42, "Ann", "mug")
		msg := ann.WaitFor("Harbour mug\n")
		if in := msg.Invoice; in == nil || in.Amount != 1700 || in.Currency != "EUR" || in.Title != "Harbour mug" || msg.Buttons[0].Label != "Buy now, pay €17.00" {
			s.t.Fatalf("got %+v with %+v, want an invoice over €17.00 whose button states the duty to pay", in, msg.Buttons)
		}
		if n := len(s.orders()); n != 0 || s.stock("mug") != 5 {
			s.t.Errorf("%d orders and %d in stock before anybody pays, want 0 and 5", n, s.stock("mug"))
		}
		ann.Press("Buy now, pay €17.00") // impatient: another invoice, for the same
		s.hearsOften(ann, "Harbour mug\n", 2)

		purchase := ann.Pay("Harbour mug")
		purchase.Approved()
		s.isOrder("awaiting_payment")
		if n := s.stock("mug"); n != 4 {
			s.t.Errorf("%d in stock while Ann pays, want 4", n)
		}
		again := ann.Pay("Harbour mug") // her card was refused: she tries another
		again.Approved()
		again.Complete()
		if receipt := ann.WaitFor("Thank you!"); !strings.Contains(receipt.Text, "TEST") {
			s.t.Errorf("the receipt %q does not say that it is a test", receipt.Text)
		}
		s.tg.Redeliver() // the confirmation was lost
		again.Tell()     // and once more under another update id
		if why := ann.Pay("Harbour mug").Refused(); !strings.Contains(why, "bought this already") {
			s.t.Errorf("paying once more: Ann reads %q", why)
		}
		s.tg.WaitConfirmed()
		s.isOrder("paid")
		if n := s.stock("mug"); n != 4 {
			s.t.Errorf("%d in stock, want 4", n)
		}
		s.hearsOften(ann, "Thank you!", 1)
		if got := value[string](s.shop, `SELECT reference FROM orders`); got != again.Charge() {
			s.t.Errorf("the order's reference is %q, want %q", got, again.Charge())
		}
		if n := value[int](s.shop, `SELECT COUNT(*) FROM payments WHERE kind = 'paid'`); n != 1 {
			s.t.Errorf("the ledger says paid %d times", n)
		}
		if n := value[int](s.shop, `SELECT COUNT(*) FROM payment_tasks`); n != 0 {
			s.t.Errorf("%d calls of a payment provider are left behind, want none", n)
		}
		ann.Press("Buy now, pay €17.00") // what is bought is bought: the receipt again
		s.hearsOften(ann, "Thank you!", 2)
		if strings.Contains(s.log.String(), telegramtest.PaymentsToken) {
			s.t.Error("the payments token is in the log")
		}
	})
}

func TestAnInvoiceThatCannotBePaidAnyMoreIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*telegramShop, *telegramtest.Person)
		want   string
	}{
		{"sold out", func(s *telegramShop, _ *telegramtest.Person) {
			s.api("PUT", "/api/v1/products/mug", `{"stock":0}`, http.StatusOK)
		}, "This has sold out meanwhile."},
		{"dearer", func(s *telegramShop, _ *telegramtest.Person) { s.reprice("mug", 1900) }, "The price has changed: it is €19.00 now."},
		{"expired", func(s *telegramShop, _ *telegramtest.Person) { s.sql(`UPDATE quotes SET expires_ms = 1`) }, "This offer has run out."},
		{"in German", func(s *telegramShop, ann *telegramtest.Person) {
			ann.Type("Deutsch")
			ann.WaitFor("auf Deutsch")
			s.reprice("mug", 1900)
		}, "Der Preis hat sich geändert: Jetzt sind es 19,00\u00a0€."},
		{"called off", func(s *telegramShop, ann *telegramtest.Person) {
			ann.Pay("Harbour mug").Approved()
			s.api("POST", "/api/v1/orders/"+s.order()["id"].(string)+"/cancel", "", http.StatusOK)
		}, "This offer is used up."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachInvoicing(t, func(s *telegramShop) {
				s.mugs(5)
				ann := s.invoiced(42, "Ann", "mug")
				tt.change(s, ann)
				before := len(s.orders())
				purchase := ann.Pay("Harbour mug")
				if got := purchase.Refused(); got != tt.want {
					s.t.Errorf("Ann reads %q, want %q", got, tt.want)
				}
				if n := len(s.orders()) - before; n != 0 {
					s.t.Errorf("%d orders came of it, want none", n)
				}
			})
		})
	}
}

func TestNobodyPaysTheInvoiceOfAnotherOrAnotherSum(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(5)
		ann, bob := s.invoiced(42, "Ann", "mug"), s.tg.Person(43, "Bob")
		bob.Meet()
		invoice := *ann.WaitFor("Harbour mug\n").Invoice
		if got := bob.PayInvoice(invoice).Refused(); got != "This offer has run out." {
			s.t.Errorf("Bob reads %q", got)
		}
		cheaper, forged := invoice, invoice
		cheaper.Amount, forged.Payload = 100, "qte_forged"
		ann.PayInvoice(cheaper).Refused()
		ann.PayInvoice(forged).Refused()
		if n := len(s.orders()); n != 0 {
			s.t.Errorf("%d orders, want none", n)
		}
	})
}

func TestAQuestionThatComesTwiceIsAnsweredAndOrdersOnce(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(5)
		ann := s.invoiced(42, "Ann", "mug")
		s.tg.Fail("answerPreCheckoutQuery", telegramtest.Fault{Code: 502, Body: "<html>bad gateway</html>"})
		purchase := ann.Pay("Harbour mug")
		purchase.AskAgain()
		purchase.Approved()
		s.tg.WaitConfirmed()
		s.isOrder("awaiting_payment")
		if n := s.stock("mug"); n != 4 {
			s.t.Errorf("%d in stock, want 4", n)
		}
	})
}

func TestMoneyThatComesLateBuysWhatIsStillThere(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(1)
		ann := s.invoiced(42, "Ann", "mug")
		purchase := ann.Pay("Harbour mug")
		purchase.Approved()
		s.expires()
		purchase.Complete()
		ann.WaitFor("Thank you!")
		s.isOrder("paid")
		if n := s.stock("mug"); n != 0 {
			s.t.Errorf("%d in stock, want 0", n)
		}
	})
}

func TestMoneyThatPaysForNothingGoesBackByHandAndThePersonIsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		state string // of the order in the end
		paid  int    // how often the ledger says so
		come  func(*telegramShop, *telegramtest.Person)
	}{
		{"sold to another meanwhile", "expired", 1, func(s *telegramShop, ann *telegramtest.Person) {
			purchase := ann.Pay("Harbour mug")
			purchase.Approved()
			s.expires()
			s.api("PUT", "/api/v1/products/mug", `{"stock":0}`, http.StatusOK)
			purchase.Complete()
			purchase.Tell()
		}},
		{"called off meanwhile", "cancelled", 1, func(s *telegramShop, ann *telegramtest.Person) {
			purchase := ann.Pay("Harbour mug")
			purchase.Approved()
			s.api("POST", "/api/v1/orders/"+s.order()["id"].(string)+"/cancel", "", http.StatusOK)
			purchase.Complete()
			purchase.Tell()
		}},
		{"paid on two devices", "paid", 2, func(_ *telegramShop, ann *telegramtest.Person) {
			phone, desktop := ann.Pay("Harbour mug"), ann.Pay("Harbour mug")
			phone.Approved()
			desktop.Approved()
			phone.Complete()
			ann.WaitFor("Thank you!")
			desktop.Complete()
			desktop.Tell()
		}},
		{"nobody had asked before", "expired", 1, func(s *telegramShop, ann *telegramtest.Person) {
			s.api("PUT", "/api/v1/products/mug", `{"stock":0}`, http.StatusOK)
			purchase := ann.PayInvoice(*ann.WaitFor("Harbour mug\n").Invoice)
			purchase.Refused()
			purchase.Tell()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachInvoicing(t, func(s *telegramShop) {
				s.mugs(5)
				ann := s.invoiced(42, "Ann", "mug")
				tt.come(s, ann)
				ann.WaitFor("You get it back")
				s.tg.WaitConfirmed()
				s.hearsOften(ann, "You get it back", 1)
				s.isOrder(tt.state)
				if got := value[int](s.shop, `SELECT COUNT(*) FROM payments WHERE kind = 'paid'`); got != tt.paid {
					s.t.Errorf("the ledger says paid %d times, want %d", got, tt.paid)
				}
				if got := value[string](s.shop, `SELECT state FROM payment_tasks WHERE kind = 'refund'`); got != "failed" {
					s.t.Errorf("the refund is %s, want it left to a person", got)
				}
				if got := value[string](s.shop, `SELECT reason FROM conversations WHERE owner = 'waiting'`); !strings.Contains(got, "€17.00 are to be given back") {
					s.t.Errorf("staff read %q", got)
				}
			})
		})
	}
}

func TestAnInvoiceThatTelegramDoesNotTakeIsToldInTheChat(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(5)
		s.tg.Fail("sendInvoice", telegramtest.Fault{Code: 400, Description: "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID"})
		ann := s.customer(42, "Ann", "mug", "17.50")
		s.reprice("mug", 1700)
		ann.WaitFor("now costs €17.00")
		ann.Press("Buy now, pay €17.00")
		ann.WaitFor("did not go through")
		s.log.waitFor(s.t, "CURRENCY_TOTAL_AMOUNT_INVALID")
		if n := len(s.orders()); n != 0 {
			s.t.Errorf("%d orders, want none", n)
		}
	})
}

func TestTheBuyLinkIsPaidInTheShopsOwnWay(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(5)
		ann := s.customer(42, "Ann", "mug", "17.50")
		s.reprice("mug", 1700)
		link := regexp.MustCompile(`/b/[A-Za-z0-9_-]+`).FindString(ann.WaitFor("now costs €17.00").Text)
		s.posts(link, http.StatusOK, "Thank you, it is yours.")
		ann.WaitFor("Thank you!")
		s.isOrder("paid")
		if got := value[string](s.shop, `SELECT provider FROM orders`); got != "test" {
			s.t.Errorf("paid by %q, want the shop's own provider", got)
		}
		if n := len(s.tg.Calls("sendInvoice")); n != 0 {
			s.t.Errorf("%d invoices, want none", n)
		}
	})
}

func TestAShopperWhoCallsOffAPaidInvoiceGetsTheMoneyBackByHand(t *testing.T) {
	t.Parallel()
	eachInvoicing(t, func(s *telegramShop) {
		s.mugs(5)
		ann := s.invoiced(42, "Ann", "mug")
		ann.Pay("Harbour mug").Complete()
		ann.WaitFor("Thank you!")
		ann.Type("cancel my order")
		ann.WaitFor("Shall I cancel order")
		ann.Press("Yes")
		ann.WaitFor("is cancelled")
		s.isOrder("cancelled")
		if n := s.stock("mug"); n != 5 {
			s.t.Errorf("%d in stock, want 5", n)
		}
		if got := value[string](s.shop, `SELECT reason FROM conversations WHERE owner = 'waiting'`); !strings.Contains(got, "€17.00 are to be given back") {
			s.t.Errorf("staff read %q", got)
		}
	})
}

func TestCheckExplainsATokenThatDoesNotFitTheShop(t *testing.T) {
	for _, tt := range []struct{ name, mode, currency, token, want string }{
		{"a test token in a live shop", "live", "EUR", "1:TEST:abc", "takes no money"},
		{"a live token in a test shop", "test", "EUR", "1:LIVE:abc", "takes real money"},
		{"a currency that Telegram lacks", "test", "KWD", "1:TEST:abc", "does not collect in KWD"},
		{"all is well", "test", "EUR", "1:TEST:abc", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "parley.yaml")
			text := fmt.Sprintf("merchants:\n  - name: shop\n    title: Shop\n    currency: %s\n    mode: %s\n    payments: [{name: invoice, provider: manual}]\n"+
				"    accounts:\n      - {name: tg, adapter: telegram, token: \"${T}\", payments_token: \"${P}\"}\n", tt.currency, tt.mode)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c := checker{getenv: func(name string) string { return map[string]string{"T": "1:a", "P": tt.token}[name] }}
			if err := c.config(file); err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, f := range c.found {
				if !f.warning {
					said = append(said, f.line)
				}
			}
			got := strings.Join(said, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) || tt.want != "" && !strings.Contains(got, "parley.yaml:8:") {
				t.Errorf("got %q, want it to say %q in line 8", got, tt.want)
			}
		})
	}
}
