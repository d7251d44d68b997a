package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/commerce"
	"parley/store"
)

// Problem is an error with what the caller is told. What is left empty follows from the status.
type Problem struct {
	Status   int
	Sentence string  // in the caller's language; written by us, never an inner error's text
	Fields   []Field // what is wrong with single fields of a form or a body
	Err      error   // for the log
}

// Field is what is wrong with one field.
type Field struct {
	Name     string `json:"field"`
	Sentence string `json:"sentence"`
}

func (p *Problem) Error() string {
	if p.Err != nil {
		return fmt.Sprintf("%d %s: %v", p.Status, http.StatusText(p.Status), p.Err)
	}
	return fmt.Sprintf("%d %s", p.Status, http.StatusText(p.Status))
}

func (p *Problem) Unwrap() error { return p.Err }

// problemOf decides what the caller of a failed request is told. Whatever it does not know is a 500 without details.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Err: err}
	}
	if e, ok := errors.AsType[*commerce.Invalid](err); ok {
		status := http.StatusUnprocessableEntity
		if errors.Is(err, commerce.ErrNotFound) {
			status = http.StatusNotFound
		}
		return &Problem{Status: status, Sentence: sentence(e.Problem), Fields: []Field{{e.Field, sentence(e.Problem)}}, Err: err}
	}
	switch {
	case errors.Is(err, commerce.ErrNotFound):
		return &Problem{Status: http.StatusNotFound, Err: err}
	case errors.Is(err, commerce.ErrConflict):
		return &Problem{Status: http.StatusConflict, Err: err}
	case errors.Is(err, context.Canceled):
		return &Problem{Status: statusGone, Err: err}
	case errors.Is(err, context.DeadlineExceeded), store.Unavailable(err):
		return &Problem{Status: http.StatusServiceUnavailable, Err: err}
	}
	return &Problem{Status: http.StatusInternalServerError, Err: err}
}

// sentence begins with a capital and ends with a point.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// statusGone is logged when the caller hung up; nobody reads it.
const statusGone = 499

// fail is the one place where an error becomes an answer. Headers of a page that was not written are overwritten.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, surface Surface, err error) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		s.failAPI(w, r, err)
		return
	}
	p := problemOf(err)
	if p.Status == statusGone {
		return
	}
	if p.Status >= 500 {
		s.log.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "problem", err)
	}
	words := s.wordsFor(r)
	title := words.say(fmt.Sprintf("problem.%d.title", p.Status))
	if title == "" {
		title = http.StatusText(p.Status)
	}
	sentence := p.Sentence
	if sentence == "" {
		sentence = words.say(fmt.Sprintf("problem.%d", p.Status))
	}
	if sentence == "" {
		sentence = words.say("problem.500")
	}
	w.Header().Set("Cache-Control", "no-store")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	switch {
	case surface == API || wantsJSON(r):
		writeProblem(w, p, title, sentence)
	case surface == Raw:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(p.Status)
		_, _ = io.WriteString(w, sentence+"\n")
	default:
		view := problemView{Page: s.page(r, title), Status: p.Status, Title: title, Sentence: sentence}
		view.Page.Languages = nil // the address may hold a secret
		if err := s.render(w, p.Status, "problem.html", view); err != nil {
			s.log.ErrorContext(r.Context(), "problem page not rendered", "problem", err)
			http.Error(w, sentence, p.Status)
		}
	}
}

type problemView struct {
	Page     PageView
	Status   int
	Title    string
	Sentence string
}

func writeProblem(w http.ResponseWriter, p *Problem, title, sentence string) {
	body := struct {
		Type   string  `json:"type"`
		Title  string  `json:"title"`
		Status int     `json:"status"`
		Detail string  `json:"detail"`
		Errors []Field `json:"errors,omitempty"`
	}{"about:blank", title, p.Status, sentence, p.Fields}
	w.Header().Set("Content-Type", "application/problem+json")
	_ = writeBody(w, p.Status, body)
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json")
	return writeBody(w, status, value)
}

func writeBody(w http.ResponseWriter, status int, value any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the caller may have hung up; that is no problem of ours
	return nil
}

// wantsJSON says that the caller is a script that reads JSON rather than a browser that shows pages.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}
