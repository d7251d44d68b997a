package store

import (
	"fmt"
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
		"tried heads":              headsQuery(triedHeads, 8),
		"fresh heads":              headsQuery(freshHeads, 8),
		"claim":                    claimParts(4),
		"outlook":                  outlook,
		"queued parts of a lane":   countQueued(8),
		"stray parts":              selectStray,
		"settle sent parts":        settleSent,
		"release part":             releasePart,
		"hasten":                   hasten,
		"early receipt":            keepReceipt,
		"apply early receipts":     applyReceipts,
		"forget early receipts":    forgetReceipts,
		"resend":                   resendParts,
		"interrupted parts":        selectInterrupted,
		"orphaned parts":           selectOrphaned,
		"drop held parts":          dropHeld,
		"drop queued parts":        dropQueued,
		"settle part":              settlePart,
		"receipt":                  noteReceipt,
		"give up message":          failRest,
		"conversations of a group": fmt.Sprintf(selectThreadsOf, "(VALUES ($1, $2)) w"),
		"addresses of a group":     fmt.Sprintf(selectAddressesOf, "(VALUES ($1, $2)) w"),
		"repeats of a group":       fmt.Sprintf(selectRepeats, "($1, $2)"),
		"load conversation":        selectThread + ` WHERE v.key = $1 AND v.merchant_id = $2`,
		"find address":             selectAddress,
		"due timers":               dueTimers,
		"next timer":               nextTimer,
		"due parked events":        selectParked,
		"consent":                  hasConsent,
		"may alert":                mayAlert,
		"met by price":             metByPrice,
		"met by stock":             metByStock,
		"arms by price":            armsByPrice,
		"arms by stock":            armsByStock,
		"open occurrence":          openOccurrence,
		"arming":                   isArming,
		"occurrences to spread":    toSpread,
		"arm by price":             armByPrice,
		"arm by stock":             armByStock,
		"spread by price":          spreadByPrice,
		"spread by stock":          spreadByStock,
		"due deliveries":           waitingDeliveries,
		"held deliveries":          heldDeliveries,
		"deliveries again":         waitingDecisions,
		"held deliveries again":    heldDecisions,
		"open fan-outs":            openFanouts,
		"list of fan-outs":         listFanouts,
		"last delivery":            aDelivery,
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
			rows, err := s.read.Queryx("EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "$")+strings.Count(query, "?"))...)
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
				derived := detail == "SCAN chunk" || strings.HasPrefix(detail, "SCAN (") || detail == "SCAN w" || detail == "SCAN given" || strings.HasSuffix(detail, "CONSTANT ROW") || strings.HasSuffix(detail, "CONSTANT ROWS")
				if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "USING") && !derived {
					t.Errorf("%s", detail)
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
