package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

type apiOrder struct {
	ID           string       `json:"id"`
	Status       string       `json:"status"`
	Items        []apiItem    `json:"items"`
	Total        money.Amount `json:"total"`
	Contact      apiContact   `json:"contact"`
	Conversation string       `json:"conversation,omitempty"`
	Provider     string       `json:"provider"`
	Test         bool         `json:"test"` // no money moved
	Created      time.Time    `json:"created_at"`
	Paid         *time.Time   `json:"paid_at,omitempty"`
}

type apiItem struct {
	SKU      string       `json:"sku"`
	Quantity int          `json:"quantity"`
	Price    money.Amount `json:"price"` // of one piece
}

// orderStates are the words of the API for where an order stands.
func orderStates() []string {
	return []string{string(commerce.AwaitingPayment), string(commerce.Paid), string(commerce.Declined), string(commerce.Cancelled), string(commerce.Expired)}
}

func showOrder(ctx context.Context, tx *store.Tx, o commerce.Order) (apiOrder, error) {
	who, err := tx.ContactByKey(ctx, o.Merchant, o.Contact)
	if err != nil {
		return apiOrder{}, err
	}
	out := apiOrder{
		ID: string(o.ID), Status: string(o.State), Total: o.Total, Contact: showContact(who), Provider: o.Provider, Test: o.Test,
		Created: o.Created, Paid: timeOrNone(o.PaidAt), Items: make([]apiItem, len(o.Items)),
	}
	for i, item := range o.Items {
		out.Items[i] = apiItem{item.SKU, item.Quantity, item.Price}
	}
	out.Conversation, err = threadID(ctx, tx, o.Merchant, o.Conversation)
	return out, err
}

// threadID is the public id of a conversation, "" for none.
func threadID(ctx context.Context, tx *store.Tx, merchant commerce.MerchantID, key int64) (string, error) {
	if key == 0 {
		return "", nil
	}
	th, err := tx.ThreadByKey(ctx, merchant, key)
	if err != nil {
		return "", err
	}
	return th.ID, nil
}

// readStatus reads the parameter status, which must be one of those given or absent.
func readStatus(status string, known []string) (string, error) {
	if status != "" && !slices.Contains(known, status) {
		return "", badFields(Field{"status", "must be one of " + strings.Join(known, ", ")})
	}
	return status, nil
}

func (s *Server) apiOrders(ctx context.Context, c apiCall) (int, any, error) {
	q, err := c.query("status", "limit", "cursor")
	if err != nil {
		return 0, nil, err
	}
	after, limit, err := readPage(q)
	if err != nil {
		return 0, nil, err
	}
	status, err := readStatus(q.Get("status"), orderStates())
	if err != nil {
		return 0, nil, err
	}
	page := apiList{}
	err = s.reading(ctx, func(tx *store.Tx) error {
		orders, err := tx.ListOrders(ctx, c.merchant, store.OrderFilter{State: commerce.OrderState(status), Before: commerce.OrderID(after), Limit: limit + 1})
		if err != nil {
			return err
		}
		show := func(o commerce.Order) (apiOrder, error) { return showOrder(ctx, tx, o) }
		page, err = pageOf(orders, limit, func(o commerce.Order) string { return string(o.ID) }, show)
		return err
	})
	return http.StatusOK, page, err
}

func (s *Server) apiOrder(ctx context.Context, c apiCall) (int, any, error) {
	if _, err := c.query(); err != nil {
		return 0, nil, err
	}
	out, err := s.loadOrder(ctx, c.merchant, c.PathValue("id"))
	return http.StatusOK, out, err
}

func (s *Server) loadOrder(ctx context.Context, merchant commerce.MerchantID, id string) (out apiOrder, err error) {
	err = s.reading(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, merchant, commerce.OrderID(id))
		if err != nil {
			return err
		}
		out, err = showOrder(ctx, tx, o)
		return err
	})
	return out, notFound(err, "order", id)
}

func (s *Server) apiCancelOrder(ctx context.Context, c apiCall) (int, any, error) {
	if err := c.nothing(); err != nil {
		return 0, nil, err
	}
	id := c.PathValue("id")
	before, err := s.loadOrder(ctx, c.merchant, id)
	if err != nil {
		return 0, nil, err
	}
	_, err = s.opt.BackOffice.House.CancelOrder(ctx, c.merchant, id, c.actor)
	if errors.Is(err, commerce.ErrConflict) {
		err = &Problem{Status: http.StatusConflict, Sentence: "The order is " + before.Status + " and cannot be cancelled.", Err: err}
	}
	if err != nil {
		return 0, nil, err
	}
	out, err := s.loadOrder(ctx, c.merchant, id)
	return http.StatusOK, out, err
}
