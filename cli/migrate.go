package cli

import (
	"context"
	"fmt"

	"parley/store"
)

type migrateCmd struct {
	Config string `default:"parley.yaml" help:"The config file."`
}

// Run brings the schema up to date and says how far it had to go.
func (c *migrateCmd) Run(ctx context.Context, w *world) error {
	cfg, err := loadConfig(w, c.Config)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, cfg.Database.URL, store.Options{SkipMigrate: true, SkipCheck: true})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	n, err := s.Migrate(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(w.stdout, "the schema is up to date")
		return nil
	}
	fmt.Fprintf(w.stdout, "%d migrations applied\n", n)
	return nil
}
