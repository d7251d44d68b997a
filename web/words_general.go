package web

func generalEnglish() dictionary {
	return dictionary{
		"language": "English", "skip": "Skip to content", "close": "Close", "languages": "Language", "home": "Back to the shop",
		"problem.400.title": "That was not readable", "problem.400": "What arrived here could not be read. Please try again.",
		"problem.401.title": "Please sign in", "problem.401": "This is for people who are signed in.",
		"problem.403.title": "Not from here", "problem.403": "This request came from a place that may not make it.",
		"problem.404.title": "Nothing here", "problem.404": "There is nothing at this address. It may have moved, or the link may be incomplete.",
		"problem.405.title": "Not this way", "problem.405": "This address exists, but not for this kind of request.",
		"problem.409.title": "No longer possible", "problem.409": "Things have changed meanwhile. Please look again.",
		"problem.410.title": "Over", "problem.410": "This has ended.",
		"problem.413.title": "Too much", "problem.413": "That was larger than we can take.",
		"problem.415.title": "Unknown format", "problem.415": "Please send a form or JSON.",
		"problem.422.title": "Something is missing", "problem.422": "Some fields need another look.",
		"problem.429.title": "A moment, please", "problem.429": "That was a bit fast. Please wait a little and try again.",
		"problem.500.title": "Our mistake", "problem.500": "Something went wrong on our side. Nothing you typed was used; please try again.",
		"problem.503.title": "Not available", "problem.503": "This is not available at the moment. Please try again soon.",
		"left.days": "%s days", "left.days.one": "one day", "left.hours": "%s hours", "left.hours.one": "one hour",
		"left.minutes": "%s minutes", "left.minutes.one": "one minute",
	}
}

func generalGerman() dictionary {
	return dictionary{
		"language": "Deutsch", "skip": "Zum Inhalt", "close": "Schließen", "languages": "Sprache", "home": "Zurück zum Laden",
		"problem.400.title": "Das war nicht lesbar", "problem.400": "Was hier ankam, war nicht lesbar. Bitte versuchen Sie es noch einmal.",
		"problem.401.title": "Bitte anmelden", "problem.401": "Dies ist für Menschen, die angemeldet sind.",
		"problem.403.title": "Von hier nicht", "problem.403": "Diese Anfrage kam von einer Stelle, die sie nicht stellen darf.",
		"problem.404.title": "Hier ist nichts", "problem.404": "Unter dieser Adresse gibt es nichts. Vielleicht ist sie umgezogen, oder der Link ist unvollständig.",
		"problem.405.title": "So geht es nicht", "problem.405": "Diese Adresse gibt es, aber nicht für diese Art von Anfrage.",
		"problem.409.title": "Nicht mehr möglich", "problem.409": "Inzwischen hat sich etwas geändert. Bitte sehen Sie noch einmal nach.",
		"problem.410.title": "Vorbei", "problem.410": "Das ist abgelaufen.",
		"problem.413.title": "Zu viel", "problem.413": "Das war größer, als wir annehmen können.",
		"problem.415.title": "Unbekanntes Format", "problem.415": "Bitte senden Sie ein Formular oder JSON.",
		"problem.422.title": "Es fehlt noch etwas", "problem.422": "Einige Felder brauchen noch einen Blick.",
		"problem.429.title": "Einen Augenblick", "problem.429": "Das war ein wenig schnell. Bitte warten Sie kurz und versuchen Sie es wieder.",
		"problem.500.title": "Unser Fehler", "problem.500": "Bei uns ist etwas schiefgegangen. Nichts davon wurde verwendet; bitte versuchen Sie es noch einmal.",
		"problem.503.title": "Gerade nicht da", "problem.503": "Das ist im Augenblick nicht verfügbar. Bitte versuchen Sie es bald wieder.",
		"left.days": "%s Tage", "left.days.one": "einen Tag", "left.hours": "%s Stunden", "left.hours.one": "eine Stunde",
		"left.minutes": "%s Minuten", "left.minutes.one": "eine Minute",
	}
}
