package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"parley/commerce/money"
)

//go:embed templates
var templates embed.FS

// pages are the templates by file name, each with the layout around it. What several pages share is in part_….html.
type pages map[string]*template.Template

// loadPages panics when a template of ours does not parse.
func loadPages(static files) pages {
	funcs := template.FuncMap{"asset": static.address}
	layout := template.Must(template.New("layout.html").Funcs(funcs).ParseFS(templates, "templates/layout.html", "templates/part_*.html"))
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		panic("list the templates: " + err.Error())
	}
	all := pages{}
	for _, name := range names {
		if base := path.Base(name); base != "layout.html" && !strings.HasPrefix(base, "part_") {
			all[base] = template.Must(template.Must(layout.Clone()).ParseFS(templates, name))
		}
	}
	return all
}

// PageView is what the layout around every page needs. A view has it as its field Page.
type PageView struct {
	Lang      string
	Languages []Link // the same page in the other languages
	Title     string
	Shop      Shop
	Path      string
	Base      string // scheme and host, for addresses that leave the page
	Demo      bool
	Framed    bool // shown inside the widget
	words     dictionary
}

// Link is an address with a label.
type Link struct{ Label, Address string }

// T is a text of the dictionary in the page's language, with %s and the like filled in.
func (p PageView) T(key string, args ...any) (string, error) {
	text := p.words.say(key)
	if text == "" {
		return "", fmt.Errorf("there is no text %q in %q", key, p.Lang)
	}
	if len(args) == 0 {
		return text, nil
	}
	return fmt.Sprintf(text, args...), nil
}

// Typed is what a channel asks for, in the page's language.
func (p PageView) Typed(what string) string { return p.words.typed(what) }

// Money is an amount as people of that language write it.
func (p PageView) Money(a money.Amount) string { return a.Format(p.Lang) }

// Absolute is an address that other machines can follow.
func (p PageView) Absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return p.Base + address
	}
	return address
}

func (s *Server) page(r *http.Request, title string) PageView {
	lang := s.language(r)
	v := PageView{
		Lang: lang, Title: title, Shop: s.opt.Shop, Path: r.URL.Path, Base: s.base(r), Demo: s.opt.Demo,
		Framed: r.URL.Query().Get("framed") != "", words: s.words[lang],
	}
	for _, other := range s.opt.Shop.Languages {
		if other != lang && s.words[other] != nil {
			v.Languages = append(v.Languages, Link{s.words[other].say("language"), withQuery(r.URL, "lang", other)})
		}
	}
	return v
}

func withQuery(u *url.URL, key, value string) string {
	q := u.Query()
	q.Set(key, value)
	return u.EscapedPath() + "?" + q.Encode()
}

// render makes the whole page before a byte of it is sent, so that a page that breaks is an error and not half a page.
func (s *Server) render(w http.ResponseWriter, status int, name string, view any) error {
	page, ok := s.pages[name]
	if !ok {
		return fmt.Errorf("render %s: there is no such template", name)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout.html", view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the caller may have hung up; that is no problem of ours
	return nil
}
