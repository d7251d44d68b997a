package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/commerce/money"
)

// maxDepth is how deep JSON may be nested. Nothing we take is deeper than three.
const maxDepth = 32

// object reads the members of a JSON object one by one. It collects everything that is wrong, so that whoever wrote the
// request learns all of it at once; done tells, and complains of members that nobody asked for.
type object struct {
	path     string // "offers." for what is inside offers
	members  map[string]any
	asked    map[string]bool
	problems *[]Field
}

// readObject reads a body that must be one JSON object.
func readObject(body []byte) (*object, error) {
	if !utf8.Valid(body) {
		return nil, &Problem{Status: http.StatusBadRequest, Sentence: "The body is not UTF-8."}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	value, err := readValue(d, 1)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errShape("there is more after the object")
		}
	}
	if err != nil {
		return nil, malformed(body, d, err)
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, &Problem{Status: http.StatusBadRequest, Sentence: "The body must be a JSON object: {…}."}
	}
	return &object{members: members, asked: map[string]bool{}, problems: new([]Field)}, nil
}

// errShape is what JSON allows and we do not; its text is ours and may be shown.
type errShape string

func (e errShape) Error() string { return string(e) }

func malformed(body []byte, d *json.Decoder, err error) error {
	at := d.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	before := body[:min(max(0, int(at)), len(body))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	sentence := fmt.Sprintf("The body is not JSON: it cannot be read beyond line %d, column %d.", line, max(1, column))
	if shape, ok := errors.AsType[errShape](err); ok {
		sentence = fmt.Sprintf("The body cannot be taken: %s (line %d).", shape, line)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		sentence = "The body is empty; a JSON object is needed."
	}
	return &Problem{Status: http.StatusBadRequest, Sentence: sentence, Err: err}
}

// readValue reads the next value. It refuses a member that stands twice, of which other parsers take now the first, now the
// last.
func readValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth > maxDepth {
		return nil, errShape(fmt.Sprintf("it is nested deeper than %d levels", maxDepth))
	}
	members, items := map[string]any{}, []any{}
	for d.More() {
		name := ""
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = key.(string)
			if _, twice := members[name]; twice {
				return nil, errShape(fmt.Sprintf("%q stands in it twice", name))
			}
		}
		value, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		if delim == '{' {
			members[name] = value
		} else {
			items = append(items, value)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if delim == '{' {
		return members, nil
	}
	return items, nil
}

func (o *object) complain(name, format string, args ...any) {
	*o.problems = append(*o.problems, Field{Name: o.path + name, Sentence: fmt.Sprintf(format, args...)})
}

// take is the value of a member, and whether it is there.
func (o *object) take(name string) (any, bool) {
	o.asked[name] = true
	value, ok := o.members[name]
	return value, ok
}

// need complains when a member is missing.
func (o *object) need(names ...string) {
	for _, name := range names {
		if _, ok := o.members[name]; !ok {
			o.complain(name, "this is needed")
		}
	}
}

// text is a string member, nil when it is absent. At most is in characters. Control characters other than line breaks and
// tabs are refused.
func (o *object) text(name string, most int) *string {
	value, ok := o.take(name)
	if !ok {
		return nil
	}
	s, ok := value.(string)
	switch bad := strings.IndexFunc(s, isControl); {
	case !ok:
		o.complain(name, "must be a string, not %s", jsonKind(value))
		return nil
	case bad >= 0:
		r, _ := utf8.DecodeRuneInString(s[bad:])
		o.complain(name, "holds the control character %U", r)
		return nil
	case utf8.RuneCountInString(s) > most:
		o.complain(name, "has %d characters, at most %d are possible", utf8.RuneCountInString(s), most)
		return nil
	}
	return &s
}

func isControl(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r) }

// word is text as a plain string: "" when it is absent or wrong.
func (o *object) word(name string, most int) string {
	if s := o.text(name, most); s != nil {
		return *s
	}
	return ""
}

