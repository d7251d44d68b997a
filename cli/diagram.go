package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"parley/conversation/flow"
)

type diagramCmd struct {
	Format string `enum:"mermaid,dot" default:"mermaid" help:"mermaid or dot."`
	Bot    string `placeholder:"DIR" help:"The folder of flows; without it the built-in bot's."`
	Flow   string `arg:"" help:"The flow's name, or its YAML file."`
}

// Run prints the picture's source.
func (c diagramCmd) Run(w *world) error {
	b, name := builtIn(), c.Flow
	switch {
	case c.Bot != "":
		if !isFolder(c.Bot) {
			return usagef("there is no folder %s", c.Bot)
		}
		b = folder(c.Bot)
	case isFile(c.Flow):
		b = botAround(c.Flow)
		name = strings.TrimSuffix(filepath.Base(c.Flow), filepath.Ext(c.Flow))
	}
	set, found := b.load(nil)
	if set == nil {
		found.print(w.stderr)
		return errReported
	}
	if set.Flow(name) == nil {
		return usagef("the bot has no flow %q; it has %s", name, flowNames(set))
	}
	picture, err := flow.Diagram(set, name, c.Format)
	if err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	fmt.Fprint(w.stdout, picture)
	return nil
}
