package slack

import (
	"html/template"
	"net/http"
	"regexp"
	"strings"
)

// welcomePage tells a person what to send, because no link of Slack's can send it for them.
var welcomePage = template.Must(template.New("welcome").Parse(`<!doctype html>
<html lang="{{.Language}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>Slack</title></head>
<body>
<p>{{.Ask}}</p>
<p><code>start {{.Token}}</code></p>
<p><a href="{{.Chat}}" rel="noreferrer">{{.Open}}</a></p>
</body>
</html>
`))

type welcomeView struct{ Language, Ask, Token, Chat, Open string }

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// welcome shows the page that Link leads to. It changes nothing, so that a previewer may open it as well.
func (m *Messenger) welcome(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	view := welcomeView{Language: "en", Token: r.URL.Query().Get("start"), Chat: m.chatURL()}
	known := m.app != ""
	m.mu.Unlock()
	if !known || m.hookURL == "" || !tokenForm.MatchString(view.Token) {
		http.Error(w, "there is nothing here", http.StatusNotFound)
		return
	}
	view.Ask, view.Open = "Copy this line, open the chat in Slack and send it there:", "Open Slack"
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "de") {
		view.Language, view.Ask, view.Open = "de", "Kopieren Sie diese Zeile, öffnen Sie den Chat in Slack und senden Sie sie dort:", "Slack öffnen"
	}
	var page strings.Builder
	if err := welcomePage.Execute(&page, view); err != nil {
		m.log.ErrorContext(r.Context(), "slack page not made", "problem", err)
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
