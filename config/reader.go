package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// fileSuffix behind a secret's name makes the setting the path of a file that holds it.
const fileSuffix = "_file"

// mostNodes bounds the work that aliases can multiply; a file of 256 KiB without them stays far below.
const mostNodes = 20_000

// mostProblems is how many are found at once. Whoever has more has the wrong file.
const mostProblems = 500

// reader walks the nodes of one file along the fields. It goes on after a problem, so that all are found at once.
type reader struct {
	file     string
	out      Outside
	literal  bool // leave ${…} as it is
	problems Problems
	places   map[string]Pos // "merchants[0].accounts[1].token"
	failed   map[Pos]bool   // where a value could not be read
	left     int            // nodes that may still be read
}

// scope is the mapping being read.
type scope struct {
	label  string // as problems name it: telegram, merchant "shop"
	path   string // as Config.Pos names it
	fields []Field
	open   bool // the fields are not all known, so that nothing can be called unknown
	pos    Pos  // of the mapping around it, for one that is not written
}

func (sc scope) join(name string) string {
	if sc.path == "" {
		return name
	}
	return sc.path + "." + name
}

// entry is one line of a mapping.
type entry struct{ key, value *yaml.Node }

func newReader(file string, out Outside) *reader {
	return &reader{file: file, out: out, places: map[string]Pos{}, failed: map[Pos]bool{}, left: mostNodes}
}

func (r *reader) at(n *yaml.Node) Pos { return Pos{r.file, n.Line, n.Column} }

func (r *reader) fail(n *yaml.Node, remedy, format string, args ...any) {
	r.add(r.at(n).Error(fmt.Sprintf(format, args...), remedy))
	r.failed[r.at(n)] = true
}

// add takes problems up to a limit and then ends the reading.
func (r *reader) add(p Problem) {
	switch n := len(r.problems); {
	case n < mostProblems:
		r.problems = append(r.problems, p)
	case n == mostProblems:
		what := fmt.Sprintf("there are more than %d problems, of which the rest is not shown", mostProblems)
		r.problems = append(r.problems, Pos{p.File, p.Line, p.Col}.Error(what, "see whether this is the right file"))
		r.left = 0
	}
}

// ended says that the file is too much to be read to its end.
func (r *reader) ended() bool { return r.left <= 0 }

// follow is the node that counts: behind an alias, the one with the anchor. It is nil once too many have been read.
func (r *reader) follow(n *yaml.Node) *yaml.Node {
	r.left--
	if r.left == 0 {
		r.fail(n, "write less, or use fewer aliases", "the file has more than %d values, counting what its aliases repeat", mostNodes)
	}
	if r.ended() {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// mapping reads a mapping by its fields. A nil node gives the defaults, and nothing is missing in it.
func (r *reader) mapping(n *yaml.Node, sc scope) Settings {
	s := Settings{label: sc.label, fields: map[string]Field{}, values: map[string]any{}, written: map[string]Pos{}, pos: sc.pos}
	entries := map[string]entry{}
	if n != nil {
		s.pos, sc.pos = r.at(n), r.at(n)
		entries = r.entries(n, sc)
	}
	for _, f := range sc.fields {
		if _, taken := s.fields[f.Name]; taken {
			continue // declared twice, a bug which Check finds
		}
		s.fields[f.Name] = f
		path := sc.join(f.Name)
		e, found := entries[f.Name]
		if f.Type == Secret {
			e, found = r.secretEntry(f, e, entries[f.Name+fileSuffix])
		}
		if found {
			s.written[f.Name], r.places[path] = r.at(e.value), r.at(e.value)
		}
		if v := r.field(f, e, path, sc); v != nil {
			s.values[f.Name] = v
		}
	}
	if n != nil && !r.ended() && (n.Kind == yaml.MappingNode || n.Tag == "!!null") {
		r.missing(s, sc.fields)
	}
	return s
}

// entries are the lines of a mapping, without those that cannot be read.
func (r *reader) entries(n *yaml.Node, sc scope) map[string]entry {
	found := map[string]entry{}
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			r.fail(n, "write its settings indented below it, each as name: value", "%s must be a group of settings, not %s", sc.label, kindName(n))
		}
		return found
	}
	known := names(sc.fields)
	for i := 0; i+1 < len(n.Content) && !r.ended(); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first, twice := found[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			r.fail(key, "write the name of a setting before the colon", "a name must be text, not %s", kindName(key))
		case key.Value == "<<":
			r.fail(key, "write the settings out, or give the whole group an anchor", "merging mappings with << is not supported")
		case twice:
			r.fail(key, "remove one of the two", "setting %q is written twice for %s, first on line %d", key.Value, sc.label, first.key.Line)
		case slices.Contains(known, key.Value):
			found[key.Value] = entry{key, value}
		case !sc.open:
			r.fail(key, suggest(key.Value, known), "unknown setting %s for %s", quote(String, key.Value), sc.label)
		}
	}
	return found
}

