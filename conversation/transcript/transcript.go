// Package transcript plays conversations written down in .chat files against a set of flows, and says where the bot answers
// otherwise. A .chat file reads like the chat itself; docs/flows.md shows the format.
//
// What does not belong here: reading folders, and printing; that is the command's work.
package transcript

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"parley/conversation/flow"
)

// kind is the sort of an input line.
type kind int

const (
	says    kind = iota // > words
	presses             // >> a label, or a choice's id
	happens             // ! an event, with its variables
	waits               // ... a time
)

// turn is one input and what the author expects of the bot.
type turn struct {
	line  int
	kind  kind
	text  string // the words, the label or the event's name
	vars  map[string]string
	wait  time.Duration
	want  []string // lines as written, without room at the end
	first int      // the line of want[0]
}

// scene is a conversation from its beginning.
type scene struct {
	title    string
	line     int
	language string
	turns    []*turn
}

// Script is a transcript that has been read.
type Script struct {
	scenes []*scene
}

// Conversations is how many the file holds.
func (s *Script) Conversations() int { return len(s.scenes) }

// Parse reads a transcript without playing it: problems are lines that cannot be read, or that name what does not exist.
func Parse(set *flow.Set, file string, content []byte) (*Script, []flow.Problem) {
	p := &parser{file: file, set: set, facts: map[string]map[string]string{}}
	p.parse(strings.ReplaceAll(string(content), "\r\n", "\n"))
	return &Script{p.scenes}, p.problems
}

type parser struct {
	file     string
	set      *flow.Set
	problems []flow.Problem
	scenes   []*scene
	facts    map[string]map[string]string // @name: variables
}

var (
	factLine = regexp.MustCompile(`^@([a-z0-9_-]+)\s*=\s*(.*)$`)
	variable = regexp.MustCompile(`^\s*(?:@([a-z0-9_-]+)|([a-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|[^"\s]\S*))`)
)

func (p *parser) problem(line int, remedy, format string, args ...any) {
	p.problems = append(p.problems, flow.Problem{
		File: p.file, Line: line, Col: 1, Severity: flow.Error, What: fmt.Sprintf(format, args...), Remedy: remedy,
	})
}

func (p *parser) parse(content string) {
	var current *scene
	var last *turn
	titled := false // the line before was a title as well
	begin := func(title string, line int) {
		current, last = &scene{title: title, line: line}, nil
		p.scenes = append(p.scenes, current)
	}
	for i, raw := range strings.Split(content, "\n") {
		number, line := i+1, strings.TrimRight(raw, " \t\r")
		title, isTitle := strings.CutPrefix(line, "#")
		if isTitle {
			if !titled {
				begin(strings.TrimSpace(title), number)
			}
			titled = true
			continue
		}
		titled = false
		if line == "" {
			continue
		}
		if m := factLine.FindStringSubmatch(line); m != nil {
			p.facts[m[1]] = p.variables(number, m[2])
			continue
		}
		if expected(line) {
			if last == nil {
				p.problem(number, "write first what the shopper does or what happens: >, >>, ! or ...", "nothing has happened yet that the bot could answer")
				continue
			}
			if len(last.want) == 0 {
				last.first = number
			}
			last.want = append(last.want, line)
			continue
		}
		if current == nil {
			begin(p.file, number)
		}
		if language, ok := strings.CutPrefix(line, "language:"); ok {
			current.language = strings.TrimSpace(language)
			if p.set.Speaks(current.language) == "" {
				p.problem(number, "use one of "+strings.Join(p.set.Languages, ", "), "the bot does not speak %q", current.language)
			}
			continue
		}
		if t := p.input(number, line); t != nil {
			current.turns = append(current.turns, t)
			last = t
		}
	}
}

// expected says whether a line is something the bot should do.
func expected(line string) bool {
	return strings.HasPrefix(line, "<") || strings.HasPrefix(line, "~") || strings.HasPrefix(line, "=") || strings.HasPrefix(strings.TrimLeft(line, " \t"), "[")
}

func (p *parser) input(number int, line string) *turn {
	t := &turn{line: number, first: number}
	switch {
	case strings.HasPrefix(line, ">>"):
		t.kind, t.text = presses, strings.TrimSpace(line[2:])
	case strings.HasPrefix(line, ">"):
		t.kind, t.text = says, strings.TrimSpace(line[1:])
	case strings.HasPrefix(line, "..."):
		d, err := flow.ParseWait(strings.TrimSpace(line[3:]))
		if err != nil {
			p.problem(number, "write a time with its unit, such as 48h", "%v", err)
			return nil
		}
		t.kind, t.wait = waits, d
	case strings.HasPrefix(line, "!"):
		name, rest, _ := strings.Cut(strings.TrimSpace(line[1:]), " ")
		t.kind, t.text, t.vars = happens, name, p.variables(number, rest)
	default:
		p.problem(number, "begin with > (words), >> (a button), ! (an event), ... (a time), < (the bot), [ (its buttons), ~ (an effect), = (the state), @ (facts) or # (a new conversation)",
			"cannot read this line")
		return nil
	}
	if t.text == "" && t.kind != waits {
		p.problem(number, "write what it is", "the line is empty")
		return nil
	}
	return t
}

// variables reads `@mug price="9.00 EUR" quantity=2`; what comes later goes before.
func (p *parser) variables(number int, rest string) map[string]string {
	vars := map[string]string{}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		m := variable.FindStringSubmatch(rest)
		if m == nil {
			p.problem(number, `write name="value" or @facts`, "cannot read %q", rest)
			return vars
		}
		rest = rest[len(m[0]):]
		if m[1] != "" {
			facts, ok := p.facts[m[1]]
			if !ok {
				p.problem(number, "write `@"+m[1]+" = name=\"value\"` above", "no facts named @%s", m[1])
			}
			for name, value := range facts {
				vars[name] = value
			}
			continue
		}
		value := m[3]
		if strings.HasPrefix(value, `"`) {
			value = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value[1 : len(value)-1])
		}
		if !p.set.Knows(m[2]) {
			p.problem(number, p.set.NearestVariable(m[2]), "unknown variable %q", m[2])
		}
		vars[m[2]] = value
	}
	return vars
}
