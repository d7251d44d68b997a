package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"parley/config"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/conversation/transcript"
)

type testCmd struct {
	Update bool     `help:"Write into the transcripts what the bot really says; read the change before you keep it."`
	Cover  bool     `help:"Say which states and transitions no transcript comes through."`
	Paths  []string `arg:"" optional:"" name:"path" help:"A folder of flows or a .chat transcript; without one the bots of ./parley.yaml, else the built-in bot."`
}

// Run plays transcripts and prints where the bot answers otherwise.
func (c testCmd) Run(w *world) error {
	runs, err := c.runs(w)
	if err != nil {
		return err
	}
	failed := false
	for _, r := range runs {
		ok, err := c.play(w, r)
		if err != nil {
			return err
		}
		failed = failed || !ok
	}
	if failed {
		return errReported
	}
	return nil
}

// run is a bot and those of its transcripts that are to be played.
type run struct {
	bot
	scripts []script
}

// runs finds what the paths name.
func (c testCmd) runs(w *world) ([]run, error) {
	var bots []bot
	var runs []run
	switch {
	case len(c.Paths) > 0:
	case isFile(configFile):
		cfg, problems := config.Load(configFile, w.getenv, kinds())
		if problems.HasErrors() {
			return nil, fmt.Errorf("%s has problems; see parley check", configFile)
		}
		for _, m := range cfg.Merchants {
			if m.Bot != "" {
				bots = append(bots, folder(m.Bot))
			} else {
				bots = append(bots, builtIn())
			}
		}
	case isFile(flow.BotFile):
		bots = append(bots, folder("."))
	default:
		bots = append(bots, builtIn())
	}
	for _, name := range c.Paths {
		switch {
		case isFolder(name) && isFile(filepath.Join(name, flow.BotFile)):
			bots = append(bots, folder(name))
		case isFile(name) && filepath.Ext(name) == ".chat":
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read a transcript: %w", err)
			}
			runs = append(runs, run{botAround(name), []script{{name, text, true}}})
		default:
			return nil, usagef("%s is neither a .chat transcript nor a folder with a %s", name, flow.BotFile)
		}
	}
	seen := map[string]bool{}
	for _, b := range bots {
		if seen[b.shown] {
			continue
		}
		seen[b.shown] = true
		scripts, err := b.transcripts()
		if err != nil {
			return nil, err
		}
		runs = append(runs, run{b, scripts})
	}
	return runs, nil
}

// play plays a bot's transcripts; it is false when one of them does not hold.
func (c testCmd) play(w *world, r run) (bool, error) {
	set, found := r.load(nil)
	if set == nil {
		found.print(w.stdout)
		return false, nil
	}
	if len(r.scripts) == 0 {
		return false, fmt.Errorf("there are no transcripts in %s; docs/flows.md shows how to write one", r.shown)
	}
	var moves []conversation.Move
	conversations, updated := 0, 0
	var wrong findings
	for _, s := range r.scripts {
		result, problems := transcript.Run(set, s.name, s.text)
		conversations += result.Conversations
		moves = append(moves, result.Moves...)
		if c.Update && string(result.Updated) != string(s.text) {
			if !s.onDisk {
				return false, usagef("the built-in bot's transcripts are part of the program; name a folder to update")
			}
			if err := os.WriteFile(s.name, result.Updated, 0o644); err != nil {
				return false, fmt.Errorf("update a transcript: %w", err)
			}
			updated++
			_, problems = transcript.Run(set, s.name, result.Updated)
		}
		wrong.add(asFindings(problems)...)
	}
	wrong.print(w.stdout)
	fmt.Fprintf(w.stdout, "%s: %s in %s, %s", r.shown, counted(conversations, "conversation"), counted(len(r.scripts), "transcript"), counted(len(wrong), "problem"))
	if c.Update {
		fmt.Fprintf(w.stdout, ", %d updated", updated)
	}
	fmt.Fprintln(w.stdout)
	if c.Cover {
		cover := transcript.Cover(set, moves)
		r.findings(cover.Missing).print(w.stdout)
		fmt.Fprintf(w.stdout, "%s: %d of %d states, %d of %d transitions (%.0f %%)\n", r.shown, cover.StatesSeen, cover.States, cover.TransitionsSeen, cover.Transitions, cover.Percent())
	}
	return len(wrong) == 0, nil
}