func names(fields []Field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
		if f.Type == Secret {
			all = append(all, f.Name+fileSuffix)
		}
	}
	return all
}

// secretEntry picks between a secret and the file that holds it.
func (r *reader) secretEntry(f Field, plain, file entry) (entry, bool) {
	if plain.key != nil && file.key != nil {
		r.fail(file.key, "remove one of the two", "both %s and %s are written", f.Name, f.Name+fileSuffix)
	}
	if plain.key != nil {
		return plain, true
	}
	return file, file.key != nil
}

// missing names the required settings that are not written.
func (r *reader) missing(s Settings, fields []Field) {
	for _, f := range fields {
		required := f.Required
		if name, value, ok := strings.Cut(f.RequiredWith, "="); ok {
			required = required || fmt.Sprint(s.values[name]) == value
		}
		if _, written := s.written[f.Name]; written || !required {
			continue
		}
		remedy := "add " + f.Name + ": " + f.Sample
		switch {
		case f.Type == Secret:
			remedy = fmt.Sprintf("add %s: ${%s}, or %s with the path of a file that holds it", f.Name, variable(s.label, f.Name), f.Name+fileSuffix)
		case f.Type == Enum:
			remedy = fmt.Sprintf("add %s: and one of %s", f.Name, strings.Join(f.Enum, ", "))
		case f.Type == List || f.Type == Group:
			remedy = "add " + f.Name + ": with its settings indented below it"
		}
		what := fmt.Sprintf("setting %q is missing for %s", f.Name, s.label)
		if f.RequiredWith != "" && !f.Required {
			what += ", which has " + strings.ReplaceAll(f.RequiredWith, "=", ": ")
		}
		r.add(s.pos.Error(what, remedy))
	}
}

// variable is a good name for the environment variable of a secret: TELEGRAM_TOKEN.
func variable(label, name string) string {
	return strings.ToUpper(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			return c
		case c == '"':
			return -1
		}
		return '_'
	}, label+"_"+name))
}

// field reads one setting; nil when there is no value, or none that can be read.
func (r *reader) field(f Field, e entry, path string, around scope) any {
	if e.key == nil {
		return r.missed(f, path, around)
	}
	n := r.follow(e.value)
	if n == nil {
		return nil
	}
	switch f.Type {
	case Group:
		return r.mapping(n, scope{label: f.Name, path: path, fields: f.Fields})
	case List:
		return r.list(f, n, path)
	case Strings:
		return r.strings(f, n, path, around)
	case Texts:
		return r.texts(f, n, path)
	case Secret:
		return r.secret(f, e.key.Value, n, around.label)
	}
	text, ok := r.text(f.Name, f.Type, n)
	if !ok || text == "" && f.Type == String && !f.Required {
		return nil
	}
	if text == "" {
		r.empty(f.Name, n)
		return nil
	}
	if f.Type == StoreURL && hasPlainPassword(n.Value) && !r.literal {
		r.add(r.at(n).Warning("the password of the database stands here in plain text",
			"write postgres://user:${PARLEY_DB_PASSWORD}@host/name and set that variable"))
	}
	return r.parse(f, f.Type, f.Name, n, text)
}

// hasPlainPassword says that a URL, as it is written, holds a password rather than the variable of one.
func hasPlainPassword(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return false
	}
	password, found := u.User.Password()
	return found && !strings.Contains(password, "${")
}

// missed is the value of a setting that is not written.
func (r *reader) missed(f Field, path string, around scope) any {
	if f.Type == Group {
		return r.mapping(nil, scope{label: f.Name, path: path, fields: f.Fields, pos: around.pos})
	}
	if f.Default == "" {
		return nil
	}
	v, err := parse(f, f.Type, f.Default)
	if !f.Type.scalar() {
		var s Settings
		s, err = NewSettings([]Field{{Name: f.Name, Type: f.Type, Of: f.Of, Enum: f.Enum}}, map[string]string{f.Name: f.Default})
		v = s.values[f.Name]
	}
	if err != nil {
		panic(fmt.Sprintf("config: default of %s: %v", f.Name, err)) // a bug in the spec, which Check finds
	}
	return v
}

func (r *reader) empty(name string, n *yaml.Node) {
	r.fail(n, "write a value, or remove the line", "%s is empty", name)
}

// parse reads a text by its type and turns what does not fit into a problem.
func (r *reader) parse(f Field, t Type, name string, n *yaml.Node, text string) any {
	v, err := parse(f, t, text)
	if err == nil {
		return v
	}
	shown := quote(t, text)
	if strings.Contains(n.Value, "${") && !r.literal { // never what the environment holds
		shown = quote(t, n.Value)
	}
	is, remedy := complaint(err)
	if shown == hidden {
		shown, name = name, "the value of"
	}
	r.fail(n, remedy, "%s %s %s", name, shown, is)
	return nil
}
