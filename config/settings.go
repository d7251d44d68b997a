package config

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"parley/commerce/money"
)

// Settings are the values of one mapping of the file, read and checked by its fields: of an account, say, or a payment
// provider. Settings that are neither written nor have a default read as zero.
//
// Reading a name that was not declared, or by the method of another type, is a bug and panics. Printing shows no values.
type Settings struct {
	label   string
	fields  map[string]Field
	values  map[string]any
	written map[string]Pos
	pos     Pos
}

// NewSettings reads values as if they stood in a file, each as it is written in YAML, but leaves ${…} as it is. It is for
// tests and for settings made in code. The error is a Problems; warnings are left out.
func NewSettings(fields []Field, values map[string]string) (Settings, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	for i, name := range slices.Sorted(maps.Keys(values)) {
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: i + 1, Column: 1},
			valueNode(fields, name, values[name]))
	}
	r := newReader("settings", Outside{ReadFile: readSecretFile})
	r.literal = true
	s := r.mapping(node, scope{label: "these settings", fields: fields})
	r.problems.Sort()
	return s, r.problems.Err()
}

func valueNode(fields []Field, name, text string) *yaml.Node {
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
	if i >= 0 && !fields[i].Type.scalar() {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err == nil && len(doc.Content) == 1 {
			return doc.Content[0]
		}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: 1, Column: 1}
}

// Has says that the setting is written in the file, rather than left to its default.
func (s Settings) Has(name string) bool {
	s.field(name)
	_, ok := s.written[name]
	return ok
}

// Pos is where the setting is written, or the mapping it would belong to.
func (s Settings) Pos(name string) Pos {
	s.field(name)
	if p, ok := s.written[name]; ok {
		return p
	}
	return s.pos
}

// String reads every setting that is one piece of text: String, URL, Enum, Slug, Email, Currency, Zone, TimeOfDay, Network,
// Origin, Address and StoreURL.
func (s Settings) String(name string) string { return read[string](s, name) }

// Secret reads a Secret.
func (s Settings) Secret(name string) Masked { return read[Masked](s, name) }

// Int reads an Int or a Percent.
func (s Settings) Int(name string) int { return read[int](s, name) }

// Bool reads a Bool.
func (s Settings) Bool(name string) bool { return read[bool](s, name) }

// Number reads a Number.
func (s Settings) Number(name string) float64 { return read[float64](s, name) }

// Duration reads a Duration.
func (s Settings) Duration(name string) time.Duration { return read[time.Duration](s, name) }

// Amount reads an Amount.
func (s Settings) Amount(name string) money.Amount { return read[money.Amount](s, name) }

// Strings reads Strings. The caller may keep and change the slice.
func (s Settings) Strings(name string) []string { return slices.Clone(read[[]string](s, name)) }

// Texts reads Texts: language → text. The caller may keep and change the map.
func (s Settings) Texts(name string) map[string]string {
	return maps.Clone(read[map[string]string](s, name))
}

// Group reads a Group.
func (s Settings) Group(name string) Settings { return read[Settings](s, name) }

// List reads the entries of a List.
func (s Settings) List(name string) []Settings { return slices.Clone(read[[]Settings](s, name)) }

// Equal says that two mappings by the same fields hold the same values, wherever they are written and however: it does not matter
// whether a value is written or is the default.
func (s Settings) Equal(other Settings) bool {
	if s.label != other.label || len(s.fields) != len(other.fields) {
		return false
	}
	for name := range s.fields {
		if !equalValues(s.values[name], other.values[name]) {
			return false
		}
	}
	return true
}

func equalValues(a, b any) bool {
	if a == nil || b == nil { // what is not there reads as zero
		return (a == nil || reflect.ValueOf(a).IsZero()) && (b == nil || reflect.ValueOf(b).IsZero())
	}
	switch a := a.(type) {
	case Masked:
		b, ok := b.(Masked)
		return ok && a.Equal(b)
	case Settings:
		b, ok := b.(Settings)
		return ok && a.Equal(b)
	case []Settings:
		b, ok := b.([]Settings)
		return ok && slices.EqualFunc(a, b, Settings.Equal)
	}
	return reflect.DeepEqual(a, b)
}

func (s Settings) field(name string) Field {
	f, ok := s.fields[name]
	if !ok {
		panic(fmt.Sprintf("config: setting %q was never declared for %s", name, s.label))
	}
	return f
}

func read[T any](s Settings, name string) T {
	f := s.field(name)
	var zero T
	if zeroOf(f.Type) != fmt.Sprintf("%T", zero) {
		panic(fmt.Sprintf("config: setting %q of %s is a %s, not a %T", name, s.label, f.Type, zero))
	}
	v, _ := s.values[name].(T)
	return v
}

// zeroOf names the Go type in which Settings keeps values of a type.
func zeroOf(t Type) string {
	var v any = ""
	switch t {
	case Secret:
		v = Masked{}
	case Int, Percent:
		v = 0
	case Bool:
		v = false
	case Number:
		v = 0.0
	case Duration:
		v = time.Duration(0)
	case Amount:
		v = money.Amount{}
	case Strings:
		v = []string(nil)
	case Texts:
		v = map[string]string(nil)
	case Group:
		v = Settings{}
	case List:
		v = []Settings(nil)
	}
	return fmt.Sprintf("%T", v)
}

// Format prints the names only: a value may be secret in a way that its type does not know.
func (s Settings) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "settings of %s: %v", s.label, slices.Sorted(maps.Keys(s.written)))
}

// LogValue shows what Format shows.
func (s Settings) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// MarshalJSON shows what Format shows.
func (s Settings) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(s)), nil }

var (
	_ fmt.Formatter  = Settings{}
	_ slog.LogValuer = Settings{}
)
