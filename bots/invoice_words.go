package bots

// invoiceWords are what the house itself says about invoices.
type invoiceWords struct {
	what   string // how many of what
	bill   string // how many, what, how much
	pay    string // the button: how much
	owed   string // how much, for what
	refund string // for staff: how much, which order, who collected
	failed string
}

var invoiceEnglish = invoiceWords{
	what:   "%d × %s",
	bill:   "%d × %s: paying %s by this invoice places the order.",
	pay:    "Buy now, pay %s",
	owed:   "Your payment of %s for %s has arrived, but nothing is left that it could pay for. You get it back; a person of the shop sees to that.",
	refund: "%s are to be given back for order %s, by hand: they were paid through %s.",
	failed: "The shop cannot take this payment at the moment. Please try again in a minute.",
}

var invoiceGerman = invoiceWords{
	what:   "%d × %s",
	bill:   "%d × %s: Mit der Zahlung von %s auf diese Rechnung ist es bestellt.",
	pay:    "Zahlungspflichtig bestellen, %s",
	owed:   "Deine Zahlung von %s für %s ist angekommen, aber es gibt nichts mehr, was sie bezahlen könnte. Du bekommst sie zurück; jemand aus dem Laden kümmert sich darum.",
	refund: "Für die Bestellung %[2]s sind %[1]s von Hand zurückzuzahlen: Sie wurden über %[3]s bezahlt.",
	failed: "Der Laden kann diese Zahlung gerade nicht annehmen. Bitte versuche es in einer Minute noch einmal.",
}

func invoiceWordsIn(language string) invoiceWords {
	if language == "de" {
		return invoiceGerman
	}
	return invoiceEnglish
}
