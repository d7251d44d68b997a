package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/store"
	"parley/web"
)

type keyCmd struct {
	New newKeyCmd `cmd:"" help:"Make a REST key and print it, this once."`
}

type newKeyCmd struct {
	Name     string   `arg:"" help:"What the key is for, as it is listed."`
	Scope    []string `required:"" help:"What it may: a scope, several, or * for all."`
	Merchant string   `help:"The merchant's name in the config, where there are several."`
	Config   string   `default:"parley.yaml" help:"The config file."`
}

// Run makes a key. Only its hash is kept, so it cannot be shown again.
func (c *newKeyCmd) Run(ctx context.Context, w *world) error {
	scopes := web.Scopes()
	for _, scope := range c.Scope {
		if scope != "*" && !slices.Contains(scopes, scope) {
			return usagef("there is no scope %q; there are: %s, and * for all", scope, strings.Join(scopes, ", "))
		}
	}
	cfg, s, err := openStore(ctx, w, c.Config)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	m, err := merchantOf(cfg, c.Merchant)
	if err != nil {
		return err
	}
	secret := web.NewKeySecret()
	err = s.Tx(ctx, func(tx *store.Tx) error {
		id, err := tx.SetMerchant(ctx, m.Name, m.Title)
		if err != nil {
			return err
		}
		_, err = tx.AddKey(ctx, id, c.Name, c.Scope, secret)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w.stdout, secret)
	return nil
}
