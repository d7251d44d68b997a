package flow

import (
	"fmt"
	"slices"
	"strings"
)

// A template is Liquid, narrowed to what a message needs: {{ variables }} with filters and {% if %}, {% unless %},
// {% case %}. There are no loops and no includes, so a template ends, and stays small. We read the expressions
// ourselves to know the variables and filters they use; the library then sees variables with their points replaced, so that
// "offer" and "offer.amount" can both be plain text.

// filters that a template may use; the first group is ours.
var filters = []string{
	"money", "date", "time", "datetime",
	"append", "capitalize", "default", "downcase", "minus", "plus", "prepend", "remove", "replace", "size", "strip", "times",
	"truncate", "upcase",
}

var tags = []string{"if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase"}

var operators = []string{"and", "or", "contains", "true", "false", "nil", "null", "blank", "empty"}

// use is a variable in a template.
type use struct {
	name     string
	offset   int
	filtered bool // a filter follows
	shown    bool // inside {{ }}
}

// fault is something wrong in a template.
type fault struct {
	offset int
	what   string
	remedy string
}

// scan reads a template: the same template for the library, the variables used, and what is wrong.
func scan(text string) (rewritten string, uses []use, faults []fault) {
	var out strings.Builder
	for i := 0; i < len(text); {
		open := strings.IndexByte(text[i:], '{')
		if open < 0 || i+open+1 >= len(text) {
			out.WriteString(text[i:])
			break
		}
		out.WriteString(text[i : i+open])
		i += open
		closing := map[byte]string{'{': "}}", '%': "%}"}[text[i+1]]
		if closing == "" {
			out.WriteByte('{')
			i++
			continue
		}
		length := strings.Index(text[i+2:], closing)
		if length < 0 {
			faults = append(faults, fault{i, fmt.Sprintf("%q is not closed", text[i:i+2]), fmt.Sprintf("add %q", closing)})
			break
		}
		inner := text[i+2 : i+2+length]
		e := &expression{text: inner, offset: i + 2, tag: closing == "%}"}
		e.read()
		out.WriteString(text[i:i+2] + e.out.String() + closing)
		uses = append(uses, e.uses...)
		faults = append(faults, e.faults...)
		i += 2 + length + 2
	}
	return out.String(), uses, faults
}

type expression struct {
	text   string
	offset int
	tag    bool

	out    strings.Builder
	uses   []use
	faults []fault
}

func (e *expression) read() {
	wantTag, wantFilter := e.tag, false
	words := 0
	for i := 0; i < len(e.text); {
		c := e.text[i]
		switch {
		case c == '\'' || c == '"':
			end := strings.IndexByte(e.text[i+1:], c)
			if end < 0 {
				e.fault(i, "a quotation mark is not closed", "add "+string(c))
				return
			}
			e.out.WriteString(e.text[i : i+end+2])
			i += end + 2
			words++
		case c == '|':
			wantFilter = true
			e.out.WriteByte(c)
			i++
		case c >= '0' && c <= '9':
			j := i
			for j < len(e.text) && (e.text[j] >= '0' && e.text[j] <= '9' || e.text[j] == '.') {
				j++
			}
			e.out.WriteString(e.text[i:j])
			i = j
			words++
		case isLetter(c):
			j := i
			for j < len(e.text) && (isLetter(e.text[j]) || e.text[j] >= '0' && e.text[j] <= '9' || e.text[j] == '.' || e.text[j] == '-' && j+1 < len(e.text) && isLetter(e.text[j+1])) {
				j++
			}
			word := e.text[i:j]
			switch {
			case wantTag:
				wantTag = false
				if !e.check(i, word, "tag", tags) {
					return // what follows belongs to that tag
				}
				e.out.WriteString(word)
			case wantFilter:
				wantFilter = false
				e.filter(i, word)
			case slices.Contains(operators, word):
				e.out.WriteString(word)
			default:
				rest := strings.TrimLeft(e.text[j:], " \n")
				e.uses = append(e.uses, use{word, e.offset + i, strings.HasPrefix(rest, "|"), !e.tag})
				e.out.WriteString(mangle(word))
			}
			i = j
			words++
		default:
			if c == '[' || c == ']' {
				e.fault(i, "brackets are not supported in a template", "name a variable")
			}
			e.out.WriteByte(c)
			i++
		}
	}
	if words == 0 {
		e.fault(0, "the braces are empty", "name a variable")
	}
}

func (e *expression) filter(i int, word string) {
	e.check(i, word, "filter", filters)
	switch word {
	case "date", "time", "datetime":
		e.out.WriteString("when_" + word + ": " + mangle("contact.time_zone"))
	default:
		e.out.WriteString(word)
	}
}

func (e *expression) check(i int, word, kind string, known []string) bool {
	ok := slices.Contains(known, word)
	if !ok {
		e.fault(i, fmt.Sprintf("unknown %s %q", kind, word), didYouMean(word, known))
	}
	return ok
}

func (e *expression) fault(i int, what, remedy string) {
	e.faults = append(e.faults, fault{e.offset + i, what, remedy})
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// mangle makes a dotted name one plain variable.
func mangle(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, ".", "__"), "-", "_h_")
}
