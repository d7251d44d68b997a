package web

import (
	"bytes"
	"fmt"
	"net/http"

	"parley/store"
)

// metrics says how things stand, in Prometheus' text format. It counts and names accounts; nothing in it tells of a person.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	db := s.opt.BackOffice.Store
	if db == nil {
		return unavailable()
	}
	var gauges []store.Gauge
	err := db.View(r.Context(), func(tx *store.Tx) (err error) {
		gauges, err = tx.Gauges(r.Context())
		return err
	})
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	var b bytes.Buffer
	last := ""
	for _, g := range gauges {
		if g.Name != last {
			fmt.Fprintf(&b, "# TYPE %s gauge\n", g.Name)
			last = g.Name
		}
		if g.Label == "" {
			fmt.Fprintf(&b, "%s %d\n", g.Name, g.Count)
			continue
		}
		fmt.Fprintf(&b, "%s{%s=%q} %d\n", g.Name, g.Label, g.Value, g.Count) // account names are slugs: nothing to escape
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
	return nil
}
