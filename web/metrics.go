package web

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"parley/store"
)

// metrics says how things stand, in Prometheus' text format. It counts and names accounts; nothing in it tells of a person.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	db := s.opt.BackOffice.Store
	if db == nil {
		return unavailable()
	}
	var gauges []store.Gauge
	var depths []store.Depth
	err := db.View(r.Context(), func(tx *store.Tx) (err error) {
		if gauges, err = tx.Gauges(r.Context()); err != nil {
			return err
		}
		depths, err = tx.Depths(r.Context())
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
	writeMetrics(&b, depthMetrics(depths))
	if s.opt.BackOffice.Metrics != nil {
		writeMetrics(&b, s.opt.BackOffice.Metrics())
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
	return nil
}

// writeMetrics writes counters, gauges and histograms.
func writeMetrics(w io.Writer, all []Metric) {
	last := ""
	for _, m := range all {
		kind := "gauge"
		switch {
		case m.Counts != nil:
			kind = "histogram"
		case strings.HasSuffix(m.Name, "_total"):
			kind = "counter"
		}
		if m.Name != last {
			fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", m.Name, m.Help, m.Name, kind)
			last = m.Name
		}
		if m.Counts == nil {
			fmt.Fprintf(w, "%s%s %s\n", m.Name, m.labels(""), number(m.Value))
			continue
		}
		n := int64(0)
		for i, count := range m.Counts {
			n += count
			bound := "+Inf"
			if i < len(m.Bounds) {
				bound = number(m.Bounds[i])
			}
			fmt.Fprintf(w, "%s_bucket%s %d\n", m.Name, m.labels(bound), n)
		}
		fmt.Fprintf(w, "%s_sum%s %s\n%s_count%s %d\n", m.Name, m.labels(""), number(m.Sum), m.Name, m.labels(""), n)
	}
}

// labels are those of a figure, or of a bucket with an upper bound. Names of accounts are slugs: nothing to escape.
func (m Metric) labels(bound string) string {
	var all []string
	for _, l := range []struct{ name, value string }{{"account", m.Account}, {"lane", m.Lane}, {"le", bound}} {
		if l.value != "" {
			all = append(all, l.name+`="`+l.value+`"`)
		}
	}
	if all == nil {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// depthMetrics are what waits to be sent.
func depthMetrics(depths []store.Depth) []Metric {
	var out []Metric
	for _, d := range depths {
		out = append(out, Metric{Name: "parley_outbox_parts", Help: "Parts that wait to be sent, or are under way.",
			Account: d.Account, Lane: d.Lane.String(), Value: float64(d.Parts)})
	}
	for _, d := range depths {
		out = append(out, Metric{Name: "parley_outbox_age_seconds", Help: "How long the oldest part that is due has waited.",
			Account: d.Account, Lane: d.Lane.String(), Value: d.Age.Seconds()})
	}
	return out
}
