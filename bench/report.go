package main

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"parley/bench/figures"
	"parley/bench/proc"
)

// report is what a run has found: tables as they come, and the gates at the end.
type report struct {
	out, progress io.Writer
	command       string
	began         time.Time
	tables        []table
	gates         []figures.Gate
}

// table is one list of figures.
type table struct {
	title string
	head  []string
	rows  [][]string
	notes []string
}

// say tells whoever waits what is going on.
func (r *report) say(format string, args ...any) {
	fmt.Fprintf(r.progress, "%s  %s\n", time.Since(r.began).Round(time.Second), fmt.Sprintf(format, args...))
}

func (r *report) begin() {
	r.began = time.Now()
	fmt.Fprintf(r.out, "%s\n", r.machine())
}

func (r *report) machine() string {
	return fmt.Sprintf("%s, %s, %s/%s", proc.Machine(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// add prints a table and keeps it.
func (r *report) add(t table) {
	r.tables = append(r.tables, t)
	fmt.Fprintf(r.out, "\n%s\n", t.title)
	_, _ = r.out.Write(t.text())
}

// gate prints a promise with what was measured, and keeps it.
func (r *report) gate(g figures.Gate) {
	r.gates = append(r.gates, g)
	fmt.Fprintf(r.out, "  %-12s %s %s: %s\n", g.Verdict(), g.Name, g.Bound(), g.Spread())
}

func (r *report) end() {
	met, missed := 0, []string{}
	for _, g := range r.gates {
		switch g.Verdict() {
		case "met":
			met++
		case "missed":
			missed = append(missed, g.Name)
		}
	}
	fmt.Fprintf(r.out, "\n%d of %d promises met in %v", met, len(r.gates), time.Since(r.began).Round(time.Second))
	if len(missed) > 0 {
		fmt.Fprintf(r.out, "; missed: %s", strings.Join(missed, "; "))
	}
	fmt.Fprintln(r.out)
}

// text is the table for a terminal.
func (t table) text() []byte {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b bytes.Buffer
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("  " + cell + pad)
			} else {
				b.WriteString("  " + pad + cell)
			}
		}
		b.WriteByte('\n')
	}
	for _, note := range t.notes {
		fmt.Fprintf(&b, "  %s\n", note)
	}
	return b.Bytes()
}

// markdown is the whole report as a page.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Results\n\n`%s` on %s, %s; it took %v. [docs/performance.md](../docs/performance.md) says how to read this.\n\n",
		r.command, r.machine(), r.began.UTC().Format("2006-01-02"), time.Since(r.began).Round(time.Second))
	b.WriteString("| promise | bound | median [least … greatest of the rounds] | |\n| --- | --- | --- | --- |\n")
	for _, g := range r.gates {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.Name, g.Bound(), g.Spread(), g.Verdict())
	}
	for _, t := range r.tables {
		fmt.Fprintf(&b, "\n## %s\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat(" --- |", len(t.head)))
		for _, row := range t.rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
		if len(t.notes) > 0 {
			fmt.Fprintf(&b, "\n%s\n", strings.Join(t.notes, "\n"))
		}
	}
	return b.Bytes()
}

func micros(f float64) string { return figures.Number(f) + " µs" }

func millis(d time.Duration) string { return figures.Number(float64(d) / float64(time.Millisecond)) }

func percent(f float64) string { return fmt.Sprintf("%.0f %%", f*100) }
