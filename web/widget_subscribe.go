package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/commerce"
)

// Subscriber keeps what a visitor wants to be told. A value that it cannot take is a *commerce.Invalid whose Field is one of
// sku, name, channel, address, event, or a field of the event.
type Subscriber interface {
	Subscribe(ctx context.Context, s Subscription) (Subscribed, error)
}

// Subscription is a checked wish. Fields are in the event's canonical form.
type Subscription struct {
	SKU        string
	Event      string
	Fields     map[string]string
	Name       string
	Account    string // the channel
	Address    string // as typed; "" where nothing is typed
	Visitor    string // public id, proven by the cookie; the address on web chat. "" when posted from another site
	Language   string
	TimeZone   string // IANA; "" when the browser did not say
	NotAtNight bool
	Consent    Consent
	External   map[string]string
}

// Consent is what the visitor agreed to, when, and how we know.
type Consent struct {
	Text     string
	Version  string
	At       time.Time
	Evidence map[string]string
}

// Subscribed is what came of it.
type Subscribed struct {
	ID    string `json:"id"`
	State string `json:"state"`          // armed or pending
	Link  string `json:"link,omitempty"` // to open where the person has to write first
}

func (s *Server) subscribe(w http.ResponseWriter, r *http.Request) error {
	foreign, err := s.checkOrigin(w, r)
	if err != nil {
		return err
	}
	if s.opt.Catalogue == nil || s.opt.Subscriber == nil || s.opt.Visitors == nil {
		return unavailable()
	}
	given, err := readWish(r)
	if err != nil {
		return err
	}
	lang := s.language(r)
	if l := short(given.Language); s.words[l] != nil {
		lang = l
	}
	p, err := s.opt.Catalogue.Product(r.Context(), given.SKU)
	if err != nil {
		if errors.Is(err, commerce.ErrNotFound) {
			text := s.words[lang].say("wrong.sku")
			return &Problem{Status: http.StatusNotFound, Sentence: text, Fields: []Field{{"sku", text}}, Err: err}
		}
		return err
	}
	sub, channel, wrong := s.check(given, p, lang)
	if foreign && channel.IsHere() {
		wrong = append(wrong, Field{"channel", s.words[lang].say("wrong.here")})
	}
	if len(wrong) > 0 {
		return s.refuseWish(w, r, given, wrong)
	}
	if !foreign {
		if sub.Visitor, err = s.greet(w, r); err != nil {
			return err
		}
	}
	sub.Consent.At = s.now().UTC()
	sub.Consent.Evidence = map[string]string{
		"form": "widget", "ip": s.address(r).String(), "user_agent": clip(r.UserAgent(), 300), "page": given.External["page"],
	}
	done, err := s.opt.Subscriber.Subscribe(r.Context(), sub)
	if bad, ok := errors.AsType[*commerce.Invalid](err); ok {
		return s.refuseWish(w, r, given, []Field{{fieldName(bad.Field, sub), sentence(bad.Problem)}})
	}
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", p.SKU, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	if isScript(r) {
		return writeJSON(w, http.StatusOK, done)
	}
	view, err := s.frame(r, given)
	if err != nil {
		return err
	}
	view.Done = &doneView{Channel: channel, State: done.State, Link: done.Link}
	return s.render(w, http.StatusOK, "frame.html", view)
}

// refuseWish says what is wrong beside each field and keeps what was typed.
func (s *Server) refuseWish(w http.ResponseWriter, r *http.Request, given wish, wrong []Field) error {
	if isScript(r) {
		return &Problem{Status: http.StatusUnprocessableEntity, Fields: wrong}
	}
	view, err := s.frame(r, given)
	if err != nil {
		return err
	}
	for _, f := range wrong {
		view.Errors[f.Name] = f.Sentence
	}
	view.Wrong = len(view.Errors)
	return s.render(w, http.StatusUnprocessableEntity, "frame.html", view)
}

// fieldName is how the form calls a field that commerce refused.
func fieldName(name string, sub Subscription) string {
	if _, ok := sub.Fields[name]; ok {
		return "fields." + name
	}
	return name
}

// isScript says that the answer goes to a program: one that asks for JSON, or sent it.
func isScript(r *http.Request) bool {
	return wantsJSON(r) || strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

// checkOrigin takes posts of our own pages, of the sites in Options.Origins and of what is no browser. foreign says that
// another site posted it, whose visitors' cookies must not count.
func (s *Server) checkOrigin(w http.ResponseWriter, r *http.Request) (foreign bool, err error) {
	w.Header().Add("Vary", "Origin")
	origin := strings.ToLower(r.Header.Get("Origin"))
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case site == "same-origin", origin == "" && (site == "" || site == "none"):
		return false, nil
	case site == "" && origin != "" && isOwn(origin, r.Host):
		return false, nil
	case s.origins[origin] || s.opt.Demo && origin != "" && origin != "null":
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		return true, nil
	}
	return false, &Problem{Status: http.StatusForbidden, Sentence: s.wordsFor(r).say("wrong.origin")}
}

func isOwn(origin, host string) bool {
	_, rest, ok := strings.Cut(origin, "://")
	return ok && strings.EqualFold(rest, host)
}

// subscribePreflight answers a browser that asks whether another site may post.
func (s *Server) subscribePreflight(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.checkOrigin(w, r); err != nil {
		return err
	}
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Accept")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}
