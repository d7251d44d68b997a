package discord

import (
	"net/http"

	"parley/adapters"
)

// welcome shows the page that Link leads to.
func (m *Messenger) welcome(w http.ResponseWriter, r *http.Request) {
	page := adapters.StartPage{
		Network: "Discord",
		English: adapters.StartWords{Ask: "Copy this line, open the bot's profile in Discord, choose Message and send it there:", Open: "Open Discord"},
		German: adapters.StartWords{
			Ask:  "Kopieren Sie diese Zeile, öffnen Sie das Profil des Bots in Discord, wählen Sie „Nachricht“ und senden Sie sie dort:",
			Open: "Discord öffnen",
		},
	}
	if m.hookURL != "" {
		page.Chat = m.profile()
	}
	page.ServeHTTP(w, r)
}
