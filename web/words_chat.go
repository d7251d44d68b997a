package web

func chatEnglish() dictionary {
	return dictionary{
		"chat.title": "Chat", "chat.log": "Conversation", "chat.empty": "Nothing said yet. Ask about a thing, an order or a price: a bot answers at once, a person when it matters.",
		"chat.placeholder": "Write a message", "chat.send": "Send", "chat.me": "You", "chat.bot": "Bot", "chat.staff": "The shop", "chat.typing": "is writing …",
		"chat.connecting": "Connecting …", "chat.online": "Connected", "chat.offline": "Not connected. We keep trying.", "chat.sending": "sending", "chat.sent": "sent",
		"chat.failed": "not sent", "chat.retry": "Try again", "chat.new": "New message", "chat.back": "Alert", "chat.choices": "Choices",
		"chat.script": "The chat needs JavaScript, because its messages arrive while the page is open. Everything else here works without it.",
	}
}

func chatGerman() dictionary {
	return dictionary{
		"chat.title": "Chat", "chat.log": "Unterhaltung", "chat.empty": "Noch nichts gesagt. Fragen Sie nach einer Sache, einer Bestellung oder einem Preis: Ein Bot antwortet sofort, ein Mensch, wenn es darauf ankommt.",
		"chat.placeholder": "Nachricht schreiben", "chat.send": "Senden", "chat.me": "Sie", "chat.bot": "Bot", "chat.staff": "Der Laden", "chat.typing": "schreibt …",
		"chat.connecting": "Verbinde …", "chat.online": "Verbunden", "chat.offline": "Keine Verbindung. Wir versuchen es weiter.", "chat.sending": "wird gesendet", "chat.sent": "gesendet",
		"chat.failed": "nicht gesendet", "chat.retry": "Noch einmal", "chat.new": "Neue Nachricht", "chat.back": "Bescheid", "chat.choices": "Auswahl",
		"chat.script": "Der Chat braucht JavaScript, weil Nachrichten eintreffen, während die Seite offen ist. Alles andere hier geht ohne.",
	}
}
