package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/net/netutil"

	"parley/config"
	"parley/store"
)

type serveCmd struct {
	Config string `default:"parley.yaml" help:"The config file."`
	Addr   string `help:"Listen here instead of where the config says."`
}

// Run serves a config until the process is asked to stop. On SIGHUP it reads the config again.
func (c *serveCmd) Run(ctx context.Context, w *world) error {
	hungUp := make(chan os.Signal, 1)
	signal.Notify(hungUp, syscall.SIGHUP)
	defer signal.Stop(hungUp)
	defer runtime.KeepAlive(tuneMemory(w.getenv))
	cfg, err := c.load(w, nil)
	if err != nil {
		return err
	}
	ctx, stop := untilStopped(ctx)
	defer stop()
	log := logTo(w, cfg.Log)
	l, err := listen(ctx, cfg.Web.Addr)
	if err != nil {
		return err
	}
	addr := l.Addr()
	if cfg.Web.PublicURL == "" {
		cfg.Web.PublicURL = "http://" + addr.String()
	}
	in, err := install(ctx, cfg, log, nil)
	if err != nil {
		_ = l.Close()
		return err
	}
	log.Info("serving", "addr", addr.String(), "public_url", cfg.Web.PublicURL, "database", cfg.Database)
	var reloads sync.WaitGroup
	reloads.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hungUp:
				c.reload(ctx, w, in, addr)
			}
		}
	})
	if cfg.Web.Connections > 0 { // those beyond wait in the listener's backlog, where they cost us nothing
		l = netutil.LimitListener(l, cfg.Web.Connections)
	}
	err = in.serve(ctx, l)
	stop() // it may have ended by itself
	reloads.Wait()
	return errors.Join(err, in.Close())
}

// load reads the config. addr is where the server listens; nil before it does.
func (c *serveCmd) load(w *world, addr net.Addr) (*config.Config, error) {
	cfg, err := loadConfig(w, c.Config)
	if err != nil {
		return nil, err
	}
	if c.Addr != "" {
		cfg.Web.Addr = c.Addr
	}
	if cfg.Web.PublicURL == "" && addr != nil {
		cfg.Web.PublicURL = "http://" + addr.String()
	}
	return cfg, nil
}

// reload puts the config in force as its file has it now. With problems in it they are printed, and the one before stays.
func (c *serveCmd) reload(ctx context.Context, w *world, in *installation, addr net.Addr) {
	cfg, err := c.load(w, addr)
	if err == nil {
		err = in.reload(ctx, cfg)
	}
	if err != nil && ctx.Err() == nil {
		explain(w, err)
		fmt.Fprintln(w.stderr, "parley: the config was not reloaded; the one before stays in force")
	}
}

// loadConfig reads a config and prints its problems; with errors among them the command ends.
func loadConfig(w *world, path string) (*config.Config, error) {
	cfg, problems := config.Load(path, w.getenv, kinds())
	for _, p := range problems {
		fmt.Fprintln(w.stderr, p)
	}
	if problems.HasErrors() {
		return nil, errReported
	}
	return cfg, nil
}

func logTo(w *world, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w.stderr, &slog.HandlerOptions{Level: level}))
}

// openStore opens the database of a config for a command that works beside a server that may be running.
func openStore(ctx context.Context, w *world, path string) (*config.Config, *store.Store, error) {
	cfg, err := loadConfig(w, path)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(ctx, cfg.Database.URL, store.Options{SkipMigrate: !cfg.Migrate})
	return cfg, s, err
}

// merchantOf picks the merchant that a command is about: the one named, or the only one there is.
func merchantOf(cfg *config.Config, name string) (config.Merchant, error) {
	var names []string
	for _, m := range cfg.Merchants {
		if m.Name == name || name == "" && len(cfg.Merchants) == 1 {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if name == "" {
		return config.Merchant{}, usagef("there are several merchants: name one with -merchant: %s", strings.Join(names, ", "))
	}
	return config.Merchant{}, usagef("there is no merchant %q; there are: %s", name, strings.Join(names, ", "))
}

// publicURL is where staff reach the pages of a config.
func publicURL(cfg *config.Config) string {
	if cfg.Web.PublicURL != "" {
		return cfg.Web.PublicURL
	}
	return (&url.URL{Scheme: "http", Host: cfg.Web.Addr}).String()
}
