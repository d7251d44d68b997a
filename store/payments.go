package store

import (
	"context"
	"time"

	"parley/commerce"
	"parley/commerce/money"
)

type taskRow struct {
	Key       int64
	Merchant  commerce.MerchantID `db:"merchant_id"`
	Order     int64               `db:"order_key"`
	OrderID   commerce.OrderID    `db:"order_id"`
	Kind      string
	Provider  string
	Amount    int64 `db:"amount_minor"`
	Currency  money.Currency
	Reference string
	Idem      string
	State     string
	Attempts  int
	Due       int64 `db:"due_ms"`
	Problem   string
}

func (r taskRow) task() commerce.PaymentTask {
	return commerce.PaymentTask{
		Merchant: r.Merchant, Key: r.Key, Order: r.Order, OrderID: r.OrderID, Kind: r.Kind, Provider: r.Provider,
		Amount: money.New(r.Amount, r.Currency), Reference: r.Reference, Idem: r.Idem, State: r.State, Attempts: r.Attempts,
		Due: at(r.Due), Problem: r.Problem,
	}
}

const (
	insertPayment = `
	INSERT INTO payments (merchant_id, order_key, kind, amount_minor, currency, provider, reference, cause, actor, note, at_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

	selectPayments = `
	SELECT kind, amount_minor, currency, provider, reference, cause, actor, note, at_ms
	FROM payments
	WHERE merchant_id = $1 AND order_key = $2
	ORDER BY key`

	insertTask = `
	INSERT INTO payment_tasks (merchant_id, order_key, kind, provider, amount_minor, currency, reference, idem, state, attempts,
		due_ms, problem)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
	RETURNING key`

	selectTasks = `
	SELECT t.key, t.merchant_id, t.order_key, o.id AS order_id, t.kind, t.provider, t.amount_minor, t.currency, t.reference,
		t.idem, t.state, t.attempts, t.due_ms, t.problem
	FROM payment_tasks t
	JOIN orders o ON o.key = t.order_key`

	tasksOf = selectTasks + `
	WHERE t.merchant_id = $1 AND t.order_key = $2
	ORDER BY t.key`

	dueTasks = selectTasks + `
	WHERE t.state = 'due' AND t.due_ms <= $1
	ORDER BY t.due_ms, t.key
	LIMIT $2`

	updateTask = `
	UPDATE payment_tasks
	SET state = $3, due_ms = $4, problem = $5
	WHERE merchant_id = $1 AND key = $2`

	takeTask = `
	UPDATE payment_tasks
	SET attempts = attempts + 1, due_ms = $4
	WHERE merchant_id = $1 AND key = $2 AND state = 'due' AND due_ms <= $3`

	releaseTasks = `
	UPDATE payment_tasks
	SET due_ms = $1
	WHERE state = 'due' AND attempts > 0 AND due_ms > $1`
)

// AddPayment appends a line to an order's ledger.
func (tx *Tx) AddPayment(ctx context.Context, e commerce.PaymentEntry) error {
	return tx.exec(ctx, "enter payment", insertPayment, e.Merchant, e.Order, e.Kind, e.Amount.Minor, e.Amount.Currency, e.Provider,
		e.Reference, e.Cause, e.Actor, e.Note, ms(e.At))
}

// Payments is the ledger of an order, oldest line first.
func (tx *Tx) Payments(ctx context.Context, merchant commerce.MerchantID, order int64) ([]commerce.PaymentEntry, error) {
	var rows []struct {
		Kind      string
		Amount    int64 `db:"amount_minor"`
		Currency  money.Currency
		Provider  string
		Reference string
		Cause     string
		Actor     string
		Note      string
		At        int64 `db:"at_ms"`
	}
	if err := tx.list(ctx, "list payments", &rows, selectPayments, merchant, order); err != nil {
		return nil, err
	}
	entries := make([]commerce.PaymentEntry, len(rows))
	for i, r := range rows {
		entries[i] = commerce.PaymentEntry{
			Merchant: merchant, Order: order, Kind: r.Kind, Amount: money.New(r.Amount, r.Currency), Provider: r.Provider,
			Reference: r.Reference, Cause: r.Cause, Actor: r.Actor, Note: r.Note, At: at(r.At),
		}
	}
	return entries, nil
}

// AddPaymentTask inserts a task and gives it its key.
func (tx *Tx) AddPaymentTask(ctx context.Context, t *commerce.PaymentTask) error {
	return tx.get(ctx, "add payment task", &t.Key, insertTask, t.Merchant, t.Order, t.Kind, t.Provider, t.Amount.Minor,
		t.Amount.Currency, t.Reference, t.Idem, t.State, t.Attempts, ms(t.Due), t.Problem)
}

// SavePaymentTask writes how a task stands: its state, when it is due again, and its problem.
func (tx *Tx) SavePaymentTask(ctx context.Context, t commerce.PaymentTask) error {
	return tx.exec(ctx, "save payment task", updateTask, t.Merchant, t.Key, t.State, ms(t.Due), t.Problem)
}

// PaymentTasks lists the tasks of an order, done ones too.
func (tx *Tx) PaymentTasks(ctx context.Context, merchant commerce.MerchantID, order int64) ([]commerce.PaymentTask, error) {
	return tx.tasks(ctx, tasksOf, merchant, order)
}

func (tx *Tx) tasks(ctx context.Context, query string, args ...any) ([]commerce.PaymentTask, error) {
	var rows []taskRow
	if err := tx.list(ctx, "list payment tasks", &rows, query, args...); err != nil {
		return nil, err
	}
	tasks := make([]commerce.PaymentTask, len(rows))
	for i, row := range rows {
		tasks[i] = row.task()
	}
	return tasks, nil
}

// ClaimPaymentTasks takes due tasks, each for one attempt that ends within lease: then it is due again by itself, in case whoever
// took it is gone. What somebody else has taken is not among them.
func (tx *Tx) ClaimPaymentTasks(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]commerce.PaymentTask, error) {
	due, err := tx.tasks(ctx, dueTasks, ms(now), limit)
	if err != nil {
		return nil, err
	}
	var taken []commerce.PaymentTask
	for _, t := range due {
		n, err := tx.count(ctx, "take payment task", takeTask, t.Merchant, t.Key, ms(now), ms(now.Add(lease)))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			t.Attempts++
			t.Due = now.Add(lease)
			taken = append(taken, t)
		}
	}
	return taken, nil
}

// ReleasePaymentTasks makes every task due that was tried before, so that those in hand when the last process ended need not
// wait for their lease. Where another node has one in hand, it is called for twice, with the same key.
func (tx *Tx) ReleasePaymentTasks(ctx context.Context, now time.Time) error {
	return tx.exec(ctx, "release payment tasks", releaseTasks, ms(now))
}
