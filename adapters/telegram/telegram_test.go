package telegram

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/config"
	"parley/conversation"
)

// inbox drops repeats by id as the house's inbox does, and refuses while it is told to.
type inbox struct {
	mu     sync.Mutex
	fails  int // how many hand-overs to refuse
	handed int // how many hand-overs there were
	events []conversation.Event

	refused func() // called at each refusal
}

func (in *inbox) sink(_ context.Context, events []conversation.Event) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.handed++
	if in.fails > 0 {
		in.fails--
		if in.refused != nil {
			in.refused()
		}
		return errors.New("commit failed")
	}
	for _, e := range events {
		if !slices.ContainsFunc(in.events, func(o conversation.Event) bool { return o.Chat == e.Chat && o.ID == e.ID }) {
			e.Raw = nil
			in.events = append(in.events, e)
		}
	}
	return nil
}

func (in *inbox) stored() []conversation.Event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.events)
}

func (in *inbox) texts() string {
	var texts []string
	for _, e := range in.stored() {
		texts = append(texts, e.Text)
	}
	return strings.Join(texts, ",")
}

// memory is the durable state of an account.
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

// lines collects what is logged and reported.
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

type bot struct {
	*Messenger
	inbox  *inbox
	out    *lines
	memory *memory
	stop   func()
}

