package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// button is a message that shows one, to be pressed in a conversation.
type button struct {
	chat    string
	message string
	quote   commerce.Quote
}

// buttons sends n people a message with a button that buys a product.
func buttons(t *testing.T, shop *storetest.Shop, n int) []button {
	t.Helper()
	p := shop.Product("mug")
	all := make([]button, n)
	var turns []store.Turn
	for i := range all {
		b := &all[i]
		b.chat = fmt.Sprint("chat", i)
		turns = append(turns, store.Turn{Merchant: shop.Merchant, Channel: "webchat",
			Event: conversation.Event{Account: "chat", Chat: b.chat, Sender: b.chat, ID: "first"},
			Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error {
				b.quote = commerce.Quote{Merchant: shop.Merchant, Product: p.Key, Contact: th.ContactKey, Conversation: th.Key, Quantity: 1,
					Unit: p.Price, Total: p.Price, Kind: commerce.ListQuote, Created: tx.Now(), Expires: tx.Now().Add(time.Hour)}
				if err := tx.AddQuote(ctx, &b.quote); err != nil {
					return err
				}
				b.message = tx.NewID("msg")
				_, err := tx.AddMessage(ctx, th, store.Message{ID: b.message, Author: store.FromBot, Kind: "reply",
					Choices: []conversation.Option{{ID: "buy", Label: "Buy " + b.chat}},
					Context: &conversation.Context{State: "told", Vars: conversation.Vars{"quote": string(b.quote.ID)}}}, "")
				return err
			}})
	}
	mustApply(t, shop.Store, turns)
	return all
}

func mustApply(t *testing.T, s *store.Store, turns []store.Turn) {
	t.Helper()
	out, err := s.ApplyTurns(t.Context(), turns)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		if o.Cause != nil {
			t.Errorf("a turn failed: %v", o.Cause)
		}
	}
}

// presses are turns in which each presses their button.
func presses(shop *storetest.Shop, all []button, apply func(context.Context, *store.Tx, *store.Thread, button) error) []store.Turn {
	turns := make([]store.Turn, len(all))
	for i, b := range all {
		turns[i] = store.Turn{Merchant: shop.Merchant, Channel: "webchat", Shown: b.message,
			Event: conversation.Event{Account: "chat", Chat: b.chat, Sender: b.chat, ID: "press"},
			Apply: func(ctx context.Context, tx *store.Tx, th *store.Thread) error { return apply(ctx, tx, th, b) }}
	}
	return turns
}

func TestTurnsOfAGroupSeeTheButtonsTheyPress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 1000, 5)
		all := buttons(t, shop, 150)
		mustApply(t, shop.Store, presses(shop, all, func(ctx context.Context, tx *store.Tx, th *store.Thread, b button) error {
			choices, place, err := tx.Choices(ctx, th.Merchant, th.Key, b.message)
			if err != nil {
				return err
			}
			if len(choices) != 1 || choices[0].Label != "Buy "+b.chat || place.State != "told" {
				return fmt.Errorf("%s shows %v, which leads to %+v", b.message, choices, place)
			}
			q, err := tx.Quote(ctx, th.Merchant, b.quote.ID)
			if err != nil {
				return err
			}
			if q != b.quote {
				return fmt.Errorf("quote %+v, not %+v", q, b.quote)
			}
			for _, wrong := range []struct {
				merchant commerce.MerchantID
				thread   int64
				id       string
			}{{th.Merchant, th.Key + 1, b.message}, {th.Merchant + 1, th.Key, b.message}, {th.Merchant, th.Key, "msg_unknown"}} {
				if _, _, err := tx.Choices(ctx, wrong.merchant, wrong.thread, wrong.id); !errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("the choices of %+v: %w", wrong, err)
				}
			}
			if _, err := tx.Quote(ctx, th.Merchant+1, b.quote.ID); !errors.Is(err, commerce.ErrNotFound) {
				return fmt.Errorf("another merchant's quote: %w", err)
			}
			return nil
		}))
	})
}

func TestAButtonMayBePressedInTheGroupThatShowsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 1000, 5)
		old := buttons(t, shop, 1)[0]
		mustApply(t, shop.Store, presses(shop, []button{old}, func(ctx context.Context, tx *store.Tx, th *store.Thread, b button) error {
			if _, _, err := tx.Choices(ctx, th.Merchant, th.Key, b.message); err != nil {
				return err
			}
			id := tx.NewID("msg")
			_, err := tx.AddMessage(ctx, th, store.Message{ID: id, Author: store.FromBot, Kind: "reply", Choices: []conversation.Option{{ID: "more"}}}, "")
			if err != nil {
				return err
			}
			choices, _, err := tx.Choices(ctx, th.Merchant, th.Key, id)
			if err == nil && (len(choices) != 1 || choices[0].ID != "more") {
				err = fmt.Errorf("choices %v", choices)
			}
			return err
		}))
	})
}

func TestAGroupSellsNoMoreThanThereIsAndEachQuoteOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		const stock, crowd = 5, 40
		shop := storetest.NewShop(t, open(t))
		shop.Stock("mug", 1000, stock)
		all := buttons(t, shop, crowd)
		sold, soldOut, repeats := 0, 0, 0
		var broken error = errors.New("a bug")
		turns := presses(shop, all, func(ctx context.Context, tx *store.Tx, th *store.Thread, b button) error {
			if _, _, err := tx.Choices(ctx, th.Merchant, th.Key, b.message); err != nil {
				return err
			}
			for range 2 { // the second is a repeat
				o, err := commerce.Checkout(ctx, tx, commerce.CheckoutCommand{Merchant: th.Merchant, Quote: b.quote.ID, Contact: th.ContactKey}, shop.Policy, tx.Now())
				switch {
				case err != nil:
					return err
				case o.Repeat:
					repeats++
				case o.Name == "sold_out":
					soldOut++
				default:
					sold++
				}
			}
			if b.chat == "chat2" && broken != nil {
				err := broken
				broken, sold, repeats = nil, sold-1, repeats-1 // undone, and tried again
				return err
			}
			return nil
		})
		mustApply(t, shop.Store, turns)
		if sold != stock || repeats != stock || soldOut != 2*(crowd-stock) {
			t.Errorf("%d sold, %d asked again, %d times sold out", sold, repeats, soldOut)
		}
		if p := shop.Product("mug"); p.Available() != 0 {
			t.Errorf("%d are left", p.Available())
		}
		var orders int
		if err := shop.Store.DB().Get(&orders, `SELECT COUNT(*) FROM orders`); err != nil || orders != stock {
			t.Errorf("%d orders, %v", orders, err)
		}
	})
}
