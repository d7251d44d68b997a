package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"parley/commerce"
	"parley/config"
	"parley/store"
)

type lettersCmd struct {
	Account string `help:"Only those of this account."`
	Resend  string `placeholder:"ID" help:"Send the message with this id again."`
	All     bool   `help:"Send all that are listed again; with -account those of the account."`
	Config  string `default:"parley.yaml" help:"The config file."`
}

// listed is how many lines a command lists of a merchant.
const listed = 500

// Run lists the messages that were tried and given up, or has them sent again: a server finds them within a second, whether it is at
// work now or begins later.
func (c *lettersCmd) Run(ctx context.Context, w *world) error {
	if c.Resend != "" && c.All {
		return usagef("-resend and -all exclude each other")
	}
	cfg, s, err := openStore(ctx, w, c.Config)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := knownAccount(cfg, c.Account); err != nil {
		return err
	}
	filter := store.LetterFilter{Account: c.Account, Message: c.Resend, Limit: listed}
	if c.Resend == "" && !c.All {
		return c.list(ctx, w, cfg, s, filter)
	}
	sent, found := 0, false
	err = eachMerchant(ctx, s, cfg, func(tx *store.Tx, id commerce.MerchantID) error {
		n, err := tx.Resend(ctx, id, filter, "command line")
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		sent, found = sent+n, true
		return err
	})
	if err != nil {
		return fmt.Errorf("send dead letters again: %w", err)
	}
	if !found {
		return fmt.Errorf("there is no message %q", printable(c.Resend))
	}
	fmt.Fprintf(w.stdout, "%s queued again\n", counted(sent, "message"))
	return nil
}

func (c *lettersCmd) list(ctx context.Context, w *world, cfg *config.Config, s *store.Store, filter store.LetterFilter) error {
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MESSAGE\tACCOUNT\tSTATE\tTRIES\tAGE\tCAUSE")
	now := time.Now()
	err := eachMerchant(ctx, s, cfg, func(tx *store.Tx, id commerce.MerchantID) error {
		letters, err := tx.DeadLetters(ctx, id, filter)
		for _, l := range letters {
			cause := printable(l.Cause)
			if l.Silent {
				cause += " (the contact takes no more messages)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", l.Message, l.Account, l.State, l.Attempts, now.Sub(l.At).Round(time.Second), cause)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list dead letters: %w", err)
	}
	return table.Flush()
}

// eachMerchant runs fn for the merchants of a config that the database knows, all in one transaction.
func eachMerchant(ctx context.Context, s *store.Store, cfg *config.Config, fn func(*store.Tx, commerce.MerchantID) error) error {
	return s.Tx(ctx, func(tx *store.Tx) error {
		for _, m := range cfg.Merchants {
			id, err := tx.MerchantNamed(ctx, m.Name)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := fn(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// knownAccount refuses the name of an account that the config does not have; "" is none.
func knownAccount(cfg *config.Config, name string) error {
	for _, m := range cfg.Merchants {
		for _, a := range m.Accounts {
			if a.Name == name {
				return nil
			}
		}
	}
	if name == "" {
		return nil
	}
	return usagef("there is no account %q in the config", name)
}
