package discord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/discord/discordtest"
	"parley/config"
	"parley/conversation"
)

// bot is an account that runs, with what it stored.
type bot struct {
	*Messenger
	srv   *discordtest.Server
	state *memory
	said  *lines
	inbox *inbox
	stop  func() error // ends Run and returns its error
}

// newBot makes a bot at srv; it runs once start is called.
func newBot(t *testing.T, srv *discordtest.Server, state *memory, settings map[string]string) *bot {
	t.Helper()
	return newBotWith(t, srv, state, settings, &http.Client{Timeout: 20 * time.Second})
}

func newBotWith(t *testing.T, srv *discordtest.Server, state *memory, settings map[string]string, client *http.Client) *bot {
	t.Helper()
	b := &bot{srv: srv, state: state, said: &lines{}, inbox: &inbox{changed: make(chan struct{})}}
	env := adapters.Env{
		Account: "account", HTTP: client, Now: time.Now, State: state,
		Log:    slog.New(slog.NewTextHandler(b.said, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Report: func(state, problem string) { _, _ = fmt.Fprintf(b.said, "report %s %s\n", state, problem) },
	}
	b.Messenger = open(t, env, srv, settings)
	return b
}

func (b *bot) start(t *testing.T) *bot {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, b.inbox.sink) }()
	b.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			b.srv.Wait("the bot's leaving", b.srv.Left) // or the next start takes this connection for its own
			return err
		case <-time.After(20 * time.Second):
			return errors.New("run did not end")
		}
	})
	t.Cleanup(func() {
		if err := b.stop(); err != nil {
			t.Errorf("run ended with %v\n%s", err, b.said)
		}
		if t.Failed() {
			t.Log(b.said)
		}
	})
	b.srv.Wait("the bot", b.srv.Connected)
	return b
}

func running(t *testing.T) *bot {
	t.Helper()
	return newBot(t, discordtest.Start(t), &memory{}, map[string]string{}).start(t)
}

// inbox stores events as the house does; it can refuse.
type inbox struct {
	mu      sync.Mutex
	changed chan struct{}
	events  []conversation.Event
	refuse  int
	hold    chan struct{}
}

func (in *inbox) sink(_ context.Context, events []conversation.Event) error {
	in.mu.Lock()
	hold := in.hold
	in.mu.Unlock()
	if hold != nil {
		<-hold
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuse > 0 {
		in.refuse--
		return errors.New("commit failed")
	}
	for _, e := range events {
		if !slices.ContainsFunc(in.events, func(o conversation.Event) bool { return o.Chat == e.Chat && o.ID == e.ID }) {
			in.events = append(in.events, e)
		}
	}
	close(in.changed)
	in.changed = make(chan struct{})
	return nil
}

// await waits for n stored events and returns the last.
func (in *inbox) await(t *testing.T, n int) conversation.Event {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		in.mu.Lock()
		events, changed := slices.Clone(in.events), in.changed
		in.mu.Unlock()
		if len(events) >= n {
			return events[n-1]
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited 20 s for %d events, got %d: %v", n, len(events), in.texts())
		}
	}
}

func (in *inbox) texts() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var out []string
	for _, e := range in.events {
		out = append(out, e.Text)
	}
	return strings.Join(out, "|")
}

func (in *inbox) keep(hold chan struct{}, refuse int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.hold, in.refuse = hold, refuse
}

// memory is an account's state.
type memory struct {
	mu     sync.Mutex
	values map[string]string
}

func (m *memory) Load(_ context.Context, key string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[key], nil
}

func (m *memory) Save(_ context.Context, key, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string]string{}
	}
	m.values[key] = value
	return nil
}

type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// want checks what was stored, after n events.
func (b *bot) want(t *testing.T, texts ...string) {
	t.Helper()
	b.inbox.await(t, len(texts))
	if got := b.inbox.texts(); got != strings.Join(texts, "|") {
		t.Errorf("got %s, want %s", got, strings.Join(texts, "|"))
	}
}

func (b *bot) sessions(t *testing.T, identified, resumed int) {
	t.Helper()
	if i, r := b.srv.Sessions(); i != identified || r != resumed {
		t.Errorf("the bot identified %d times and resumed %d times, want %d and %d", i, r, identified, resumed)
	}
}

func TestTheFieldsAreWellDeclared(t *testing.T) {
	t.Parallel()
	if err := config.Check(Spec.Fields); err != nil {
		t.Error(err)
	}
}

