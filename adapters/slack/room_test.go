package slack

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/slack/workspacetest"
	"parley/conversation"
)

const staffRoom = "C0STAFF"

// eachMode runs a test with a bot that receives, over the socket and by the Events API, in a workspace with a room of the staff.
func eachMode(t *testing.T, test func(*testing.T, *workspacetest.Server, *bot)) {
	t.Helper()
	t.Run("socket", func(t *testing.T) {
		srv := workspacetest.Start(t)
		srv.Channel(staffRoom)
		b := socketBot(t, srv)
		b.start(t)
		b.reported(t, "ready")
		test(t, srv, b)
	})
	t.Run("events", func(t *testing.T) {
		srv := workspacetest.Start(t)
		srv.Channel(staffRoom)
		b := eventsBot(t, srv.URL(), nil)
		b.start(t)
		b.reported(t, "ready")
		house := httptest.NewServer(b.Hook(b.sink))
		t.Cleanup(house.Close)
		srv.Hook(house.URL)
		test(t, srv, b)
	})
}

func open(t *testing.T, b *bot, title string) (chat, root string) {
	t.Helper()
	chat, err := b.Open(t.Context(), staffRoom, title)
	if err != nil {
		t.Fatal(err)
	}
	room, root, ok := strings.Cut(chat, ":")
	if !ok || room != staffRoom {
		t.Fatalf("got the chat %q, want a thread of %s", chat, staffRoom)
	}
	return chat, root
}

func TestAThreadForTheStaffTellsWhatPeopleDoThere(t *testing.T) {
	eachMode(t, func(t *testing.T, srv *workspacetest.Server, b *bot) {
		eve := srv.Person("U0EVE", "Eve")
		chat, root := open(t, b, "Ann · Mug")
		if _, err := b.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ann asks", Choices: []conversation.Option{{Label: "I take it", Value: "v-take"}}}); err != nil {
			t.Fatal(err)
		}
		if got := srv.WaitFor(staffRoom, root, "Ann asks"); got.Thread != root {
			t.Errorf("got %+v, want it in the thread", got)
		}
		eve.Press("I take it")
		said := eve.TypeIn(staffRoom, root, "Yes, see https://shop.example/mug")
		eve.Unfurl(staffRoom, said)
		eve.TypeIn(staffRoom, "", "Lunch?") // elsewhere in the room
		srv.Happen(map[string]any{
			"type": "message", "subtype": "bot_message", "bot_id": "B0CI", "text": "build passed", "channel": staffRoom, "channel_type": "channel",
			"ts": "1900000000.000001", "thread_ts": root, "parent_user_id": workspacetest.BotUser,
		})
		eve.Edit(staffRoom, said, "No & never")
		eve.Delete(staffRoom, said)
		srv.Happen(map[string]any{
			"type": "message", "subtype": "message_deleted", "hidden": true, "channel": staffRoom, "ts": "1900000000.000002",
			"deleted_ts": "1800000000.000001", // with nothing of what it was
		})
		mention := eve.TypeIn(staffRoom, root, "@shop still there?")
		b.await(t, 6)
		var got []conversation.Event
		for _, e := range b.events() {
			if e.At.IsZero() || len(e.Raw) == 0 || e.ID == "" {
				t.Errorf("got %+v, want a time, an id and what Slack sent", e)
			}
			e.At, e.Raw = time.Time{}, nil
			if e.Kind == conversation.Choice || e.Kind == conversation.Edited || e.Kind == conversation.Deleted {
				e.ID = ""
			}
			got = append(got, e)
		}
		again := conversation.Event{Kind: conversation.Text, Chat: chat, Sender: "U0EVE", SenderName: "Eve", ID: mention, Message: mention, Text: "still there?"}
		want := []conversation.Event{
			{Kind: conversation.Choice, Chat: chat, Sender: "U0EVE", SenderName: "Eve", Value: "v-take"},
			{Kind: conversation.Text, Chat: chat, Sender: "U0EVE", SenderName: "Eve", ID: said, Message: said, Text: "Yes, see https://shop.example/mug"},
			{Kind: conversation.Edited, Chat: chat, Sender: "U0EVE", Value: said, Text: "No & never"},
			{Kind: conversation.Deleted, Chat: chat, Sender: "U0EVE", Value: said},
			again, again, // Slack tells of a mention twice
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if asked := srv.Calls("users.info"); len(asked) != 1 {
			t.Errorf("Slack was asked %d times who Eve is, want once", len(asked))
		}
	})
}

