package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseYAML is the mapping at the top of the file, or what makes it no YAML.
func parseYAML(file string, data []byte) (*yaml.Node, *Problem) {
	fail := func(line, col int, what, remedy string) (*yaml.Node, *Problem) {
		p := Pos{file, line, col}.Error(what, remedy)
		return nil, &p
	}
	if line, col, bad := firstBadByte(data); bad {
		return fail(line, col, "the file is not plain UTF-8 text", "save it as UTF-8 and remove control characters")
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) || err == nil && doc.Kind == 0 {
		return fail(1, 1, "the file is empty", "write it like the example in docs/config.md")
	}
	if err != nil {
		line, col, what, remedy := syntax(data, err)
		return fail(line, col, what, remedy)
	}
	if err := decoder.Decode(&second); err == nil || second.Kind != 0 {
		line := max(second.Line, 1)
		return fail(line, 1, "the file holds a second document", "remove the line --- and what follows, or give it a file of its own")
	} else if !errors.Is(err, io.EOF) {
		line, col, what, remedy := syntax(data, err)
		return fail(line, col, what, remedy)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fail(root.Line, root.Column, "the file must hold settings, not "+kindName(root), "write each setting as name: value")
	}
	return root, nil
}

// syntax says in our words what the YAML parser stumbled over, and where the trouble began rather than where it showed.
func syntax(data []byte, err error) (line, col int, what, remedy string) {
	line, col = 1, 1
	message := err.Error()
	context := ""
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		message, context = e.Message, e.ContextMsg
		if e.Mark.Line > 0 {
			line, col = e.Mark.Line, e.Mark.Column
		}
		if e.ContextMark.Line > 0 && strings.Contains(context, "quoted") {
			line, col = e.ContextMark.Line, e.ContextMark.Column
		}
		if e.ContextMark.Line > 0 && strings.Contains(context, "flow") {
			line, col = e.ContextMark.Line, e.ContextMark.Column
		}
	}
	lines := bytes.Split(data, []byte("\n"))
	at := ""
	if line <= len(lines) {
		at = string(lines[line-1])
	}
	switch {
	case strings.Contains(context, "quoted"):
		return line, col, "a quote is not closed", "write the same quote at the end of the text"
	case strings.Contains(at, "{") && strings.Contains(at, "${") && strings.Contains(context, "flow"):
		return line, col, "${…} stands without quotes inside { } or [ ]", `write it in quotes: "${NAME}"`
	case strings.Contains(context, "flow"):
		return line, col, "a { or [ is not closed", "write the closing } or ], or put a comma between the entries"
	case strings.HasPrefix(strings.TrimLeft(at, " "), "\t"):
		return line, col, "a tab stands at the beginning of the line", "indent with spaces only"
	case strings.Contains(message, "mapping values are not allowed"):
		return line, col, "there is a second colon on the line, or the line is indented too far", "put the text in quotes, or correct the indentation"
	case strings.Contains(message, "did not find expected key"), strings.Contains(message, "'-' indicator"):
		return line, col, "the line does not line up with those above it", "indent it as far as the other settings of its group"
	case strings.Contains(message, "could not find expected ':'"):
		return line, col, "a colon is missing", "write each setting as name: value"
	case strings.Contains(message, "cannot start any token"):
		return line, col, "the value begins with a character that YAML keeps for itself", "put the text in quotes"
	case strings.Contains(message, "unknown anchor"):
		return line, col, message, "put the text in quotes, or define the anchor above with &"
	}
	return line, col, "this is not YAML: " + message, "look at the indentation and the quotes of this line and the one above"
}

// firstBadByte finds what no text editor shows: bytes that are not UTF-8, and control characters.
func firstBadByte(data []byte) (line, col int, bad bool) {
	line, col = 1, 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case c == '\n':
			line, col = line+1, 0
		case c == utf8.RuneError && size == 1, c < ' ' && c != '\t' && c != '\r', c == 0x7f:
			return line, col, true
		}
		col++
		data = data[size:]
	}
	return 0, 0, false
}
