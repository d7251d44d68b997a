package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// text is a scalar as it is written, with ${…} replaced. Whether YAML takes it for a number or a date does not matter: the
// field knows what it is.
func (r *reader) text(name string, t Type, n *yaml.Node) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fail(n, "write one value behind the colon", "%s must be a single value, not %s", name, kindName(n))
		return "", false
	case n.Style&yaml.TaggedStyle != 0:
		r.fail(n, "remove "+n.Tag, "%s has a tag, which is not supported here", name)
		return "", false
	case n.Tag == "!!null":
		r.empty(name, n)
		return "", false
	case r.literal:
		return n.Value, true
	}
	return r.expand(name, t, n)
}

// expand replaces ${NAME} by the environment variable; $${ stands for a plain ${.
func (r *reader) expand(name string, t Type, n *yaml.Node) (string, bool) {
	var b strings.Builder
	ok, rest := true, n.Value
	for !r.ended() {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return b.String(), ok
		}
		if strings.HasSuffix(before, "$") {
			b.WriteString("{")
			rest = after
			continue
		}
		variable, behind, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			r.fail(n, "close it with }, or write $${ for the characters themselves", "%s has a ${ without its }", name)
			return "", false
		case !isVariable(variable):
			r.fail(n, "write ${NAME} with letters, digits and underscores, or $${ for the characters themselves",
				"%s has %s, which is not the name of an environment variable", name, quote(String, "${"+variable+"}"))
			ok = false
		default:
			value := ""
			if r.out.Getenv != nil {
				value = r.out.Getenv(variable)
			}
			if value == "" {
				remedy := "set it before the start"
				if t == Secret {
					remedy += ", or name a file that holds the value with " + name + fileSuffix
				}
				r.fail(n, remedy, "%s needs the environment variable %s, which is not set", name, variable)
				ok = false
			}
			b.WriteString(value)
		}
		rest = behind
	}
	return "", false
}

func isVariable(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	return s != "" && strings.Trim(s, letters+"0123456789") == "" && strings.ContainsRune(letters, rune(s[0]))
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of settings"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
