package cli

import (
	"fmt"
	"io"
	"slices"
)

// finding is one line of what a check found, as "file:line:col: error or warning: what is wrong; what to do".
type finding struct {
	line    string
	warning bool
}

type findings []finding

func (f findings) errors() int { return len(f) - f.warnings() }

func (f findings) warnings() int {
	n := 0
	for _, one := range f {
		if one.warning {
			n++
		}
	}
	return n
}

// add appends what is not in the list yet: two merchants may share a bot.
func (f *findings) add(more ...finding) {
	for _, one := range more {
		if !slices.Contains(*f, one) {
			*f = append(*f, one)
		}
	}
}

func (f findings) print(w io.Writer) {
	for _, one := range f {
		fmt.Fprintln(w, one.line)
	}
}

// summary is "2 errors, 1 warning".
func (f findings) summary() string {
	return counted(f.errors(), "error") + ", " + counted(f.warnings(), "warning")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
