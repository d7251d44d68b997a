package discord

import (
	"context"
	"errors"
	"net/http"

	"github.com/bwmarrin/discordgo"

	"parley/adapters"
)

// intents are what every bot may hear: messages in servers and direct messages. Discord gives the text of direct messages and of
// those that name the bot to every bot; presses of buttons need no intent.
const intents = discordgo.IntentsGuildMessages | discordgo.IntentsDirectMessages

// mayReadAll are the flags of an application whose owner has switched on the Message Content Intent: of one that Discord has
// verified, and of others.
const mayReadAll = 1<<18 | 1<<19

// learnHearing asks whether the bot may read what is said without naming it. A session that asks for more than the owner has
// switched on is refused, so that it is asked before each.
func (m *Messenger) learnHearing(ctx context.Context) error {
	var app struct {
		Flags int64 `json:"flags"`
	}
	if err := m.rest.call(ctx, http.MethodGet, "applications/@me", nil, &app); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hears = app.Flags&mayReadAll != 0
	return nil
}

// hearsAll says whether the bot may read what is said without naming it.
func (m *Messenger) hearsAll() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hears
}

// intents are what a new session asks for.
func (m *Messenger) intents() discordgo.Intent {
	if m.hearsAll() {
		return intents | discordgo.IntentMessageContent
	}
	return intents
}

// mustHearAll refuses while the bot could not read what people write in a thread. Once that was switched on it begins a new
// session, which hears it.
func (m *Messenger) mustHearAll(ctx context.Context) *adapters.SendError {
	if m.hearsAll() {
		return nil
	}
	if err := m.learnHearing(ctx); err != nil {
		return m.sendError(err)
	}
	if !m.hearsAll() {
		return rejected("message_content", errors.New("the bot cannot read what staff write: switch on Message Content Intent in Discord's developer portal, under Bot"))
	}
	select {
	case m.anew <- struct{}{}:
	default:
	}
	return nil
}
