// Package web serves everything that speaks HTTP: the demo shop, the widget, the web chat's page, the buy link, the hooks
// of messengers, and (in files of their own) the staff's pages and the REST API. One file a page; all routes stand in one
// list (routes.go), each with who may use it.
//
// What does not belong here: what happens in trade or talk. A handler asks a small interface that main fills, and shows
// what it answers.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Options is what main gives the server. What is nil is not served: its pages answer 503 with a sentence.
type Options struct {
	Log *slog.Logger
	Now func() time.Time // defaults to time.Now

	Catalogue  Catalogue
	Subscriber Subscriber
	Visitors   Visitors
	Buyer      Buyer
	ChatSocket http.Handler                      // GET /chat/ws
	Hooks      func(account string) http.Handler // nil for an account without a hook
	Ready      func(context.Context) error       // nil error when requests can be served
	Gate       Gate                              // admits staff and keys; nil means by the store of BackOffice
	BackOffice BackOffice                        // the staff's pages and the REST API

	// PublicURL is where people reach us, without a slash at the end. Links in previews are made of it; empty means the
	// host of each request.
	PublicURL string
	Shelves   []Shelf // of the demo shop, in order
	Demo      bool    // serves the shop at /, lets any site embed the widget
	Shop      Shop
	Channels  []Channel
	// Origins are the sites that may embed the widget: "https://shop.example".
	Origins []string
	// Proxies are those whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// PublicPosts is how fast one address may post to the public routes, and begin chats. The zero value is 300 at once, then five a second.
	PublicPosts Rate
}

// Shop is who speaks on the pages.
type Shop struct {
	Name      string
	Tagline   string
	Languages []string // the first is the default; empty means en
}

// Server answers HTTP. It is made once and safe for concurrent use.
type Server struct {
	opt        Options
	log        *slog.Logger
	now        func() time.Time
	pages      pages
	staffPages pages
	files      files
	words      map[string]dictionary
	cross      *http.CrossOriginProtection
	posts      *limiter
	origins    map[string]bool
	routes     []Route
	handler    http.Handler
}

// New prepares the server. It panics when a page of ours does not parse, or two routes collide: bugs, both.
func New(opt Options) *Server {
	s := &Server{opt: opt, log: opt.Log, now: opt.Now, words: dictionaries(), cross: http.NewCrossOriginProtection(), origins: map[string]bool{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if len(s.opt.Shop.Languages) == 0 {
		s.opt.Shop.Languages = []string{"en"}
	}
	s.opt.PublicURL = strings.TrimSuffix(opt.PublicURL, "/")
	if origin := originOf(s.opt.PublicURL); origin != "" {
		s.origins[origin] = true
		_ = s.cross.AddTrustedOrigin(origin) // it has a scheme and a host, which is all that is asked
	}
	for _, o := range opt.Origins {
		if origin := originOf(o); origin != "" {
			s.origins[origin] = true
		}
	}
	if s.opt.Gate == nil && opt.BackOffice.Store != nil {
		s.opt.Gate = storeGate{opt.BackOffice.Store, s.now}
	}
	s.posts = newLimiter(opt.PublicPosts, s.now)
	s.files = loadFiles()
	s.pages = loadPages(s.files)
	s.staffPages = loadStaffPages(s.files)
	s.routes = s.list()
	s.handler = s.serve()
	return s
}

// Handler serves every route. Timeouts are the http.Server's.
func (s *Server) Handler() http.Handler { return s.handler }

// Routes are all routes that are served, for documentation and tests.
func (s *Server) Routes() []Route { return append([]Route(nil), s.routes...) }

// originOf is the scheme and host of an address in lower case, "" when it has none.
func originOf(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// base is the address that people use to reach us, for links that leave the page.
func (s *Server) base(r *http.Request) string {
	if s.opt.PublicURL != "" {
		return s.opt.PublicURL
	}
	if isHTTPS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func isHTTPS(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}
