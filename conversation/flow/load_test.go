package flow

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("update", false, "write the golden files anew")

// basics are files that make a set complete, so that a test shows one flow only.
func basics() map[string][]byte {
	return map[string][]byte{
		"bot.yaml": []byte("shop: Shop\nlanguages: [en, de]\nlabels:\n  buy: {en: 'Buy now, pay {{ total | money }}', de: 'Zahlungspflichtig bestellen, {{ total | money }}'}\n"),
		"basics.yaml": []byte(`flow: basics
starts_on: {misunderstood: sorry, stop: stop}
start: sorry
states:
  sorry: {say: {en: Sorry, de: Wie bitte}, stay: true}
  stop: {do: stop, on: {stopped: stopped}}
  stopped: {end: true}
`),
	}
}

func withFlow(text string) map[string][]byte {
	files := basics()
	files["t.yaml"] = []byte(text)
	return files
}

func mustLoad(t testing.TB, files map[string][]byte) *Set {
	t.Helper()
	set, problems := LoadFiles(files)
	if set == nil {
		t.Fatalf("refused: %v", problems)
	}
	return set
}

// TestProblemsHavePlaceCauseAndRemedy loads every folder in testdata/bad and compares what Load says with problems.txt.
func TestProblemsHavePlaceCauseAndRemedy(t *testing.T) {
	folders, err := filepath.Glob("testdata/bad/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("no cases", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			files := basics()
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if filepath.Ext(e.Name()) != ".yaml" {
					continue
				}
				content, err := os.ReadFile(filepath.Join(folder, e.Name()))
				if err != nil {
					t.Fatal(err)
				}
				files[e.Name()] = content
			}
			_, problems := LoadFiles(files)
			var got strings.Builder
			for _, p := range problems {
				got.WriteString(p.String() + "\n")
			}
			golden := filepath.Join(folder, "problems.txt")
			if *rewrite {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilesOfASetGiveTheSameSetAgain(t *testing.T) {
	set := mustLoad(t, basics())
	again := mustLoad(t, set.Files())
	if set.Hash != again.Hash {
		t.Errorf("hash %s became %s", set.Hash, again.Hash)
	}
	windows := basics()
	windows["basics.yaml"] = []byte(strings.ReplaceAll(string(windows["basics.yaml"]), "\n", "\r\n"))
	if got := mustLoad(t, windows); got.Hash != set.Hash {
		t.Error("line ends change the hash")
	}
	other := basics()
	other["bot.yaml"] = append(other["bot.yaml"], "# a note\n"...)
	if got := mustLoad(t, other); got.Hash == set.Hash {
		t.Error("other content has the same hash")
	}
	files := set.Files()
	clear(files)
	if len(set.Files()) == 0 {
		t.Error("a caller can empty the set's files")
	}
}

func TestLoadReadsAFolderAndLeavesOtherFilesAlone(t *testing.T) {
	fsys := fstest.MapFS{
		"shop/notes.md":   {Data: []byte("no flow")},
		"shop/talk.chat":  {Data: []byte("> hello")},
		"shop/.hid.yaml":  {Data: []byte("nonsense: [")},
		"shop/sub/x.yaml": {Data: []byte("nonsense: [")},
	}
	for name, content := range basics() {
		fsys["shop/"+name] = &fstest.MapFile{Data: content}
	}
	set, problems := Load(fsys, "shop")
	if set == nil || len(problems) > 0 {
		t.Fatalf("refused: %v", problems)
	}
	if got, want := slices.Sorted(maps.Keys(set.Files())), []string{"basics.yaml", "bot.yaml"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestLoadSaysWhichFolderIsMissing(t *testing.T) {
	_, problems := Load(fstest.MapFS{}, "nowhere")
	if len(problems) != 1 || problems[0].File != "nowhere" || problems[0].Remedy == "" {
		t.Errorf("got %v", problems)
	}
}

func TestTargetsAreOwnStatesFirstThenFlowsThenPlaces(t *testing.T) {
	files := withFlow(`flow: t
starts_on: [buy]
start: basics
states:
  basics: {say: {en: a, de: a}, on: {yes: basics, no: t, price: basics.stopped, stock: other}}
`)
	files["o.yaml"] = []byte("flow: other\nstart: s\nstates: {s: {end: true}}\n")
	set := mustLoad(t, files)
	from := Place{"t", "basics"}
	for event, want := range map[string]Place{
		"yes": from, "no": from, "price": {"basics", "stopped"}, "stock": {"other", "s"},
	} {
		if _, got, ok := set.Next(from, event); !ok || got != want {
			t.Errorf("%s leads to %v, want %v", event, got, want)
		}
	}
	if set.Handles(from, "order") {
		t.Error("handles an event that it does not name")
	}
	if event, _, _ := set.Next(from, "order", "stock", "yes"); event != "stock" {
		t.Errorf("took %q, want the first that is handled", event)
	}
}

func TestMachinesServeManyGoroutines(t *testing.T) {
	set := mustLoad(t, basics())
	done := make(chan bool)
	for range 8 {
		go func() {
			ok := true
			for range 200 {
				_, to, found := set.Next(Place{"basics", "stop"}, "stopped")
				ok = ok && found && to == Place{"basics", "stopped"}
			}
			done <- ok
		}()
	}
	for range 8 {
		if !<-done {
			t.Error("a step went astray")
		}
	}
}

func TestChannelsThatCannotShowTheChoicesAreWarnedOf(t *testing.T) {
	set := mustLoad(t, withFlow(`flow: t
starts_on: [buy]
start: s
states:
  s:
    say: {en: a, de: a}
    choices:
      - {id: buy, to: e}
      - {id: b, label: {en: B, de: B}, to: e}
      - {id: c, label: {en: C, de: C}, to: e}
  e: {end: true}
`))
	tests := map[string]struct {
		channels []Channel
		want     []string
	}{
		"wide enough": {[]Channel{{"Wide", 8, 60}, {"No buttons", 0, 0}}, nil},
		"few buttons": {[]Channel{{"Wide", 8, 60}, {"Few", 2, 60}},
			[]string{`t.yaml:10:9: warning: the state s has 3 choices, and Few shows 2 buttons; Few will get them as numbered lines; keep 2 for buttons`}},
		"short labels": {[]Channel{{"Short", 3, 24}},
			[]string{"bot.yaml:4:54: warning: the German label of buy is 37 characters long (\"Zahlungspflichtig bestellen, 123,45\\u00a0€\"), and Short shows 24; Short will get \"Zahlungspflichtig beste…\"; write it shorter"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range set.CheckChannels(tt.channels) {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	for _, content := range basics() {
		f.Add(string(content))
	}
	shop, _ := filepath.Glob("../../bots/shop/*.yaml")
	bad, _ := filepath.Glob("testdata/bad/*/*.yaml")
	for _, name := range append(shop, bad...) {
		if content, err := os.ReadFile(name); err == nil {
			f.Add(string(content))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"bot.yaml", "t.yaml"} {
			files := basics()
			files[name] = []byte(text)
			set, problems := LoadFiles(files)
			if (set == nil) != HasErrors(problems) {
				t.Fatalf("set %v with %v", set != nil, problems)
			}
			if set == nil {
				continue
			}
			for _, fl := range set.Flows {
				for _, format := range Formats {
					if _, err := Diagram(set, fl.Name, format); err != nil {
						t.Fatal(err)
					}
				}
				for _, s := range fl.States {
					if s.Say != nil {
						_, _ = set.Scope("de", set.samples()).Render(s.Say)
					}
				}
			}
		}
	})
}
