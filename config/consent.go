package config

// ConsentVersion names the wording of DefaultConsent. It changes when the wording does.
const ConsentVersion = "parley-1"

// DefaultConsent is the wording beside the consent box for a merchant who gives none; "" for a language we do not speak.
func DefaultConsent(language string) string {
	switch language {
	case "en":
		return "Yes, please send me the message I asked for through the channel I chose here. " +
			"I can end this at any time by answering STOP."
	case "de":
		return "Ja, bitte senden Sie mir die gewünschte Nachricht über den hier gewählten Kanal. " +
			"Ich kann das jederzeit mit der Antwort STOP beenden."
	}
	return ""
}
