package telegram

import (
	"errors"
	"strings"
	"testing"

	"parley/conversation"
)

func TestUpdatesAreConverted(t *testing.T) {
	b := newBot(t, map[string]string{}, nil)
	message := func(fields string) string {
		return `{"update_id":5,"message":{"message_id":1,"date":1764000000,"chat":{"id":42,"type":"private"},"from":{"id":42,"first_name":"A"},` + fields + `}}`
	}
	tests := []struct {
		name, raw   string
		kind        conversation.Kind // "" for no event
		text, value string
	}{
		{"text", message(`"text":"hi"`), conversation.Text, "hi", ""},
		{"start", message(`"text":"/start"`), conversation.Start, "", ""},
		{"start with a token", message(`"text":"/start abc-_1"`), conversation.Start, "", "abc-_1"},
		{"start by the bot's name", message(`"text":"/start@Bot abc"`), conversation.Start, "", "abc"},
		{"another command", message(`"text":"/starting now"`), conversation.Text, "/starting now", ""},
		{"voice", message(`"voice":{"file_id":"f","file_unique_id":"u","duration":1}`), conversation.Text, "[voice message]", ""},
		{"location", message(`"location":{"longitude":1.5,"latitude":2.5}`), conversation.Text, "[location]", ""},
		{"what the library does not know", message(`"story":{"id":1}`), conversation.Text, "[story]", ""},
		{"service message", message(`"pinned_message":{"message_id":1,"date":1,"chat":{"id":42,"type":"private"}}`), "", "", ""},
		{"only control characters", message(`"text":"\u0000\u0007"`), "", "", ""},
		{"a field in a new form", message(`"text":{"rich":true}`), "", "", ""},
		{"a bot", strings.Replace(message(`"text":"hi"`), `"first_name"`, `"is_bot":true,"first_name"`, 1), "", "", ""},
		{"a group", strings.Replace(message(`"text":"hi"`), "private", "group", 1), "", "", ""},
		{"an old message's button", `{"update_id":5,"callback_query":{"id":"9","from":{"id":42,"first_name":"A"},"message":{"message_id":1,"date":0,"chat":{"id":42,"type":"private"}},"data":"v"}}`, conversation.Choice, "", "v"},
		{"a button without its message", `{"update_id":5,"callback_query":{"id":"9","from":{"id":42,"first_name":"A"},"data":"v"}}`, conversation.Choice, "", "v"},
		{"a game's button", `{"update_id":5,"callback_query":{"id":"9","from":{"id":42,"first_name":"A"},"game_short_name":"g"}}`, "", "", ""},
		{"a kind we did not ask for", `{"update_id":5,"message_reaction":{}}`, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := b.convert([]byte(tt.raw))
			if err != nil || u.id != 5 {
				t.Fatalf("got update %d, %v, want 5", u.id, err)
			}
			var got conversation.Event
			if len(u.events) > 0 {
				got = u.events[0]
				if got.Chat != "42" || got.Sender != "42" {
					t.Errorf("got chat %s, sender %s, want 42", got.Chat, got.Sender)
				}
			}
			if got.Kind != tt.kind || got.Text != tt.text || got.Value != tt.value {
				t.Errorf("got %q %q %q, want %q %q %q", got.Kind, got.Text, got.Value, tt.kind, tt.text, tt.value)
			}
		})
	}
}

func TestWhatIsNoUpdateIsAnError(t *testing.T) {
	b := newBot(t, map[string]string{}, nil)
	for _, raw := range []string{``, `x`, `[]`, `{}`, `{"message":{"text":"hi"}}`, `{"update_id":"five"}`} {
		if _, err := b.convert([]byte(raw)); !errors.Is(err, errNoUpdate) {
			t.Errorf("%q: got %v, want errNoUpdate", raw, err)
		}
	}
}

func TestWhatIsNotUnderstoodIsLoggedWithoutItsWords(t *testing.T) {
	b := newBot(t, map[string]string{}, nil)
	for _, raw := range []string{
		`{"update_id":5,"message":{"date":"my card is 4242","chat":{"id":42},"from":{"id":42}}}`,
		`{"update_id":5,"message":{"text":["my card is 4242"],"chat":{"id":42},"from":{"id":42}}}`,
		`{"update_id":5,"message":{"text":4242,"chat":{"id":42},"from":{"id":42}}}`,
	} {
		u, err := b.convert([]byte(raw))
		if err != nil || u.id != 5 || len(u.events) != 0 {
			t.Errorf("%s: got update %d with %d events, %v, want 5 without", raw, u.id, len(u.events), err)
		}
	}
	if said := b.out.String(); strings.Count(said, "not understood") != 3 || strings.Contains(said, "4242") {
		t.Errorf("got %s, want three updates that were not understood and nothing of what they say", said)
	}
}

func TestRepeatedNamesAndBrokenLettersAreRead(t *testing.T) {
	b := newBot(t, map[string]string{}, nil)
	u, err := b.convert([]byte("{\"update_id\":4,\"update_id\":5,\"message\":{\"chat\":{\"id\":42},\"from\":{\"id\":42},\"text\":\"caf\xe9\"}}"))
	if err != nil || u.id != 5 || len(u.events) != 1 || u.events[0].Text != "caf\uFFFD" {
		t.Errorf("got %+v, %v, want update 5 with a mark in the letter's place", u, err)
	}
}

func TestRawIsKeptWithoutTheToken(t *testing.T) {
	b := newBot(t, map[string]string{"token": "1:SECRET"}, nil)
	u, err := b.convert([]byte(`{"update_id":5,"message":{"botToken":"1:SECRET","chat":{"id":42},"from":{"id":42},"text":"hi","new_field":7}}`))
	if err != nil {
		t.Fatal(err)
	}
	if raw := string(u.events[0].Raw); strings.Contains(raw, "SECRET") || !strings.Contains(raw, `"new_field":7`) {
		t.Errorf("got %s, want everything but the token", raw)
	}
}
