package web

import (
	"net/http"
)

// Surface is the kind of thing a route serves. It decides about headers, body limits, how an error looks, and which
// guard stands before it.
type Surface int

const (
	// Page is HTML of our own site. It cannot be framed, and posts from other sites are refused.
	Page Surface = iota
	// Embed is HTML that the sites of Options.Origins may show in a frame.
	Embed
	// API is JSON for programs: errors are RFC 9457 problem details, no cookie counts.
	API
	// Raw is served as it comes: files, hooks, sockets. Errors are a line of text.
	Raw
)

// Route is one address.
type Route struct {
	Pattern string // as http.ServeMux takes it: "GET /p/{sku}"
	Allow   Permission
	Surface Surface
	Handle  func(http.ResponseWriter, *http.Request) error
	// Limited routes count against the caller's address (Options.PublicPosts).
	Limited bool
	// OwnGuard routes check themselves where a post comes from.
	OwnGuard bool
	// Fail answers an error instead of Server.fail, where a part has its own look.
	Fail func(http.ResponseWriter, *http.Request, error)
}

// list is every route. A page is one file and one line here.
func (s *Server) list() []Route {
	routes := []Route{
		{Pattern: "GET /healthz", Allow: Public(), Surface: Raw, Handle: s.healthy},
		{Pattern: "GET /readyz", Allow: Public(), Surface: Raw, Handle: s.ready},
		{Pattern: "GET /metrics", Allow: Public(), Surface: Raw, Handle: s.metrics},
		{Pattern: "GET /static/{file...}", Allow: Public(), Surface: Raw, Handle: s.staticFile},
		{Pattern: "GET /robots.txt", Allow: Public(), Surface: Raw, Handle: s.robots},
		{Pattern: "/hooks/{account}", Allow: Public(), Surface: Raw, Handle: s.hook},

		{Pattern: "GET /widget.js", Allow: Public(), Surface: Raw, Handle: s.widgetScript},
		{Pattern: "GET /widget/frame", Allow: Public(), Surface: Embed, Handle: s.widgetFrame},
		{Pattern: "POST /widget/subscribe", Allow: Public(), Surface: Embed, Handle: s.subscribe, Limited: true, OwnGuard: true},
		{Pattern: "OPTIONS /widget/subscribe", Allow: Public(), Surface: Raw, Handle: s.subscribePreflight},

		{Pattern: "GET /chat", Allow: Public(), Surface: Embed, Handle: s.chatPage},
		{Pattern: "GET /chat/ws", Allow: Public(), Surface: Raw, Handle: s.chatSocket},

		{Pattern: "GET /b/{token}", Allow: Public(), Surface: Page, Handle: s.buyPage},
		{Pattern: "POST /b/{token}", Allow: Public(), Surface: Page, Handle: s.buy, Limited: true, OwnGuard: true},
	}
	if s.opt.BackOffice.Store != nil {
		routes = append(routes, s.apiRoutes()...)
		routes = append(routes, s.staffRoutes()...)
	}
	if s.opt.Demo {
		routes = append(routes,
			Route{Pattern: "GET /{$}", Allow: Public(), Surface: Page, Handle: s.shopShelves},
			Route{Pattern: "GET /p/{sku}", Allow: Public(), Surface: Page, Handle: s.shopProduct},
		)
	}
	return routes
}

// serve builds the mux and what stands around it.
func (s *Server) serve() http.Handler {
	mux := http.NewServeMux()
	for _, route := range s.routes {
		mux.Handle(route.Pattern, s.wrap(route))
	}
	lost := Route{Pattern: "/", Allow: Public(), Surface: Page}
	lost.Handle = func(w http.ResponseWriter, r *http.Request) error { return s.lost(w, r, mux) }
	mux.Handle(lost.Pattern, s.wrap(lost))
	return s.watch(mux)
}

// lost answers what no route takes: 405 where another method would be taken, 404 elsewhere.
func (s *Server) lost(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) error {
	allowed := ""
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && pattern != "" {
			if allowed != "" {
				allowed += ", "
			}
			allowed += method
		}
	}
	if allowed != "" {
		w.Header().Set("Allow", allowed)
		return &Problem{Status: http.StatusMethodNotAllowed}
	}
	return &Problem{Status: http.StatusNotFound}
}
