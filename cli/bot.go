package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"parley/bots"
	"parley/conversation/flow"
)

// bot is a folder of flows, on disk or the built-in one.
type bot struct {
	files fs.FS
	shown string // the folder as the admin knows it, before each file's name
	disk  string // the folder on disk; empty for the built-in bot
}

// builtIn is the bot that answers when the config names none.
func builtIn() bot { return bot{files: bots.Shop(), shown: "bots/shop"} }

func folder(dir string) bot { return bot{files: os.DirFS(dir), shown: dir, disk: dir} }

// botAround finds the folder of flows that a file belongs to: the nearest one upwards with a bot.yaml, else the built-in bot.
func botAround(file string) bot {
	dir := filepath.Dir(file)
	for range 16 {
		if isFile(filepath.Join(dir, flow.BotFile)) {
			return folder(dir)
		}
		dir = filepath.Join(dir, "..")
	}
	return builtIn()
}

// load compiles the flows and looks how their buttons fit the channels.
func (b bot) load(channels []flow.Channel) (*flow.Set, findings) {
	set, problems := flow.Load(b.files, ".")
	if set != nil {
		problems = append(problems, set.CheckChannels(channels)...)
	}
	return set, b.findings(problems)
}

// findings puts the folder before the files' names, so that editors can follow them.
func (b bot) findings(problems []flow.Problem) findings {
	for i := range problems {
		problems[i].File = b.path(problems[i].File)
	}
	return asFindings(problems)
}

func (b bot) path(name string) string { return filepath.Join(b.shown, filepath.FromSlash(name)) }

func asFindings(problems []flow.Problem) findings {
	var found findings
	for _, p := range problems {
		found = append(found, finding{p.String(), p.Severity == flow.Warning})
	}
	return found
}

// script is a .chat file.
type script struct {
	name   string // as the admin knows it
	text   []byte
	onDisk bool // it can be written under its name
}

// transcripts are the .chat files in the folder and below.
func (b bot) transcripts() ([]script, error) {
	var scripts []script
	err := fs.WalkDir(b.files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".chat":
			return nil
		}
		text, err := fs.ReadFile(b.files, name)
		scripts = append(scripts, script{b.path(name), text, b.disk != ""})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the transcripts in %s: %w", b.shown, err)
	}
	return scripts, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// flowNames lists a set's flows for a sentence.
func flowNames(set *flow.Set) string {
	names := make([]string, len(set.Flows))
	for i, f := range set.Flows {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}
