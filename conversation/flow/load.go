package flow

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"parley/conversation/understand"
)

// BotFile is the name of the file that holds what all flows share.
const BotFile = "bot.yaml"

const maxFiles = 200

// Load reads bot.yaml and every other .yaml file of a folder. Problems name the files as path.Join(dir, name). The set is
// nil when one of the problems is an error.
func Load(fsys fs.FS, dir string) (*Set, []Problem) {
	fail := func(err error) (*Set, []Problem) {
		return nil, []Problem{{File: dir, Severity: Error, What: fmt.Sprintf("read the bot's folder: %v", err),
			Remedy: "give the folder that holds " + BotFile}}
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return fail(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || path.Ext(e.Name()) != ".yaml" && path.Ext(e.Name()) != ".yml" {
			continue
		}
		content, err := fs.ReadFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return fail(err)
		}
		if !isConfig(content) {
			files[e.Name()] = content
		}
	}
	set, problems := LoadFiles(files)
	for i := range problems {
		problems[i].File = path.Join(dir, problems[i].File)
	}
	return set, problems
}

// isConfig says that a file is the installation's config, which may lie beside the flows: it lists merchants, and no flow does.
func isConfig(content []byte) bool {
	return bytes.HasPrefix(content, []byte("merchants:")) || bytes.Contains(content, []byte("\nmerchants:"))
}

// LoadFiles compiles files by name, as Set.Files gives them. The set is nil when one of the problems is an error.
func LoadFiles(files map[string][]byte) (*Set, []Problem) {
	canonical := make(map[string][]byte, len(files))
	for name, content := range files {
		canonical[name] = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	}
	c := &compiler{
		report: &report{},
		set:    &Set{Hash: hashOf(canonical), files: canonical, byName: map[string]*Flow{}, begins: map[string]Place{}, phrases: map[string][]string{}},
		labels: map[string]*Text{},
	}
	c.load()
	c.set.own = understand.CompilePhrases(c.set.phrases)
	sortProblems(c.problems)
	if HasErrors(c.problems) {
		return nil, c.problems
	}
	return c.set, c.problems
}

// compiler holds what is known while a set is read.
type compiler struct {
	*report
	set    *Set
	labels map[string]*Text // bot.yaml's labels, by choice id
	texts  []*Text          // every text read, for the checks that need the whole set
	vars   map[string]bool
	events map[string]bool
}

func (c *compiler) load() {
	bot, ok := c.set.files[BotFile]
	switch {
	case !ok:
		c.errorAt(pos{file: BotFile}, "write one with `languages: [en]`", "the bot has no %s", BotFile)
		return
	case len(c.set.files) > maxFiles:
		c.errorAt(pos{file: BotFile}, "is it the right folder?", "the folder holds more than %d YAML files", maxFiles)
		return
	}
	c.readBot(&reader{c.report, BotFile}, bot)
	if len(c.set.Languages) == 0 {
		return // nothing else can be judged without the languages
	}
	for _, name := range slices.Sorted(maps.Keys(c.set.files)) {
		if name != BotFile {
			c.readFlow(&reader{c.report, name}, c.set.files[name])
		}
	}
	slices.SortFunc(c.set.Flows, func(a, b *Flow) int { return strings.Compare(a.Name, b.Name) })

	c.collectVars()
	c.set.vars = c.vars
	c.collectEvents()
	r := newRenderer(c.set.Languages)
	for _, t := range c.texts {
		r.compile(t, c.set.Languages, c.vars, c.report)
	}
	c.resolve()
	if HasErrors(c.problems) {
		c.checkGraph() // still worth saying, as far as it goes
		return
	}
	for _, f := range c.set.Flows {
		f.machine = newMachine(f)
		c.set.markSilent(f)
	}
	c.checkGraph()
}

// collectVars gathers every variable that something sets.
func (c *compiler) collectVars() {
	c.vars, c.set.bound = map[string]bool{}, map[string]bool{}
	for _, name := range productBound() {
		c.set.bound[name] = true
	}
	for _, list := range [][]string{productBound(), names(Builtins)} {
		for _, name := range list {
			c.vars[name] = true
		}
	}
	for _, t := range Triggers {
		for _, name := range t.Sets {
			c.vars[name] = true
		}
	}
	for _, f := range c.set.Flows {
		for _, s := range f.States {
			for _, a := range s.Set {
				c.vars[a.Name] = true
			}
		}
	}
}

// collectEvents gathers every event that something raises, outcomes and timers aside: those belong to their state.
func (c *compiler) collectEvents() {
	c.events = map[string]bool{}
	for _, words := range [][]Word{Intents, Signals, Triggers} {
		for _, w := range words {
			c.events[w.Name] = true
		}
	}
	for name := range c.set.phrases {
		c.events[name] = true
	}
}
