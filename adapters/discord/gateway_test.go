package discord

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/discord/discordtest"
)

func TestWhatWasMissedComesWithTheResume(t *testing.T) {
	t.Parallel()
	b := running(t)
	ann := b.srv.Person("Ann")
	ann.Type("before")
	b.want(t, "before")
	b.srv.Drop()
	ann.Type("meanwhile")
	b.srv.Wait("the bot", b.srv.Connected)
	ann.Type("after")
	b.want(t, "before", "meanwhile", "after")
	b.sessions(t, 1, 1)
}

func TestWhatWasMissedIsAskedForWhenTheSessionIsVoid(t *testing.T) {
	t.Parallel()
	b := running(t)
	ann, bob, shop := b.srv.Person("Ann"), b.srv.Person("Bob"), b.srv.Guild()
	ann.Type("a0")
	bob.WriteIn(shop, "<@"+discordtest.Bot+"> b0")
	b.want(t, "a0", "b0")
	b.srv.Void()
	b.srv.Drop()
	bob.WriteIn(shop, "not for the bot")
	bob.WriteIn(shop, "<@"+discordtest.Bot+"> b1")
	var want []string
	for i := range 230 { // more than two pages
		want = append(want, fmt.Sprint("a", i+1))
		ann.Type(want[i])
	}
	b.srv.Wait("the bot", b.srv.Connected)
	ann.Type("live")
	b.inbox.await(t, 234)
	got := strings.Split(b.inbox.texts(), "|")
	var anns []string
	for _, text := range got[1:] {
		if text[0] != 'b' {
			anns = append(anns, text)
		}
	}
	if strings.Join(anns, "|") != strings.Join(append(want, "live"), "|") {
		t.Errorf("got %v, want them in order", got)
	}
	if !strings.Contains(b.inbox.texts(), "|b1") {
		t.Errorf("got %v, want the mention too", got)
	}
	b.sessions(t, 2, 1)
}

func TestARestartAsksForWhatWasMissed(t *testing.T) {
	t.Parallel()
	first := running(t)
	ann, bob := first.srv.Person("Ann"), first.srv.Person("Bob")
	ann.Type("before")
	first.want(t, "before")
	if _, err := first.Send(t.Context(), adapters.Part{Chat: bob.Channel, Text: "the price fell"}); err != nil {
		t.Fatal(err)
	}
	ann.Type("stored with the mark") // a mark is saved with the next commit
	first.want(t, "before", "stored with the mark")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	ann.Type("while it was down")
	bob.Type("buy")
	second := newBot(t, first.srv, first.state, map[string]string{}).start(t)
	second.inbox.await(t, 2)
	if got := second.inbox.texts(); got != "buy|while it was down" && got != "while it was down|buy" {
		t.Errorf("got %s, want only what was missed", got)
	}
}

func TestARequestToReconnectIsObeyedWhereverItComes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		do         func(*discordtest.Server)
		identified int
		resumed    int
	}{
		{"op 7 while connected", func(s *discordtest.Server) { s.Say(`{"op":7,"d":null}`) }, 1, 1},
		{"op 9 while connected", func(s *discordtest.Server) { s.Void(); s.Say(`{"op":9,"d":false}`) }, 2, 0},
		{"op 9 that may be resumed", func(s *discordtest.Server) { s.Say(`{"op":9,"d":true}`) }, 1, 1},
		{"op 7 for an answer to RESUME", func(s *discordtest.Server) { s.OnResume("op 7"); s.Drop() }, 1, 2},
		{"op 9 for an answer to RESUME", func(s *discordtest.Server) { s.OnResume("op 9"); s.Drop() }, 2, 1},
		{"op 7 for an answer to IDENTIFY", func(s *discordtest.Server) { s.OnIdentify("op 7"); s.OnResume("op 9"); s.Drop() }, 3, 1},
		{"op 7 that the link cannot see, so that the library waits for itself", func(s *discordtest.Server) { s.OnResume("op 7 in two frames"); s.Drop() }, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := running(t)
			ann := b.srv.Person("Ann")
			ann.Type("before")
			b.want(t, "before")
			c.do(b.srv)
			b.srv.Wait("the bot to come back", func() bool {
				i, r := b.srv.Sessions()
				return i == c.identified && r == c.resumed && b.srv.Connected()
			})
			ann.Type("after")
			b.want(t, "before", "after")
			b.sessions(t, c.identified, c.resumed)
		})
	}
}