// newBot makes a Messenger; start runs it.
func newBot(t testing.TB, settings map[string]string, client *http.Client) *bot {
	t.Helper()
	if settings["token"] == "" {
		settings["token"] = telegramtest.Token
	}
	s, err := config.NewSettings(Spec.Fields, settings)
	if err != nil {
		t.Fatal(err)
	}
	b := &bot{inbox: &inbox{}, out: &lines{}, memory: &memory{}}
	b.Messenger, err = New(s, adapters.Env{
		Account: "telegram", HTTP: client, Now: time.Now, State: b.memory,
		Log:    slog.New(slog.NewTextHandler(b.out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Report: func(state, problem string) { _, _ = io.WriteString(b.out, "report "+state+" "+problem+"\n") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bot) start(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.Run(ctx, b.inbox.sink); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	b.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(b.stop)
}

func polling(t *testing.T, srv *telegramtest.Server) *bot {
	t.Helper()
	b := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
	b.start(t)
	return b
}

func TestPollingTurnsUpdatesIntoEvents(t *testing.T) {
	srv := telegramtest.Start(t)
	b := polling(t, srv)
	ann := srv.Person(42, "Ann")
	ann.Language = "de"
	ann.OpenLink("https://t.me/" + telegramtest.Username + "?start=tok_1")
	ann.Type(" *hi*\x00 <b> 👋 ")
	ann.SendPhoto("")
	ann.SendPhoto("look")
	srv.WaitConfirmed()
	if _, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "pick", Choices: []conversation.Option{{Label: "Yes", Value: "v-yes"}}}); err != nil {
		t.Fatal(err)
	}
	press := ann.Press("Yes")
	ann.Block()
	ann.Unblock()
	srv.WaitConfirmed()
	srv.Wait("the button to stop spinning", press.Answered)

	base := conversation.Event{Chat: "42", Sender: "42", SenderName: "Ann", Language: "de"}
	event := func(kind conversation.Kind, id, text, value string) conversation.Event {
		e := base
		e.Kind, e.ID, e.Text, e.Value = kind, id, text, value
		return e
	}
	photo := event(conversation.Text, "update:1004", "look", "")
	photo.Media = "photo"
	want := []conversation.Event{
		event(conversation.Start, "update:1001", "", "tok_1"),
		event(conversation.Text, "update:1002", "*hi* <b> 👋", ""),
		event(conversation.Text, "update:1003", "[photo]", ""),
		photo,
		event(conversation.Choice, "cb:4000000001", "", "v-yes"),
		event(conversation.Blocked, "update:1006", "", ""),
		event(conversation.Unblocked, "update:1007", "", ""),
	}
	got := b.inbox.stored()
	for i, e := range got {
		if e.Kind != conversation.Choice && time.Since(e.At).Abs() > time.Minute {
			t.Errorf("event %s is at %v, want now", e.ID, e.At)
		}
		if said := e.Kind == conversation.Start || e.Kind == conversation.Text; said != (e.Message != "") {
			t.Errorf("event %s names the message %q", e.ID, e.Message)
		}
		got[i].At, got[i].Message = time.Time{}, ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestUpdateWhoseCommitFailedIsDeliveredAgainAndHandledOnce(t *testing.T) {
	srv := telegramtest.Start(t)
	b := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
	b.inbox.fails = 1
	b.inbox.refused = func() {
		if srv.Unconfirmed() != 1 || len(srv.Calls("getUpdates")) != 1 {
			t.Errorf("got %d unconfirmed after %d questions, want 1 after 1", srv.Unconfirmed(), len(srv.Calls("getUpdates")))
		}
	}
	srv.Person(42, "Ann").Type("one")
	b.start(t)
	srv.WaitConfirmed()
	if got := b.inbox.texts(); got != "one" {
		t.Errorf("got %q, want one", got)
	}
}

func TestRestartBeforeConfirmationHandlesOnceAndGoesOn(t *testing.T) {
	srv := telegramtest.Start(t)
	ann := srv.Person(42, "Ann")
	ann.Type("one")
	first := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
	stored := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-stored; cancel() }()
	err := first.Run(ctx, func(ctx context.Context, events []conversation.Event) error {
		defer close(stored)
		return first.inbox.sink(ctx, events)
	})
	if err != nil {
		t.Fatal(err)
	}
	second := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
	second.inbox, second.memory = first.inbox, first.memory // the same store; the offset may have been lost
	second.Messenger.state = &memory{}
	second.start(t)
	ann.Type("two")
	srv.WaitConfirmed()
	if got := second.inbox.texts(); got != "one,two" {
		t.Errorf("got %q, want one,two", got)
	}
}

func TestRepeatedPressHasTheSameIDUnderAnotherUpdate(t *testing.T) {
	srv := telegramtest.Start(t)
	b := polling(t, srv)
	ann := srv.Person(42, "Ann")
	ann.Type("hi")
	srv.WaitConfirmed()
	if _, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "pick", Choices: []conversation.Option{{Label: "Buy", Value: "v"}}}); err != nil {
		t.Fatal(err)
	}
	press := ann.Press("Buy")
	press.Repeat()
	press.Repeat()
	srv.WaitConfirmed()
	if got := len(b.inbox.stored()); got != 2 {
		t.Errorf("got %d events, want the text and one press", got)
	}
}

func TestLinkIsKnownOnceTheBotIsAndStaysKnown(t *testing.T) {
	srv := telegramtest.Start(t)
	b := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
	if got := b.Link("tok"); got != "" {
		t.Errorf("got %q before the bot is known, want nothing", got)
	}
	b.start(t)
	want := "https://t.me/" + telegramtest.Username + "?start=tok"
	srv.Wait("the link", func() bool { return b.Link("tok") == want })
	b.stop()

	again := newBot(t, map[string]string{"api_base": "http://127.0.0.1:1"}, srv.Client())
	again.Messenger.state = b.memory
	ctx, cancel := context.WithCancel(t.Context())
	again.Messenger.report = func(state, _ string) {
		if state == "failed" {
			cancel()
		}
	}
	if err := again.Run(ctx, again.inbox.sink); err != nil {
		t.Fatal(err)
	}
	if got := again.Link("tok"); got != want {
		t.Errorf("got %q from a restart without Telegram, want %q", got, want)
	}
}

func TestRefusedTokenEndsTheAccountWithoutShowingIt(t *testing.T) {
	srv := telegramtest.Start(t)
	b := newBot(t, map[string]string{"api_base": srv.URL(), "token": "1:SECRETSECRET"}, srv.Client())
	err := b.Run(t.Context(), b.inbox.sink)
	if err == nil || !strings.Contains(err.Error(), "refuses the token") {
		t.Errorf("got %v, want the token refused", err)
	}
	_, err2 := b.Send(t.Context(), adapters.Part{Chat: "1", Text: "x"})
	if said := b.out.String() + err.Error() + err2.Error(); strings.Contains(said, "SECRETSECRET") || !strings.Contains(said, "report failed") {
		t.Errorf("got %q, want a report without the token", said)
	}
}

func TestForgottenWebhookIsRemovedAndASecondPollerReported(t *testing.T) {
	srv := telegramtest.Start(t)
	hooked := newBot(t, map[string]string{"api_base": srv.URL(), "mode": "webhook", "webhook_url": "http://127.0.0.1:1/hooks/x"}, srv.Client())
	hooked.start(t)
	srv.Wait("the webhook", func() bool { return srv.Webhook() != "" })
	hooked.stop()

	b := polling(t, srv)
	srv.Person(42, "Ann").Type("hi")
	srv.WaitConfirmed()
	if got := len(srv.Calls("deleteWebhook")); got != 1 {
		t.Errorf("got %d removals of the webhook, want 1", got)
	}
	other := newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
	other.start(t)
	srv.Wait("the conflict to be reported", func() bool {
		return strings.Contains(b.out.String(), "report failed receive messages: another program")
	})
}

// flawed answers getUpdates at once, ignoring offset and timeout, and hands each update out once.
type flawed struct {
	mu    sync.Mutex
	asked []time.Time
	queue []string
}

func (f *flawed) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	result := `true`
	switch {
	case strings.HasSuffix(r.URL.Path, "/getMe"):
		result = `{"id":666,"first_name":"Test","username":"TestBot"}`
	case strings.HasSuffix(r.URL.Path, "/getUpdates"):
		f.asked = append(f.asked, time.Now())
		result = "[" + strings.Join(f.queue, ",") + "]"
		f.queue = nil
	}
	_, _ = io.Copy(io.Discard, r.Body)
	rec := httptest.NewRecorder()
	_, _ = io.WriteString(rec, `{"ok":true,"result":`+result+`}`)
	return rec.Result(), nil
}

func TestServerThatNeverWaitsIsNotAskedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flawed{queue: []string{`{"update_id":7,"message":{"message_id":1,"date":1764000000000,"chat":{"id":1},"from":{"id":1,"first_name":"A"},"text":"a"}}`}}
		b := newBot(t, map[string]string{"api_base": "http://127.0.0.1"}, &http.Client{Transport: f})
		b.inbox.fails = 3
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.Run(ctx, b.inbox.sink); err != nil {
			t.Fatal(err)
		}
		if got := len(f.asked); got < 100 || got > 240 {
			t.Errorf("asked %d times in a minute, want about 3 a second", got)
		}
		if got := b.inbox.texts(); got != "a" {
			t.Errorf("got %q, want the update kept over three failed commits", got)
		}
		if got, want := b.inbox.stored()[0].At, time.UnixMilli(1764000000000).UTC(); !got.Equal(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestUnreachableTelegramIsTriedAgainWithLongerPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		began := time.Now()
		b := newBot(t, map[string]string{"api_base": "http://127.0.0.1"}, &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			tries = append(tries, time.Since(began))
			return nil, errors.New("no route to " + r.URL.String())
		})})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		if err := b.Run(ctx, b.inbox.sink); err != nil {
			t.Fatal(err)
		}
		s := time.Second
		if diff := cmp.Diff([]time.Duration{0, s, 3 * s, 7 * s, 15 * s, 31 * s, 63 * s, 123 * s}, tries); diff != "" {
			t.Errorf("tries (-want +got):\n%s", diff)
		}
		if said := b.out.String(); strings.Contains(said, telegramtest.Token) || !strings.Contains(said, "/bot***/getMe") {
			t.Errorf("got %q, want the address without the token", said)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSpecIsSound(t *testing.T) {
	if err := config.Check(Spec.Fields); err != nil {
		t.Error(err)
	}
	if Spec.Typed != "" || Spec.MayWriteFirst {
		t.Error("a Telegram bot may not write first, and nothing is typed to reach somebody there")
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	s, err := config.NewSettings(Spec.Fields, map[string]string{"token": "1:a", "webhook_secret": "no spaces please"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, adapters.Env{}); err == nil {
		t.Error("got no error for a secret that Telegram refuses")
	}
}
