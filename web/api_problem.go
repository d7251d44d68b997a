package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"parley/commerce"
	"parley/store"
)

// apiProblem is an error as RFC 9457 has it. Type names the kind of problem for programs, Detail says it to people.
type apiProblem struct {
	Type   string     `json:"type"`
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Detail string     `json:"detail"`
	Errors []apiField `json:"errors,omitempty"`
}

type apiField struct {
	Field   string `json:"field"`
	Problem string `json:"problem"`
}

// problemKinds are the problems of the API by status: the end of their type, their title, and what is said when the handler
// had nothing better to say.
var problemKinds = map[int]struct{ kind, title, detail string }{
	http.StatusBadRequest:            {"invalid-request", "The request cannot be taken", "The request is not as the API describes it."},
	http.StatusUnauthorized:          {"unauthorized", "A key is needed", "Send an API key: Authorization: Bearer <key>. This request had none, or one that is unknown or revoked."},
	http.StatusForbidden:             {"missing-scope", "The key may not do this", "The key does not have the scope for this."},
	http.StatusNotFound:              {"not-found", "Not found", "There is no such thing, or it is not this merchant's."},
	http.StatusMethodNotAllowed:      {"method-not-allowed", "The method is not allowed here", "This address does not take that method; the header Allow lists those it does."},
	http.StatusConflict:              {"conflict", "No longer possible", "This can no longer be done: things have changed meanwhile. Load it again to see how it stands."},
	http.StatusRequestEntityTooLarge: {"too-large", "The body is too large", "A body may have 1 MiB at most."},
	http.StatusUnsupportedMediaType:  {"unsupported-media-type", "The body must be JSON", "Send the body as JSON, with Content-Type: application/json."},
	http.StatusUnprocessableEntity:   {"idempotency-key-reused", "The Idempotency-Key was used for another request", "Use a new Idempotency-Key for each request, and the same one only to repeat a request exactly."},
	http.StatusTooManyRequests:       {"too-many-requests", "Too many requests", "Wait as long as the header Retry-After says."},
	http.StatusServiceUnavailable:    {"unavailable", "Not available now", "This part is not running, or too busy. Try again in a moment."},
	http.StatusInternalServerError:   {"internal", "Something went wrong", "The error is ours and has been logged. Nothing was done, or what was done is kept; it is safe to repeat the request."},
}

// kindInFlight is the second kind of 409.
const kindInFlight = "idempotency-in-flight"

const problemType = "urn:parley:problem:"

// apiProblemOf decides what a program is told of an error. Inner errors are never shown.
func apiProblemOf(err error) apiProblem {
	p := problemForAPI(err)
	known, ok := problemKinds[p.Status]
	if !ok {
		known = problemKinds[http.StatusInternalServerError]
		if p.Status < 500 {
			known.kind, known.title, known.detail = "refused", http.StatusText(p.Status), http.StatusText(p.Status)
		}
	}
	out := apiProblem{Type: problemType + known.kind, Title: known.title, Status: p.Status, Detail: p.Sentence}
	if out.Detail == "" {
		out.Detail = known.detail
	}
	if errors.Is(err, store.ErrInFlight) {
		out.Type, out.Title = problemType+kindInFlight, "A request with this Idempotency-Key is at work"
	}
	for _, f := range p.Fields {
		out.Errors = append(out.Errors, apiField{f.Name, f.Sentence})
	}
	return out
}

func problemForAPI(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if bad, ok := errors.AsType[*commerce.Invalid](err); ok {
		p := badFields(Field{bad.Field, bad.Problem})
		if errors.Is(bad, commerce.ErrNotFound) {
			p.Status = http.StatusNotFound
		}
		return p
	}
	switch {
	case errors.Is(err, commerce.ErrNotFound), errors.Is(err, store.ErrNotFound):
		return &Problem{Status: http.StatusNotFound, Err: err}
	case errors.Is(err, commerce.ErrConflict):
		return &Problem{Status: http.StatusConflict, Err: err}
	case errors.Is(err, store.ErrInFlight):
		return &Problem{Status: http.StatusConflict, Sentence: "The first request with this Idempotency-Key is not through yet. Ask again in a second.", Err: err}
	case errors.Is(err, store.ErrReused):
		return &Problem{Status: http.StatusUnprocessableEntity, Err: err}
	case errors.Is(err, context.DeadlineExceeded), store.Unavailable(err):
		return &Problem{Status: http.StatusServiceUnavailable, Err: err}
	}
	return problemOf(err)
}

// failAPI answers a request of the API that failed before or outside its handler, and whatever has no route there.
func (s *Server) failAPI(w http.ResponseWriter, r *http.Request, err error) {
	p := apiProblemOf(err)
	if p.Status == statusGone {
		return
	}
	if p.Status >= 500 {
		s.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "problem", err)
	}
	b, _ := json.Marshal(p) // strings and a number always marshal
	w.Header().Set("Cache-Control", "no-store")
	s.writeAPI(w, store.StoredAnswer{Status: p.Status, ContentType: "application/problem+json", Body: string(b) + "\n"})
}

// writeAPI sends an answer, with the headers that its status asks for.
func (s *Server) writeAPI(w http.ResponseWriter, a store.StoredAnswer) {
	h := w.Header()
	switch {
	case a.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="Parley"`)
	case a.Status == http.StatusConflict && strings.Contains(a.Body, kindInFlight), a.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	if a.ContentType != "" {
		h.Set("Content-Type", a.ContentType)
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write([]byte(a.Body)) // the caller may have hung up; that is no problem of ours
}