func TestASilentGatewayIsLeftWithoutGivingUpTheSession(t *testing.T) {
	t.Parallel()
	srv := discordtest.Start(t)
	srv.Beat(300 * time.Millisecond)
	b := newBot(t, srv, &memory{}, map[string]string{}).start(t)
	ann := b.srv.Person("Ann")
	ann.Type("before")
	b.want(t, "before")
	b.srv.Mute()
	ann.Type("into the silence")
	b.want(t, "before", "into the silence")
	b.sessions(t, 1, 1)
}

func TestARefusalThatIsFinalEndsTheAccountWithASentence(t *testing.T) {
	t.Parallel()
	srv := discordtest.Start(t)
	srv.OnIdentify("close 4014")
	b := newBot(t, srv, &memory{}, map[string]string{})
	err := b.Run(t.Context(), b.inbox.sink)
	if err == nil || !strings.Contains(err.Error(), "4014") {
		t.Errorf("got %v, want the reason", err)
	}
}

func TestNoSessionIsBegunWhenNoneIsLeft(t *testing.T) {
	t.Parallel()
	srv := discordtest.Start(t)
	srv.Starts(0)
	b := newBot(t, srv, &memory{}, map[string]string{})
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		srv.Wait("the second question", func() bool { return len(srv.Calls("", "/gateway/bot")) >= 2 })
		if i, _ := srv.Sessions(); i != 0 {
			t.Errorf("began %d sessions that were not left", i)
		}
		srv.Starts(5)
	}()
	b.start(t)
	<-asked
	if !strings.Contains(b.said.String(), "no new session is left") {
		t.Errorf("the admin is not told:\n%s", b.said)
	}
}

// The house cannot store anything while the connection breaks and the session ends: nothing is lost, nothing changes places.
func TestNothingIsLostWhenCommitsFailAndTheSessionEnds(t *testing.T) {
	t.Parallel()
	srv := discordtest.Start(t)
	srv.Beat(100 * time.Millisecond) // a reader that is held back notices the end by its heartbeats
	b := newBot(t, srv, &memory{}, map[string]string{}).start(t)
	ann := b.srv.Person("Ann")
	ann.Type("n0")
	b.want(t, "n0")
	hold := make(chan struct{})
	b.inbox.keep(hold, 3)
	want := []string{"n0"}
	for i := range 600 { // more than the queue holds
		want = append(want, fmt.Sprint("n", i+1))
		ann.Type(want[i+1])
		if i == 450 {
			b.srv.Void()
			b.srv.Drop()
		}
	}
	b.srv.Wait("the bot", func() bool { i, _ := b.srv.Sessions(); return i == 2 })
	close(hold)
	b.want(t, want...)
}

func TestAChannelThatIsGoneIsForgottenAndTheOthersAreAsked(t *testing.T) {
	t.Parallel()
	srv := discordtest.Start(t)
	ann := srv.Person("Ann")
	state := &memory{}
	kept := newSeen(state.Load, state.Save)
	if err := kept.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept.advance(ann.Channel, mark{last: snowflake(ann.Channel)})
	kept.advance("999", mark{last: snowflake(ann.Channel) + 1})
	if err := kept.flush(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	ann.Type("hello")
	b := newBot(t, srv, state, map[string]string{}).start(t)
	b.want(t, "hello")
	if _, known := b.seen.mark("999"); known {
		t.Error("the channel is still remembered")
	}
}

func TestTheGatewayIsReachedOverTLS(t *testing.T) {
	t.Parallel()
	srv := discordtest.StartTLS(t)
	b := newBotWith(t, srv, &memory{}, map[string]string{}, srv.Client()).start(t)
	srv.Person("Ann").Type("hello")
	b.want(t, "hello")
}

func TestAServerThatIsNotTrustedIsNotSpokenTo(t *testing.T) {
	t.Parallel()
	srv := discordtest.StartTLS(t)
	b := newBot(t, srv, &memory{}, map[string]string{})
	_, err := b.Send(t.Context(), adapters.Part{Chat: srv.Person("Ann").Channel, Text: "hello"})
	if failed := sendError(t, err); failed.Consequence != adapters.Temporary || len(srv.Calls("", "")) != 0 {
		t.Errorf("got %v and %v", failed, srv.Calls("", ""))
	}
}
