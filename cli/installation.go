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
	"sync"
	"sync/atomic"
	"time"

	"parley/bots"
	"parley/commerce"
	"parley/config"
	"parley/store"
	"parley/web"
)

// installation is a config brought to life: a store, a house of bots, and the pages. It wires and decides nothing.
type installation struct {
	cfg   *config.Config // as it was at the start; plan.cfg is what is in force
	log   *slog.Logger
	store *store.Store
	house *bots.House
	demo  *demoPages
	calls *http.Transport // what accounts call their networks by

	merchants []commerce.MerchantID // as in the config at the start
	publicURL atomic.Pointer[string]
	serving   atomic.Bool
	web       atomic.Pointer[web.Server]
	pairings  *pairings

	reloading sync.Mutex
	plan      atomic.Pointer[plan] // what is in force
}

// demoPages is what the demo adds to an installation.
type demoPages struct{ shelves []web.Shelf }

// install opens the store and builds what the config names. Close ends it.
func install(ctx context.Context, cfg *config.Config, log *slog.Logger, demo *demoPages) (*installation, error) {
	in := &installation{cfg: cfg, log: log, demo: demo, calls: newTransport()}
	in.setPublicURL(cfg.Web.PublicURL)
	var err error
	if in.store, err = store.Open(ctx, cfg.Database.URL, store.Options{SkipMigrate: !cfg.Migrate, Serve: true}); err != nil {
		return nil, err
	}
	if err := in.build(ctx); err != nil {
		_ = in.store.Close()
		return nil, err
	}
	return in, nil
}

// Close ends the store. Serve must have returned.
func (in *installation) Close() error {
	in.calls.CloseIdleConnections()
	return in.store.Close()
}

// newTransport keeps as many connections to a network's host as an account has senders: two, as net/http would, make most messages
// pay for a connection of their own.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 64
	return t
}

func (in *installation) setPublicURL(address string) { in.publicURL.Store(&address) }

// address is where people reach us, "" when that is not known: in a command that serves nobody.
func (in *installation) address() string {
	if address := in.publicURL.Load(); address != nil {
		return *address
	}
	return ""
}

func (in *installation) build(ctx context.Context) error {
	p, err := in.draw(ctx, in.cfg)
	if err != nil {
		return err
	}
	for _, m := range p.merchants {
		in.merchants = append(in.merchants, m.ID)
	}
	key, err := in.linkKey(ctx)
	if err != nil {
		return err
	}
	in.house, err = bots.New(bots.Options{
		Store: in.store, Log: in.log, Merchants: p.merchants,
		Keys:      bots.LinkKeys{Current: 1, Keys: map[byte][]byte{1: key}},
		PublicURL: in.address,
	})
	if err != nil {
		return err
	}
	in.pairings = newPairings(in)
	if err := in.announce(ctx, p); err != nil {
		return err
	}
	return in.adopt(ctx, p)
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

// serve answers on a listener until ctx ends, then stops in order: what comes in, what is in hand, what goes out.
func (in *installation) serve(ctx context.Context, l net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler: bounded(http.HandlerFunc(in.answer)), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(in.log.Handler(), slog.LevelDebug),
	}
	houseCtx, stopHouse := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHouse()
	defer in.tellServed(houseCtx)()
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
	return errors.Join(ignoreClosed(err), in.stop(srv, l, cut, stopHouse, houseDone))
}

// answer serves a request with the pages that are in force when it comes.
func (in *installation) answer(w http.ResponseWriter, r *http.Request) {
	in.web.Load().Handler().ServeHTTP(w, r)
}

// lastCalls is how long those who are connected already may take to say what they want.
const lastCalls = 100 * time.Millisecond

// stop ends the requests in hand first: their turns are still committed. Streams that never end by themselves are cut after a while.
func (in *installation) stop(srv *http.Server, l net.Listener, cut, stopHouse context.CancelFunc, houseDone <-chan error) error {
	// From now on nobody is connected who was not. Shutdown would hang up on calls that it has not read yet.
	_ = l.Close()
	read := time.NewTimer(lastCalls)
	<-read.C
	patience := time.AfterFunc(1500*time.Millisecond, cut)
	defer patience.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		_ = srv.Close()
	}
	in.pairings.close()
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
