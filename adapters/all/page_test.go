package all

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/config"
)

var update = flag.Bool("update", false, "write docs/adapters/README.md anew")

var docs = filepath.Join("..", "..", "docs", "adapters")

// linked is the WhatsApp backend that only builds with the tag whatsmeow have; what the page says of it has the word.
const linked = "linked"

func TestThePageOfAllMessengersIsFresh(t *testing.T) {
	path := filepath.Join(docs, "README.md")
	got, complete := page(t)
	if *update && !complete {
		t.Fatal("run it with -tags whatsmeow: without, the linked phone is missing")
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := string(want)
	if !complete {
		got, kept = withoutLinked(got), withoutLinked(kept)
	}
	if diff := cmp.Diff(kept, got); diff != "" {
		t.Errorf("%s is stale; run go test -tags whatsmeow ./adapters/all -update (-page +now):\n%s", path, diff)
	}
}

// withoutLinked drops the lines about the linked phone.
func withoutLinked(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, linked) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// account is a messenger as one of its accounts is, made with the samples of its fields.
type account struct {
	title string
	spec  adapters.Spec
	m     adapters.Messenger
}

// accounts has one of each kind. complete is false when this build lacks the linked phone.
func accounts(t *testing.T) (out []account, complete bool) {
	t.Helper()
	complete = true
	for _, spec := range All() {
		i := slices.IndexFunc(spec.Fields, func(f config.Field) bool { return f.Name == "backend" })
		kinds := []string{""}
		if i >= 0 {
			kinds = spec.Fields[i].Enum
		}
		for _, kind := range kinds {
			a := account{title: spec.Title, spec: spec}
			values := map[string]string{}
			for _, f := range spec.Fields {
				values[f.Name] = f.Sample
			}
			if kind != "" {
				a.title += ", `backend: " + kind + "`"
				values["backend"] = kind
			}
			settings, err := config.NewSettings(spec.Fields, values)
			if err != nil {
				t.Fatalf("%s: %v", a.title, err)
			}
			a.m, err = spec.New(settings, adapters.Env{Account: spec.Name})
			if err != nil && kind == linked {
				complete = false
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", a.title, err)
			}
			out = append(out, a)
		}
	}
	return out, complete
}

func page(t *testing.T) (text string, complete bool) {
	t.Helper()
	all, complete := accounts(t)
	var b strings.Builder
	b.WriteString("# The messengers\n\n" +
		"Generated from the adapters' own specs by `go test -tags whatsmeow ./adapters/all -update`; do not edit. A name leads to the page on set-up and on\n" +
		"what works. [journey.md](journey.md) shows the same conversation on all of them.\n\n")
	for _, spec := range All() {
		fmt.Fprintf(&b, "- [%s](%s.md): %s\n", spec.Title, spec.Name, spec.Doc)
	}
	b.WriteString("\n## What they carry\n\nWhat is longer is split before it is sent, at words and sentences. More choices than buttons, or longer ones, become a list, and what not\n" +
		"even that holds becomes numbered lines, answered by number or word.\n\n" +
		"| | text | with buttons | beside a picture | buttons | list | free text |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, a := range all {
		fmt.Fprintf(&b, "| %s | %s |\n", a.title, strings.Join(carries(a.m.Limits()), " | "))
	}
	b.WriteString("\n## What they can do\n\n| | a conversation begins | changes what was sent | shows typing | puts signs on messages | receipts | drops repeats | hook | room for staff | collects money |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, a := range all {
		fmt.Fprintf(&b, "| %s | %s |\n", a.title, strings.Join(a.can(), " | "))
	}
	b.WriteString("\nA hook is served at `/hooks/` and the account's name; some messengers need it in one mode only, see their settings. *Drops repeats* says\n" +
		"that a message whose fate is unknown can simply be sent again.\n\n## Settings\n")
	for _, spec := range All() {
		fmt.Fprintf(&b, "\n### %s: `adapter: %s`\n", spec.Title, spec.Name)
		if len(spec.Fields) == 0 {
			b.WriteString("\nNone.\n")
			continue
		}
		// config.Markdown has headings of its own for what lies deeper.
		b.WriteString(strings.ReplaceAll(config.Markdown(spec.Fields), "\n## ", "\n#### "))
	}
	b.WriteString("\n## What every messenger must do\n\n" +
		"One suite, `adapters/adaptertest`, plays the same cases on each, against a strict server that is told to repeat, reorder, refuse, break and hang: " +
		strings.Join(adaptertest.Cases(), ", ") + ".\n\nOf these a messenger is without only what its network cannot have:\n\n| | case | why |\n| --- | --- | --- |\n")
	for _, w := range without(t) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", w.title, w.name, w.why)
	}
	b.WriteString("\nCases about a hook, typing, signs, changes of what was sent and rooms for staff count where the tables above say that there is one.\n")
	b.WriteString("\n## What is not covered by any peer\n\nA peer is a program at the other end that we did not write. No peer covers:\n\n")
	for _, spec := range All() {
		fmt.Fprintf(&b, "- **%s**: %s\n", spec.Title, uncovered(t, spec.Name))
	}
	return b.String(), complete
}

