package slack

import (
	"context"
	"fmt"
)

// joins are the subtypes of the message that stands in a channel when somebody came in.
var joins = []string{"channel_join", "group_join"}

// invited tells who called the bot into a channel what it does there, and how the channel becomes a room of the staff. It says so
// once: somebody who does not see it does not need it.
func (m *Messenger) invited(ctx context.Context, in said) {
	if in.Inviter == "" || in.Channel == "" || in.TS == "" {
		return
	}
	key := "invited:" + in.Channel
	if told, err := m.load(ctx, key); err != nil || told == in.TS {
		return
	}
	if err := m.save(ctx, key, in.TS); err != nil {
		m.log.WarnContext(ctx, "slack invitation not noted", "problem", err)
		return
	}
	lines := fmt.Sprintf("desk:\n  - {account: %s, room: %q}", m.account, in.Channel)
	m.whisper(ctx, note{
		channel: in.Channel, user: in.Inviter,
		english: "In this channel I answer whoever mentions me, in a thread.\n" +
			"Is it where your staff work? Then put this into the config of the shop, and each shopper who asks for a person becomes a thread here:\n" + lines,
		german: "In diesem Kanal antworte ich allen, die mich erwähnen, in einem Thread.\n" +
			"Arbeitet hier Ihr Team? Dann schreiben Sie dies in die Konfiguration des Shops, und aus jeder Bitte um einen Menschen wird hier ein Thread:\n" + lines,
	})
}
