package bots

// deskWords is what the house itself says in a room of the staff.
type deskWords struct {
	take, back     string            // the buttons
	asks           string            // who, on which channel
	hint           string            // under the card: the command that gives the bot the word
	marks          map[string]string // by the mark in the transcript: who did it
	somebody, shop string            // a shopper without a name, staff without one
	held           string            // who wrote, who has the conversation
	heldByBot      string
	silent         string // the shopper takes no messages
	wordsOnly      string
	lost           string // something failed
}

var deskEnglish = deskWords{
	take: "I take it", back: "Back to the bot",
	asks: "%s asks for a person (%s).",
	hint: "What you write here goes to them, and the bot is silent. %s gives the conversation back to it.",
	marks: map[string]string{
		"handed_off": "The bot has handed over to a person.%.0s",
		"taken":      "%s has taken the conversation.",
		"returned":   "%s has given the conversation back to the bot.",
	},
	somebody: "Somebody", shop: "Somebody of the shop",
	held:      "%s, this conversation is %s's. What you wrote was not sent.",
	heldByBot: "The bot has this conversation.",
	silent:    "They want no more messages, or cannot be reached. This was not sent.",
	wordsOnly: "Only words can be passed on. This was not sent.",
	lost:      "This could not be passed on. Please write it again.",
}

var deskGerman = deskWords{
	take: "Ich übernehme", back: "Zurück an den Bot",
	asks: "%s möchte mit einem Menschen sprechen (%s).",
	hint: "Was Sie hier schreiben, geht dorthin, und der Bot schweigt. %s gibt ihm das Gespräch zurück.",
	marks: map[string]string{
		"handed_off": "Der Bot hat an einen Menschen übergeben.%.0s",
		"taken":      "%s hat das Gespräch übernommen.",
		"returned":   "%s hat das Gespräch an den Bot zurückgegeben.",
	},
	somebody: "Jemand", shop: "Jemand aus dem Laden",
	held:      "%s, dieses Gespräch führt %s. Was Sie geschrieben haben, wurde nicht gesendet.",
	heldByBot: "Dieses Gespräch führt der Bot.",
	silent:    "Dort sind keine Nachrichten mehr erwünscht oder möglich. Das wurde nicht gesendet.",
	wordsOnly: "Nur Worte können weitergegeben werden. Das wurde nicht gesendet.",
	lost:      "Das konnte nicht weitergegeben werden. Bitte schreiben Sie es noch einmal.",
}

// desk is the words for the staff of the turn's merchant.
func (t *turn) desk() deskWords { return deskWordsIn(t.m.Language) }

func deskWordsIn(language string) deskWords {
	if language == "de" {
		return deskGerman
	}
	return deskEnglish
}

// backCommand is how the bot is given the word in writing. Other networks than Telegram keep what begins with a slash for themselves.
func backCommand(channel string) string {
	if channel == "telegram" {
		return "/bot"
	}
	return "!bot"
}

// amends is what a shopper reads where a message that was sent cannot be changed.
type amends struct {
	correction string // the new words
	withdrawn  string // the words taken back
	gone       string // where the message can be changed: stands in its place
}

func amendsIn(language string) amends {
	if language == "de" {
		return amends{"Korrektur: %s", "Bitte nicht beachten: „%s“", "(zurückgezogen)"}
	}
	return amends{"Correction: %s", "Please disregard: “%s”", "(withdrawn)"}
}

// channelName is what people call a channel.
func channelName(channel string) string {
	switch channel {
	case "webchat":
		return "web chat"
	case "telegram":
		return "Telegram"
	case "whatsapp":
		return "WhatsApp"
	case "slack":
		return "Slack"
	case "discord":
		return "Discord"
	}
	return channel
}