// reply is a message in a thread that somebody else may have begun.
func reply(more map[string]any) map[string]any {
	out := map[string]any{"channel": staffRoom, "channel_type": "channel", "thread_ts": "1800000000.000001", "ts": "1800000009.000001", "text": "Yes"}
	maps.Copy(out, more)
	return out
}

func TestAThreadForTheStaffIsKnownAfterARestart(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Channel(staffRoom)
	before := eventsBot(t, srv.URL(), nil)
	chat, root := open(t, before, "Ann · Mug")
	if _, err := before.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ann asks"}); err != nil {
		t.Fatal(err)
	}
	in := reply(map[string]any{"thread_ts": root})
	byMemory := eventsBot(t, srv.URL(), nil)
	byMemory.Messenger.state = before.state
	if _, err := byMemory.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ann: hello?"}); err != nil { // does not make it a thread like others
		t.Fatal(err)
	}
	byMemory.threads.known = nil
	if got := read(t, byMemory, in); len(got) != 1 || got[0].Chat != chat || got[0].Message == "" {
		t.Errorf("got %+v, want it in %s by what was kept", got, chat)
	}
	in["parent_user_id"] = workspacetest.BotUser
	without := eventsBot(t, srv.URL(), nil)
	if got := read(t, without, in); len(got) != 1 || got[0].Chat != chat || got[0].Message == "" {
		t.Errorf("got %+v, want it in %s by who began it", got, chat)
	}
	changed := map[string]any{"channel": staffRoom, "channel_type": "channel", "subtype": "message_changed", "hidden": true, "message": in, "previous_message": reply(nil)}
	in["type"], in["user"], in["text"] = "message", "U0EVE", "No"
	if got := read(t, without, changed); len(got) != 1 || got[0].Kind != conversation.Edited || got[0].Chat != chat {
		t.Errorf("got %+v, want the change in %s", got, chat)
	}
}

func TestElsewhereWhatWasSaidStands(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	if got := read(t, b, reply(map[string]any{"ts": "1800000000.000001", "thread_ts": "", "text": "<@U0BOT> hello"})); len(got) != 1 || got[0].Message != "" {
		t.Fatalf("got %+v, want the question, which cannot be changed", got)
	}
	said := reply(map[string]any{"type": "message", "user": "U0ANN", "text": "new"})
	for name, event := range map[string]map[string]any{
		"a change":   {"channel": staffRoom, "channel_type": "channel", "subtype": "message_changed", "message": said, "previous_message": reply(nil)},
		"a deletion": {"channel": staffRoom, "channel_type": "channel", "subtype": "message_deleted", "previous_message": said},
		"in direct":  {"subtype": "message_changed", "message": map[string]any{"type": "message", "user": "U0ANN", "ts": "1.1", "text": "new"}},
	} {
		if got := read(t, b, event); len(got) != 0 {
			t.Errorf("%s: got %+v, want nothing", name, got)
		}
	}
}

func TestAChangeIsAskedForAgainWhenTheThreadsAreNotAtHand(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	b.state.fail = true
	for _, payload := range []string{
		`{"type":"message","subtype":"message_changed","channel":"C0STAFF","ts":"3.1","message":{"user":"U1","ts":"2.1","thread_ts":"1.1","text":"x"}}`,
		`{"type":"message","subtype":"message_deleted","channel":"C0STAFF","ts":"3.1","previous_message":{"user":"U1","ts":"2.1","thread_ts":"1.1","text":"x"}}`,
	} {
		_, err := b.fromCallback(t.Context(), []byte(`{"type":"event_callback","event":`+payload+`}`))
		if err == nil || errors.Is(err, errNotOurs) {
			t.Errorf("got %v, want an error that asks for a repeat", err)
		}
	}
	_, err := b.fromInteraction(t.Context(), []byte(`{"type":"block_actions","user":{"id":"U1"},"channel":{"id":"C0STAFF"},"message":{"ts":"2.1","thread_ts":"1.1"},"actions":[{"value":"v"}]}`))
	if err == nil || errors.Is(err, errNotOurs) {
		t.Errorf("got %v for a press, want an error that asks for a repeat", err)
	}
}

func TestATitleIsShownAsTypedAndShortened(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Channel(staffRoom)
	b := eventsBot(t, srv.URL(), nil)
	const title = "*Ann* <!channel> · Mug & more"
	open(t, b, title)
	open(t, b, strings.Repeat("长", 200))
	all := srv.Threads(staffRoom)
	if all[0].Text != title || all[0].Fallback != title {
		t.Errorf("got %+v, want %q as typed", all[0], title)
	}
	if fallback := srv.Calls("chat.postMessage")[0].Form.Get("text"); strings.Contains(fallback, "<") {
		t.Errorf("the notification %q would call the whole channel", fallback)
	}
	if got := []rune(all[1].Text); len(got) != longestTitle || got[len(got)-1] != '…' {
		t.Errorf("got %d characters, want %d with an ellipsis", len(got), longestTitle)
	}
}

