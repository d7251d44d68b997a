package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"parley/cli/demo"
	"parley/commerce"
	"parley/config"
	"parley/store"
	"parley/web"
)

type demoCmd struct {
	Addr   string `default:"127.0.0.1:8080" help:"Listen here."`
	Data   string `default:"./parley-demo" help:"Keep the database in this folder."`
	APIKey string `name:"api-key" help:"Use this REST key instead of making one." placeholder:"KEY"`
}

// demoConfig is the config of the demo, as an admin would write it.
const demoConfig = `
database: sqlite://parley.db
merchants:
  - name: demo
    title: "` + demo.ShopName + `"
    currency: EUR
    languages: [en, de]
    default_language: en
    time_zone: Europe/Berlin
    mode: test
    accounts:
      - name: webchat
        adapter: webchat
    payments:
      - name: test
        provider: test
`

// Run opens the demo shop until the process is asked to stop.
func (c *demoCmd) Run(ctx context.Context, w *world) error {
	ctx, stop := untilStopped(ctx)
	defer stop()
	l, err := listen(ctx, c.Addr)
	if err != nil {
		return err
	}
	in, err := c.install(ctx, w, l.Addr())
	if err != nil {
		_ = l.Close()
		return err
	}
	if err := c.greet(ctx, w, in); err != nil {
		_ = l.Close()
		return errors.Join(err, in.Close())
	}
	return errors.Join(in.serve(ctx, l), in.Close())
}

func (c *demoCmd) install(ctx context.Context, w *world, addr net.Addr) (*installation, error) {
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return nil, fmt.Errorf("find the folder %s: %w", c.Data, err)
	}
	cfg, problems := config.Parse(filepath.Join(dir, "demo.yaml"), []byte(demoConfig), config.Outside{Getenv: w.getenv}, kinds())
	if problems.HasErrors() {
		return nil, problems.Err()
	}
	cfg.Web.Addr, cfg.Web.PublicURL = addr.String(), "http://"+addr.String()
	in, err := install(ctx, cfg, logTo(w, slog.LevelWarn), &demoPages{shelves: shelves()})
	if err != nil {
		return nil, err
	}
	if err := stock(ctx, in); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// shelves groups the demo's products as its shop shows them.
func shelves() []web.Shelf {
	var out []web.Shelf
	for _, kind := range demo.Kinds() {
		shelf := web.Shelf{Title: kind}
		for _, p := range demo.Products() {
			if p.Kind == kind {
				shelf.SKUs = append(shelf.SKUs, p.SKU)
			}
		}
		out = append(out, shelf)
	}
	return out
}

// stock fills the shelves on the first day. What was sold or changed since stays as it is.
func stock(ctx context.Context, in *installation) error {
	merchant := in.merchants[0]
	return in.store.Tx(ctx, func(tx *store.Tx) error {
		for _, p := range demo.Products() {
			_, err := tx.Product(ctx, merchant, p.SKU)
			if !errors.Is(err, commerce.ErrNotFound) {
				if err != nil {
					return err
				}
				continue
			}
			image, address := p.Image(), "/p/"+p.SKU
			change := commerce.ProductChange{SKU: p.SKU, Title: &p.Title, Description: &p.Description, Price: &p.Price, Stock: &p.Stock, Image: &image, URL: &address}
			if p.CanHaggle() {
				change.Floor, change.AutoAccept = &p.Floor, &p.AutoAccept
			}
			if _, _, err := commerce.PutProduct(ctx, tx, merchant, change, policyOf(in.cfg.Merchants[0]), tx.Now()); err != nil {
				return fmt.Errorf("stock the demo shop with %s: %w", p.SKU, err)
			}
		}
		return nil
	})
}

// greet prints where everything is. The sign-in link works once; each start makes a new one.
func (c *demoCmd) greet(ctx context.Context, w *world, in *installation) error {
	merchant, base := in.merchants[0], in.cfg.Web.PublicURL
	key := c.APIKey
	if key == "" {
		var err error
		if key, err = in.store.Secret(ctx, "demo_api_key", web.NewKeySecret); err != nil {
			return err
		}
	}
	var link string
	err := in.store.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.AddKey(ctx, merchant, "demo", []string{"*"}, key); err != nil {
			return err
		}
		p, err := tx.SetStaff(ctx, merchant, "admin@demo.example", store.RoleAdmin)
		if err != nil {
			return err
		}
		link, err = tx.AddSignIn(ctx, merchant, p.ID, 24*time.Hour)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, `Parley demo: %s

  Shop       %s/
  Staff      %s/sign-in/%s   (works once; then %s/inbox and %s/admin)
  REST key   %s

  Lower a price and the chat of whoever waits for it rings:
    curl -X PUT %s/api/v1/products/%s \
      -H "Authorization: Bearer %s" -H "Content-Type: application/json" \
      -d '{"price": {"amount": 900, "currency": "EUR"}}'

  No money moves: the payment provider is "test". Data: %s. Stop with Ctrl-C.
`, demo.ShopName, base, base, link, base, base, key, base, demo.Products()[0].SKU, key, c.Data)
	return nil
}
