package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/commerce"
)

// Roles of staff.
const (
	RoleMerchant = "merchant" // answers, sees orders, decides offers
	RoleAdmin    = "admin"    // that and accounts, keys, staff
)

// Person is a member of the staff.
type Person struct {
	ID       string // stf_…
	Merchant commerce.MerchantID
	Email    string
	Role     string
	Created  time.Time
}

type personRow struct {
	ID       string
	Merchant commerce.MerchantID `db:"merchant_id"`
	Email    string
	Role     string
	Created  int64 `db:"created_ms"`
}

func (r personRow) person() Person { return Person{r.ID, r.Merchant, r.Email, r.Role, at(r.Created)} }

const upsertStaff = `
	INSERT INTO staff (id, merchant_id, email, role, created_ms)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (merchant_id, email) DO UPDATE SET role = excluded.role
	RETURNING id, merchant_id, email, role, created_ms`

// SetStaff makes a person of the staff, or changes the role of one who is there.
func (tx *Tx) SetStaff(ctx context.Context, merchant commerce.MerchantID, email, role string) (Person, error) {
	if role != RoleMerchant && role != RoleAdmin {
		return Person{}, fmt.Errorf("set staff: role %q is neither merchant nor admin", role)
	}
	var row personRow
	err := tx.get(ctx, "set staff", &row, upsertStaff, tx.NewID("stf"), merchant, strings.ToLower(strings.TrimSpace(email)), role, tx.now.UnixMilli())
	return row.person(), err
}

const selectStaff = `
	SELECT id, merchant_id, email, role, created_ms
	FROM staff`

// Staff lists a merchant's people.
func (tx *Tx) Staff(ctx context.Context, merchant commerce.MerchantID) ([]Person, error) {
	var rows []personRow
	err := tx.list(ctx, "list staff", &rows, selectStaff+` WHERE merchant_id = $1 ORDER BY email`, merchant)
	if err != nil {
		return nil, err
	}
	out := make([]Person, len(rows))
	for i, r := range rows {
		out[i] = r.person()
	}
	return out, nil
}

// AddSignIn makes the secret of a one-time sign-in link.
func (tx *Tx) AddSignIn(ctx context.Context, merchant commerce.MerchantID, staffID string, valid time.Duration) (secret string, err error) {
	secret = NewSecret()
	n, err := tx.count(ctx, "add sign-in", `
	INSERT INTO sign_ins (secret_hash, staff_id, expires_ms)
	SELECT $1, id, $4 FROM staff WHERE merchant_id = $2 AND id = $3`, hashSecret(secret), merchant, staffID, tx.now.Add(valid).UnixMilli())
	if err == nil && n == 0 {
		err = fmt.Errorf("add sign-in: %w", ErrNotFound)
	}
	return secret, err
}

// Lifetimes of a staff session: from the last request, and in all.
const (
	sessionIdle = 12 * time.Hour
	sessionLife = 7 * 24 * time.Hour
)

// SignIn uses up a sign-in link and makes a session. A link that was used, has expired or never was gives ErrNotFound.
func (tx *Tx) SignIn(ctx context.Context, secret string) (session string, p Person, err error) {
	now := tx.now.UnixMilli()
	var id string
	err = tx.get(ctx, "use sign-in", &id, `
	UPDATE sign_ins
	SET used_ms = $2
	WHERE secret_hash = $1 AND used_ms = 0 AND expires_ms > $2
	RETURNING staff_id`, hashSecret(secret), now)
	if err != nil {
		return "", Person{}, err
	}
	var row personRow
	if err := tx.get(ctx, "load staff", &row, selectStaff+` WHERE id = $1`, id); err != nil {
		return "", Person{}, err
	}
	session = NewSecret()
	err = tx.exec(ctx, "make session", `
	INSERT INTO staff_sessions (secret_hash, staff_id, created_ms, seen_ms, expires_ms)
	VALUES ($1, $2, $3, $3, $4)`, hashSecret(session), id, now, tx.now.Add(sessionLife).UnixMilli())
	return session, row.person(), err
}

// SignInValid says whether a sign-in link could be used now, without using it.
func (tx *Tx) SignInValid(ctx context.Context, secret string) (bool, error) {
	var n int
	err := tx.get(ctx, "look up sign-in", &n, `
	SELECT count(*)
	FROM sign_ins
	WHERE secret_hash = $1 AND used_ms = 0 AND expires_ms > $2`, hashSecret(secret), tx.now.UnixMilli())
	return n == 1, err
}

// SessionPerson is who a session secret belongs to; ErrNotFound when it has ended. Writing the time of the last request is
// Touch's work.
func (tx *Tx) SessionPerson(ctx context.Context, secret string) (Person, error) {
	var row personRow
	err := tx.get(ctx, "find session", &row, `
	SELECT s.id, s.merchant_id, s.email, s.role, s.created_ms
	FROM staff_sessions e
	JOIN staff s ON s.id = e.staff_id
	WHERE e.secret_hash = $1 AND e.expires_ms > $2 AND e.seen_ms > $3`, hashSecret(secret), tx.now.UnixMilli(),
		tx.now.Add(-sessionIdle).UnixMilli())
	return row.person(), err
}

// Touch notes a request of a session, at most once a minute.
func (tx *Tx) Touch(ctx context.Context, secret string) error {
	return tx.exec(ctx, "touch session", `
	UPDATE staff_sessions
	SET seen_ms = $2
	WHERE secret_hash = $1 AND seen_ms < $3`, hashSecret(secret), tx.now.UnixMilli(), tx.now.Add(-time.Minute).UnixMilli())
}

