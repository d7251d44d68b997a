package telegram

import (
	"strconv"
	"testing"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

func TestReactionIsAnEventAndOneTakenBackIsNone(t *testing.T) {
	srv := telegramtest.Start(t)
	b := polling(t, srv)
	ann := srv.Person(42, "Ann")
	ann.Type("hi")
	srv.WaitConfirmed()
	sent, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "an offer"})
	if err != nil {
		t.Fatal(err)
	}
	ann.React("an offer", "👍")
	ann.React("an offer", "")
	ann.React("an offer", "👎")
	srv.WaitConfirmed()
	got := b.inbox.stored()[1:]
	if len(got) != 2 || got[0].Kind != conversation.Reaction || got[0].Text != "👍" || got[0].Value != sent.ID || got[0].Chat != "42" || got[1].Text != "👎" {
		t.Errorf("got %+v, want a thumb up and a thumb down on message %s", got, sent.ID)
	}
}

func TestReactionsThatAreNobodysBusinessAreConfirmed(t *testing.T) {
	b := newBot(t, map[string]string{}, nil)
	reaction := func(chat, user, reactions string) string {
		return `{"update_id":9,"message_reaction":{"chat":{"id":` + chat + `},"message_id":7,` + user + `"date":1,` + reactions + `}}`
	}
	const ann, thumb = `"user":{"id":42,"is_bot":false,"first_name":"Ann"},`, `"old_reaction":[],"new_reaction":[{"type":"emoji","emoji":"👍"}]`
	for _, tt := range []struct{ name, raw, want string }{
		{"in private", reaction(`42,"type":"private"`, ann, thumb), "👍"},
		{"in a group", reaction(`-5,"type":"group"`, ann, thumb), ""},
		{"of nobody", reaction(`42,"type":"private"`, "", thumb), ""},
		{"of a bot", reaction(`42,"type":"private"`, `"user":{"id":43,"is_bot":true,"first_name":"Bot"},`, thumb), ""},
		{"one more", reaction(`42,"type":"private"`, ann, `"old_reaction":[{"type":"emoji","emoji":"👍"}],"new_reaction":[{"type":"emoji","emoji":"👍"},{"type":"emoji","emoji":"🔥"}]`), "🔥"},
		{"a picture of their own", reaction(`42,"type":"private"`, ann, `"old_reaction":[],"new_reaction":[{"type":"custom_emoji","custom_emoji_id":"5"}]`), "[emoji]"},
	} {
		u, err := b.convert([]byte(tt.raw))
		got := ""
		if len(u.events) == 1 {
			got = u.events[0].Text
		}
		if err != nil || u.id != 9 || got != tt.want {
			t.Errorf("%s: got %q of %+v, %v, want %q", tt.name, got, u, err, tt.want)
		}
	}
}

func TestBotPutsASignOnAMessage(t *testing.T) {
	srv := telegramtest.Start(t)
	b := polling(t, srv)
	ann := srv.Person(42, "Ann")
	ann.Type("is it dishwasher safe?")
	srv.WaitConfirmed()
	message := b.inbox.stored()[0].Message
	if err := b.React(t.Context(), "42", message, "👀"); err != nil {
		t.Fatal(err)
	}
	if id, _ := strconv.Atoi(message); ann.Reactions()[id] != "👀" {
		t.Errorf("got %v on message %s, want eyes", ann.Reactions(), message)
	}
	for name, call := range map[string][3]string{
		"no such message": {"42", "999", "👀"}, "no such sign": {"42", message, "X"}, "no such chat": {"nobody", message, "👀"},
	} {
		if err := b.React(t.Context(), call[0], call[1], call[2]); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
