package slack

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters/slack/workspacetest"
	"parley/conversation"
)

func TestTextIsReadAsItWasTyped(t *testing.T) {
	for _, c := range []struct{ slack, want string }{
		{"hello", "hello"},
		{"1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"},
		{"&amp;lt;b&amp;gt;", "&lt;b&gt;"},
		{"*bold* _it_ ~no~ `x`", "*bold* _it_ ~no~ `x`"},
		{"see <https://shop.example/a?b=1&amp;c=2>", "see https://shop.example/a?b=1&c=2"},
		{"see <http://shop.example|shop.example>", "see shop.example"},
		{"see <https://shop.example|our shop>", "see our shop (https://shop.example)"},
		{"<mailto:ann@shop.example|ann@shop.example>", "ann@shop.example"},
		{"<tel:+4930123|030 123>", "030 123"},
		{"ask <@U2|ben> or <@U3>", "ask @ben or @U3"},
		{"in <#C1|general> or <#C2>", "in #general or #C2"},
		{"<!here> <!channel|channel> <!subteam^S1|@crew>", "@here @channel @crew"},
		{"<!date^1392734382^{date}|Feb 18>", "Feb 18"},
		{"a < b", "a < b"},
		{"<>", ""},
		{"<|x>", "x"},
	} {
		if got := asTyped(c.slack); got != c.want {
			t.Errorf("%q: got %q, want %q", c.slack, got, c.want)
		}
	}
}

