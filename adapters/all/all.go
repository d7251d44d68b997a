// Package all lists the messengers that are built in. A new one is a line here.
package all

import (
	"parley/adapters"
	"parley/adapters/console"
	"parley/adapters/discord"
	"parley/adapters/slack"
	"parley/adapters/telegram"
	"parley/adapters/webchat"
	"parley/adapters/whatsapp"
)

// All are the messengers, in the order in which the documentation tells of them.
func All() []adapters.Spec {
	return []adapters.Spec{
		webchat.Spec,
		telegram.Spec,
		whatsapp.Spec,
		slack.Spec,
		discord.Spec,
		console.Spec,
	}
}
