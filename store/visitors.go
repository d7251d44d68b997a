package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"

	"parley/commerce"
)

// NewSecret is 256 random bits as 43 letters, digits, - and _.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// AddVisitor makes a web visitor: the secret goes into their cookie and is kept hashed, the id is public and grants nothing.
func (tx *Tx) AddVisitor(ctx context.Context, merchant commerce.MerchantID) (secret, id string, err error) {
	secret, id = NewSecret(), tx.NewID("vis")
	err = tx.exec(ctx, "add visitor", `
	INSERT INTO visitors (id, merchant_id, secret_hash, created_ms)
	VALUES ($1, $2, $3, $4)`, id, merchant, hashSecret(secret), tx.now.UnixMilli())
	return secret, id, err
}

// Visitor finds a web visitor by the secret of their cookie.
func (tx *Tx) Visitor(ctx context.Context, merchant commerce.MerchantID, secret string) (id string, err error) {
	err = tx.get(ctx, "find visitor", &id, `SELECT id FROM visitors WHERE merchant_id = $1 AND secret_hash = $2`, merchant, hashSecret(secret))
	return id, err
}

// HasVisitor says that a merchant has a visitor with this public id.
func (tx *Tx) HasVisitor(ctx context.Context, merchant commerce.MerchantID, id string) (bool, error) {
	var n int
	err := tx.get(ctx, "find visitor", &n, `SELECT count(*) FROM visitors WHERE merchant_id = $1 AND id = $2`, merchant, id)
	return n == 1, err
}
