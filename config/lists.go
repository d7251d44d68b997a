package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// list reads entries that are mappings. It returns one for each entry, readable or not, so that places keep their numbers.
func (r *reader) list(f Field, n *yaml.Node, path string) any {
	if n.Tag == "!!null" || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		if f.Required {
			r.fail(n, "add an entry below it that begins with a hyphen", "%s is empty", f.Name)
		}
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "begin each entry with a hyphen: \"- name: …\"", "%s must be a list, not %s", f.Name, kindName(n))
		return nil
	}
	var all []Settings
	for i, c := range n.Content {
		noun := strings.TrimSuffix(f.Name, "s")
		sc := scope{label: "this " + noun, path: fmt.Sprintf("%s[%d]", path, i), fields: f.Fields, pos: r.at(c)}
		r.places[sc.path] = r.at(c)
		if c = r.follow(c); c == nil {
			break
		}
		if c.Tag == "!!null" {
			r.empty("an entry of "+f.Name, c)
			all = append(all, r.mapping(nil, sc)) // so that the others keep their places
			continue
		}
		if name := r.peek(c, "name"); name != "" {
			sc.label = noun + " " + quote(String, name)
		}
		if f.By != "" {
			kind := r.peek(c, f.By)
			more, known := f.Kinds[kind]
			if known {
				sc.label = kind
			}
			sc.open, sc.fields = !known, slices.Concat(f.Fields, more)
		}
		all = append(all, r.mapping(c, sc))
	}
	return all
}

// peek is the text behind a key of a mapping before the mapping is read; "" where there is none. It reports nothing: the
// problems come up when the mapping is read.
func (r *reader) peek(n *yaml.Node, name string) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != name {
			continue
		}
		value := n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		quiet := *r
		quiet.problems, quiet.failed = nil, map[Pos]bool{}
		text, _ := quiet.text(name, String, value)
		return text
	}
	return ""
}

func (r *reader) strings(f Field, n *yaml.Node, path string, around scope) any {
	switch {
	case n.Tag == "!!null":
		return r.missed(f, path, around)
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0 && f.Default != "":
		r.fail(n, "write one or more, such as "+f.Default+", or remove the line", "%s is an empty list", f.Name)
		return nil
	case n.Kind != yaml.SequenceNode:
		r.fail(n, "write it as ["+quoteless(n.Value)+"], or each entry on a line of its own behind a hyphen", "%s must be a list, not %s", f.Name, kindName(n))
		return nil
	}
	var all []string
	for i, c := range n.Content {
		r.places[fmt.Sprintf("%s[%d]", path, i)] = r.at(c)
		if c = r.follow(c); c == nil {
			break
		}
		text, ok := r.text("an entry of "+f.Name, f.Of, c)
		switch {
		case !ok:
		case text == "":
			r.empty("an entry of "+f.Name, c)
		case slices.Contains(all, text):
			r.fail(c, "remove one of the two", "%s stands twice in %s", quote(f.Of, c.Value), f.Name)
		case r.parse(f, f.Of, "an entry of "+f.Name, c, text) != nil:
			all = append(all, text)
		}
	}
	return all
}

func quoteless(text string) string {
	if text == "" || len(text) > 40 || strings.ContainsAny(text, "\n[]{}") {
		return "one, two"
	}
	return text
}

func (r *reader) texts(f Field, n *yaml.Node, path string) any {
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			r.fail(n, "write one line a language below it, such as en: …", "%s must have a text for each language, not %s", f.Name, kindName(n))
		}
		return nil
	}
	fields := make([]Field, len(f.Enum))
	for i, language := range f.Enum {
		fields[i] = Field{Name: language}
	}
	all := map[string]string{}
	found := r.entries(n, scope{label: f.Name, fields: fields})
	for _, language := range slices.Sorted(maps.Keys(found)) {
		r.places[path+"."+language] = r.at(found[language].value)
		value := r.follow(found[language].value)
		if value == nil {
			break
		}
		if text, ok := r.text(language, String, value); ok && text == "" {
			r.empty(language, value)
		} else if ok {
			all[language] = text
		}
	}
	return all
}
