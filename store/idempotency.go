package store

import (
	"context"
	"errors"
	"time"

	"parley/commerce"
)

// Errors of BeginIdempotent.
var (
	ErrInFlight = errors.New("a request with this Idempotency-Key is at work")
	ErrReused   = errors.New("this Idempotency-Key was used for another request")
)

// StoredAnswer is what the first request with an Idempotency-Key was answered.
type StoredAnswer struct {
	Status      int
	ContentType string
	Body        string
}

// idempotencyKept is how long an Idempotency-Key is remembered.
const idempotencyKept = 24 * time.Hour

// idempotencyStale is after how long a request that never finished (the process died) may be made again.
const idempotencyStale = time.Minute

// BeginIdempotent notes that a request is at work. A nil answer means that it is the first and must be made; else the
// answer of the first is to be given again. requestHash covers the method, the path and the body.
func (tx *Tx) BeginIdempotent(ctx context.Context, merchant commerce.MerchantID, keyID, name, requestHash string) (*StoredAnswer, error) {
	now := tx.now.UnixMilli()
	err := tx.exec(ctx, "forget old idempotency keys", `
	DELETE FROM idempotency
	WHERE merchant_id = $1 AND key_id = $2 AND name = $3 AND (created_ms < $4 OR status = 0 AND created_ms < $5)`,
		merchant, keyID, name, tx.now.Add(-idempotencyKept).UnixMilli(), tx.now.Add(-idempotencyStale).UnixMilli())
	if err != nil {
		return nil, err
	}
	n, err := tx.count(ctx, "note idempotency key", `
	INSERT INTO idempotency (merchant_id, key_id, name, request_hash, created_ms)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT DO NOTHING`, merchant, keyID, name, requestHash, now)
	if err != nil || n == 1 {
		return nil, err
	}
	var row struct {
		Hash        string `db:"request_hash"`
		Status      int
		ContentType string `db:"content_type"`
		Body        string
	}
	err = tx.get(ctx, "load idempotency key", &row, `
	SELECT request_hash, status, content_type, body
	FROM idempotency
	WHERE merchant_id = $1 AND key_id = $2 AND name = $3`, merchant, keyID, name)
	switch {
	case err != nil:
		return nil, err
	case row.Hash != requestHash:
		return nil, ErrReused
	case row.Status == 0:
		return nil, ErrInFlight
	}
	return &StoredAnswer{row.Status, row.ContentType, row.Body}, nil
}

// EndIdempotent keeps the answer of a request; a server error (5xx) is forgotten instead, so that the client may try again.
func (tx *Tx) EndIdempotent(ctx context.Context, merchant commerce.MerchantID, keyID, name string, a StoredAnswer) error {
	if a.Status >= 500 {
		return tx.exec(ctx, "forget idempotency key", `
	DELETE FROM idempotency
	WHERE merchant_id = $1 AND key_id = $2 AND name = $3`, merchant, keyID, name)
	}
	return tx.exec(ctx, "keep idempotent answer", `
	UPDATE idempotency
	SET status = $4, content_type = $5, body = $6
	WHERE merchant_id = $1 AND key_id = $2 AND name = $3`, merchant, keyID, name, a.Status, a.ContentType, a.Body)
}
