package discord

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/discord/discordtest"
	"parley/conversation"
)

// staffed is a bot that may read everything, a room, and Eve in it.
type staffed struct {
	*bot
	room string
	eve  *discordtest.Person
}

func inRoom(t *testing.T) *staffed {
	t.Helper()
	srv := discordtest.Start(t)
	srv.ContentIntent(true)
	b := newBot(t, srv, &memory{}, map[string]string{}).start(t)
	return &staffed{bot: b, room: srv.Guild(), eve: srv.Person("Eve")}
}

// opens begins a thread and returns its chat and the channel that it is to Discord.
func (s *staffed) opens(t *testing.T, title string) (chat, channel string) {
	t.Helper()
	chat, err := s.Open(t.Context(), s.room, title)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseChat(chat)
	if err != nil || !c.isRoom() || c.channel != s.room {
		t.Fatalf("got the chat %q, %v, want a thread of %s", chat, err, s.room)
	}
	return chat, c.thread
}

// again is a new process on the same state.
func (s *staffed) again(t *testing.T, state *memory) *bot {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	return newBot(t, s.srv, state, map[string]string{})
}

// brief is what of an event tells a thread's reader something.
type brief struct {
	Kind                             conversation.Kind
	Chat, Name, Text, Value, Message string
}

func (b *bot) briefs(t *testing.T, n int) []brief {
	t.Helper()
	b.inbox.await(t, n)
	b.inbox.mu.Lock()
	defer b.inbox.mu.Unlock()
	var out []brief
	for _, e := range b.inbox.events {
		out = append(out, brief{e.Kind, e.Chat, e.SenderName, e.Text, e.Value, e.Message})
	}
	return out
}

func TestAllThatPeopleSayInAThreadOfTheBotsIsHeard(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	bob := s.srv.Person("Bob")
	chat, thread := s.opens(t, "Ada · Harbour mug · web chat")
	sent, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada asks", Choices: []conversation.Option{{Label: "I take it", Value: "v"}}})
	if err != nil || sent.ID == "" {
		t.Fatalf("got %v, %v", sent, err)
	}
	if err := s.Typing(t.Context(), chat); err != nil {
		t.Error(err)
	}
	first := s.eve.WriteIn(thread, "Yes, <@"+bob.ID+"> says so <:mug:42>")
	s.eve.Preview(thread, first)
	s.srv.Webhook(thread, "build passed")
	s.eve.EditIn(thread, first, "Yes, it does.")
	s.eve.PressIn(thread, "I take it")
	second := bob.WriteIn(thread, "<@"+discordtest.Bot+"> hi")
	s.srv.Delete(thread, second)
	third := s.eve.WriteIn(thread, "start Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4")
	s.srv.Delete(thread, first, third)
	want := []brief{
		{conversation.Text, chat, "Eve", "Yes, @Bob says so :mug:", "", first},
		{conversation.Edited, chat, "Eve", "Yes, it does.", first, ""},
		{conversation.Choice, chat, "Eve", "", "v", ""},
		{conversation.Text, chat, "Bob", "hi", "", second},
		{conversation.Deleted, chat, "", "", second, ""},
		{conversation.Text, chat, "Eve", "start Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4", "", third},
		{conversation.Deleted, chat, "", "", first, ""},
		{conversation.Deleted, chat, "", "", third, ""},
	}
	if diff := cmp.Diff(want, s.briefs(t, len(want))); diff != "" {
		t.Errorf("what was heard (-want +got):\n%s", diff)
	}
	if err := s.Edit(t.Context(), sent.ID, adapters.Part{Chat: chat, Text: "Ada asks"}); err != nil {
		t.Fatal(err)
	}
	if m := s.srv.Messages(thread)[0]; len(m.Buttons) != 0 || m.Edits != 1 {
		t.Errorf("got %+v, want the buttons off", m)
	}
}