// read converts one message event.
func read(t *testing.T, b *bot, event map[string]any) []conversation.Event {
	t.Helper()
	full := map[string]any{"type": "message", "channel": "D0ANN", "channel_type": "im", "user": "U0ANN", "ts": "1800000001.000100", "text": "hello"}
	maps.Copy(full, event)
	raw, err := json.Marshal(map[string]any{
		"type": "event_callback", "token": workspacetest.VerificationToken, "api_app_id": "A0APP", "event": full,
		"authorizations": []any{map[string]any{"user_id": "U0BOT", "is_bot": true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := b.fromCallback(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.hand(t.Context(), in, b.sink); err != nil {
		t.Fatal(err)
	}
	return in.events
}

func TestAMessageBecomesAnEvent(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	got := read(t, b, map[string]any{"text": "how much?", "user_profile": map[string]any{"display_name": "Ann\nB", "real_name": "Ann Bee"}})
	want := []conversation.Event{{
		Kind: conversation.Text, Chat: "D0ANN", Sender: "U0ANN", SenderName: "Ann B", ID: "1800000001.000100", Text: "how much?",
		At: time.Unix(1800000001, 100_000).UTC(), Raw: got[0].Raw,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if strings.Contains(string(got[0].Raw), workspacetest.VerificationToken) {
		t.Errorf("the raw event holds a secret: %s", got[0].Raw)
	}
}

func TestWhatNoPersonSaysIsIgnored(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	for name, event := range map[string]map[string]any{
		"the bot's own":           {"user": "U0BOT"},
		"another bot's":           {"bot_id": "B1"},
		"a bot without a user":    {"user": "", "subtype": "bot_message"},
		"Slackbot's":              {"user": "USLACKBOT"},
		"an edit":                 {"subtype": "message_changed", "hidden": true, "message": map[string]any{"text": "new"}},
		"a deletion":              {"subtype": "message_deleted", "hidden": true},
		"a join":                  {"subtype": "channel_join"},
		"a reaction":              {"type": "reaction_added"},
		"nothing":                 {"text": " \n "},
		"a channel's own talk":    {"channel": "C0SHOP", "channel_type": "channel"},
		"a stranger's thread":     {"channel": "C0SHOP", "channel_type": "channel", "thread_ts": "1700000000.000001"},
		"an event without a time": {"ts": ""},
	} {
		if got := read(t, b, event); len(got) != 0 {
			t.Errorf("%s: got %+v, want nothing", name, got)
		}
	}
}

func TestAMentionOpensAThreadThatTheBotFollows(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	in := func(more map[string]any) map[string]any {
		event := map[string]any{"channel": "C0SHOP", "channel_type": "channel"}
		maps.Copy(event, more)
		return event
	}
	called := in(map[string]any{"text": "<@U0BOT>: how much is it?", "ts": "1800000001.000100"})
	first := read(t, b, called)
	called["type"] = "app_mention"
	twin := read(t, b, called)
	if len(first) != 1 || first[0].Chat != "C0SHOP:1800000001.000100" || first[0].Text != "how much is it?" {
		t.Fatalf("got %+v, want the question, to be answered in a thread", first)
	}
	if len(twin) != 1 || twin[0].ID != first[0].ID || twin[0].Chat != first[0].Chat || twin[0].Text != first[0].Text {
		t.Errorf("got %+v, want the same event as %+v", twin, first)
	}
	reply := in(map[string]any{"text": "and the big one?", "ts": "1800000002.000100", "thread_ts": "1800000001.000100"})
	if got := read(t, b, reply); len(got) != 1 || got[0].Chat != first[0].Chat {
		t.Errorf("got %+v, want the reply in the same chat", got)
	}
	b.threads.known = nil // another node, or a restart
	if got := read(t, b, reply); len(got) != 1 || got[0].Chat != first[0].Chat {
		t.Errorf("got %+v after a restart, want the reply in the same chat", got)
	}
	reply["thread_ts"] = "1800000000.000001"
	if got := read(t, b, reply); len(got) != 0 {
		t.Errorf("got %+v, want nothing from a stranger's thread", got)
	}
	reply["parent_user_id"] = "U0BOT"
	if got := read(t, b, reply); len(got) != 1 {
		t.Errorf("got %+v, want the reply to what the bot wrote", got)
	}
}

func TestAReplyIsAskedForAgainWhenTheThreadsAreNotAtHand(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	b.state.fail = true
	_, err := b.fromCallback(t.Context(), []byte(`{"type":"event_callback","event":{"type":"message","channel":"C0SHOP","channel_type":"channel","user":"U1","ts":"2.1","thread_ts":"1.1","text":"x"}}`))
	if err == nil || errors.Is(err, errNotOurs) {
		t.Errorf("got %v, want an error that asks for a repeat", err)
	}
}

func TestAThreadInADirectChatIsAChatOfItsOwn(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	if got := read(t, b, map[string]any{"thread_ts": "1700000000.000001"}); len(got) != 1 || got[0].Chat != "D0ANN:1700000000.000001" {
		t.Errorf("got %+v, want the thread in the chat's id", got)
	}
}

func TestWordsThatBegin(t *testing.T) {
	const token = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO_-"
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	for _, c := range []struct {
		text  string
		kind  conversation.Kind
		value string
	}{
		{"start " + token, conversation.Start, token},
		{"  Start  " + token + "\n", conversation.Start, token},
		{"/start " + token, conversation.Start, token},
		{"start", conversation.Text, ""},
		{"start tomorrow", conversation.Text, ""},
		{"please start " + token, conversation.Text, ""},
		{"<@U0BOT>", conversation.Start, ""},
		{"<@U0BOT> start " + token, conversation.Start, token},
	} {
		got := read(t, b, map[string]any{"text": c.text})
		if len(got) != 1 || got[0].Kind != c.kind || got[0].Value != c.value {
			t.Errorf("%q: got %+v, want %s %q", c.text, got, c.kind, c.value)
		}
	}
}

func TestEmojiArriveAsCharacters(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	blocks := json.RawMessage(`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[
		{"type":"emoji","name":"wave","unicode":"1f44b-1f3fc","skin_tone":3},{"type":"text","text":" "},
		{"type":"emoji","name":"family","unicode":"1f469-200d-1f469-200d-1f467"},{"type":"emoji","name":"our_logo"}]}]}]`)
	got := read(t, b, map[string]any{"text": ":wave::skin-tone-3: :family: :our_logo:", "blocks": blocks})
	if want := "👋🏼 👩‍👩‍👧 :our_logo:"; len(got) != 1 || got[0].Text != want {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestAFileWithoutWordsIsNamed(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	for kind, want := range map[string]string{"image/png": "[photo]", "video/mp4": "[video]", "audio/webm": "[audio]", "application/pdf": "[file]"} {
		got := read(t, b, map[string]any{"text": "", "subtype": "file_share", "files": []any{map[string]any{"mimetype": kind}}})
		if len(got) != 1 || got[0].Text != want {
			t.Errorf("%s: got %+v, want %s", kind, got, want)
		}
	}
}

func TestAPressInAThreadBelongsToItsChat(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, c := range []struct{ name, message, want string }{
		{"in a thread", `{"ts":"2.1","thread_ts":"1.1"}`, "C0SHOP:1.1"},
		{"above a thread", `{"ts":"2.1","thread_ts":"2.1"}`, "C0SHOP"},
		{"on its own", `{"ts":"2.1"}`, "C0SHOP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := b.fromInteraction(t.Context(), []byte(`{"type":"block_actions","user":{"id":"U1","name":"ann"},"channel":{"id":"C0SHOP"},
				"container":{"type":"message","message_ts":"2.1","channel_id":"C0SHOP"},"message":`+c.message+`,
				"actions":[{"type":"button","action_id":"choice-0","value":"v","action_ts":"3.1"}]}`))
			if err != nil || len(in.events) != 1 || in.events[0].Chat != c.want || in.events[0].Value != "v" {
				t.Errorf("got %+v %v, want a choice in %s", in.events, err, c.want)
			}
		})
	}
	for _, other := range []string{`{"type":"view_submission","user":{"id":"U1"}}`, `{"type":"block_actions","user":{"id":"U1"},"actions":[]}`} {
		if in, err := b.fromInteraction(t.Context(), []byte(other)); err != nil || len(in.events) != 0 {
			t.Errorf("%s: got %+v %v, want nothing", other, in.events, err)
		}
	}
}
