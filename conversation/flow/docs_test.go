package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"parley/conversation/effect"
)

const (
	guide  = "../../docs/flows.md"
	schema = "../../docs/flow.schema.json"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// table is the rows that stand in the guide for a list; they are made, so that they cannot lie.
func table(words []Word) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "| `%s` | %s%s |\n", w.Name, w.Doc, brought(w.Sets))
	}
	return b.String()
}

func brought(vars []string) string {
	if len(vars) == 0 {
		return ""
	}
	return "; brings " + code(vars)
}

func code(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "`" + strings.Join(list, "`, `") + "`"
}

func effectRows() string {
	var b strings.Builder
	for _, s := range effect.All {
		var args []string
		for _, a := range s.Args {
			args = append(args, a.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.Name, s.Doc, code(args), code(s.Outcomes), code(s.Sets))
	}
	return b.String()
}

// TestTheGuideListsWhatThereIs compares the tables after each marker with the vocabulary. -update writes them.
func TestTheGuideListsWhatThereIs(t *testing.T) {
	text := read(t, guide)
	for marker, rows := range map[string]string{
		"effects": effectRows(), "intents": table(Intents), "signals": table(Signals), "triggers": table(Triggers), "variables": table(Builtins),
	} {
		place := regexp.MustCompile(`<!-- ` + marker + ` -->\n(\|.*\n\| ---.*\n)((?:\|.*\n)*)`)
		m := place.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("the guide has no marker %s", marker)
		}
		if *rewrite {
			text = strings.Replace(text, m[0], "<!-- "+marker+" -->\n"+m[1]+rows, 1)
		} else if diff := cmp.Diff(rows, m[2]); diff != "" {
			t.Errorf("%s: %s", marker, diff)
		}
	}
	if *rewrite {
		if err := os.WriteFile(guide, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheGuideExplainsEveryField(t *testing.T) {
	text := read(t, guide)
	for _, fields := range [][]Field{BotFields, FlowFields, StateFields, ChoiceFields} {
		for _, f := range fields {
			if row := fmt.Sprintf("| `%s` | %s |", f.Name, f.Doc); !strings.Contains(text, row) {
				t.Errorf("the guide lacks %s", row)
			}
		}
	}
	for _, name := range filters {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the guide lacks the filter %s", name)
		}
	}
}

func TestTheGuidesSamplesAreRightAsTheyStand(t *testing.T) {
	samples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(read(t, guide), -1)
	if len(samples) < 4 {
		t.Fatalf("found %d samples", len(samples))
	}
	for i, m := range samples {
		files := basics()
		name := fmt.Sprintf("sample-%d.yaml", i+1)
		if strings.HasPrefix(m[1], "shop:") {
			name = BotFile
		}
		files[name] = []byte(m[1])
		if _, problems := LoadFiles(files); len(problems) > 0 {
			t.Errorf("sample %d: %v", i+1, problems)
		}
	}
}

func TestEveryFieldsSampleIsRead(t *testing.T) {
	for _, fields := range [][]Field{BotFields, FlowFields, StateFields, ChoiceFields} {
		for _, f := range fields {
			if err := yaml.Unmarshal([]byte(f.Name+": "+f.Sample), &yaml.Node{}); err != nil || f.Sample == "" {
				t.Errorf("%s: %q: %v", f.Name, f.Sample, err)
			}
		}
	}
	for _, f := range StateFields { // each in a state that it fits
		lines := map[string]string{
			"image": "say: {en: a, de: a}\n    end: true", "class": "say: {en: a, de: a}\n    end: true", "say": "end: true", "set": "end: true",
			"choices": "say: {en: a, de: a}\n    on: {question: told}", "do": "on: {handed_off: told}", "on": "do: lookup", "after": "on: {yes: told}",
			"fallback": "on: {yes: told}", "stay": "say: {en: a, de: a}",
		}
		text := "flow: t\nstarts_on: {price_below: s, price: told}\nstart: s\nstates:\n  s:\n    " + f.Name + ": " + f.Sample + "\n    " + lines[f.Name] +
			"\n  told: {on: {yes: s, no: expired, help: ask-again}}\n  expired: {end: true}\n  ask-again: {end: true}\n"
		files := withFlow(text)
		files["notify.yaml"] = []byte("flow: notify\nstarts_on: {stock: told, order: gone}\nstart: told\nstates: {told: {end: true}, gone: {end: true}}\n")
		files["buy-now.yaml"] = []byte("flow: buy-now\nstarts_on: [buy]\nstart: a\nstates: {a: {end: true}}\n")
		files[BotFile] = append(files[BotFile], "  question: {en: Ask, de: Fragen}\n"...)
		if _, problems := LoadFiles(files); HasErrors(problems) {
			t.Errorf("%s: %s\n%v", f.Name, text, problems)
		}
	}
}

func TestTheSchemaListsExactlyTheFieldsThatAreRead(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(schema, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, schema); !bytes.Equal([]byte(got), want) {
		t.Error("docs/flow.schema.json is not what Schema makes; run go test ./conversation/flow -update")
	}
	var parsed struct {
		Defs map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(want, &parsed); err != nil {
		t.Fatal(err)
	}
	for name, fields := range map[string][]Field{"bot": BotFields, "flow": FlowFields, "state": StateFields, "choice": ChoiceFields} {
		var known []string
		for _, f := range fields {
			known = append(known, f.Name)
		}
		slices.Sort(known)
		if diff := cmp.Diff(known, slices.Sorted(maps.Keys(parsed.Defs[name].Properties))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
