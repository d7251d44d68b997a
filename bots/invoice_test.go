package bots

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/commerce/money"
	"parley/conversation"
	"parley/store/storetest"
)

// cashbox is a network that collects money and remembers what it was answered.
type cashbox struct {
	*network

	mu      sync.Mutex
	answers []string // ok, or the refusal
	tried   int
	fail    func() error // nil: the answer arrives
}

func (c *cashbox) Invoicing() adapters.Invoicing {
	return adapters.Invoicing{Setting: "payments_token", Currencies: []money.Currency{"EUR"}, Title: 10, Description: 20}
}

func (c *cashbox) AnswerCheckout(_ context.Context, _, refusal string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried++
	if c.fail != nil {
		if err := c.fail(); err != nil {
			return err
		}
	}
	if refusal == "" {
		refusal = "ok"
	}
	c.answers = append(c.answers, refusal)
	return nil
}

func (c *cashbox) answered() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.answers, ",")
}

// cashBubble is a shop whose purchases are paid on its network.
func cashBubble(t *testing.T, test func(t *testing.T, s *shop, c *cashbox)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &cashbox{}
		s := openShop(t, storetest.SQLite(t), opening{wrap: func(n *network) adapters.Messenger { c.network = n; return c }})
		rests()
		test(t, s, c)
	})
}

// invoiced presses the button of an alert and returns the invoice.
func (s *shop) invoiced(visitor string) conversation.Invoice {
	s.t.Helper()
	s.presses(visitor, s.told(visitor), "Buy now")
	part := s.hearsOnly(visitor, "by this invoice places the order")[0]
	if len(part.Choices) != 1 || part.Choices[0].Invoice == nil {
		s.t.Fatalf("got %+v, want one button that pays", part)
	}
	return *part.Choices[0].Invoice
}

func (s *shop) asksToPay(visitor string, in conversation.Invoice) {
	s.t.Helper()
	s.takes(conversation.Event{Kind: conversation.Checkout, Chat: visitor, Sender: visitor, Value: "q", Payment: &conversation.Payment{Invoice: in.ID, Amount: in.Total}})
}

func (s *shop) pays(visitor string, in conversation.Invoice, reference string) {
	s.t.Helper()
	s.takes(conversation.Event{Kind: conversation.Paid, Chat: visitor, Sender: visitor, ID: "charge:" + reference,
		Payment: &conversation.Payment{Invoice: in.ID, Amount: in.Total, Reference: reference}})
}

func TestAnInvoiceKeepsToWhatTheNetworkTakes(t *testing.T) {
	cashBubble(t, func(t *testing.T, s *shop, c *cashbox) {
		in := s.invoiced("ada")
		if in.Title != "Harbour m…" || in.Description != "1 × Harbour mug" || in.Total != eur(1700) {
			t.Errorf("got %+v", in)
		}
		s.asksToPay("ada", in)
		s.pays("ada", in, "A")
		s.hearsOnly("ada", "Thank you!")
		s.oneOrder(commerce.Paid)
		if got := c.answered(); got != "ok" {
			t.Errorf("answered %q", got)
		}
		if n := len(s.till.asked()); n != 0 {
			t.Errorf("the shop's own provider was asked %d times", n)
		}
	})
}

func TestAnAnswerIsTriedAgainWhileTheNetworkWaitsForIt(t *testing.T) {
	cashBubble(t, func(t *testing.T, s *shop, c *cashbox) {
		in := s.invoiced("ada")
		left := 3
		c.fail = func() error {
			if left--; left >= 0 {
				return refused(adapters.Temporary)
			}
			return nil
		}
		s.asksToPay("ada", in)
		passes(5 * time.Second)
		if got := c.answered(); got != "ok" || c.tried != 4 {
			t.Errorf("answered %q at the attempt %d, want ok at the 4th", got, c.tried)
		}
		c.tried, c.fail = 0, func() error { return refused(adapters.Temporary) }
		s.asksToPay("ada", in)
		passes(time.Minute)
		if c.tried < 10 || c.tried > 20 {
			t.Errorf("tried %d times, want about twice a second until the network has given up", c.tried)
		}
		c.tried, c.fail = 0, func() error { return refused(adapters.Rejected) }
		s.asksToPay("ada", in)
		passes(time.Minute)
		if c.tried != 1 {
			t.Errorf("tried %d times what was refused, want once", c.tried)
		}
		c.tried, c.fail = 0, func() error { panic("a bug") }
		s.asksToPay("ada", in)
		c.fail = nil
		s.asksToPay("ada", in)
		passes(time.Minute)
		if got := c.answered(); !strings.HasSuffix(got, "ok") || c.tried < 2 {
			t.Errorf("answered %q after a panic", got)
		}
		s.oneOrder(commerce.AwaitingPayment)
	})
}

func TestACheckoutThatCannotBeDecidedIsRefusedInTimeAndNotKeptForLater(t *testing.T) {
	cashBubble(t, func(t *testing.T, s *shop, c *cashbox) {
		in := s.invoiced("ada")
		if _, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		s.asksToPay("ada", in)
		if got := c.answered(); !strings.Contains(got, "try again in a minute") {
			t.Errorf("answered %q, want a refusal", got)
		}
		if n := s.count(`SELECT COUNT(*) FROM parked`); n != 0 {
			t.Errorf("%d questions are kept, of which nobody waits for an answer any more", n)
		}
	})
}

func TestMoneyThatFitsNoInvoiceIsKeptForAPerson(t *testing.T) {
	cashBubble(t, func(t *testing.T, s *shop, _ *cashbox) {
		in := s.invoiced("ada")
		in.Total = eur(1)
		s.pays("ada", in, "A")
		in.ID = "qte_other\x00"
		s.pays("ada", in, "B")
		if n := s.count(`SELECT COUNT(*) FROM parked WHERE done_ms = 0`); n != 2 {
			t.Errorf("%d events are kept, want both payments", n)
		}
		s.hearsOnly("ada")
	})
}

func TestMoneyIsWrittenDownWhereTheReceiptCannotBe(t *testing.T) {
	cashBubble(t, func(t *testing.T, s *shop, _ *cashbox) {
		in := s.invoiced("ada")
		s.asksToPay("ada", in)
		if _, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON messages WHEN new.text LIKE 'Thank you%' BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		s.pays("ada", in, "A")
		s.oneOrder(commerce.Paid)
	})
}

func TestAnInvoiceThatWasRefusedIsTold(t *testing.T) {
	cashBubble(t, func(t *testing.T, s *shop, c *cashbox) {
		alert := s.told("ada")
		c.failing(func(p adapters.Part) error {
			if len(p.Choices) == 1 && p.Choices[0].Invoice != nil {
				return refused(adapters.Rejected)
			}
			return nil
		})
		s.presses("ada", alert, "Buy now")
		s.hearsOnly("ada", "did not go through")
		if n := len(s.orders()); n != 0 {
			t.Errorf("%d orders, want none", n)
		}
	})
}
