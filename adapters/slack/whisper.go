package slack

import (
	"context"
	"strings"

	slackgo "github.com/slack-go/slack"

	"parley/adapters"
)

// note is what one member of a channel is told, and nobody else there.
type note struct {
	channel, thread, user string
	english, german       string
}

// whisper tells a note, best effort: Slack shows it to who is there, until they reload.
func (m *Messenger) whisper(ctx context.Context, n note) {
	text := n.english
	if strings.HasPrefix(m.member(ctx, n.user).locale, "de") {
		text = n.german
	}
	ctx, cancel := context.WithTimeout(ctx, courtesy)
	defer cancel()
	options := message(adapters.Part{Text: text}, false)
	if n.thread != "" {
		options = append(options, slackgo.MsgOptionTS(n.thread))
	}
	if err := m.api.whisper(ctx, n.channel, n.user, options); err != nil {
		m.log.InfoContext(ctx, "slack note not shown", "channel", n.channel, "problem", err)
	}
}

func (a *api) whisper(ctx context.Context, channel, user string, options []slackgo.MsgOption) error {
	return a.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
		_, err := c.PostEphemeralContext(ctx, channel, user, options...)
		return err
	})
}
