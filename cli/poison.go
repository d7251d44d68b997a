package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"parley/commerce"
	"parley/config"
	"parley/store"
)

type poisonCmd struct {
	Account string `help:"Only those of this account."`
	Replay  int64  `placeholder:"ID" help:"Try the event with this id again."`
	All     bool   `help:"Try all that are listed again; with -account those of the account."`
	Config  string `default:"parley.yaml" help:"The config file."`
}

// Run lists the events that could not be handled when they came, or has them tried again: a server finds them within a second, whether
// it is at work now or begins later.
func (c *poisonCmd) Run(ctx context.Context, w *world) error {
	if c.Replay != 0 && c.All {
		return usagef("-replay and -all exclude each other")
	}
	cfg, s, err := openStore(ctx, w, c.Config)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := knownAccount(cfg, c.Account); err != nil {
		return err
	}
	if c.Replay == 0 && !c.All {
		return c.list(ctx, w, cfg, s)
	}
	replayed := 0
	err = eachMerchant(ctx, s, cfg, func(tx *store.Tx, id commerce.MerchantID) error {
		n, err := tx.Replay(ctx, id, c.Account, c.Replay)
		replayed += n
		return err
	})
	if err != nil {
		return fmt.Errorf("replay parked events: %w", err)
	}
	if c.Replay != 0 && replayed == 0 {
		return fmt.Errorf("there is no parked event %d", c.Replay)
	}
	fmt.Fprintf(w.stdout, "%s to be tried again\n", counted(replayed, "event"))
	return nil
}

func (c *poisonCmd) list(ctx context.Context, w *world, cfg *config.Config, s *store.Store) error {
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tACCOUNT\tKIND\tTRIES\tAGE\tNEXT\tCAUSE")
	now := time.Now()
	err := eachMerchant(ctx, s, cfg, func(tx *store.Tx, id commerce.MerchantID) error {
		events, err := tx.Poisoned(ctx, id, c.Account, listed)
		for _, p := range events {
			next := "now"
			switch {
			case p.Waits:
				next = "waits for you"
			case p.Due.After(now):
				next = "in " + p.Due.Sub(now).Round(time.Second).String()
			}
			fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%s\t%s\t%s\n", p.Key, p.Account, p.Kind, p.Attempts, now.Sub(p.At).Round(time.Second), next, printable(p.Cause))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list parked events: %w", err)
	}
	return table.Flush()
}
