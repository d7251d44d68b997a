package bots

import (
	"context"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

// seen is the sign on what somebody wrote that a person of the shop will read.
const seen = "👀"

// showSeen puts the sign on the message that brought about this turn, where the network can. Nothing waits for it.
func (t *turn) showSeen() {
	reactor, ok := t.account.Messenger.(adapters.Reactor)
	chat, message := t.th.Chat, t.heard
	if !ok || message == "" {
		return
	}
	t.tx.AfterCommit(func() {
		t.house.runs(errand{what: "sign on a message", account: t.account, do: func(ctx context.Context) error {
			return reactor.React(ctx, chat, message, seen)
		}})
	})
}

// reacts notes a sign that the contact put on a message. Staff see it; it is no answer to anything: a thumb under an offer does not
// buy.
func (t *turn) reacts(ctx context.Context, e conversation.Event) error {
	_, err := t.tx.AddMessage(ctx, t.th, store.Message{Author: store.FromContact, Kind: string(e.Kind), Text: "[reaction] " + clean(e.Text)}, e.ID)
	return err
}
