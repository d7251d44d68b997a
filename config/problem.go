package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a problem keeps Parley from starting.
type Severity int

// An Error keeps Parley from starting; a Warning does not, unless `parley check -strict` runs.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Pos is a place in a file, counted from 1. Line 0 means the file as a whole.
type Pos struct {
	File      string
	Line, Col int
}

// String is file:line:col, which editors and terminals turn into a link.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error is a problem at this place that keeps Parley from starting.
func (p Pos) Error(what, remedy string) Problem {
	return Problem{p.File, p.Line, p.Col, Error, what, remedy}
}

// Warning is a problem at this place that Parley can live with.
func (p Pos) Warning(what, remedy string) Problem {
	return Problem{p.File, p.Line, p.Col, Warning, what, remedy}
}

// Problem is one thing that is wrong with a file. What and Remedy are written for the admin and hold no secret.
type Problem struct {
	File      string
	Line, Col int // from 1; Line 0 means the file as a whole
	Severity  Severity
	What      string // what is wrong
	Remedy    string // what to do about it
}

// String is the one line that people see: "parley.yaml:14:5: error: what is wrong; what to do".
func (p Problem) String() string {
	line := fmt.Sprintf("%s: %s: %s", Pos{p.File, p.Line, p.Col}, p.Severity, p.What)
	if p.Remedy != "" {
		line += "; " + p.Remedy
	}
	return line
}

// Problems is everything that was found, in the order of the file.
type Problems []Problem

// HasErrors says whether one of the problems keeps Parley from starting.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == Error })
}

// Sort puts the problems into the order of the file and drops repeats.
func (ps *Problems) Sort() {
	slices.SortFunc(*ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.What, b.What), cmp.Compare(a.Remedy, b.Remedy))
	})
	*ps = slices.Compact(*ps)
}

// Error is one problem a line. Use Err to hand problems on as an error: it is nil when there are only warnings.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil unless one of the problems is an error.
func (ps Problems) Err() error {
	if ps.HasErrors() {
		return ps
	}
	return nil
}

var _ error = Problems(nil)