func TestOpenSaysWhatFollowsFromARefusal(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Channel(staffRoom)
	b := eventsBot(t, srv.URL(), nil)
	for _, room := range []string{"", "#staff", "staff", "D0ANN", "U0EVE", "C0STAFF:1.1", "C0STAFF/x"} {
		_, err := b.Open(t.Context(), room, "Ann")
		if failed := failure(t, err); failed.Consequence != adapters.Rejected || !strings.Contains(failed.Reason, "id of a channel") {
			t.Errorf("%q: got %+v, want it refused with a word on what a room is", room, failed)
		}
	}
	if got := srv.Calls("chat.postMessage"); len(got) != 0 {
		t.Errorf("Slack was asked %d times", len(got))
	}
	for _, c := range []struct {
		fault  workspacetest.Fault
		want   adapters.Consequence
		reason string
	}{
		{workspacetest.Fault{Code: "not_in_channel"}, adapters.Gone, "invite the app"},
		{workspacetest.Fault{Code: "channel_not_found"}, adapters.Gone, "invite the app"},
		{workspacetest.Fault{Code: "is_archived"}, adapters.Gone, "is_archived"},
		{workspacetest.Fault{Code: "missing_scope"}, adapters.Broken, "missing_scope"},
		{workspacetest.Fault{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, adapters.Throttled, "again in 7s"},
		{workspacetest.Fault{Cut: true}, adapters.Unknown, ""},
		{workspacetest.Fault{Body: `{"ok":true}`}, adapters.Unknown, "which message"},
	} {
		srv.Fail("chat.postMessage", c.fault)
		_, err := b.Open(t.Context(), staffRoom, "Ann")
		if failed := failure(t, err); failed.Consequence != c.want || !strings.Contains(failed.Reason, c.reason) {
			t.Errorf("%+v: got %+v, want %s, %s", c.fault, failed, c.want, c.reason)
		}
	}
	b.state.fail = true
	_, err := b.Open(t.Context(), staffRoom, "Ann")
	if failed := failure(t, err); failed.Consequence != adapters.Temporary {
		t.Errorf("got %+v, want another try when the thread cannot be kept", failed)
	}
}

func TestNamelessPeopleAreHeardAllTheSame(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	now := time.Unix(1_800_000_000, 0)
	b.now = func() time.Time { return now }
	heard := func(want string, calls int) {
		t.Helper()
		got := read(t, b, reply(map[string]any{"user": "U0EVE", "parent_user_id": "U0BOT", "user_profile": map[string]any{"real_name": "Eve P."}}))
		if len(got) != 1 || got[0].SenderName != want {
			t.Errorf("got %+v, want it said by %q", got, want)
		}
		if n := len(srv.Calls("users.info")); n != calls {
			t.Errorf("Slack was asked %d times, want %d", n, calls)
		}
	}
	srv.Fail("users.info", workspacetest.Fault{Code: "missing_scope"})
	heard("Eve P.", 1)
	srv.Person("U0EVE", "Eve")
	heard("Eve P.", 1) // not asked for at each word
	if !strings.Contains(b.said.String(), scopeOfProfiles) {
		t.Errorf("the log does not name the scope:\n%s", b.said)
	}
	now = now.Add(namesRetry)
	heard("Eve", 2)
	srv.Person("U0EVE", "Eva")
	heard("Eve", 2)
	now = now.Add(namesHold)
	heard("Eva", 3)
	now = now.Add(namesHold)
	srv.Fail("users.info", workspacetest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Minute})
	heard("Eva", 4) // an old name is better than none
}

