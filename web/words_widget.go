package web

func widgetEnglish() dictionary {
	return dictionary{
		"frame.title": "Tell me when", "frame.chat": "Chat", "frame.name": "Your name", "frame.where": "Where shall we write?",
		"frame.when": "When shall we write?", "frame.here": "Right here, in this window. Nothing to install.",
		"frame.link": "You get a link that opens %s; press Start there.", "frame.message": "You get a message, once it happens.", "frame.typed": "Your %s", "frame.now": "It costs %s now.", "frame.optional": "optional",
		"frame.night": "Not at night: wait until the morning", "frame.send": "Tell me", "frame.sending": "One moment …", "frame.wrong.one": "One field needs another look.",
		"frame.wrong": "%d fields need another look.", "frame.offline": "That did not get through. Please check your connection and press again.",
		"frame.done": "Done", "frame.done.here": "We ring right here as soon as it happens.", "frame.open.chat": "Open the chat",
		"frame.done.link": "One step is left: open %s and press Start, so that we may write to you.", "frame.open.link": "Open %s",
		"frame.done.armed": "We write to you on %s as soon as it happens.", "frame.done.pending": "We have sent you one message on %s: please confirm it there.",
		"frame.small": "Say STOP in the chat at any time and it is quiet.",
		"wrong.name":  "Please tell us how to call you.", "wrong.long": "That is too long: at most %d characters.", "wrong.channel": "Please pick where we shall write.",
		"wrong.address": "Please type your %s.", "wrong.consent": "We may only write to you if you tick this.",
		"wrong.wording": "This wording is new. Please read it and tick again.", "wrong.event": "Please pick when we shall write.", "wrong.missing": "Please fill this in.",
		"wrong.field": "This event has no such field.", "wrong.amount.missing": "Please type your price, such as %s.", "wrong.amount": "Please type a price such as %s.",
		"wrong.positive": "The price must be more than zero: type one such as %s.", "wrong.currency": "Please name your price in %s.",
		"wrong.count": "Please type a whole number from 1 to 999.", "wrong.sku": "We have no such thing (any more).",
		"wrong.here": "This channel only works in the widget's own window.", "wrong.origin": "This site may not use the widget. Its owner has to be added to the allowed origins.",
		"typed.phone number": "phone number", "typed.@handle": "@handle",
	}
}

func widgetGerman() dictionary {
	return dictionary{
		"frame.title": "Sagen Sie mir Bescheid", "frame.chat": "Chat", "frame.name": "Ihr Name", "frame.where": "Wohin sollen wir schreiben?",
		"frame.when": "Wann sollen wir schreiben?", "frame.here": "Gleich hier, in diesem Fenster. Nichts zu installieren.",
		"frame.link": "Sie bekommen einen Link, der %s öffnet; drücken Sie dort auf Start.", "frame.message": "Sie bekommen eine Nachricht, wenn es so weit ist.", "frame.typed": "Ihre %s", "frame.now": "Jetzt kostet es %s.", "frame.optional": "freiwillig",
		"frame.night": "Nicht nachts: bis zum Morgen warten", "frame.send": "Bescheid sagen", "frame.sending": "Einen Augenblick …", "frame.wrong.one": "Ein Feld braucht noch einen Blick.",
		"frame.wrong": "%d Felder brauchen noch einen Blick.", "frame.offline": "Das kam nicht an. Bitte prüfen Sie Ihre Verbindung und drücken Sie noch einmal.",
		"frame.done": "Erledigt", "frame.done.here": "Wir melden uns genau hier, sobald es so weit ist.", "frame.open.chat": "Chat öffnen",
		"frame.done.link": "Noch ein Schritt: Öffnen Sie %s und drücken Sie auf Start, damit wir Ihnen schreiben dürfen.", "frame.open.link": "%s öffnen",
		"frame.done.armed": "Wir schreiben Ihnen auf %s, sobald es so weit ist.", "frame.done.pending": "Wir haben Ihnen auf %s eine Nachricht geschickt: Bitte bestätigen Sie sie dort.",
		"frame.small": "Schreiben Sie jederzeit STOP in den Chat, und es ist Ruhe.",
		"wrong.name":  "Bitte sagen Sie uns, wie wir Sie nennen sollen.", "wrong.long": "Das ist zu lang: höchstens %d Zeichen.", "wrong.channel": "Bitte wählen Sie, wohin wir schreiben sollen.",
		"wrong.address": "Bitte geben Sie Ihre %s an.", "wrong.consent": "Nur wenn Sie hier zustimmen, dürfen wir Ihnen schreiben.",
		"wrong.wording": "Dieser Wortlaut ist neu. Bitte lesen Sie ihn und stimmen Sie noch einmal zu.", "wrong.event": "Bitte wählen Sie, wann wir schreiben sollen.", "wrong.missing": "Bitte füllen Sie das aus.",
		"wrong.field": "Dieses Ereignis hat kein solches Feld.", "wrong.amount.missing": "Bitte nennen Sie Ihren Preis, etwa %s.", "wrong.amount": "Bitte geben Sie einen Preis wie %s ein.",
		"wrong.positive": "Der Preis muss größer als null sein, etwa %s.", "wrong.currency": "Bitte nennen Sie Ihren Preis in %s.",
		"wrong.count": "Bitte geben Sie eine ganze Zahl von 1 bis 999 ein.", "wrong.sku": "Das gibt es bei uns nicht (mehr).",
		"wrong.here": "Dieser Weg geht nur im eigenen Fenster des Widgets.", "wrong.origin": "Diese Seite darf das Widget nicht benutzen. Wer sie betreibt, muss sie bei den erlaubten Adressen eintragen.",
		"typed.phone number": "Telefonnummer", "typed.@handle": "Kennung (@…)",
	}
}