// carries are the cells about limits.
func carries(l adapters.Limits) []string {
	unit := map[adapters.Unit]string{adapters.Runes: "characters", adapters.UTF16: "UTF-16 units", adapters.Bytes: "bytes", adapters.GSM7: "GSM-7 septets"}[l.Unit]
	text, with, caption, window := "no limit", "the same", "no pictures", "always"
	if l.Text > 0 {
		text = fmt.Sprintf("%d %s", l.Text, unit)
	}
	if l.WithButtons > 0 {
		with = fmt.Sprint(l.WithButtons)
	}
	if l.Buttons.Max == 0 && l.List.Max == 0 {
		with = "–"
	}
	if l.Caption > 0 {
		caption = fmt.Sprint(l.Caption)
	}
	if l.Window > 0 {
		window = fmt.Sprintf("for %d h after the person wrote", int(l.Window/time.Hour))
	}
	return []string{text, with, caption, choices(l.Buttons), choices(l.List), window}
}

func choices(b adapters.Buttons) string {
	switch {
	case b.Max == 0:
		return "–"
	case b.Label == 0:
		return fmt.Sprintf("%d", b.Max)
	}
	return fmt.Sprintf("%d of %d characters", b.Max, b.Label)
}

// can are the cells about capabilities.
func (a account) can() []string {
	yes := func(is bool) string {
		if is {
			return "yes"
		}
		return "–"
	}
	begins := "with the person"
	if _, ok := a.m.(adapters.Linker); ok {
		begins = "with the person, by a link too"
	}
	if a.spec.MayWriteFirst {
		begins = "with either"
	}
	if a.spec.Typed != "" {
		begins += "; the form asks for a " + a.spec.Typed
	}
	if _, ok := a.m.(adapters.Pairer); ok {
		begins += "; a phone is linked before"
	}
	l := a.m.Limits()
	_, edits := a.m.(adapters.Editor)
	_, typing := a.m.(adapters.Typer)
	_, signs := a.m.(adapters.Reactor)
	_, hook := a.m.(adapters.Webhook)
	_, room := a.m.(adapters.Room)
	_, invoices := a.m.(adapters.Invoicer)
	return []string{begins, yes(edits), yes(typing), yes(signs), yes(l.Receipts), yes(l.Repeatable), yes(hook), yes(room), yes(invoices)}
}

// uncovered is what the messenger's page says that no peer covers, on one line.
func uncovered(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(docs, name+".md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "No peer covers")
	if !found {
		t.Fatalf("%s does not say what no peer covers, in a paragraph that begins so", path)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	text = strings.TrimPrefix(text, ", and only Meta can show")
	text = strings.NewReplacer(".\n- ", "; ", "\n- ", "; ").Replace(strings.TrimLeft(text, ":- \n"))
	return strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ".") + "."
}

func TestLimitsAndCapabilitiesAgree(t *testing.T) {
	all, _ := accounts(t)
	for _, a := range all {
		l := a.m.Limits()
		if _, ok := a.m.(adapters.Typer); ok != l.Typing {
			t.Errorf("%s: limits say typing %v, the messenger %v", a.title, l.Typing, ok)
		}
		if _, ok := a.m.(adapters.Editor); ok != l.Edits {
			t.Errorf("%s: limits say edits %v, the messenger %v", a.title, l.Edits, ok)
		}
	}
}
