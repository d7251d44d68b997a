package slack

import (
	"net/http"

	"parley/adapters"
)

// welcome shows the page that Link leads to.
func (m *Messenger) welcome(w http.ResponseWriter, r *http.Request) {
	page := adapters.StartPage{
		Network: "Slack",
		English: adapters.StartWords{Ask: "Copy this line, open the chat in Slack and send it there:", Open: "Open Slack"},
		German:  adapters.StartWords{Ask: "Kopieren Sie diese Zeile, öffnen Sie den Chat in Slack und senden Sie sie dort:", Open: "Slack öffnen"},
	}
	m.mu.Lock()
	if m.hookURL != "" && m.app != "" {
		page.Chat = m.chatURL()
	}
	m.mu.Unlock()
	page.ServeHTTP(w, r)
}
