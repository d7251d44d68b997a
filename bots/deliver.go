package bots

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// deliveries tells watchers what happened. Each is a turn of its own, in which price, stock and consent are looked at once more.
func (h *House) deliveries(ctx context.Context) (int, error) {
	var due []commerce.Delivery
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueDeliveries(ctx, tx.Now(), clockBatch)
		return err
	})
	if err != nil {
		return 0, err
	}
	var turns []store.Turn
	for _, d := range due {
		turn, ok, err := h.delivery(ctx, d)
		if err != nil {
			return 0, err
		}
		if ok {
			turns = append(turns, turn)
		}
	}
	if len(turns) == 0 {
		return len(due), nil
	}
	return len(due), h.inbox.submit(ctx, turns...)
}

// delivery is the turn that tells one watcher; false when there is nobody to tell now.
func (h *House) delivery(ctx context.Context, d commerce.Delivery) (tell store.Turn, ok bool, err error) {
	var address conversation.Address
	var contact conversation.Contact
	var chats []string
	err = h.store.View(ctx, func(tx *store.Tx) error {
		if address, err = tx.AddressByKey(ctx, d.Merchant, d.Address); err != nil {
			return err
		}
		if contact, err = tx.ContactByKey(ctx, d.Merchant, d.Contact); err != nil {
			return err
		}
		chats, err = tx.ChatsOfAddress(ctx, d.Merchant, d.Address)
		return err
	})
	if errors.Is(err, store.ErrNotFound) { // must not hold up the others
		return tell, false, h.drop(ctx, d, "the address is gone")
	}
	if err != nil {
		return tell, false, fmt.Errorf("deliver %d: %w", d.Key, err)
	}
	a := h.account(address.Account)
	if a == nil || a.merchant.ID != d.Merchant {
		return tell, false, h.drop(ctx, d, "the account has left the config")
	}
	if d.NotAtNight {
		morning := a.merchant.Quiet.next(h.now(), zoneOf(contact, a.merchant.TimeZone))
		if !morning.IsZero() {
			return tell, false, h.store.Tx(ctx, func(tx *store.Tx) error { return tx.PostponeDelivery(ctx, d.Key, morning) })
		}
	}
	return h.internal(a, a.privately(address.NetworkID, chats), address.NetworkID, func(ctx context.Context, t *turn) error {
		return t.deliver(ctx, d)
	}, func(ctx context.Context, tx *store.Tx) error {
		return tx.PostponeDelivery(ctx, d.Key, tx.Now().Add(afterFailure))
	}), true, nil
}

// privately is the chat in which somebody is told what they asked for. On most networks a private chat has the id of the person;
// elsewhere it is the private one of their chats, or else the one they used last.
func (a *account) privately(person string, chats []string) string {
	network, told := a.Messenger.(adapters.Private)
	for _, chat := range chats {
		if chat == person || told && network.IsPrivate(chat) {
			return chat
		}
	}
	if told && len(chats) > 0 {
		return chats[0]
	}
	return person
}

func (h *House) drop(ctx context.Context, d commerce.Delivery, why string) error {
	return h.store.Tx(ctx, func(tx *store.Tx) error {
		d.State, d.Cause = commerce.DeliveryDropped, why
		return tx.FinishDelivery(ctx, d, tx.Now())
	})
}

func (t *turn) deliver(ctx context.Context, d commerce.Delivery) error {
	alert, err := commerce.RenderDelivery(ctx, t.tx, d.Merchant, d.Key, t.m.Policy, t.tx.Now())
	if err != nil || alert.Repeat || alert.Dropped != "" {
		return err
	}
	vars := t.house.watchVars(alert.Watch, alert.Product, t.th.Contact.Name)
	t.house.quote(vars, alert.Quote)
	vars["was"] = alert.Occurrence.WasPrice.String()
	if alert.Occurrence.WasPrice.IsZero() || alert.Occurrence.WasPrice.Minor <= alert.Product.Price.Minor {
		vars["was"] = ""
	}
	return t.run(ctx, conversation.Event{Kind: conversation.Trigger, Account: t.account.Name, Chat: t.th.Chat, Name: alert.Watch.Event, Vars: vars, At: t.tx.Now()})
}

func zoneOf(c conversation.Contact, otherwise *time.Location) *time.Location {
	if c.TimeZone != "" {
		if z, err := time.LoadLocation(c.TimeZone); err == nil {
			return z
		}
	}
	return otherwise
}
