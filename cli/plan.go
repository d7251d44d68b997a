package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"parley/adapters"
	"parley/adapters/all"
	"parley/adapters/webchat"
	"parley/bots"
	"parley/commerce"
	"parley/commerce/payment"
	"parley/commerce/payment/manual"
	"parley/commerce/payment/test"
	"parley/config"
	"parley/store"
)

// plan is a config that was found fit: its flows compile, and its adapters and providers take their settings.
type plan struct {
	cfg       *config.Config
	merchants []bots.Merchant
	reports   flowReports
	accounts  map[string]connection
}

// connection is an account of a plan with what it was made from.
type connection struct {
	merchant string
	config   config.Account
	account  bots.Account
}

// serves says that the connection is the one that another plan asks for.
func (c connection) serves(merchant string, a config.Account) bool {
	return c.merchant == merchant && c.config.Adapter == a.Adapter && c.config.Settings.Equal(a.Settings)
}

// names lists the accounts.
func (p *plan) names() []string {
	var out []string
	for name := range p.accounts {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// draw makes a plan from a config. Accounts that are in force and have not changed keep their messengers, and so their
// connections; one that has ended gets a new one. All that is wrong is in the error; nothing is in force yet.
func (in *installation) draw(ctx context.Context, cfg *config.Config) (*plan, error) {
	p := &plan{cfg: cfg, accounts: map[string]connection{}}
	var wrong []error
	for _, m := range cfg.Merchants {
		merchant, report, err := in.merchant(ctx, m)
		if err == nil {
			merchant.Accounts, err = in.connections(p, merchant.ID, m)
		}
		if err == nil {
			err = fitForDesk(merchant)
		}
		if err == nil {
			err = invoiceProblems(m).Err()
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("merchant %s: %w", m.Name, err))
			continue
		}
		p.merchants = append(p.merchants, merchant)
		p.reports = append(p.reports, report)
	}
	return p, errors.Join(wrong...)
}

// merchant compiles the flows of a merchant and makes the merchant known to the store.
func (in *installation) merchant(ctx context.Context, m config.Merchant) (bots.Merchant, flowReport, error) {
	out := bots.Merchant{
		Name: m.Name, Title: m.Title, Policy: policyOf(m), Quiet: quietOf(m.Policy.QuietHours), Language: m.DefaultLanguage, Desk: deskOf(m),
	}
	var err error
	if out.TimeZone, err = time.LoadLocation(m.TimeZone); err != nil {
		return out, flowReport{}, err
	}
	source := builtIn()
	if m.Bot != "" {
		source = folder(m.Bot)
	}
	set, found := source.load(nil)
	if found.errors() > 0 {
		return out, flowReport{}, &flowsError{found}
	}
	out.Flows = set
	if out.Payment, err = provider(m); err != nil {
		return out, flowReport{}, err
	}
	err = in.store.Tx(ctx, func(tx *store.Tx) error {
		out.ID, err = tx.SetMerchant(ctx, m.Name, m.Title)
		return err
	})
	return out, flowReport{out.ID, source.shown, set, found}, err
}

// flowsError says that flows do not compile.
type flowsError struct{ found findings }

func (e *flowsError) Error() string {
	for _, f := range e.found {
		if !f.warning {
			return "the flows have errors, the first is: " + f.line
		}
	}
	return "the flows have errors"
}

func (in *installation) connections(p *plan, id commerce.MerchantID, m config.Merchant) ([]bots.Account, error) {
	var out []bots.Account
	for _, a := range m.Accounts {
		var was connection
		if now := in.plan.Load(); now != nil {
			was = now.accounts[a.Name]
		}
		next := connection{m.Name, a, was.account}
		if !was.serves(m.Name, a) || in.house.HasEnded(a.Name) {
			var err error
			if next.account, err = in.connect(id, a); err != nil {
				return nil, fmt.Errorf("account %s: %w", a.Name, err)
			}
			if chat, ok := next.account.Messenger.(*webchat.Messenger); ok {
				in.bind(chat, id, m, a)
			}
		}
		next.account.Pace = paceOf(a.Settings.Group("pace"), next.account.Messenger.Limits().Pace)
		p.accounts[a.Name] = next
		out = append(out, next.account)
	}
	return out, nil
}

// connect makes the messenger of an account. It calls nobody.
func (in *installation) connect(merchant commerce.MerchantID, a config.Account) (bots.Account, error) {
	messenger, spec, err := newMessenger(a, in.env(a.Name, func(state, problem string) {
		in.house.Report(context.Background(), a.Name, state, problem)
	}))
	if err != nil {
		return bots.Account{}, err
	}
	return bots.Account{Name: a.Name, Channel: a.Adapter, Messenger: messenger, MayWriteFirst: spec.MayWriteFirst}, nil
}

func newMessenger(a config.Account, env adapters.Env) (adapters.Messenger, adapters.Spec, error) {
	spec, ok := specNamed(a.Adapter)
	if !ok {
		return nil, spec, fmt.Errorf("there is no adapter %q", a.Adapter)
	}
	m, err := spec.New(a.Settings, env)
	return m, spec, err
}

// env is what an adapter of this installation gets.
func (in *installation) env(account string, report func(state, problem string)) adapters.Env {
	hook := in.address()
	if hook != "" {
		hook += "/hooks/" + account
	}
	return adapters.Env{
		Account: account, HookURL: hook, HTTP: &http.Client{Timeout: 70 * time.Second, Transport: in.calls}, Log: in.log.With("account", account), Now: time.Now,
		State: store.AccountState{Store: in.store, Account: account}, DB: in.store.DB().DB, Dialect: string(in.store.Dialect()), Report: report,
	}
}

// bind tells web chat whom it serves, which may change while it runs.
func (in *installation) bind(chat *webchat.Messenger, id commerce.MerchantID, m config.Merchant, a config.Account) {
	chat.Bind(visitors{in.store, id}, chatHistory{in.store, id, a.Name}, m.Origins)
}

func specNamed(name string) (adapters.Spec, bool) {
	specs := all.All()
	i := slices.IndexFunc(specs, func(s adapters.Spec) bool { return s.Name == name })
	if i < 0 {
		return adapters.Spec{}, false
	}
	return specs[i], true
}

// provider is how the merchant is paid: the first of its list.
func provider(m config.Merchant) (payment.Provider, error) {
	if len(m.Payments) == 0 {
		return manual.Provider{}, nil
	}
	switch p := m.Payments[0]; p.Provider {
	case test.Name:
		return test.Provider{}, nil
	case manual.Name:
		return manual.Provider{Texts: p.Settings.Texts("instructions")}, nil
	default:
		return nil, fmt.Errorf("there is no payment provider %q", p.Provider)
	}
}

func policyOf(m config.Merchant) commerce.Policy {
	o := m.Policy.Offers
	return commerce.Policy{
		Currency: m.Currency, Offers: commerce.OffersMode(o.Mode), OfferValid: o.ValidFor, Tries: o.Tries, DealFor: o.DealFor,
		FloorPercent: o.Floor, AutoAcceptPercent: o.AutoAccept, Beta: o.Beta, HoldOnline: m.Policy.Hold, HoldManual: m.Policy.HoldManual,
		CancelFor: m.Policy.UndoWindow, Waves: m.Policy.Waves,
	}
}

func quietOf(q config.QuietHours) bots.Quiet {
	since := func(c config.Clock) time.Duration {
		return time.Duration(c.Hour)*time.Hour + time.Duration(c.Minute)*time.Minute
	}
	return bots.Quiet{From: since(q.From), To: since(q.To)}
}
