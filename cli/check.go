package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/adapters"
	"parley/adapters/all"
	"parley/config"
	"parley/conversation/flow"
	"parley/conversation/transcript"
)

// configFile is what commands read when no config is named.
const configFile = "parley.yaml"

type checkCmd struct {
	Strict bool     `help:"Exit with 1 on warnings too."`
	Paths  []string `arg:"" optional:"" name:"path" help:"A config, a folder of flows or a .chat transcript; without one ./parley.yaml, else the built-in bot."`
}

// Help is shown by parley check -help.
func (checkCmd) Help() string {
	return `Each finding is a line: file:line:col: error or warning: what is wrong; what to do. Exit 1 on errors.

With a config, its bots are checked against the channels of the accounts that use them; a folder of flows by itself against every
channel there is. A transcript beside the flows that does not hold is a warning, as the bot works all the same; parley test runs
them, and so does naming one here.`
}

// Run prints what it found on stdout, one a line, and the count on stderr.
func (c checkCmd) Run(w *world) error {
	check := checker{getenv: w.getenv}
	if len(c.Paths) == 0 {
		if isFile(configFile) {
			c.Paths = []string{configFile}
		} else if err := check.bot(builtIn(), everyChannel()); err != nil {
			return err
		}
	}
	for _, p := range c.Paths {
		if err := check.path(p); err != nil {
			return err
		}
	}
	check.found.print(w.stdout)
	if len(check.found) > 0 {
		fmt.Fprintln(w.stderr, check.found.summary())
	}
	if check.found.errors() > 0 || c.Strict && len(check.found) > 0 {
		return errReported
	}
	return nil
}

// checker collects what is wrong with several paths.
type checker struct {
	getenv func(string) string
	found  findings
}

// path checks what the name turns out to be.
func (c *checker) path(name string) error {
	base := filepath.Base(name)
	switch {
	case isFolder(name):
		return c.folder(name)
	case !isFile(name):
		c.found.add(finding{line: name + ": error: there is no such file or folder; name a config, a folder of flows or a .chat transcript"})
		return nil
	case filepath.Ext(name) == ".chat":
		return c.transcript(name)
	case base != configFile && isFile(filepath.Join(filepath.Dir(name), flow.BotFile)):
		return c.bot(folder(filepath.Dir(name)), everyChannel())
	}
	return c.config(name)
}

// folder checks a folder of flows, a folder with a config, or all folders of flows below.
func (c *checker) folder(name string) error {
	config, bot := filepath.Join(name, configFile), filepath.Join(name, flow.BotFile)
	if isFile(config) {
		if err := c.config(config); err != nil {
			return err
		}
	}
	if isFile(bot) {
		return c.bot(folder(name), everyChannel())
	}
	if isFile(config) {
		return nil
	}
	bots, err := botFolders(name)
	if err != nil {
		return fmt.Errorf("look for flows in %s: %w", name, err)
	}
	for _, dir := range bots {
		if err := c.bot(folder(dir), everyChannel()); err != nil {
			return err
		}
	}
	if len(bots) == 0 {
		c.found.add(finding{line: fmt.Sprintf("%s: error: there is nothing to check here; a folder of flows holds a %s, a shop's folder a %s", name, flow.BotFile, configFile)})
	}
	return nil
}

// config checks a config and the bots it names, against the channels of the merchant that uses them.
func (c *checker) config(name string) error {
	kinds := kinds()
	cfg, problems := config.Load(name, c.getenv, kinds)
	for _, p := range problems {
		c.found.add(finding{p.String(), p.Severity == config.Warning})
	}
	if cfg == nil {
		return nil
	}
	for _, p := range invoiceProblems(cfg.Merchants...) {
		c.found.add(finding{p.String(), p.Severity == config.Warning})
	}
	for i, m := range cfg.Merchants {
		b := builtIn()
		if m.Bot != "" {
			b = folder(m.Bot)
		}
		if m.Bot != "" && !isFolder(m.Bot) {
			p := cfg.Pos(fmt.Sprintf("merchants[%d].bot", i)).Error(fmt.Sprintf("there is no folder %s", m.Bot), "name the folder that holds the merchant's "+flow.BotFile+", or leave bot: out")
			c.found.add(finding{line: p.String()})
			continue
		}
		if err := c.bot(b, channelsOf(m)); err != nil {
			return err
		}
	}
	return nil
}

// bot checks flows and the transcripts beside them.
func (c *checker) bot(b bot, channels []flow.Channel) error {
	set, found := b.load(channels)
	c.found.add(found...)
	if set == nil {
		return nil
	}
	scripts, err := b.transcripts()
	if err != nil {
		return err
	}
	for _, script := range scripts {
		_, problems := transcript.Run(set, script.name, script.text)
		for i := range problems {
			problems[i].Severity = flow.Warning // the bot works all the same
		}
		c.found.add(asFindings(problems)...)
	}
	return nil
}

// transcript plays one transcript against the flows around it.
func (c *checker) transcript(name string) error {
	b := botAround(name)
	set, found := b.load(nil)
	if set == nil {
		c.found.add(found...)
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read a transcript: %w", err)
	}
	_, problems := transcript.Run(set, name, text)
	c.found.add(asFindings(problems)...)
	return nil
}

// channelsOf are the channels that a merchant's accounts are on.
func channelsOf(m config.Merchant) []flow.Channel {
	used := map[string]bool{}
	for _, a := range m.Accounts {
		used[a.Adapter] = true
	}
	return channels(func(s adapters.Spec) bool { return used[s.Name] })
}

// everyChannel is what a bot is checked against when no config says where it talks.
func everyChannel() []flow.Channel { return channels(func(adapters.Spec) bool { return true }) }

func channels(wanted func(adapters.Spec) bool) []flow.Channel {
	var list []flow.Channel
	for _, s := range all.All() {
		if wanted(s) {
			list = append(list, flow.Channel{Name: s.Title, ButtonMax: s.Limits.Buttons.Max, LabelMax: s.Limits.Buttons.Label})
		}
	}
	return list
}

// botFolders are the folders with flows in and below a folder.
func botFolders(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return fs.SkipDir
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && d.Name() == flow.BotFile:
			dirs = append(dirs, filepath.Dir(name))
		}
		return nil
	})
	return dirs, err
}