// Slack shows a person that their press failed when nobody took it within 3 s.
func TestAPressIsTakenInTimeThoughSlackTellsNoName(t *testing.T) {
	eachMode(t, func(t *testing.T, srv *workspacetest.Server, b *bot) {
		chat, _ := open(t, b, "Ann · Mug")
		if _, err := b.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ann asks", Choices: []conversation.Option{{Label: "I take it", Value: "v-take"}}}); err != nil {
			t.Fatal(err)
		}
		srv.Fail("users.info", workspacetest.Fault{Hang: true})
		began := time.Now()
		srv.Person("U0EVE", "Eve").Press("I take it")
		if got := b.await(t, 1); got.SenderName != "eve" || got.Value != "v-take" || got.Chat != chat {
			t.Errorf("got %+v, want the press, by the name that came with it", got)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWhoInvitesTheBotIsToldHowTheChannelBecomesARoom(t *testing.T) {
	eachMode(t, func(t *testing.T, srv *workspacetest.Server, b *bot) {
		b.account = "team"
		srv.Person("U0EVE", "Eve").Invite(staffRoom)
		srv.Redeliver()
		srv.Wait("a note", func() bool { return len(srv.Whispers()) == 1 })
		uwe := srv.Person("U0UWE", "Uwe")
		uwe.Locale = "de-DE"
		uwe.Invite("C0BUERO")
		srv.Wait("another note", func() bool { return len(srv.Whispers()) == 2 })
		got := srv.Whispers()
		for i, want := range []struct{ channel, user, words, room string }{
			{staffRoom, "U0EVE", "Is it where your staff work?", `- {account: team, room: "C0STAFF"}`},
			{"C0BUERO", "U0UWE", "Arbeitet hier Ihr Team?", `- {account: team, room: "C0BUERO"}`},
		} {
			if got[i].Channel != want.channel || got[i].User != want.user || !strings.Contains(got[i].Text, want.words) || !strings.Contains(got[i].Text, want.room) {
				t.Errorf("got %+v, want %+v", got[i], want)
			}
		}
		if len(b.events()) != 0 || len(srv.Messages(staffRoom)) != 0 {
			t.Errorf("an invitation became %+v and %+v, want neither an event nor a message for all", b.events(), srv.Messages(staffRoom))
		}
	})
}

func TestWhoSendsAFileWithWordsToAShopperIsToldThatItStaysBehind(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Channel(staffRoom)
	srv.Person("U0EVE", "Eve")
	b := eventsBot(t, srv.URL(), nil)
	file := map[string]any{
		"user": "U0EVE", "subtype": "file_share", "files": []any{map[string]any{"mimetype": "image/png"}}, "thread_ts": "1800000000.000001", "parent_user_id": "U0BOT",
	}
	if got := read(t, b, reply(file)); len(got) != 1 || got[0].Text != "Yes" {
		t.Fatalf("got %+v, want the words", got)
	}
	want := []workspacetest.Whisper{{Channel: staffRoom, Thread: "1800000000.000001", User: "U0EVE", Text: "Files are not passed on to the shopper, words are."}}
	if diff := cmp.Diff(want, srv.Whispers()); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	file["text"] = "" // the house says so itself, to everybody
	read(t, b, reply(file))
	delete(file, "parent_user_id")
	file["thread_ts"], file["text"] = "", "<@U0BOT> look" // a shopper's
	read(t, b, reply(file))
	if n := len(srv.Whispers()); n != 1 {
		t.Errorf("%d notes, want one", n)
	}
}

func TestNobodyIsToldOfAnInvitationThatWasNone(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Channel(staffRoom)
	b := eventsBot(t, srv.URL(), nil)
	for name, event := range map[string]map[string]any{
		"somebody else came in":      {"user": "U0ANN", "inviter": "U0ANN"},
		"nobody invited it":          {"user": "U0BOT"},
		"the inviter is not there":   {"user": "U0BOT", "inviter": "U0GONE"},
		"Slack is busy just now":     {"user": "U0BOT", "inviter": "U0ANN", "ts": "2.1"},
		"it cannot be noted as done": {"user": "U0BOT", "inviter": "U0ANN", "ts": "3.1"},
	} {
		b.state.fail = event["ts"] == "3.1"
		if event["ts"] == "2.1" {
			srv.Fail("chat.postEphemeral", workspacetest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Minute})
		}
		full := map[string]any{"subtype": "channel_join", "channel": staffRoom, "channel_type": "channel"}
		maps.Copy(full, event)
		if got := read(t, b, full); len(got) != 0 {
			t.Errorf("%s: got %+v, want nothing", name, got)
		}
	}
	if got := srv.Whispers(); len(got) != 0 {
		t.Errorf("told %+v", got)
	}
}

func TestWhatTheRoomTellsHoldsNoSecret(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	in, err := json.Marshal(map[string]any{
		"type": "event_callback", "token": workspacetest.VerificationToken, "event": map[string]any{
			"type": "message", "subtype": "message_deleted", "channel": staffRoom, "ts": "3.1",
			"previous_message": map[string]any{"user": "U1", "ts": "2.1", "thread_ts": "1.1", "parent_user_id": "U0BOT"},
		},
		"authorizations": []any{map[string]any{"user_id": "U0BOT", "is_bot": true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.fromCallback(t.Context(), in)
	if err != nil || len(got.events) != 1 || strings.Contains(string(got.events[0].Raw), workspacetest.VerificationToken) {
		t.Errorf("got %+v %v, want the withdrawal without the token", got, err)
	}
}