func TestElsewhereInTheRoomOnlyWhatNamesTheBotIsHeardAndUnderTheRoomsId(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	own := s.eve.Begin(s.room, "Eve's own thread")
	said := s.eve.WriteIn(own, "lunch?")
	s.eve.EditIn(own, said, "lunch!")
	s.eve.WriteIn(s.room, "anybody?")
	s.srv.Delete(own, said)
	s.eve.WriteIn(own, "<@"+discordtest.Bot+"> in a thread")
	s.eve.WriteIn(s.room, "<@"+discordtest.Bot+"> in the room")
	want := []brief{
		{conversation.Text, s.room + ":t" + own + ":" + s.eve.ID, "Eve", "in a thread", "", ""},
		{conversation.Text, s.room + ":" + s.eve.ID, "Eve", "in the room", "", ""},
	}
	got := s.briefs(t, len(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was heard (-want +got):\n%s", diff)
	}
	if _, err := s.Send(t.Context(), adapters.Part{Chat: got[0].Chat, Text: "here"}); err != nil {
		t.Fatal(err)
	}
	s.srv.WaitFor(own, "here")
	if s.IsPrivate(got[0].Chat) || s.IsPrivate(got[1].Chat) || !s.IsPrivate(s.eve.Channel) {
		t.Error("only direct messages are private")
	}
}

func TestThreadsAreKnownAfterARestartWithWhatWasSaidAndChangedMeanwhile(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	chat, thread := s.opens(t, "Ada")
	silent, quiet := s.opens(t, "Nobody has written here yet")
	first := s.eve.WriteIn(thread, "Yes")
	s.inbox.await(t, 1)
	next := s.again(t, s.state)
	s.eve.EditIn(thread, first, "Yes, it does")
	second := s.eve.WriteIn(thread, "while it was down")
	third := s.eve.WriteIn(quiet, "here too")
	next.start(t)
	got := next.briefs(t, 3)
	slices.SortStableFunc(got, func(a, b brief) int { return strings.Compare(a.Chat, b.Chat) })
	want := []brief{
		{conversation.Edited, chat, "Eve", "Yes, it does", first, ""},
		{conversation.Text, chat, "Eve", "while it was down", "", second},
		{conversation.Text, silent, "Eve", "here too", "", third},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was heard (-want +got):\n%s", diff)
	}
	s.srv.Void()
	s.srv.Drop()
	s.eve.WriteIn(thread, "while the session was void")
	next.inbox.await(t, 4)
	if asked := s.srv.Calls(http.MethodGet, "/channels/"+thread); len(asked) != len(s.srv.Calls(http.MethodGet, "/channels/"+thread+"/messages")) {
		t.Errorf("Discord was asked what a thread is that is kept: %+v", asked)
	}
}

func TestAThreadThatIsNotKeptIsRecognisedByItsOwner(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	chat, thread := s.opens(t, "Ada")
	next := s.again(t, &memory{})
	for range 3 {
		s.srv.Fail(discordtest.Fault{On: "channel", Status: http.StatusBadGateway})
	}
	next.start(t)
	for _, text := range []string{"one", "two", "three"} {
		s.eve.WriteIn(thread, text)
	}
	next.want(t, "one", "two", "three")
	if e := next.inbox.await(t, 3); e.Chat != chat || e.Message == "" {
		t.Errorf("got %+v, want it in %s", e, chat)
	}
}

func TestAPressInAThreadThatCannotBeLookedUpIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	chat, thread := s.opens(t, "Ada")
	if _, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada asks", Choices: options(1)}); err != nil {
		t.Fatal(err)
	}
	next := s.again(t, &memory{})
	s.srv.Fail(discordtest.Fault{On: "channel", Status: http.StatusBadGateway})
	next.start(t)
	s.eve.PressIn(thread, "Choice 0")
	s.eve.PressIn(thread, "Choice 0") // Discord has shown that the first failed
	if e := next.inbox.await(t, 1); e.Chat != chat || e.Kind != conversation.Choice {
		t.Errorf("got %+v, want the second press in %s", e, chat)
	}
	s.srv.Wait("the acknowledgement", func() bool { return s.srv.Acked() > 0 })
	if n := s.srv.Acked(); n != 1 {
		t.Errorf("%d presses acknowledged, want the one that was stored", n)
	}
}

func TestAThreadThatWasArchivedIsOpenedAgainByWhatIsWritten(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	chat, thread := s.opens(t, "Ada")
	sent, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada asks"})
	if err != nil {
		t.Fatal(err)
	}
	s.srv.Archive(thread, false)
	if _, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada: hello?"}); err != nil {
		t.Errorf("send: %v", err)
	}
	s.srv.Archive(thread, false)
	if err := s.Edit(t.Context(), sent.ID, adapters.Part{Chat: chat, Text: "Ada asked"}); err != nil {
		t.Errorf("edit: %v", err)
	}
	if got := s.srv.Threads(s.room); len(got) != 1 || got[0].Archived {
		t.Errorf("got %+v, want the thread open", got)
	}
	s.srv.Archive(thread, true)
	if _, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada: hello?"}); sendError(t, err).Consequence != adapters.Gone {
		t.Errorf("got %v for a locked thread, want it given up", err)
	}
	s.srv.Remove(thread)
	if _, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada: hello?"}); sendError(t, err).Consequence != adapters.Gone {
		t.Errorf("got %v for a thread that was deleted, want it given up", err)
	}
}

func TestTheNameOfAThreadFitsEachKindOfRoom(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	for i, kind := range []int{textChannel, newsChannel, forum} {
		s.room = s.srv.Room(kind)
		chat, thread := s.opens(t, strings.Repeat("é\n", 150))
		got := s.srv.Threads(s.room)
		if len(got) != 1 || got[0].ID != thread || len([]rune(got[0].Name)) != longestTitle || !strings.HasSuffix(got[0].Name, "…") || strings.Contains(got[0].Name, "\n") {
			t.Errorf("kind %d: got %+v, want the name shortened", kind, got)
		}
		s.eve.WriteIn(thread, "hello")
		if e := s.inbox.await(t, i+1); e.Chat != chat {
			t.Errorf("kind %d: got %+v, want it in %s", kind, e, chat)
		}
	}
}

func TestARoomThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	_, thread := s.opens(t, "Ada")
	for room, want := range map[string]adapters.Consequence{
		s.eve.Channel: adapters.Rejected, s.srv.Room(2): adapters.Rejected, thread: adapters.Rejected, "staff": adapters.Rejected, "999": adapters.Gone,
	} {
		if _, err := s.Open(t.Context(), room, "Ada"); sendError(t, err).Consequence != want {
			t.Errorf("%s: got %v, want %s", room, err, want)
		}
	}
}

func TestOpeningTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	for _, c := range []struct {
		name  string
		fault discordtest.Fault
		want  adapters.Consequence
	}{
		{"the answer is lost", discordtest.Fault{On: "threads", Cut: true}, adapters.Unknown},
		{"down", discordtest.Fault{On: "threads", Status: http.StatusServiceUnavailable}, adapters.Temporary},
		{"not permitted", discordtest.Fault{On: "threads", Status: http.StatusForbidden, Code: 50013}, adapters.Rejected},
		{"too many", discordtest.Fault{On: "threads", Status: http.StatusTooManyRequests, RetryAfter: 77}, adapters.Throttled},
	} {
		s.srv.Fail(c.fault)
		_, err := s.Open(t.Context(), s.room, "Ada")
		failed := sendError(t, err)
		if failed.Consequence != c.want || c.want == adapters.Throttled && failed.RetryAfter != 77*time.Second {
			t.Errorf("%s: got %v, want %s", c.name, failed, c.want)
		}
	}
}

func TestABotThatCannotReadARoomSaysWhatToSwitchOn(t *testing.T) {
	t.Parallel()
	b := running(t)
	room, eve := b.srv.Guild(), b.srv.Person("Eve")
	_, err := b.Open(t.Context(), room, "Ada")
	if failed := sendError(t, err); failed.Consequence != adapters.Rejected || !strings.Contains(failed.Reason, "Message Content Intent") {
		t.Errorf("got %v, want to be told of the intent", err)
	}
	b.srv.ContentIntent(true) // as it says; nobody starts the bot anew
	chat, err := b.Open(t.Context(), room, "Ada")
	if err != nil {
		t.Fatal(err)
	}
	b.srv.Wait("a session that hears more", func() bool { i, _ := b.srv.Sessions(); return i == 2 && b.srv.Connected() })
	_, thread, _ := strings.Cut(chat, ":t")
	eve.WriteIn(thread, "not by name")
	b.want(t, "not by name")

	b.srv.ContentIntent(false) // and back: the account goes on with what it may
	b.srv.Void()
	b.srv.Drop()
	b.srv.Wait("a session that asks for less", func() bool { i, _ := b.srv.Sessions(); return i >= 3 && b.srv.Connected() })
	eve.WriteIn(thread, "unheard")
	eve.Type("directly")
	b.want(t, "not by name", "directly")
}

func TestAPauseForOneChangeBindsAllChangesInTheChannel(t *testing.T) {
	t.Parallel()
	s := inRoom(t)
	chat, _ := s.opens(t, "Ada")
	sent, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "Ada asks"})
	if err != nil {
		t.Fatal(err)
	}
	s.rest.rates.hold("PATCH channels/"+strings.Split(chat, ":t")[1]+"/messages/", time.Minute, false)
	failed := sendError(t, s.Edit(t.Context(), sent.ID, adapters.Part{Chat: chat, Text: "Ada asked"}))
	if failed.Consequence != adapters.Throttled || !failed.PerChat || failed.RetryAfter < 50*time.Second {
		t.Errorf("got %+v, want a pause of this chat", failed)
	}
	if n := len(s.srv.Calls(http.MethodPatch, "")); n != 0 {
		t.Errorf("%d calls that would be refused were made", n)
	}
}

func TestChatsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"42", "42:7", "42:t6", "42:t6:7"} {
		if c, err := parseChat(text); err != nil || c.String() != text {
			t.Errorf("%s: got %s, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "x", "42:", "42:t", "42:tx", "42:t6:", "42:6:7", "42:t6:7:8", "42/7"} {
		if c, err := parseChat(text); err == nil {
			t.Errorf("%q: got %v, want it refused", text, c)
		}
	}
	for _, m := range []mark{{last: 5}, {last: 5, guild: true}, {last: 5, guild: true, parent: "7"}} {
		if got := readMark(m.String()); got != m {
			t.Errorf("%s: got %+v, want %+v", m, got, m)
		}
	}
}
