package web

func buyEnglish() dictionary {
	return dictionary{
		"buy.title": "Your offer", "buy.button": "Buy now, pay %s", "buy.quantity": "Quantity", "buy.unit": "each", "buy.total": "Total", "buy.left": "This offer stands for another %s.",
		"buy.once": "However often you press, you buy once.", "buy.test": "A test: no money moves.", "buy.preview": "Open the link to see price and stock as they are now.",
		"buy.expired": "This offer has ended. Ask in the chat for a new one.", "buy.soldout": "Sold out just now. Ask in the chat, and we tell you when it is back.",
		"buy.unknown": "This link is not one of ours, or it is not complete. Please press the button in your chat.",
		"buy.refused": "Nothing was bought. We could not be sure that it was you who pressed; please press the button in your chat.", "buy.refused.title": "Just to be safe",
		"buy.again": "Or open the link yourself and press here.", "buy.paid": "Thank you, it is yours.", "buy.due": "Thank you, it is kept for you. One thing is left: pay.",
		"buy.pending": "Thank you. The payment is under way; the chat tells you how it went.", "buy.declined": "The payment was declined; nothing was bought. Try again in the chat.",
		"buy.order": "Order", "buy.receipt": "Your receipt", "buy.chat": "Everything else we write to you in the chat. You can close this page.",
	}
}

func buyGerman() dictionary {
	return dictionary{
		"buy.title": "Ihr Angebot", "buy.button": "Zahlungspflichtig bestellen, %s", "buy.quantity": "Menge", "buy.unit": "je", "buy.total": "Summe", "buy.left": "Dieses Angebot gilt noch %s.",
		"buy.once": "Wie oft Sie auch drücken, Sie bestellen einmal.", "buy.test": "Ein Test: Es fließt kein Geld.", "buy.preview": "Öffnen Sie den Link, um Preis und Vorrat zu sehen, wie sie jetzt sind.",
		"buy.expired": "Dieses Angebot ist abgelaufen. Fragen Sie im Chat nach einem neuen.", "buy.soldout": "Gerade ausverkauft. Fragen Sie im Chat, und wir sagen Bescheid, wenn es wieder da ist.",
		"buy.unknown": "Dieser Link ist keiner von uns, oder er ist nicht vollständig. Bitte drücken Sie den Knopf in Ihrem Chat.",
		"buy.refused": "Es wurde nichts bestellt. Wir konnten nicht sicher sein, dass Sie es waren, der gedrückt hat; bitte drücken Sie den Knopf in Ihrem Chat.", "buy.refused.title": "Sicher ist sicher",
		"buy.again": "Oder öffnen Sie den Link selbst und drücken Sie hier.", "buy.paid": "Vielen Dank, es gehört Ihnen.", "buy.due": "Vielen Dank, es ist für Sie zurückgelegt. Eines fehlt noch: die Zahlung.",
		"buy.pending": "Vielen Dank. Die Zahlung läuft; der Chat sagt Ihnen, wie sie ausging.", "buy.declined": "Die Zahlung wurde abgelehnt; es wurde nichts bestellt. Versuchen Sie es im Chat noch einmal.",
		"buy.order": "Bestellung", "buy.receipt": "Ihre Quittung", "buy.chat": "Alles Weitere schreiben wir Ihnen im Chat. Sie können diese Seite schließen.",
	}
}