// SignOut ends a session.
func (tx *Tx) SignOut(ctx context.Context, secret string) error {
	return tx.exec(ctx, "end session", `DELETE FROM staff_sessions WHERE secret_hash = $1`, hashSecret(secret))
}

// SignOutEverywhere ends all sessions of a person of the staff, and the links that they could still sign in by.
func (tx *Tx) SignOutEverywhere(ctx context.Context, merchant commerce.MerchantID, staffID string) error {
	var id string
	err := tx.get(ctx, "find staff "+staffID, &id, `SELECT id FROM staff WHERE merchant_id = $1 AND id = $2`+tx.forUpdate(), merchant, staffID)
	if err != nil {
		return err
	}
	if err := tx.exec(ctx, "end sessions", `DELETE FROM staff_sessions WHERE staff_id = $1`, staffID); err != nil {
		return err
	}
	return tx.exec(ctx, "end sign-in links", `DELETE FROM sign_ins WHERE staff_id = $1`, staffID)
}

// RemoveStaff takes a person off the staff. Their sessions end, and the conversations that they have wait for somebody else; what
// they wrote stays.
func (tx *Tx) RemoveStaff(ctx context.Context, merchant commerce.MerchantID, staffID string) error {
	if err := tx.SignOutEverywhere(ctx, merchant, staffID); err != nil {
		return err
	}
	var left []string
	err := tx.list(ctx, "give up conversations", &left, `
	UPDATE conversations
	SET owner = 'waiting', waiting_ms = $3, changed_ms = $3
	WHERE merchant_id = $1 AND owner = $2
	RETURNING id`, merchant, staffID, tx.now.UnixMilli())
	if err != nil {
		return err
	}
	for _, id := range left {
		if err := tx.Event(ctx, merchant, "handed_off", id, map[string]any{"left_by": staffID}); err != nil {
			return err
		}
	}
	return tx.exec(ctx, "remove staff", `DELETE FROM staff WHERE merchant_id = $1 AND id = $2`, merchant, staffID)
}

// Key is an API key as it is listed: its secret is shown once, when it is made.
type Key struct {
	ID       string // key_…
	Merchant commerce.MerchantID
	Name     string
	Scopes   []string
	Created  time.Time
	Used     time.Time
	Revoked  time.Time
}

type keyRow struct {
	ID       string
	Merchant commerce.MerchantID `db:"merchant_id"`
	Name     string
	Scopes   asJSON[[]string]
	Created  int64 `db:"created_ms"`
	Used     int64 `db:"used_ms"`
	Revoked  int64 `db:"revoked_ms"`
}

func (r keyRow) key() Key {
	return Key{r.ID, r.Merchant, r.Name, r.Scopes.V, at(r.Created), at(r.Used), at(r.Revoked)}
}

const selectKey = `
	SELECT id, merchant_id, name, scopes, created_ms, used_ms, revoked_ms
	FROM api_keys`

// AddKey keeps an API key by its secret's hash. A secret that is there already stays one key, with the new name and scopes.
func (tx *Tx) AddKey(ctx context.Context, merchant commerce.MerchantID, name string, scopes []string, secret string) (Key, error) {
	var row keyRow
	err := tx.get(ctx, "add key", &row, `
	INSERT INTO api_keys (id, merchant_id, name, scopes, secret_hash, created_ms)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (secret_hash) DO UPDATE SET name = excluded.name, scopes = excluded.scopes
	RETURNING id, merchant_id, name, scopes, created_ms, used_ms, revoked_ms`,
		tx.NewID("key"), merchant, name, toJSON(scopes), hashSecret(secret), tx.now.UnixMilli())
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("add key: no row came back")
	}
	return row.key(), err
}

// KeyOf finds the API key of a secret; revoked keys are not found.
func (tx *Tx) KeyOf(ctx context.Context, secret string) (Key, error) {
	var row keyRow
	err := tx.get(ctx, "find key", &row, selectKey+` WHERE secret_hash = $1 AND revoked_ms = 0`, hashSecret(secret))
	return row.key(), err
}

// Keys lists a merchant's API keys, newest first.
func (tx *Tx) Keys(ctx context.Context, merchant commerce.MerchantID) ([]Key, error) {
	var rows []keyRow
	if err := tx.list(ctx, "list keys", &rows, selectKey+` WHERE merchant_id = $1 ORDER BY id DESC`, merchant); err != nil {
		return nil, err
	}
	out := make([]Key, len(rows))
	for i, r := range rows {
		out[i] = r.key()
	}
	return out, nil
}

// TouchKey notes that an API key was used, at most once a minute.
func (tx *Tx) TouchKey(ctx context.Context, id string) error {
	return tx.exec(ctx, "touch key", `
	UPDATE api_keys
	SET used_ms = $2
	WHERE id = $1 AND used_ms <= $3`, id, tx.now.UnixMilli(), tx.now.Add(-keyTouch).UnixMilli())
}

// keyTouch is how exactly it is known when a key was last used.
const keyTouch = time.Minute

// IsUseNoted says that the last use that is noted is recent enough: a TouchKey would change nothing.
func (k Key) IsUseNoted(now time.Time) bool { return now.Sub(k.Used) < keyTouch }

// RevokeKey ends an API key.
func (tx *Tx) RevokeKey(ctx context.Context, merchant commerce.MerchantID, id string) error {
	n, err := tx.count(ctx, "revoke key", `UPDATE api_keys SET revoked_ms = $3 WHERE merchant_id = $1 AND id = $2 AND revoked_ms = 0`,
		merchant, id, tx.now.UnixMilli())
	if err == nil && n == 0 {
		return fmt.Errorf("revoke key %s: %w", id, ErrNotFound)
	}
	return err
}
