package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"parley/commerce"
	"parley/commerce/payment"
	"parley/store"
)

// stockOp is what somebody does to the stock of one product, and stockAnswer what they were told.
type stockOp struct {
	kind     string // take, free, sell, look
	quantity int
}

type stockAnswer struct {
	taken        bool // take: an order was placed
	onHand, held int  // look
}

// stock is what a product's counters may be, with the orders that hold some of it.
type stock struct {
	onHand, held int
}

// stockModel says what a history of one product's stock may look like when each deed happens at one instant.
var stockModel = porcupine.Model{
	Init: func() any { return stock{onHand: shelf} },
	Step: func(state, input, output any) (bool, any) {
		s, op, out := state.(stock), input.(stockOp), output.(stockAnswer)
		enough := s.onHand-s.held >= op.quantity
		switch op.kind {
		case "take":
			if out.taken {
				s.held += op.quantity
			}
			return out.taken == enough, s
		case "free":
			s.held -= op.quantity
			return true, s
		case "sell":
			s.held -= op.quantity
			s.onHand -= op.quantity
			return true, s
		}
		return out.onHand == s.onHand && out.held == s.held, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v %+v", input, output) },
}

// shelf is how many pieces a history begins with.
const shelf = 12

// Linear checks that the stock and the holds of a product look to shoppers who come all at once as if they had come one after the
// other: histories of purchases, payments, cancellations and looks are judged by porcupine.
func Linear(t *testing.T, open func(t *testing.T) *store.Store) {
	s := NewShop(t, open(t))
	const histories, shoppers, deeds = 12, 6, 12
	for n := range histories {
		sku := fmt.Sprint("mug-", n)
		s.Stock(sku, 2000, shelf)
		history := record(t, s, sku, uint64(n), shoppers, deeds)
		result, info := porcupine.CheckOperationsVerbose(stockModel, history, time.Minute)
		if result != porcupine.Ok {
			t.Errorf("history %d of %d deeds is %s, want it linearizable: %+v", n, len(history), result, info.PartialLinearizations())
		}
		p := s.Product(sku)
		if p.Held < 0 || p.OnHand < p.Held {
			t.Errorf("%d are on hand and %d held", p.OnHand, p.Held)
		}
		counted(t, s, p, p.OnHand, p.Held)
	}
}

// record has shoppers trade side by side and notes when each deed began and ended.
func record(t *testing.T, s *Shop, sku string, seed uint64, shoppers, deeds int) []porcupine.Operation {
	t.Helper()
	contacts := make([]int64, shoppers)
	for i := range contacts {
		contacts[i], _ = s.Shopper()
	}
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	var all sync.WaitGroup
	for client := range shoppers {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(seed, uint64(client)))
			var orders []commerce.Order
			note := func(op stockOp, call time.Duration, out stockAnswer) {
				mu.Lock()
				defer mu.Unlock()
				history = append(history, porcupine.Operation{ClientId: client, Input: op, Call: int64(call), Output: out, Return: int64(time.Since(began))})
			}
			for range deeds {
				call := time.Since(began)
				op, out, err := s.deed(chance, contacts[client], sku, &orders)
				if err != nil {
					t.Error(err)
					return
				}
				note(op, call, out)
			}
		})
	}
	all.Wait()
	return history
}

// deed does something at random and says what came of it.
func (s *Shop) deed(chance *rand.Rand, contact int64, sku string, orders *[]commerce.Order) (op stockOp, out stockAnswer, err error) {
	end := func(kind string, f func(ctx context.Context, tx *store.Tx, o commerce.Order) error) error {
		last := len(*orders) - 1
		o := (*orders)[last]
		*orders = (*orders)[:last]
		op = stockOp{kind: kind, quantity: o.Items[0].Quantity}
		return s.Try(func(ctx context.Context, tx *store.Tx) error { return f(ctx, tx, o) })
	}
	switch n := chance.IntN(10); {
	case n < 2 && len(*orders) > 0:
		err = end("free", func(ctx context.Context, tx *store.Tx, o commerce.Order) error {
			_, err := commerce.CancelOrder(ctx, tx, commerce.CancelCommand{Merchant: s.Merchant, Order: o.ID, Contact: contact}, s.Policy, s.Now)
			return err
		})
	case n < 4 && len(*orders) > 0:
		err = end("sell", func(ctx context.Context, tx *store.Tx, o commerce.Order) error {
			result := payment.Result{State: payment.Paid, Reference: "ref"}
			_, err := commerce.SettlePayment(ctx, tx, s.Merchant, o.ID, result, s.Now)
			return err
		})
	case n < 5:
		op = stockOp{kind: "look"}
		err = s.Try(func(ctx context.Context, tx *store.Tx) error {
			p, err := tx.Product(ctx, s.Merchant, sku)
			out = stockAnswer{onHand: p.OnHand, held: p.Held}
			return err
		})
	default:
		op = stockOp{kind: "take", quantity: 1 + chance.IntN(3)}
		var o commerce.Outcome
		err = s.Try(func(ctx context.Context, tx *store.Tx) (err error) {
			if o, err = commerce.MakeQuote(ctx, tx, commerce.QuoteCommand{Merchant: s.Merchant, Contact: contact, SKU: sku, Quantity: op.quantity}, s.Policy, s.Now); err != nil || o.Name == "sold_out" {
				return err
			}
			o, err = commerce.Checkout(ctx, tx, commerce.CheckoutCommand{Merchant: s.Merchant, Quote: o.Quote.ID, Contact: contact, Provider: Online, Cause: "test"}, s.Policy, s.Now)
			return err
		})
		switch {
		case err != nil:
		case o.Order.ID != "" && o.Name != "sold_out":
			out.taken = true
			*orders = append(*orders, o.Order)
		case o.Name != "sold_out":
			err = errors.New("a purchase came to " + o.Name)
		}
	}
	return op, out, err
}
