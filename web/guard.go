package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

const (
	maxForm = 64 << 10
	maxBody = 1 << 20
)

// wrap puts before a route what its surface asks for, and turns its error into an answer.
func (s *Server) wrap(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.harden(w, r, route.Surface)
		switch err := s.run(w, r, route); {
		case err == nil:
		case route.Fail != nil:
			route.Fail(w, r, err)
		default:
			s.fail(w, r, route.Surface, err)
		}
	})
}

func (s *Server) run(w http.ResponseWriter, r *http.Request, route Route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if cause, ok := p.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
				panic(p)
			}
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	switch route.Surface {
	case API, Raw:
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	}
	if (route.Surface == Page || route.Surface == Embed) && !route.OwnGuard {
		if err := s.cross.Check(r); err != nil {
			return &Problem{Status: http.StatusForbidden, Err: err}
		}
	}
	if route.Limited {
		if wait := s.posts.take(s.caller(r)); wait > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(int(wait/time.Second)+1))
			return &Problem{Status: http.StatusTooManyRequests}
		}
	}
	admitted, err := s.admit(r, route.Allow)
	if err != nil {
		return err
	}
	return route.Handle(w, admitted)
}

// harden sets the headers that keep other people's scripts and frames away.
func (s *Server) harden(w http.ResponseWriter, r *http.Request, surface Surface) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if isHTTPS(r) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	ancestors := "'none'"
	switch surface {
	case Raw:
		return
	case API:
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		return
	case Embed:
		ancestors = s.ancestors()
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	case Page:
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: https:" + s.pictures(), "connect-src 'self'",
		"form-action 'self'", "frame-src 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors " + ancestors,
		"require-trusted-types-for 'script'",
	}, "; "))
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-cache")
}

// pictures is where product pictures may lie beside https: our own public address, which is plain http in a demo.
func (s *Server) pictures() string {
	if origin := originOf(s.opt.PublicURL); strings.HasPrefix(origin, "http:") {
		return " " + origin
	}
	return ""
}

func (s *Server) ancestors() string {
	if s.opt.Demo {
		return "*"
	}
	list := "'self'"
	for _, o := range s.opt.Origins {
		if origin := originOf(o); origin != "" {
			list += " " + origin
		}
	}
	return list
}

// watch logs each request by its route. Paths stay out of the log, for some of them hold secrets.
func (s *Server) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.now()
		seen := &recorder{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		level := slog.LevelDebug
		if seen.status >= 400 || r.Method != http.MethodGet && r.Method != http.MethodHead {
			level = slog.LevelInfo
		}
		if !s.log.Enabled(r.Context(), level) {
			return
		}
		// Not by the logger's own methods: for each request they would find out anew that the line was written here.
		line := slog.NewRecord(time.Now(), level, "request", 0)
		line.AddAttrs(slog.String("method", r.Method), slog.String("route", r.Pattern), slog.Int("status", seen.status),
			slog.Int64("bytes", seen.bytes), slog.Duration("took", s.now().Sub(began)))
		_ = s.log.Handler().Handle(r.Context(), line)
	})
}

// recorder notes what was answered. Unwrap keeps flushing and hijacking possible.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 || status == http.StatusSwitchingProtocols {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}
