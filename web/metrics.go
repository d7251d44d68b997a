package web

import (
	"bytes"
	"fmt"
	"io"
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
	if s.opt.BackOffice.Traffic != nil {
		writeTraffic(&b, s.opt.BackOffice.Traffic())
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
	return nil
}

// writeTraffic writes what the accounts carried since the process began.
func writeTraffic(w io.Writer, all []Traffic) {
	for _, c := range []struct {
		name, help string
		of         func(Traffic) int64
	}{
		{"parley_messages_received_total", "Messages of contacts that were stored, each once.", func(t Traffic) int64 { return t.Received }},
		{"parley_parts_sent_total", "Parts of messages that the network took.", func(t Traffic) int64 { return t.Sent }},
		{"parley_parts_refused_total", "Parts of messages that were given up.", func(t Traffic) int64 { return t.Refused }},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s counter\n", c.name, c.help, c.name)
		for _, t := range all {
			fmt.Fprintf(w, "%s{account=%q} %d\n", c.name, t.Account, c.of(t))
		}
	}
}
