package web

func shopEnglish() dictionary {
	return dictionary{
		"shop.all": "Everything", "shop.shelves": "Shelves", "shop.chat": "Chat with us", "shop.stock": "In stock", "shop.out": "Sold out for now",
		"shop.few": "Only %d left", "shop.last": "The last one", "shop.was": "before", "shop.haggle": "Open to offers", "shop.empty": "This shelf is empty at the moment.",
		"shop.foot":    "A demonstration shop: nothing is sent, no money moves.",
		"product.tell": "Want it for less, or when it is back? Ring the bell: we write to you where you chat anyway, and you can ask, haggle and buy right there.",
		"product.more": "From the same shelf", "product.form": "Tell me when", "product.back": "All things",
	}
}

func shopGerman() dictionary {
	return dictionary{
		"shop.all": "Alles", "shop.shelves": "Regale", "shop.chat": "Mit uns chatten", "shop.stock": "Vorrätig", "shop.out": "Zurzeit ausverkauft",
		"shop.few": "Nur noch %d da", "shop.last": "Das letzte Stück", "shop.was": "vorher", "shop.haggle": "Verhandelbar", "shop.empty": "Dieses Regal ist gerade leer.",
		"shop.foot":    "Ein Laden zum Vorführen: Nichts wird verschickt, kein Geld fließt.",
		"product.tell": "Lieber günstiger, oder wenn es wieder da ist? Läuten Sie: Wir schreiben Ihnen dort, wo Sie ohnehin chatten. Dort können Sie auch fragen, handeln und kaufen.",
		"product.more": "Aus demselben Regal", "product.form": "Sagen Sie mir Bescheid", "product.back": "Alle Dinge",
	}
}
