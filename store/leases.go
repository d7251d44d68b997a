package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrFenced says that another node has taken over what this one held a lease for: it must leave the matter alone.
var ErrFenced = errors.New("another node has taken over")

// nowByDatabase is the database's clock in milliseconds, so that the clocks of nodes may differ. It goes on within a transaction.
const nowByDatabase = `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT`

// advisoryClass is the first half of our advisory locks' keys: "prly".
const advisoryClass = 0x70726c79

// sessions are the advisory locks of the nodes that are connected. $4 is advisoryClass.
const sessions = `
	FROM pg_locks l
	WHERE l.locktype = 'advisory' AND l.granted AND l.classid::BIGINT = $4 AND l.objsubid = 2
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

// A lease changes hands when it has run out, and at once when the connection of its holder is gone, and with it the advisory
// lock of its session.
const takeLeases = `
	INSERT INTO leases (name, holder, session, epoch, until_ms)
	SELECT n, $2, $3, 1, ` + nowByDatabase + ` + $5
	FROM unnest($1::TEXT[]) AS n
	ORDER BY n
	ON CONFLICT (name) DO UPDATE
	SET holder = excluded.holder, session = excluded.session, until_ms = excluded.until_ms,
		epoch = leases.epoch + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END,
		asked = CASE WHEN leases.holder = excluded.holder THEN leases.asked ELSE '' END
	WHERE leases.holder = excluded.holder OR leases.until_ms < ` + nowByDatabase + `
		OR leases.session <> 0 AND NOT EXISTS (SELECT 1 ` + sessions + ` AND l.objid::BIGINT = leases.session)
	RETURNING name, epoch, asked <> '' AS asked`

// lease is one that this process has.
type lease struct {
	Name  string
	Epoch int64
	Asked bool // another process would have it
}

// takeLeases takes or renews leases of these names for ttl and returns those that this process has now.
func (s *Store) takeLeases(ctx context.Context, names []string, session int32, ttl time.Duration) (held []lease, err error) {
	err = s.Tx(ctx, func(tx *Tx) error {
		held = held[:0]
		return tx.list(ctx, "take leases", &held, takeLeases, names, tx.process, session, advisoryClass, ttl.Milliseconds())
	})
	return held, err
}

// Each node is to have as many leases as there are for each of them, rounded down. Who has fewer asks those who have more, who keep
// their own share: their first ones by name, so that all who ask see the same ones as left over.
const askForShare = `
	WITH share AS (
		SELECT cardinality($1::TEXT[]) / GREATEST((SELECT COUNT(*) ` + sessions + `), 1) AS size),
	others AS (
		SELECT name, row_number() OVER (PARTITION BY holder ORDER BY name) AS place
		FROM leases
		WHERE name = ANY($1) AND holder NOT IN ('', $2) AND until_ms >= ` + nowByDatabase + `)
	UPDATE leases
	SET asked = $2, asked_session = $3
	WHERE asked = '' AND name IN (
		SELECT name FROM others
		WHERE place > (SELECT size FROM share)
		ORDER BY place DESC, name
		LIMIT GREATEST(0, (SELECT size FROM share) - (SELECT COUNT(*) FROM leases WHERE name = ANY($1) AND (holder = $2 OR asked = $2))))`

// askForShare asks other processes for leases of these names when this one has few, and says whether it did.
func (s *Store) askForShare(ctx context.Context, names []string, session int32) (asked bool, err error) {
	err = s.Tx(ctx, func(tx *Tx) error {
		n, err := tx.count(ctx, "ask for leases", askForShare, names, tx.process, session, advisoryClass)
		asked = n > 0
		return err
	})
	return asked, err
}

// handOver gives leases to the processes that have asked for them. One that is gone meanwhile leaves them to whoever comes first,
// as it would leave its own.
func (s *Store) handOver(ctx context.Context, names []string, ttl time.Duration) error {
	return s.Tx(ctx, func(tx *Tx) error {
		return tx.exec(ctx, "hand leases over", `
			UPDATE leases
			SET holder = asked, session = asked_session, epoch = epoch + 1, until_ms = `+nowByDatabase+` + $3, asked = ''
			WHERE holder = $1 AND name = ANY($2) AND asked <> ''`, tx.process, names, ttl.Milliseconds())
	})
}

// dropLeases gives back what this process holds but for the names in keep, so that others need not wait.
func (s *Store) dropLeases(ctx context.Context, keep []string) error {
	return s.Tx(ctx, func(tx *Tx) error {
		return tx.exec(ctx, "give leases back", `UPDATE leases SET holder = '', until_ms = 0, asked = '' WHERE holder = $1 AND NOT name = ANY($2)`, tx.process, keep)
	})
}

// Fence makes the transaction fail with ErrFenced when this process no longer holds the lease, and keeps others from taking it
// until the transaction ends. On SQLite, which serves one process, it always passes.
func (tx *Tx) Fence(ctx context.Context, name string) error {
	if tx.dialect == SQLite {
		return nil
	}
	var epoch int64
	err := tx.get(ctx, "look at lease", &epoch, `SELECT epoch FROM leases WHERE name = $1 AND holder = $2 FOR SHARE`, name, tx.process)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%s: %w", name, ErrFenced)
	}
	return err
}
