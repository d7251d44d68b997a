package discord

import (
	"html/template"
	"net/http"
	"regexp"
	"strings"
)

// welcomePage tells a person what to write, because no link of Discord's can write it for them.
var welcomePage = template.Must(template.New("welcome").Parse(`<!doctype html>
<html lang="{{.Language}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>Discord</title></head>
<body>
<p>{{.Ask}}</p>
<p><code>start {{.Token}}</code></p>
<p><a href="{{.Chat}}" rel="noreferrer">{{.Open}}</a></p>
</body>
</html>
`))

type welcomeView struct{ Language, Ask, Token, Chat, Open string }

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{20,128}$`)

// welcome shows the page that Link leads to. It changes nothing, so that a previewer may open it as well.
func (m *Messenger) welcome(w http.ResponseWriter, r *http.Request) {
	view := welcomeView{
		Language: "en", Token: r.URL.Query().Get("start"), Chat: m.profile(),
		Ask: "Copy this line, open the bot's profile in Discord, choose Message and send it there:", Open: "Open Discord",
	}
	if m.hookURL == "" || view.Chat == "" || !tokenForm.MatchString(view.Token) {
		http.Error(w, "there is nothing here", http.StatusNotFound)
		return
	}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "de") {
		view.Language, view.Open = "de", "Discord öffnen"
		view.Ask = "Kopieren Sie diese Zeile, öffnen Sie das Profil des Bots in Discord, wählen Sie „Nachricht“ und senden Sie sie dort:"
	}
	var page strings.Builder
	if err := welcomePage.Execute(&page, view); err != nil {
		m.log.ErrorContext(r.Context(), "discord page not made", "problem", err)
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
