package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"parley/config"
	"parley/store"
)

type accountsCmd struct {
	Config string `default:"parley.yaml" help:"The config file."`
}

// Run lists the accounts of a config and how they stand, by the database: whether or not a server is at work on it. With an
// account that has failed the exit code is 1.
func (c *accountsCmd) Run(ctx context.Context, w *world) error {
	cfg, s, err := openStore(ctx, w, c.Config)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	now := time.Now()
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ACCOUNT\tADAPTER\tSTATE\tSINCE\tIN 24H\tOUT 24H\tPARKED\tUNDELIVERED\tPROBLEM")
	failed := 0
	for _, m := range cfg.Merchants {
		rows, err := accountsOf(ctx, s, m, now)
		if err != nil {
			return err
		}
		for _, r := range rows {
			since := "-"
			if !r.Changed.IsZero() {
				since = r.Changed.UTC().Format("2006-01-02 15:04Z")
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", r.Name, r.Adapter, r.State, since, r.Received, r.Sent, r.Parked, r.Undelivered, printable(r.Problem))
			if r.State == "failed" {
				failed++
			}
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the accounts: %w", err)
	}
	if failed > 0 {
		fmt.Fprintf(w.stderr, "parley: %s failed; see docs/operations.md\n", counted(failed, "account"))
		return errReported
	}
	return nil
}

type accountLine struct {
	store.Account
	store.AccountTraffic
	served bool // a server is at work on it
}

// accountsOf lists a merchant's accounts as the config has them. One that no server ever ran is "new", one that no
// server is at work on now "stopped", unless it had failed.
func accountsOf(ctx context.Context, s *store.Store, m config.Merchant, now time.Time) ([]accountLine, error) {
	var out []accountLine
	err := s.View(ctx, func(tx *store.Tx) error {
		known, traffic := map[string]store.Account{}, map[string]store.AccountTraffic{}
		id, err := tx.MerchantNamed(ctx, m.Name)
		if err == nil {
			all, err := tx.Accounts(ctx, id)
			if err != nil {
				return err
			}
			for _, a := range all {
				known[a.Name] = a
			}
			if traffic, err = tx.Traffic(ctx, id, now.Add(-24*time.Hour)); err != nil {
				return err
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		for _, a := range m.Accounts {
			row := known[a.Name]
			at, err := tx.Served(ctx, a.Name)
			if err != nil {
				return err
			}
			switch {
			case row.State == "":
				row.State = "new"
			case now.Sub(at) >= servedFor && row.State != "failed":
				row.State = "stopped"
			}
			row.Name, row.Adapter = a.Name, a.Adapter
			out = append(out, accountLine{row, traffic[a.Name], now.Sub(at) < servedFor})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the accounts of %s: %w", m.Name, err)
	}
	return out, nil
}

// printable keeps what a network wrote on one line, and from moving the cursor.
func printable(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
}
