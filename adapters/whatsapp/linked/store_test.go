//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"parley/adapters"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/store"
	"parley/store/storetest"
)

// TestMain fails when goroutines are left behind, but for one that the library leaves: a line that was cut while a frame came in waits
// for ever to hand it over.
func TestMain(m *testing.M) {
	code := m.Run()
	storetest.StopPostgres()
	if err := goleak.Find(goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete")); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:", err)
		code = 1
	}
	os.Exit(code)
}

// The house's own databases: SQLite with one connection that waits for the disk, and Postgres.
func TestKeepsItsKeysInTheHousesDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(t *testing.T) *store.Store) {
		db := open(t)
		s := wafake.Start(t)
		h := newHouse(t)
		h.env.DB, h.env.Dialect = db.DB().DB, string(db.Dialect())
		m, stop := h.linked(s, shop)
		person := s.Person(ann, "Ann")
		person.Type(shop, "hello")
		h.inbox.said(t, 0)
		if _, err := m.Send(t.Context(), adapters.Part{Chat: ann, Text: "hi", Key: "k"}); err != nil {
			t.Fatal(err)
		}
		stop()
		person.Type(shop, "still there?")
		h.clearReports()
		h.start(h.messenger(s))
		if e := h.inbox.said(t, 1); e.Text != "still there?" {
			t.Errorf("got %+v", e)
		}
		if db.Dialect() != store.Postgres {
			return
		}
		var schemas []string
		err := db.DB().Select(&schemas, `SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name LIKE 'whatsmeow\_%'`)
		if err != nil || len(schemas) != 1 || schemas[0] != "whatsmeow" {
			t.Errorf("got tables in %v, %v, want them in whatsmeow alone", schemas, err)
		}
	})
}
