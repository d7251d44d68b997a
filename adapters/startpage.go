package adapters

import (
	"html/template"
	"net/http"
	"regexp"
	"strings"
)

// StartPage is what a Linker leads to on a network whose own links cannot carry a token: it shows the line "start TOKEN" for the
// person to send, and the way to the chat. It changes nothing, so that a previewer may open it as well.
type StartPage struct {
	Network string // as people call it
	Chat    string // address of the chat with the bot; while it is "" there is no page
	// English and German are what the page says.
	English, German StartWords
}

// StartWords ask to send the line, and name the way there.
type StartWords struct{ Ask, Open string }

var startTemplate = template.Must(template.New("start").Parse(`<!doctype html>
<html lang="{{.Language}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>{{.Network}}</title></head>
<body>
<p>{{.Ask}}</p>
<p><code>start {{.Token}}</code></p>
<p><a href="{{.Chat}}" rel="noreferrer">{{.Open}}</a></p>
</body>
</html>
`))

var startToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func (p StartPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("start")
	if p.Chat == "" || !startToken.MatchString(token) {
		http.Error(w, "there is nothing here", http.StatusNotFound)
		return
	}
	view := struct {
		StartPage
		StartWords
		Language, Token string
	}{p, p.English, "en", token}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "de") {
		view.StartWords, view.Language = p.German, "de"
	}
	var page strings.Builder
	if err := startTemplate.Execute(&page, view); err != nil {
		http.Error(w, "this page cannot be shown", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	_, _ = w.Write([]byte(page.String()))
}
