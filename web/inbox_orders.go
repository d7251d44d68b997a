package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/commerce"
	"parley/commerce/money"
	"parley/store"
)

// orderRow is an order as a list shows it.
type orderRow struct {
	Page         staffPage
	ID           string
	Status       commerce.OrderState
	Name         string // of the shopper
	Items        []commerce.Item
	Total        money.Amount
	Provider     string
	Test         bool
	ByHand       bool // a person confirms the payment
	Created      time.Time
	Conversation string
	Wrong        *wrongForm
}

// StatusWords are the state for people.
func (o orderRow) StatusWords() string { return strings.ReplaceAll(string(o.Status), "_", " ") }

// CanBePaid says that a person may still mark the order as paid.
func (o orderRow) CanBePaid() bool {
	return o.ByHand && o.Status != commerce.Paid && o.Status != commerce.Cancelled
}

// CanBeCancelled says that the shop may still cancel it.
func (o orderRow) CanBeCancelled() bool {
	return o.Status == commerce.AwaitingPayment || o.Status == commerce.Paid
}

// IsPaid says whether cancelling has to do with money.
func (o orderRow) IsPaid() bool { return o.Status == commerce.Paid }

func orderRows(ctx context.Context, tx *store.Tx, orders []commerce.Order, page staffPage, wrong *wrongForm) ([]orderRow, error) {
	rows := make([]orderRow, 0, len(orders))
	for _, o := range orders {
		who, err := tx.ContactByKey(ctx, o.Merchant, o.Contact)
		if err != nil {
			return nil, err
		}
		row := orderRow{
			Page: page, ID: string(o.ID), Status: o.State, Name: nameOf(who.Name), Items: o.Items, Total: o.Total, Provider: o.Provider,
			Test: o.Test, ByHand: !o.Outside, Created: o.Created, Wrong: wrong.of(string(o.ID)),
		}
		if row.Conversation, err = threadID(ctx, tx, o.Merchant, o.Conversation); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

type ordersView struct {
	Page   staffPage
	Status string // shown alone; "" for all
	States []string
	Orders []orderRow
	More   string // address of the next page
}

func (s *Server) orders(w http.ResponseWriter, r *http.Request) error {
	view, err := s.ordersView(r, nil)
	if err != nil {
		return err
	}
	return s.renderStaff(w, http.StatusOK, "orders.html", view)
}

func (s *Server) ordersView(r *http.Request, wrong *wrongForm) (view ordersView, err error) {
	ctx, who, q := r.Context(), callerOf(r), r.URL.Query()
	if view.States = orderStates(); slices.Contains(view.States, q.Get("status")) {
		view.Status = q.Get("status")
	}
	before, _, err := readPage(url.Values{"cursor": {q.Get("cursor")}})
	if err != nil {
		return view, err
	}
	err = s.reading(ctx, func(tx *store.Tx) error {
		if view.Page, err = s.staffPage(ctx, tx, r, "orders", "Orders"); err != nil {
			return err
		}
		view.Page.URL = "/inbox/orders"
		if r.Method == http.MethodGet {
			view.Page.URL += "?" + url.Values{"status": {view.Status}, "cursor": {q.Get("cursor")}}.Encode()
		}
		orders, err := tx.ListOrders(ctx, who.merchant, store.OrderFilter{State: commerce.OrderState(view.Status), Before: commerce.OrderID(before), Limit: pageSize + 1})
		if err != nil {
			return err
		}
		if len(orders) > pageSize {
			orders = orders[:pageSize]
			view.More = "/inbox/orders?" + url.Values{"status": {view.Status}, "cursor": {cursor(string(orders[pageSize-1].ID))}}.Encode()
		}
		view.Orders, err = orderRows(ctx, tx, orders, view.Page, wrong)
		return err
	})
	return view, err
}

func (s *Server) markPaid(w http.ResponseWriter, r *http.Request) error {
	note := strings.TrimSpace(r.PostFormValue("note"))
	return s.settleOrder(w, r, "paid", func(ctx context.Context, merchant commerce.MerchantID, order, by string) (commerce.Order, error) {
		return s.opt.BackOffice.House.MarkPaid(ctx, merchant, order, by, note)
	})
}

func (s *Server) cancelOrder(w http.ResponseWriter, r *http.Request) error {
	return s.settleOrder(w, r, "cancelled", s.opt.BackOffice.House.CancelOrder)
}

// settleOrder lets the house change an order and shows the list again.
func (s *Server) settleOrder(w http.ResponseWriter, r *http.Request, done string, change func(context.Context, commerce.MerchantID, string, string) (commerce.Order, error)) error {
	id, who := r.PathValue("id"), callerOf(r)
	before, err := s.loadOrder(r.Context(), who.merchant, id)
	if err != nil {
		return err
	}
	_, err = change(r.Context(), who.merchant, id, who.actor)
	problem := ""
	if bad, ok := errors.AsType[*commerce.Invalid](err); ok {
		problem = sentence(bad.Problem)
	} else if errors.Is(err, commerce.ErrConflict) {
		problem = fmt.Sprintf("The order is %s; this cannot be done with it now.", strings.ReplaceAll(before.Status, "_", " "))
	} else if err != nil {
		return fmt.Errorf("settle order %s: %w", id, err)
	}
	if problem == "" {
		return redirectDone(w, r, "/inbox/orders", done)
	}
	view, err := s.ordersView(r, &wrongForm{id, r.PostFormValue("note"), problem})
	if err != nil {
		return err
	}
	return s.renderStaff(w, http.StatusBadRequest, "orders.html", view)
}
