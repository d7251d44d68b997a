package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
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
	"parley/web"
)

// installation is a config brought to life: a store, a house of bots, and the pages. It wires and decides nothing.
type installation struct {
	cfg   *config.Config
	log   *slog.Logger
	store *store.Store
	house *bots.House
	web   *web.Server

	merchants []commerce.MerchantID // as in the config
	publicURL atomic.Pointer[string]
	serving   atomic.Bool
}

// demoPages is what the demo adds to an installation.
type demoPages struct{ shelves []web.Shelf }

// install opens the store and builds what the config names. Close ends it.
func install(ctx context.Context, cfg *config.Config, log *slog.Logger, demo *demoPages) (*installation, error) {
	in := &installation{cfg: cfg, log: log}
	in.setPublicURL(cfg.Web.PublicURL)
	var err error
	if in.store, err = store.Open(ctx, cfg.Database.URL, store.Options{SkipMigrate: !cfg.Migrate}); err != nil {
		return nil, err
	}
	if err := in.build(ctx, demo); err != nil {
		_ = in.store.Close()
		return nil, err
	}
	return in, nil
}

// Close ends the store. Serve must have returned.
func (in *installation) Close() error { return in.store.Close() }

func (in *installation) setPublicURL(address string) { in.publicURL.Store(&address) }

func (in *installation) build(ctx context.Context, demo *demoPages) error {
	var merchants []bots.Merchant
	var reports flowReports
	for _, m := range in.cfg.Merchants {
		merchant, report, err := in.merchant(ctx, m)
		if err != nil {
			return fmt.Errorf("merchant %s: %w", m.Name, err)
		}
		merchants = append(merchants, merchant)
		reports = append(reports, report)
		in.merchants = append(in.merchants, merchant.ID)
	}
	key, err := in.linkKey(ctx)
	if err != nil {
		return err
	}
	in.house, err = bots.New(bots.Options{
		Store: in.store, Log: in.log, Merchants: merchants,
		Keys:      bots.LinkKeys{Current: 1, Keys: map[byte][]byte{1: key}},
		PublicURL: func() string { return *in.publicURL.Load() },
	})
	if err != nil {
		return err
	}
	in.web = web.New(in.pages(merchants[0], reports, demo))
	return nil
}

// linkKey signs the tokens of links: the one of the config, or one that this installation makes and keeps.
func (in *installation) linkKey(ctx context.Context) ([]byte, error) {
	secret := in.cfg.Web.Secret.Reveal()
	if secret == "" {
		var err error
		if secret, err = in.store.Secret(ctx, "link_key", store.NewSecret); err != nil {
			return nil, err
		}
	}
	key := sha256.Sum256([]byte("parley link tokens\x00" + secret))
	return key[:], nil
}

