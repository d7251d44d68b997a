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

// A lease changes hands when it has run out, and at once when the connection of its holder is gone, and with it the advisory
// lock of its session.
const takeLeases = `
	INSERT INTO leases (name, holder, session, epoch, until_ms)
	SELECT n, $2, $3, 1, ` + nowByDatabase + ` + $4
	FROM unnest($1::TEXT[]) AS n
	ORDER BY n
	ON CONFLICT (name) DO UPDATE
	SET holder = excluded.holder, session = excluded.session, until_ms = excluded.until_ms,
		epoch = leases.epoch + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
	WHERE leases.holder = excluded.holder OR leases.until_ms < ` + nowByDatabase + `
		OR leases.session <> 0 AND NOT EXISTS (
			SELECT 1 FROM pg_locks l
			WHERE l.locktype = 'advisory' AND l.granted AND l.classid::BIGINT = $5 AND l.objid::BIGINT = leases.session AND l.objsubid = 2
				AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
	RETURNING name, epoch`

// takeLeases takes or renews leases of these names for ttl and returns the epochs of those that this process has now.
func (s *Store) takeLeases(ctx context.Context, names []string, session int32, ttl time.Duration) (map[string]int64, error) {
	var rows []struct {
		Name  string
		Epoch int64
	}
	err := s.Tx(ctx, func(tx *Tx) error {
		rows = rows[:0]
		return tx.list(ctx, "take leases", &rows, takeLeases, names, tx.process, session, ttl.Milliseconds(), advisoryClass)
	})
	held := make(map[string]int64, len(rows))
	for _, r := range rows {
		held[r.Name] = r.Epoch
	}
	return held, err
}

// dropLeases gives back what this process holds but for the names in keep, so that others need not wait.
func (s *Store) dropLeases(ctx context.Context, keep []string) error {
	return s.Tx(ctx, func(tx *Tx) error {
		return tx.exec(ctx, "give leases back", `UPDATE leases SET holder = '', until_ms = 0 WHERE holder = $1 AND NOT name = ANY($2)`, tx.process, keep)
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