// flag is a truth value, false when it is absent.
func (o *object) flag(name string) bool {
	value, ok := o.take(name)
	if !ok {
		return false
	}
	b, ok := value.(bool)
	if !ok {
		o.complain(name, "must be true or false, not %s", jsonKind(value))
	}
	return b
}

// count is a whole number, nil when it is absent.
func (o *object) count(name string) *int {
	value, ok := o.take(name)
	if !ok {
		return nil
	}
	n, ok := value.(json.Number)
	if !ok {
		o.complain(name, "must be a whole number, not %s", jsonKind(value))
		return nil
	}
	i, err := strconv.ParseInt(n.String(), 10, 32)
	if err != nil {
		o.complain(name, "%s is not a whole number that we can reckon with", n)
		return nil
	}
	out := int(i)
	return &out
}

// amount is {"amount": minor units, "currency": "EUR"}, nil when it is absent or wrong.
func (o *object) amount(name string) *money.Amount {
	inner := o.object(name)
	if inner == nil {
		return nil
	}
	problems := len(*o.problems)
	code, minor := inner.word("currency", 3), int64(0)
	currency, err := money.ParseCurrency(code)
	if err != nil && len(*o.problems) == problems {
		inner.complain("currency", "%q is not the code of a currency, like EUR", code)
	}
	switch value, ok := inner.take("amount"); n := value.(type) {
	case json.Number:
		if minor, err = strconv.ParseInt(n.String(), 10, 64); err != nil {
			inner.complain("amount", "%s is not a whole number; amounts are in minor units, so that 12.99 EUR is 1299", n)
		}
	case nil:
		if !ok {
			inner.complain("amount", "this is needed, in minor units: 1299 is 12.99 EUR")
			break
		}
		inner.complain("amount", "must be a whole number, not null")
	default:
		inner.complain("amount", "must be a whole number of minor units, not %s", jsonKind(value))
	}
	inner.finish()
	if len(*o.problems) > problems {
		return nil
	}
	a := money.New(minor, currency)
	return &a
}

// object is a member that is an object itself, nil when it is absent or something else.
func (o *object) object(name string) *object {
	value, ok := o.take(name)
	if !ok {
		return nil
	}
	members, ok := value.(map[string]any)
	if !ok {
		o.complain(name, "must be an object, not %s", jsonKind(value))
		return nil
	}
	return &object{path: o.path + name + ".", members: members, asked: map[string]bool{}, problems: o.problems}
}

// time is an instant in RFC 3339, zero when it is absent or wrong.
func (o *object) time(name string) time.Time {
	s := o.text(name, 64)
	if s == nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, *s)
	if err != nil {
		o.complain(name, "%q is not a time like 2026-11-21T09:30:00Z", *s)
	}
	return at.UTC()
}

// finish complains of the members that nobody asked for.
func (o *object) finish() {
	var unknown []string
	for name := range o.members {
		if !o.asked[name] {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	known := make([]string, 0, len(o.asked))
	for name := range o.asked {
		known = append(known, name)
	}
	slices.Sort(known)
	for _, name := range unknown {
		if len(known) == 0 {
			o.complain(name, "there is no such field; none is known here")
			continue
		}
		o.complain(name, "there is no such field; known are %s", strings.Join(known, ", "))
	}
}

// done says what was wrong with the request, after everything was read.
func (o *object) done() error {
	o.finish()
	if len(*o.problems) == 0 {
		return nil
	}
	return badFields(*o.problems...)
}

// badFields is the problem of a request whose fields cannot be taken.
func badFields(fields ...Field) *Problem {
	sentences := make([]string, len(fields))
	for i, f := range fields {
		sentences[i] = f.Name + ": " + f.Sentence
	}
	return &Problem{Status: http.StatusBadRequest, Sentence: strings.Join(sentences, "; ") + ".", Fields: fields}
}

func jsonKind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}
