package flow

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/osteele/liquid"
	"go.yaml.in/yaml/v4"
)

// MaxText is the longest text a template may become, in bytes. What is longer is cut.
const MaxText = 8 << 10

// Text is a Liquid template in one or more languages.
type Text struct {
	sources  []source // in the order of the file
	compiled map[string]*template
}

type source struct {
	language string // "" for all
	text     string
	node     *yaml.Node
	file     string
	anyMoney bool // amounts need no filter here: the template feeds an effect, not a reader
}

// template is a text in one language, ready to be rendered.
type template struct {
	*liquid.Template
	language string
	uses     []variable
	fixed    bool   // it uses no variable and no tag
	text     string // of a fixed one
	parts    []part // of one that is so simple that we need no Liquid for it
}

type variable struct{ name, mangled string }

func newTemplate(parsed *liquid.Template, language, source string, uses []use) *template {
	t := &template{Template: parsed, language: language}
	if !strings.Contains(source, "{{") && !strings.Contains(source, "{%") {
		t.fixed, t.text = true, trim(source)
		return t
	}
	for _, name := range append(namesOf(uses), "contact.time_zone") { // which the filters of times look at
		t.uses = append(t.uses, variable{name, mangle(name)})
	}
	t.parts = partsOf(source, t.uses)
	return t
}

func namesOf(uses []use) []string {
	var names []string
	for _, u := range uses {
		if !contains(names, u.name) {
			names = append(names, u.name)
		}
	}
	return names
}

// has says whether the text is written in a language.
func (t *Text) has(language string) bool {
	for _, s := range t.sources {
		if s.language == language || s.language == "" {
			return true
		}
	}
	return false
}

// at is the place of a byte of the template in its file, as exactly as YAML lets us know: folded texts and escapes shift it.
func (s source) at(offset int) pos {
	p := pos{s.file, s.node.Line, s.node.Column}
	before := s.text[:min(offset, len(s.text))]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	switch s.node.Style {
	case yaml.LiteralStyle:
		p.line += 1 + line
		p.col = s.node.Column + column
	case yaml.FoldedStyle:
		p.line++
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		p.col += 1 + column
	default:
		p.col += column
	}
	return p
}

// Scope is the variables of one rendering, in one language. They are looked at when a text is rendered.
type Scope struct {
	language string
	shop     string
	vars     map[string]string
}

// Scope prepares to render texts of the set with these variables.
func (s *Set) Scope(language string, vars map[string]string) *Scope {
	if s.Speaks(language) == "" {
		language = s.Languages[0]
	}
	return &Scope{language, s.Shop, vars}
}

// bind gives a template the value of a variable; nil is none. "" is true in Liquid; what is absent is not.
func (sc *Scope) bind(name string) any {
	value := sc.vars[name]
	switch {
	case name == "language":
		return sc.language
	case name == "shop.name" && value == "":
		value = sc.shop
	case contains(countVars, name):
		if n, err := strconv.Atoi(value); err == nil {
			return n
		}
	}
	if value == "" {
		return nil
	}
	return clean(value)
}

// Render makes the text in the scope's language, or in the default language where it is not written in that.
func (sc *Scope) Render(t *Text) (text string, err error) {
	if t == nil {
		return "", nil
	}
	template := t.compiled[sc.language]
	if template == nil {
		return "", nil
	}
	if template.fixed {
		return template.text, nil
	}
	if template.parts != nil {
		return trim(template.join(sc)), nil
	}
	if text, err = template.liquid(sc); err != nil {
		return "", fmt.Errorf("render %q: %w", t.sources[0].text, err)
	}
	return trim(text), nil
}

func (t *template) liquid(sc *Scope) (text string, err error) {
	defer func() {
		if p := recover(); p != nil { // the template library panics on some mixtures of types
			err = fmt.Errorf("%v", p)
		}
	}()
	bindings := make(liquid.Bindings, len(t.uses))
	for _, v := range t.uses {
		if value := sc.bind(v.name); value != nil {
			bindings[v.mangled] = value
		}
	}
	text, failed := t.RenderString(bindings)
	if failed != nil {
		return "", failed
	}
	return text, nil
}

// trim makes of what a template gives what is said.
func trim(text string) string { return cut(strings.TrimSpace(clean(text)), MaxText) }

// clean takes out what could make a text read as another than it is: control characters other than line breaks, and the
// marks that turn the direction of writing around.
func clean(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

// cut shortens to at most n bytes, at the border of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[:n-len("…")]
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) && !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return strings.ToValidUTF8(s, "") + "…"
}
