package conversation

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Vars are read and written with every turn, and encoding/json takes several times as long over a map. What it gives is the same.

// MarshalJSON writes an object with its names in order.
func (v Vars) MarshalJSON() ([]byte, error) {
	if v == nil {
		return []byte("null"), nil
	}
	size := 2
	for name, value := range v {
		size += len(name) + len(value) + len(`"":"",`)
	}
	var room [32]string // the list of names needs no memory of its own, mostly
	names := room[:0]
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	b := append(make([]byte, 0, size), '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, name)
		b = append(b, ':')
		b = appendText(b, v[name])
	}
	return append(b, '}'), nil
}

func appendText(b []byte, s string) []byte {
	if !standsAsItIs(s) {
		text, _ := json.Marshal(s) // a string always marshals
		return append(b, text...)
	}
	return append(append(append(b, '"'), s...), '"')
}

// standsAsItIs says that encoding/json writes s between quotes as it is.
func standsAsItIs(s string) bool {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s) && !strings.ContainsAny(s, "\u2028\u2029")
}

var errNotVars = errors.New("variables are no object of texts")

// UnmarshalJSON reads an object of texts. encoding/json has seen that it is well-formed.
func (v *Vars) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*v = nil
		return nil
	}
	if len(b) == 0 || b[0] != '{' {
		return errNotVars
	}
	if *v == nil {
		*v = make(Vars, bytes.Count(b, []byte(`":`)))
	}
	r := textReader{string(b), 1} // the texts are parts of this one
	for r.next() != '}' {
		name, err := r.text()
		if err != nil {
			return err
		}
		r.next()
		value, err := r.text()
		if err != nil {
			return err
		}
		(*v)[name] = value
	}
	return nil
}

type textReader struct {
	s string
	i int
}

// next skips what stands between texts and tells what comes then.
func (r *textReader) next() byte {
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return c
		}
	}
	return '}'
}

// text reads a text; null is an empty one.
func (r *textReader) text() (string, error) {
	rest := r.s[r.i:]
	if strings.HasPrefix(rest, "null") {
		r.i += 4
		return "", nil
	}
	if len(rest) == 0 || rest[0] != '"' {
		return "", errNotVars
	}
	plain, ascii := true, true
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\':
			plain = false
			i++
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '"':
			r.i += i + 1
			if plain && (ascii || utf8.ValidString(rest[1:i])) {
				return rest[1:i], nil
			}
			var s string
			err := json.Unmarshal([]byte(rest[:i+1]), &s)
			return s, err
		}
	}
	return "", errNotVars
}
