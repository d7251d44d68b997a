package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"parley/adapters/webchat"
	"parley/config"
	"parley/store"
	"parley/web"
)

// reload puts another config in force while the installation serves: accounts whose settings have changed are stopped and
// started anew, new ones added, missing ones stopped, and the others not touched. Conversations go on in the flows they began in.
// On an error the config that was in force stays.
func (in *installation) reload(ctx context.Context, cfg *config.Config) error {
	in.reloading.Lock()
	defer in.reloading.Unlock()
	for _, setting := range fixed(in.cfg, cfg) {
		in.log.Warn("a setting has changed that needs a restart", "setting", setting)
	}
	p, err := in.draw(ctx, cfg)
	if err != nil {
		return err
	}
	was := in.plan.Load()
	if err := in.announce(ctx, p); err != nil {
		return err
	}
	if err := in.house.Reload(ctx, p.merchants); err != nil {
		return err
	}
	var changed, removed []string
	for _, name := range was.names() {
		switch next, ok := p.accounts[name]; {
		case !ok:
			removed = append(removed, name)
		case next.account.Messenger != was.accounts[name].account.Messenger:
			changed = append(changed, name)
		}
	}
	in.pairings.end(append(removed, changed...)...)
	var added []string
	for _, name := range p.names() {
		if _, ok := was.accounts[name]; !ok {
			added = append(added, name)
		}
	}
	if err := in.adopt(ctx, p); err != nil {
		return err
	}
	in.log.Info("config reloaded", "changed", strings.Join(changed, " "), "added", strings.Join(added, " "), "removed", strings.Join(removed, " "))
	return in.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.Serve(ctx, removed, true); err != nil {
			return err
		}
		return tx.Serve(ctx, added, false)
	})
}

// fixed names the settings that differ between two configs and are read at the start only.
func fixed(a, b *config.Config) []string {
	var out []string
	for _, s := range []struct {
		name string
		same bool
	}{
		{"database", a.Database.URL == b.Database.URL},
		{"log", a.Log == b.Log},
		{"web.addr", a.Web.Addr == b.Web.Addr},
		{"web.secret", a.Web.Secret.Equal(b.Web.Secret)},
	} {
		if !s.same {
			out = append(out, s.name)
		}
	}
	return out
}

// announce notes the staff of a plan, and that its new accounts are connecting.
func (in *installation) announce(ctx context.Context, p *plan) error {
	return in.store.Tx(ctx, func(tx *store.Tx) error {
		for i, m := range p.cfg.Merchants {
			id := p.merchants[i].ID
			for _, s := range m.Staff {
				if _, err := tx.SetStaff(ctx, id, s.Email, s.Role); err != nil {
					return err
				}
			}
			for _, a := range m.Accounts {
				if in.isRunning(p.accounts[a.Name]) {
					continue
				}
				if err := tx.SetAccount(ctx, id, store.Account{Name: a.Name, Adapter: a.Adapter, State: "connecting"}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// isRunning says that a connection is in force already.
func (in *installation) isRunning(c connection) bool {
	now := in.plan.Load()
	return now != nil && now.accounts[c.account.Name].account.Messenger == c.account.Messenger
}

// adopt makes a plan that the house works by the one in force: for the pages, web chat and the list of accounts.
func (in *installation) adopt(ctx context.Context, p *plan) error {
	in.setPublicURL(p.cfg.Web.PublicURL)
	for i, m := range p.cfg.Merchants {
		for _, a := range m.Accounts {
			if chat, ok := p.accounts[a.Name].account.Messenger.(*webchat.Messenger); ok {
				in.bind(chat, p.merchants[i].ID, m, a)
			}
		}
	}
	in.plan.Store(p)
	in.web.Store(web.New(in.pages(p)))
	return in.store.Tx(ctx, func(tx *store.Tx) error { return tx.KeepAccounts(ctx, p.names()) })
}

// explain prints why a config could not be put in force: of flows, every problem.
func explain(w *world, err error) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, e := range all {
		if flows, ok := errors.AsType[*flowsError](e); ok {
			flows.found.print(w.stderr)
		} else if !errors.Is(e, errReported) {
			fmt.Fprintf(w.stderr, "parley: %v\n", e)
		}
	}
}