func TestALinkOpensTheBotsProfileAndTheWordsCarryTheToken(t *testing.T) {
	t.Parallel()
	const token = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"
	b := newBot(t, discordtest.Start(t), &memory{}, map[string]string{})
	if got := b.Link(token); got != "" {
		t.Errorf("got %q before the bot's id is known", got)
	}
	b.start(t)
	if got, want := b.Link(token), "https://discord.com/users/"+discordtest.Bot; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	ann := b.srv.Person("Ann")
	for i, words := range []string{"start " + token, "Start: " + token, "/start   " + token + " "} {
		ann.Type(words)
		if e := b.inbox.await(t, i+1); e.Kind != conversation.Start || e.Value != token || e.SenderName != "Ann" {
			t.Errorf("%q: got %+v, want the token", words, e)
		}
	}
	for i, words := range []string{"start", "start over", "please start " + token} {
		ann.Type(words)
		if e := b.inbox.await(t, i+4); e.Kind != conversation.Text || e.Text != words {
			t.Errorf("%q: got %+v, want words", words, e)
		}
	}
	again := newBot(t, b.srv, b.state, map[string]string{})
	if bot, err := again.load(t.Context(), stateBot); err != nil || bot != discordtest.Bot {
		t.Errorf("got %q, %v, want the id kept", bot, err)
	}
}

func TestInAChannelOnlyMentionsAreHeardAndEverybodyHasAConversation(t *testing.T) {
	t.Parallel()
	b := running(t)
	ann, bob, shop := b.srv.Person("Ann"), b.srv.Person("Bob"), b.srv.Guild()
	ann.WriteIn(shop, "nothing for a bot")
	asked := ann.WriteIn(shop, "<@"+discordtest.Bot+"> how much is it?")
	first := b.inbox.await(t, 1)
	bob.WriteIn(shop, "me too <@!"+discordtest.Bot+">")
	second := b.inbox.await(t, 2)
	if first.Text != "how much is it?" || second.Text != "me too" {
		t.Errorf("got %q and %q, want the words without the mention", first.Text, second.Text)
	}
	if first.Chat != shop+":"+ann.ID || second.Chat != shop+":"+bob.ID {
		t.Errorf("got %q and %q, want a chat each", first.Chat, second.Chat)
	}
	options := []conversation.Option{{Label: "Buy", Value: "v-buy"}}
	if _, err := b.Send(t.Context(), adapters.Part{Chat: first.Chat, Text: "€35.50", Choices: options, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if got := b.srv.Messages(shop); len(got) != 1 || got[0].ReplyTo != asked {
		t.Errorf("got %+v, want an answer to Ann's message", got)
	}
	bob.PressIn(shop, "Buy")
	if e := b.inbox.await(t, 3); e.Kind != conversation.Choice || e.Sender != bob.ID || e.Chat != second.Chat || e.Language != "de" {
		t.Errorf("got %+v, want the press in Bob's own conversation", e)
	}
}

func TestMessagesOfBotsAndWithoutWordsAreTakenForWhatTheyAre(t *testing.T) {
	t.Parallel()
	b := running(t)
	ann := b.srv.Person("Ann")
	if _, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "the bot hears itself"}); err != nil {
		t.Fatal(err)
	}
	ann.Show()
	b.want(t, "[photo]")
}

func TestAPressIsAcknowledgedAfterTheCommit(t *testing.T) {
	t.Parallel()
	b := running(t)
	ann := b.srv.Person("Ann")
	part := adapters.Part{Chat: ann.Channel, Text: "Pick", Choices: []conversation.Option{{Label: "Buy", Value: "v-buy"}}}
	if _, err := b.Send(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	hold := make(chan struct{})
	b.inbox.keep(hold, 1)
	ann.Press("Buy")
	if n := b.srv.Acked(); n != 0 {
		t.Errorf("acknowledged %d presses before they are stored", n)
	}
	close(hold)
	if e := b.inbox.await(t, 1); e.Value != "v-buy" || bytes.Contains(e.Raw, []byte(discordtest.InteractionToken)) {
		t.Errorf("got %+v, want the value, and no token in what is kept", e)
	}
	b.srv.Wait("the acknowledgement", func() bool { return b.srv.Acked() == 1 })
}

func TestARefusedTokenEndsTheAccountWithoutShowingIt(t *testing.T) {
	t.Parallel()
	b := newBot(t, discordtest.Start(t), &memory{}, map[string]string{"token": "Bot a-wrong-token"})
	err := b.Run(t.Context(), b.inbox.sink)
	if err == nil || !strings.Contains(err.Error(), "refuses the token") || strings.Contains(err.Error()+b.said.String(), "a-wrong-token") {
		t.Errorf("got %v\n%s", err, b.said)
	}
	if !strings.Contains(b.said.String(), "report failed") {
		t.Errorf("the admin is not told:\n%s", b.said)
	}
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	s, err := config.NewSettings(Spec.Fields, map[string]string{"token": "t", "mode": "webhook", "public_key": "abc"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, adapters.Env{}); err == nil {
		t.Error("a public key that is none was taken")
	}
}
