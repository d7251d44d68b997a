package config

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/config.md and the golden files anew")

// off matches what the example has commented out: a # directly before a setting or an entry, or two blanks behind it where
// the entry goes on.
var off = regexp.MustCompile(`(?m)^( *)#((?:- )?[a-z_]+:|  )`)

func everythingOn() string { return off.ReplaceAllString(Example, "$1$2") }

func TestTheExampleHasNoProblems(t *testing.T) {
	_, problems := Parse("example.yaml", []byte(Example), Outside{}, sampleKinds())
	if len(problems) > 0 {
		t.Fatalf("problems:\n%s", problems.Error())
	}
}

func TestTheExampleHasNoErrorsWithEverythingUncommented(t *testing.T) {
	text := strings.Replace(everythingOn(), "database: sqlite://parley.db\n", "", 1)
	text = strings.ReplaceAll(text, `consent_version: "1"`, "consent_version: \"1\"")
	_, problems := Parse("example.yaml", []byte(text), Outside{Getenv: func(string) string { return strings.Repeat("x", 40) }}, sampleKinds())
	if len(problems) > 0 {
		t.Fatalf("problems:\n%s\n\n%s", problems.Error(), text)
	}
}

func TestTheExampleNamesEveryField(t *testing.T) {
	text := strings.Replace(everythingOn(), "database: sqlite://parley.db\n", "", 1)
	root, problem := parseYAML("example.yaml", []byte(text))
	if problem != nil {
		t.Fatal(problem)
	}
	kinds := sampleKinds()
	delete(kinds.Adapters, "caller")
	s := newReader("example.yaml", Outside{}).mapping(root, scope{fields: Fields(kinds)})
	if absent := unwritten("", Fields(kinds), []Settings{s}); len(absent) > 0 {
		t.Errorf("the example lacks %s", strings.Join(absent, ", "))
	}
}

// unwritten lists the fields that none of the settings has.
func unwritten(path string, fields []Field, all []Settings) []string {
	var absent []string
	for _, f := range fields {
		var inner []Settings
		written := false
		for _, s := range all {
			if !s.Has(f.Name) {
				continue
			}
			written = true
			switch f.Type {
			case Group:
				inner = append(inner, s.Group(f.Name))
			case List:
				inner = append(inner, s.List(f.Name)...)
			}
		}
		if !written {
			absent = append(absent, path+f.Name)
			continue
		}
		absent = append(absent, unwritten(path+f.Name+".", f.Fields, inner)...)
		for kind, more := range f.Kinds {
			of := slices.DeleteFunc(slices.Clone(inner), func(s Settings) bool { return s.String(f.By) != kind })
			if len(of) == 0 {
				absent = append(absent, fmt.Sprintf("%s%s(%s)", path, f.Name, kind))
			}
			absent = append(absent, unwritten(path+f.Name+"("+kind+").", more, of)...)
		}
	}
	return absent
}

func TestTheExampleShowsTheDefaults(t *testing.T) {
	differs := map[string]bool{ // said so in the comment beside it
		"languages": true, "time_zone": true, "mode": true, "role": true, "floor": true, "auto_accept": true,
	}
	root, problem := parseYAML("example.yaml", []byte(Example))
	if problem != nil {
		t.Fatal(problem)
	}
	fields := Fields(sampleKinds())
	s := newReader("example.yaml", Outside{}).mapping(root, scope{fields: fields})
	var compare func(path string, s Settings)
	compare = func(path string, s Settings) {
		for name, f := range s.fields {
			if !s.Has(name) {
				continue
			}
			switch f.Type {
			case Group:
				compare(path+name+".", s.Group(name))
			case List:
				for _, e := range s.List(name) {
					compare(path+name+".", e)
				}
			default:
				if f.Default == "" || differs[name] {
					continue
				}
				want := newReader("", Outside{}).missed(f, "", scope{})
				if diff := cmp.Diff(want, s.values[name]); diff != "" {
					t.Errorf("%s%s is not the default (-default +example):\n%s", path, name, diff)
				}
			}
		}
	}
	compare("", s)
}

func TestTheFieldsAreWellDeclared(t *testing.T) {
	if err := Check(Fields(sampleKinds())); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFindsMistakesInFields(t *testing.T) {
	cases := map[string][]Field{
		"declared twice":            {{Name: "a", Doc: "A."}, {Name: "a", Doc: "A."}},
		"the name must be":          {{Name: "A b", Doc: "A."}},
		"no sentence":               {{Name: "a"}},
		"an enum of nothing":        {{Name: "a", Doc: "A.", Type: Enum, Default: "x"}},
		"required and yet":          {{Name: "a", Doc: "A.", Required: true, Default: "x"}},
		"does not read":             {{Name: "a", Doc: "A.", Type: Duration, Sample: "5 minutes"}},
		"too small":                 {{Name: "a", Doc: "A.", Type: Int, Min: "3", Default: "2"}},
		`required with "b=c"`:       {{Name: "a", Doc: "A.", RequiredWith: "b=c"}},
		"field g.a: no sentence":    {{Name: "g", Doc: "G.", Type: Group, Fields: []Field{{Name: "a"}}}},
		"field l(k).a: no sentence": {{Name: "l", Doc: "L.", Type: List, By: "x", Kinds: map[string][]Field{"k": {{Name: "a"}}}}},
	}
	for want, fields := range cases {
		t.Run(want, func(t *testing.T) {
			if err := Check(fields); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestTheDocumentationIsFresh(t *testing.T) {
	const path = "../docs/config.md"
	got := documentation()
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/config.md is stale; run go test ./config -update (-docs +fields):\n%s", diff)
	}
}

func documentation() string {
	return `# The configuration

` + "`parley.yaml`" + ` says where data is stored, which shops are served, where their shoppers chat and how they trade. This page is
made from the fields that the program reads by (` + "`go test ./config -update`" + `). The settings of each messenger and payment
provider are declared beside its code; the example below shows those that are built in.

` + "`parley check`" + ` reads the file as ` + "`parley serve`" + ` would and names every problem at once:

` + "```" + `
parley.yaml:14:9: error: unknown setting "tokn" for telegram; did you mean "token"?
` + "```" + `

- ` + "`${NAME}`" + ` is replaced by an environment variable in any value; ` + "`$${`" + ` stands for the characters themselves.
- A secret stands in the environment, or in a file of its own: ` + "`token_file: /run/secrets/telegram`" + `. It is shown as ` + "`***`" + `.
- Relative paths begin at the folder of the file. Durations carry a unit: ` + "`30s`, `10m`, `48h`" + `.
- Aliases (` + "`*name`" + `) work, merge keys (` + "`<<`" + `) do not. A file may have up to 256 KiB.

## At the top
` + Markdown(Fields(Kinds{})) + `
## Example

Also part of the binary.

` + "```yaml\n" + Example + "```\n"
}
