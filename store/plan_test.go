package store

import (
	"strings"
	"testing"
)

// The hot path must not walk whole tables: what SQLite would do is asked of SQLite. A partial index serves a query only if the
// query repeats its condition, which is easy to lose.
func TestTheHotPathWalksNoTable(t *testing.T) {
	s, err := Open(t.Context(), "sqlite://"+t.TempDir()+"/p.db", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for name, query := range map[string]string{
		"heads of the outbox":      selectHeads,
		"next part":                nextDue,
		"interrupted parts":        selectInterrupted,
		"orphaned parts":           selectOrphaned,
		"drop held parts":          dropHeld,
		"drop queued parts":        dropQueued,
		"settle part":              settlePart,
		"receipt":                  noteReceipt,
		"give up message":          failRest,
		"lock conversation":        lockThread,
		"load conversation":        selectThread + ` WHERE v.key = $1 AND v.merchant_id = $2`,
		"find address":             selectAddress,
		"due timers":               dueTimers,
		"next timer":               nextTimer,
		"due parked events":        selectParked,
		"consent":                  hasConsent,
		"may alert":                mayAlert,
		"rearm by price":           rearmByPrice,
		"rearm by stock":           rearmByStock,
		"fire by price":            fireByPrice,
		"fire by stock":            fireByStock,
		"deliveries of a firing":   insertDeliveries,
		"due deliveries":           dueDeliveries,
		"due payment tasks":        dueTasks,
		"interrupted payments":     releaseTasks,
		"quote by cause":           quoteByCause,
		"live deal":                liveDeal,
		"dealt pieces":             dealtPieces,
		"standing watch":           standingWatch,
		"watches of a contact":     countWatches,
		"order of a quote":         orderByQuote,
		"latest order":             latestOrder,
		"overdue orders":           overdueOrders,
		"overdue offers":           overdueOffers,
		"messages of a transcript": selectMessages + ` WHERE m.merchant_id = $1 AND m.conversation_key = $2 AND m.key > $3 ORDER BY m.key LIMIT $4`,
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := s.read.Queryx("EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "$"))...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "USING") {
					t.Errorf("%s", detail)
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
