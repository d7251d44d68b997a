package flow

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxFile is far more than a flow written by people; a larger file is a mistake.
const maxFile = 256 << 10

// validName says what flows, states, choices and variables of flows may be called: the state machine's pictures and the
// targets "flow.state" need no quoting then.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// reader walks the YAML of one file against our own fields, so that every problem has its place.
type reader struct {
	*report
	file string
}

func (r *reader) at(n *yaml.Node) pos { return pos{r.file, n.Line, n.Column} }

// parse gives the file's mapping, or nil after reporting why there is none.
func (r *reader) parse(content []byte) *yaml.Node {
	whole := pos{file: r.file}
	if len(content) > maxFile {
		r.errorAt(whole, "split the flow", "the file is larger than %d KiB", maxFile>>10)
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		var load *yaml.LoadError
		if errors.As(err, &load) && load.Mark.Line > 0 {
			p := pos{r.file, load.Mark.Line, load.Mark.Column}
			r.errorAt(p, "check quotes, brackets and indentation here and in the lines above", "this is not YAML: %s", load.Message)
			return nil
		}
		r.errorAt(whole, "check quotes, brackets and indentation", "this is not YAML: %v", err)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		r.errorAt(whole, "write the flow, or delete the file", "the file is empty")
		return nil
	}
	return doc.Content[0]
}

type entry struct{ key, value *yaml.Node }

// entries gives a mapping's pairs in order. Keys that repeat are reported and left out.
func (r *reader) entries(n *yaml.Node, what string) []entry {
	if !r.plain(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.errorAt(r.at(n), "write it as `key: value` lines", "%s is not a mapping", what)
		return nil
	}
	seen := map[string]int{}
	var all []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !r.plain(key) {
			continue
		}
		if key.Kind != yaml.ScalarNode {
			r.errorAt(r.at(key), "write a name", "a key of %s is not a name", what)
			continue
		}
		if line, ok := seen[key.Value]; ok {
			prefix := ""
			if what == "on" {
				prefix = "duplicate transition: "
			}
			r.errorAt(r.at(key), "keep one of the two", "%s%q stands twice in %s, first in line %d", prefix, key.Value, what, line)
			continue
		}
		seen[key.Value] = key.Line
		all = append(all, entry{key, value})
	}
	return all
}

// plain refuses what would make the reader of a flow look elsewhere.
func (r *reader) plain(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.errorAt(r.at(n), "write it out, or move it into a state or a label of its own", "anchors and aliases are not supported")
		return false
	}
	return true
}

// fields reads a mapping with known keys.
func (r *reader) fields(n *yaml.Node, what string, specs []Field) map[string]*yaml.Node {
	known := make([]string, len(specs))
	for i, spec := range specs {
		known[i] = spec.Name
	}
	found := map[string]*yaml.Node{}
	for _, e := range r.entries(n, what) {
		if !slices.Contains(known, e.key.Value) {
			r.errorAt(r.at(e.key), didYouMean(e.key.Value, known), "unknown key %q in %s", e.key.Value, what)
			continue
		}
		found[e.key.Value] = e.value
	}
	if n.Kind == yaml.MappingNode {
		for _, spec := range specs {
			if spec.Required && found[spec.Name] == nil {
				r.errorAt(r.at(n), "add `"+spec.Name+": "+spec.Sample+"`, or whatever fits", "%s has no %s", what, spec.Name)
			}
		}
	}
	return found
}

// scalar reads one value as text.
func (r *reader) scalar(n *yaml.Node, what string) (string, bool) {
	if !r.plain(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.errorAt(r.at(n), "write one value", "%s is not a text", what)
		return "", false
	}
	return n.Value, true
}

// name reads a name and checks its letters.
func (r *reader) name(n *yaml.Node, what string) (string, bool) {
	s, ok := r.scalar(n, what)
	if ok && !validName.MatchString(s) {
		r.errorAt(r.at(n), "use a to z, 0 to 9, - and _", "%s %q is not a name", what, s)
		return "", false
	}
	return s, ok
}

func (r *reader) boolean(n *yaml.Node, what string) bool {
	s, ok := r.scalar(n, what)
	if !ok {
		return false
	}
	if s != "true" && s != "false" {
		r.errorAt(r.at(n), "write true, or leave it out", "%s is %q", what, s)
	}
	return s == "true"
}

// list reads a sequence; one value alone counts as a list of it.
func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	if !r.plain(n) {
		return nil
	}
	switch n.Kind {
	case yaml.SequenceNode:
		return n.Content
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	}
	r.errorAt(r.at(n), "write [one, two]", "%s is not a list", what)
	return nil
}

// duration reads a key of after:.
func (r *reader) duration(n *yaml.Node) (time.Duration, bool) {
	d, err := ParseWait(n.Value)
	if err != nil {
		r.errorAt(r.at(n), "write a time from 1s to 365d with its unit, such as 30m, 48h or 7d", "%v", err)
	}
	return d, err == nil
}

// ParseWait reads 30s, 15m, 48h or 7d, up to a year.
func ParseWait(s string) (time.Duration, error) {
	const year = 365 * 24 * time.Hour
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var count int
		if count, err = strconv.Atoi(days); err == nil {
			d = time.Duration(min(count, 1000)) * 24 * time.Hour
		}
	}
	if err != nil || d < time.Second || d > year {
		return 0, fmt.Errorf("%q is not a time to wait", s)
	}
	return d, nil
}
