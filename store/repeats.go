package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/conversation"
)

// What came in once does not count twice. A repeat is recognised by a narrow table of hashes, whose pages stay in memory however
// much has come in; the log behind it has the ids in full, so that two that share a hash are not taken for each other.

// keptRepeats is how long events are remembered; networks that deliver again do so for a week at most.
const keptRepeats = 8 * 24 * time.Hour

// hashOf is the stable hash of an event's id.
func hashOf(account, chat, id string) int64 {
	var room [256]byte
	text := append(room[:0], account...)
	text = append(append(text, 0), chat...)
	text = append(append(text, 0), id...)
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// arrival is an event's row in the log, and its hash.
type arrival struct {
	hash int64
	key  int64 // in the log
	e    *conversation.Event
}

func (a arrival) is(account, chat, id string) bool {
	return a.e.Account == account && a.e.Chat == chat && a.e.ID == id
}

// noteArrivals remembers the events of turns and says which of them were here before. Events without an id are always new.
// The rows of the log are left to the caller, who writes them (logArrival) for turns that succeed, and has the others
// forgotten (forgetArrival).
func (tx *Tx) noteArrivals(ctx context.Context, turns []Turn) (arrivals []arrival, repeats []bool, err error) {
	arrivals, repeats = make([]arrival, len(turns)), make([]bool, len(turns))
	tx.expected = len(turns)
	byHash := make(map[int64]int, len(turns))
	var fresh []arrival
	for i := range turns {
		e := &turns[i].Event
		if e.ID == "" {
			continue
		}
		a := arrival{hash: hashOf(e.Account, e.Chat, e.ID), e: e}
		for { // two ids of a group that share a hash are as rare as two of different groups
			first, taken := byHash[a.hash]
			if !taken {
				break
			}
			if arrivals[first].is(e.Account, e.Chat, e.ID) {
				repeats[i] = true
				break
			}
			a.hash++
		}
		if repeats[i] {
			continue
		}
		if tx.dialect == SQLite { // Postgres gives it out with the row
			if a.key, err = tx.newKey(ctx, inInbound); err != nil {
				return nil, nil, err
			}
		}
		byHash[a.hash], arrivals[i] = i, a
		fresh = append(fresh, a)
	}
	// In one order everywhere, so that transactions side by side do not wait for each other in a circle.
	slices.SortFunc(fresh, func(a, b arrival) int { return cmp.Compare(a.hash, b.hash) })
	for len(fresh) > 0 {
		if fresh, err = tx.insertArrivals(ctx, fresh, byHash, arrivals, repeats); err != nil {
			return nil, nil, err
		}
	}
	return arrivals, repeats, nil
}

// insertArrivals tries to make the rows of hashes. Those that are taken are repeats, or, where the log says so, go on to the next
// hash: they are returned.
func (tx *Tx) insertArrivals(ctx context.Context, fresh []arrival, byHash map[int64]int, arrivals []arrival, repeats []bool) (again []arrival, err error) {
	made, err := tx.insertRepeats(ctx, fresh)
	if err != nil {
		return nil, err
	}
	for _, r := range made {
		arrivals[byHash[r.Hash]].key = r.Log
	}
	if len(made) == len(fresh) {
		return nil, nil
	}
	isMade := make(map[int64]bool, len(made))
	for _, r := range made {
		isMade[r.Hash] = true
	}
	for _, a := range fresh {
		if isMade[a.hash] {
			continue
		}
		var was []struct {
			Account, Chat string
			ID            string `db:"network_id"`
		}
		err := tx.list(ctx, "look up repeat", &was, `
	SELECT i.account, i.chat, i.network_id
	FROM repeats r
	JOIN inbound i ON i.key = r.log
	WHERE r.hash = $1`, a.hash)
		if err != nil {
			return nil, err
		}
		i := byHash[a.hash]
		if len(was) == 1 && a.is(was[0].Account, was[0].Chat, was[0].ID) {
			repeats[i], arrivals[i] = true, arrival{}
			continue
		}
		delete(byHash, a.hash)
		for a.hash++; ; a.hash++ {
			if _, taken := byHash[a.hash]; !taken {
				break
			}
		}
		byHash[a.hash], arrivals[i] = i, a
		again = append(again, a)
	}
	return again, nil
}

// repeat is a row of the narrow table.
type repeat struct{ Hash, Log int64 }

// insertRepeats makes the rows of those hashes that are free, and returns them.
func (tx *Tx) insertRepeats(ctx context.Context, rows []arrival) (made []repeat, err error) {
	if tx.dialect == Postgres {
		hashes := make([]int64, len(rows))
		for i, a := range rows {
			hashes[i] = a.hash
		}
		err := tx.listNow(ctx, "note inbound events", &made, `
	INSERT INTO repeats (hash, log)
	SELECT h, nextval('inbound_key_seq') FROM unnest($1::bigint[]) AS h
	ON CONFLICT DO NOTHING
	RETURNING hash, log`, hashes)
		return made, err
	}
	made = make([]repeat, 0, len(rows))
	for len(rows) > 0 {
		n := floorPower(min(len(rows), mostRows))
		if made, err = tx.insertSomeRepeats(ctx, rows[:n], made); err != nil {
			return nil, err
		}
		rows = rows[n:]
	}
	return made, nil
}

// selectRepeats finds those of given rows that are there as they are given.
const selectRepeats = `
	SELECT r.hash, r.log
	FROM (VALUES %s) w
	CROSS JOIN repeats r
	WHERE r.hash = w.column1 AND r.log = w.column2`

// insertSomeRepeats adds to made what it made. RETURNING would cost more than the rows do, and nearly always all are new: only when
// they were not is it looked up which are.
func (tx *Tx) insertSomeRepeats(ctx context.Context, rows []arrival, made []repeat) ([]repeat, error) {
	args, more := make([]any, 0, 2*len(rows)), strings.Repeat("(?, ?), ", len(rows)-1)
	for _, a := range rows {
		args = append(args, a.hash, a.key)
	}
	const doing = "note inbound events"
	result, err := tx.tx.ExecContext(ctx, `INSERT OR IGNORE INTO repeats (hash, log) VALUES `+more+`(?, ?)`, manyArgs(args))
	if err != nil {
		return nil, tx.failed(doing, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return nil, tx.failed(doing, err)
	}
	if n == int64(len(rows)) {
		for _, a := range rows {
			made = append(made, repeat{a.hash, a.key})
		}
		return made, nil
	}
	var ours []repeat
	err = tx.listNow(ctx, doing, &ours, fmt.Sprintf(selectRepeats, more+"(?, ?)"), manyArgs(args))
	return append(made, ours...), err
}

// logArrival has an event that was taken stand in the log.
func (tx *Tx) logArrival(a arrival) {
	if a.e != nil {
		tx.add(inInbound, a.key, a.hash, a.e.Account, a.e.Chat, a.e.ID, tx.now.UnixMilli())
	}
}

// forgetArrival has an event count as new again.
func (tx *Tx) forgetArrival(ctx context.Context, a arrival) error {
	if a.e == nil {
		return nil
	}
	return tx.exec(ctx, "forget inbound event", `DELETE FROM repeats WHERE hash = $1`, a.hash)
}

// Prune forgets the oldest of the events that nobody will deliver again, at most limit, and says how many.
func (s *Store) Prune(ctx context.Context, limit int) (int, error) {
	n := 0
	err := s.Tx(ctx, func(tx *Tx) error {
		n = 0
		var oldest []struct {
			Key, Hash int64
			At        int64 `db:"at_ms"`
		}
		if err := tx.list(ctx, "list oldest events", &oldest, `SELECT key, hash, at_ms FROM inbound ORDER BY key LIMIT $1`, limit); err != nil {
			return err
		}
		for _, o := range oldest {
			if o.At >= tx.now.Add(-keptRepeats).UnixMilli() {
				break
			}
			n++
			if err := tx.exec(ctx, "forget old event", `DELETE FROM repeats WHERE hash = $1 AND log = $2`, o.Hash, o.Key); err != nil {
				return err
			}
			if err := tx.exec(ctx, "forget old event", `DELETE FROM inbound WHERE key = $1`, o.Key); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// moveInbound is the part of migration 6 that is not SQL: what the table before it knew goes on counting as known.
func moveInbound(ctx context.Context, _ Dialect, tx *sql.Tx) error {
	const page = 500
	var account, chat, id string
	for n := page; n == page; {
		came, err := cameBefore(ctx, tx, account, chat, id, page)
		if err != nil {
			return fmt.Errorf("read events that came in: %w", err)
		}
		for _, e := range came {
			var key int64
			hash := hashOf(e.Account, e.Chat, e.ID)
			err := tx.QueryRowContext(ctx, `
	INSERT INTO inbound (hash, account, chat, network_id, at_ms)
	VALUES ($1, $2, $3, $4, $5)
	RETURNING key`, hash, e.Account, e.Chat, e.ID, e.At.UnixMilli()).Scan(&key)
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO repeats (hash, log) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hash, key)
			}
			if err != nil {
				return fmt.Errorf("move events that came in: %w", err)
			}
		}
		if n = len(came); n > 0 {
			account, chat, id = came[n-1].Account, came[n-1].Chat, came[n-1].ID
		}
	}
	_, err := tx.ExecContext(ctx, `DROP TABLE inbound_before`)
	return err
}

// cameBefore lists events of the table before migration 6, after one of them.
func cameBefore(ctx context.Context, tx *sql.Tx, account, chat, id string, limit int) (came []conversation.Event, err error) {
	rows, err := tx.QueryContext(ctx, `
	SELECT account, chat, network_id, at_ms
	FROM inbound_before
	WHERE (account, chat, network_id) > ($1, $2, $3)
	ORDER BY account, chat, network_id
	LIMIT $4`, account, chat, id, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e conversation.Event
		var at int64
		if err := rows.Scan(&e.Account, &e.Chat, &e.ID, &at); err != nil {
			return nil, err
		}
		e.At = time.UnixMilli(at)
		came = append(came, e)
	}
	return came, rows.Err()
}
