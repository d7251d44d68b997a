package cli

import (
	"context"
	"fmt"

	"parley/store"
)

type backupCmd struct {
	File   string `arg:"" help:"Where to write the copy; it must not exist yet."`
	Config string `default:"parley.yaml" help:"The config file."`
}

// Run writes a copy of the database while a server may be using it.
func (c *backupCmd) Run(ctx context.Context, w *world) error {
	cfg, err := loadConfig(w, c.Config)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, cfg.Database.URL, store.Options{SkipMigrate: true, SkipCheck: true})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	ctx, stop := untilStopped(ctx)
	defer stop()
	if err := s.Backup(ctx, cfg.Database.URL, c.File); err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "the database is in %s\n", c.File)
	return nil
}