// merchant makes a merchant of the config known to the store and connects its accounts.
func (in *installation) merchant(ctx context.Context, m config.Merchant) (bots.Merchant, flowReport, error) {
	out := bots.Merchant{Name: m.Name, Title: m.Title, Policy: policyOf(m), Quiet: quietOf(m.Policy.QuietHours)}
	var err error
	if out.TimeZone, err = time.LoadLocation(m.TimeZone); err != nil {
		return out, flowReport{}, err
	}
	source := builtIn()
	if m.Bot != "" {
		source = folder(m.Bot)
	}
	set, found := source.load(nil)
	for _, f := range found {
		if !f.warning {
			return out, flowReport{}, fmt.Errorf("the flows have errors, the first is: %s", f.line)
		}
	}
	out.Flows = set
	if out.Payment, err = provider(m); err != nil {
		return out, flowReport{}, err
	}
	err = in.store.Tx(ctx, func(tx *store.Tx) error {
		out.ID, err = tx.SetMerchant(ctx, m.Name, m.Title)
		if err != nil {
			return err
		}
		for _, s := range m.Staff {
			if _, err := tx.SetStaff(ctx, out.ID, s.Email, s.Role); err != nil {
				return err
			}
		}
		for _, a := range m.Accounts {
			if err := tx.SetAccount(ctx, out.ID, store.Account{Name: a.Name, Adapter: a.Adapter, State: "connecting"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return out, flowReport{}, err
	}
	for _, a := range m.Accounts {
		account, err := in.account(out.ID, m, a)
		if err != nil {
			return out, flowReport{}, fmt.Errorf("account %s: %w", a.Name, err)
		}
		out.Accounts = append(out.Accounts, account)
	}
	return out, flowReport{out.ID, source.shown, set, found}, nil
}

func (in *installation) account(merchant commerce.MerchantID, m config.Merchant, a config.Account) (bots.Account, error) {
	spec, ok := specNamed(a.Adapter)
	if !ok {
		return bots.Account{}, fmt.Errorf("there is no adapter %q", a.Adapter)
	}
	messenger, err := spec.New(a.Settings, adapters.Env{
		Account: a.Name, HTTP: &http.Client{Timeout: 70 * time.Second}, Log: in.log.With("account", a.Name), Now: time.Now,
		State: store.AccountState{Store: in.store, Account: a.Name}, DB: in.store.DB().DB, Dialect: string(in.store.Dialect()),
		Report: func(state, problem string) { in.house.Report(context.Background(), a.Name, state, problem) },
	})
	if err != nil {
		return bots.Account{}, err
	}
	if chat, ok := messenger.(*webchat.Messenger); ok {
		v := visitors{in.store, merchant}
		chat.Bind(v, chatHistory{in.store, merchant, a.Name}, m.Origins)
	}
	return bots.Account{Name: a.Name, Channel: a.Adapter, Messenger: messenger, MayWriteFirst: spec.MayWriteFirst}, nil
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
		CancelFor: m.Policy.UndoWindow,
	}
}

func quietOf(q config.QuietHours) bots.Quiet {
	since := func(c config.Clock) time.Duration {
		return time.Duration(c.Hour)*time.Hour + time.Duration(c.Minute)*time.Minute
	}
	return bots.Quiet{From: since(q.From), To: since(q.To)}
}

// serve answers on a listener until ctx ends, then stops in order: what comes in, what is in hand, what goes out.
func (in *installation) serve(ctx context.Context, l net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler: bounded(in.web.Handler()), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(in.log.Handler(), slog.LevelDebug),
	}
	houseCtx, stopHouse := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHouse()
	houseDone := make(chan error, 1)
	started := make(chan struct{})
	go func() { houseDone <- in.house.Run(houseCtx, started) }()
	select { // requests wait in the listener's backlog until they can be served
	case <-started:
	case err := <-houseDone:
		_ = l.Close()
		return err
	}
	in.serving.Store(true)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()

	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	case err = <-houseDone:
		houseDone <- err
	}
	in.serving.Store(false)
	return errors.Join(ignoreClosed(err), in.stop(srv, cut, stopHouse, houseDone))
}

// stop ends the requests in hand first: their turns are still committed. Streams that never end by themselves are cut after a while.
func (in *installation) stop(srv *http.Server, cut, stopHouse context.CancelFunc, houseDone <-chan error) error {
	patience := time.AfterFunc(1500*time.Millisecond, cut)
	defer patience.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		_ = srv.Close()
	}
	stopHouse()
	select {
	case err := <-houseDone:
		return err
	case <-time.After(5 * time.Second):
		return errors.New("the bots did not stop in time; what was not confirmed comes again")
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// bounded gives each request a time to be read and answered in, but for the streams, which mind their own.
func bounded(next http.Handler) http.Handler {
	streams := []string{"/chat/ws", "/inbox/events"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(streams, r.URL.Path) {
			rc := http.NewResponseController(w)
			_ = rc.SetReadDeadline(time.Now().Add(30 * time.Second))
			_ = rc.SetWriteDeadline(time.Now().Add(60 * time.Second))
		}
		next.ServeHTTP(w, r)
	})
}

// listen opens the address, with a sentence for the two mistakes everybody makes.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; stop what is using it, or pick another with -addr", addr, rootCause(err))
	}
	return l, nil
}

func rootCause(err error) error {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err
	}
	return err
}
