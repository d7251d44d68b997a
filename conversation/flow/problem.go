package flow

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says whether a problem keeps the bot from starting.
type Severity string

const (
	Error   Severity = "error"   // the set is refused
	Warning Severity = "warning" // it works, but not as the author may think
)

// Problem is one thing wrong with a bot's files: where, what, and what to do about it.
type Problem struct {
	File      string // as it was loaded
	Line, Col int    // from 1; 0 when the problem is about the file as a whole
	Severity  Severity
	What      string
	Remedy    string
}

// String is the form that editors make clickable: "notify.yaml:14:9: error: no state named \"tolt\"; did you mean \"told\"?".
func (p Problem) String() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
	s := fmt.Sprintf("%s: %s: %s", place, p.Severity, p.What)
	if p.Remedy != "" {
		s += "; " + p.Remedy
	}
	return s
}

// HasErrors says whether any of the problems is an error.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// pos is a place in a file.
type pos struct {
	file      string
	line, col int
}

// report collects problems.
type report struct{ problems []Problem }

func (r *report) errorAt(p pos, remedy, format string, args ...any) {
	r.add(p, Error, remedy, format, args)
}

func (r *report) warnAt(p pos, remedy, format string, args ...any) {
	r.add(p, Warning, remedy, format, args)
}

func (r *report) add(p pos, s Severity, remedy, format string, args []any) {
	r.problems = append(r.problems, Problem{
		File: p.file, Line: p.line, Col: p.col, Severity: s, What: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}

// didYouMean is a remedy: the nearest of the names, or all of them when they are few.
func didYouMean(word string, names []string) string {
	if best := nearest(word, names); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(names) == 0 {
		return "remove it"
	}
	sorted := slices.Sorted(slices.Values(names))
	if len(sorted) > 24 {
		return "see docs/flows.md for the names there are"
	}
	return "use " + oneOf(sorted)
}

// nearest is the name that a misspelt word most likely stands for; "" when none is near.
func nearest(word string, names []string) string {
	best, distance := "", len(word)/2+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if d := editDistance(word, name); d < distance {
			best, distance = name, d
		}
	}
	return best
}

func oneOf(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	s := names[0]
	for _, name := range names[1 : len(names)-1] {
		s += ", " + name
	}
	return s + " or " + names[len(names)-1]
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return 1 << 20
	}
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}
