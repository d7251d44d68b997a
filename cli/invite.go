package cli

import (
	"context"
	"fmt"
	"net/mail"
	"time"

	"parley/store"
)

type inviteCmd struct {
	Email    string `arg:"" help:"Whom to invite."`
	Role     string `required:"" enum:"merchant,admin" help:"merchant answers shoppers; admin moreover sees accounts, keys and staff."`
	Merchant string `help:"The merchant's name in the config, where there are several."`
	Config   string `default:"parley.yaml" help:"The config file."`
}

// invited is how long a sign-in link works.
const invited = 24 * time.Hour

// Run prints a link that signs the person in, once.
func (c *inviteCmd) Run(ctx context.Context, w *world) error {
	address, err := mail.ParseAddress(c.Email)
	if err != nil || address.Address != c.Email {
		return usagef("%q is not an e-mail address", c.Email)
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
	var link string
	err = s.Tx(ctx, func(tx *store.Tx) error {
		id, err := tx.SetMerchant(ctx, m.Name, m.Title)
		if err != nil {
			return err
		}
		p, err := tx.SetStaff(ctx, id, c.Email, c.Role)
		if err != nil {
			return err
		}
		link, err = tx.AddSignIn(ctx, id, p.ID, invited)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "%s/sign-in/%s\n", publicURL(cfg), link)
	fmt.Fprintf(w.stderr, "the link signs %s in as %s; it works once, until %s\n", c.Email, c.Role, time.Now().Add(invited).Format(time.RFC1123))
	return nil
}
