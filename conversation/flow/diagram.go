package flow

import (
	"fmt"
	"slices"
	"strings"
)

// Formats are what Diagram draws.
var Formats = []string{"mermaid", "dot"}

// Diagram is a flow as a picture's source: a Mermaid state diagram or a Graphviz graph. States of other flows that it leads
// to are drawn as "flow.state".
func Diagram(s *Set, name, format string) (string, error) {
	f := s.Flow(name)
	if f == nil {
		return "", fmt.Errorf("no flow named %q", name)
	}
	d := drawing{flow: f}
	d.collect()
	switch format {
	case "mermaid":
		return d.mermaid(), nil
	case "dot":
		return d.dot(), nil
	}
	return "", fmt.Errorf("no format %q; use %s", format, oneOf(Formats))
}

// drawing is the nodes and lines of a picture, in a fixed order.
type drawing struct {
	flow  *Flow
	nodes []string
	lines []line
}

type line struct {
	from, to string // "" for where it begins or ends
	events   []string
}

func (d *drawing) collect() {
	for _, s := range d.flow.States {
		d.nodes = append(d.nodes, s.Name)
	}
	for _, e := range d.flow.Begins {
		d.line("", e.To.State, e.Event)
	}
	for _, s := range d.flow.States {
		for _, e := range s.Edges {
			to := e.To.State
			if e.To.Flow != d.flow.Name {
				to = e.To.String()
				if !slices.Contains(d.nodes, to) {
					d.nodes = append(d.nodes, to)
				}
			}
			d.line(s.Name, to, strings.Replace(e.Event, "after_", "after ", 1))
		}
		switch {
		case s.End:
			d.line(s.Name, "", "end")
		case s.Return:
			d.line(s.Name, "", "return")
		case s.Stay:
			d.line(s.Name, "", "stay")
		}
	}
}

// line adds an event; those between the same two states share one line.
func (d *drawing) line(from, to, event string) {
	for i := range d.lines {
		if d.lines[i].from == from && d.lines[i].to == to {
			d.lines[i].events = append(d.lines[i].events, event)
			return
		}
	}
	d.lines = append(d.lines, line{from, to, []string{event}})
}

// mermaid gives every state an id of its own, because the names of ours that hold a - or a point would not be read.
func (d *drawing) mermaid() string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %s\n---\nstateDiagram-v2\n", d.flow.Name)
	id := func(name string) string {
		if name == "" {
			return "[*]"
		}
		return fmt.Sprintf("s%d", slices.Index(d.nodes, name))
	}
	for _, name := range d.nodes {
		fmt.Fprintf(&b, "    state \"%s\" as %s\n", name, id(name))
	}
	for _, l := range d.lines {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", id(l.from), id(l.to), strings.Join(l.events, ", "))
	}
	return b.String()
}

func (d *drawing) dot() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n    rankdir=TB;\n    node [shape=box, style=rounded];\n", d.flow.Name)
	b.WriteString("    \"(begin)\" [shape=circle, label=\"\"];\n    \"(end)\" [shape=doublecircle, label=\"\"];\n")
	for _, name := range d.nodes {
		style := ""
		if d.flow.byName[name] == nil {
			style = " [style=dashed]"
		}
		fmt.Fprintf(&b, "    %q%s;\n", name, style)
	}
	for _, l := range d.lines {
		from, to := l.from, l.to
		if from == "" {
			from = "(begin)"
		}
		if to == "" {
			to = "(end)"
		}
		fmt.Fprintf(&b, "    %q -> %q [label=%q];\n", from, to, strings.Join(l.events, ", "))
	}
	b.WriteString("}\n")
	return b.String()
}
