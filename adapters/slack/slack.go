// Package slack is the messenger for Slack workspaces, by Socket Mode or by the Events API.
//
// It uses slack-go for requests, blocks and the socket. An envelope of the socket is acknowledged here, after the house has
// stored it; the library's own handlers are not used.
//
// What does not belong here: splitting texts, retrying sends and pacing (package bots).
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"parley/adapters"
	"parley/config"
)

const (
	modeSocket = "socket"
	modeEvents = "events"

	textLimit = 4000 // what Slack advises; it cuts a text off at 40,000

	stateApp  = "app"  // the app's id, which Slack shows only on the way: in the socket's hello, in an event
	stateTeam = "team" // the workspace's id
	stateUser = "user" // the bot's own user id
)

// limits are Slack's own, but for the number of buttons: 25 are allowed, 5 stand in one row.
var limits = adapters.Limits{
	Text: textLimit, Unit: adapters.Runes, Caption: textLimit,
	Buttons: adapters.Buttons{Max: 5, Label: 75, Value: 2000},
	List:    adapters.Buttons{Max: 100, Label: 75, Value: 150},
	Edits:   true,
	Pace:    pace,
}

// Spec describes Slack to the config.
var Spec = adapters.Spec{
	Name:  "slack",
	Title: "Slack",
	Doc:   "An app in a Slack workspace, in direct messages and where it is mentioned.",
	Fields: []config.Field{
		{
			Name: "bot_token", Type: config.Secret, Required: true,
			Doc: "The Bot User OAuth Token of the app, from OAuth & Permissions.", Sample: "xoxb-example-example",
		},
		{
			Name: "mode", Type: config.Enum, Enum: []string{modeSocket, modeEvents}, Default: modeSocket,
			Doc: "socket opens a connection to Slack and needs no public address; events lets Slack call.", Sample: modeSocket,
		},
		{
			Name: "app_token", Type: config.Secret, RequiredWith: "mode=" + modeSocket,
			Doc: "The app-level token with the scope connections:write, from Basic Information.", Sample: "xapp-example-example",
		},
		{
			Name: "signing_secret", Type: config.Secret, RequiredWith: "mode=" + modeEvents,
			Doc: "What Slack signs its calls with, from Basic Information.", Sample: "0123456789abcdef0123456789abcdef",
		},
		{
			Name: "hook_url", Type: config.URL,
			Doc:    "The public address of this account's hook, for links: it shows the words that a person sends to the bot to begin. Made of web.public_url when absent.",
			Sample: "https://chat.example/hooks/slack",
		},
		{
			Name: "app_id", Type: config.String,
			Doc: "The App ID, from Basic Information; learned from Slack when absent.", Sample: "A0123456789",
		},
		{
			Name: "api_base", Type: config.URL, Default: "https://slack.com/api/",
			Doc: "Where the Web API is.", Sample: "http://127.0.0.1:8082/api/",
		},
	},
	Limits: limits,
	New:    func(s config.Settings, env adapters.Env) (adapters.Messenger, error) { return New(s, env) },
}

// Messenger is one app in one workspace.
type Messenger struct {
	account  string
	api      *api
	log      *slog.Logger
	now      func() time.Time
	state    adapters.State
	report   func(state, problem string)
	mode     string
	signing  []byte
	hookURL  string
	threads  threads
	members  members
	throttle throttle

	mu   sync.Mutex
	app  string // "" until known
	team string
	user string
}

var (
	_ adapters.Messenger = (*Messenger)(nil)
	_ adapters.Webhook   = (*Messenger)(nil)
	_ adapters.Linker    = (*Messenger)(nil)
	_ adapters.Editor    = (*Messenger)(nil)
)

// New reads the settings. It calls nobody: a refused token shows when Run asks who the bot is.
func New(s config.Settings, env adapters.Env) (*Messenger, error) {
	m := &Messenger{
		account: env.Account, log: env.Log, now: env.Now, state: env.State, report: env.Report,
		mode: s.String("mode"), signing: []byte(strings.TrimSpace(s.Secret("signing_secret").Reveal())),
		hookURL: cmp.Or(s.String("hook_url"), env.HookURL), app: strings.TrimSpace(s.String("app_id")),
	}
	bot, app := strings.TrimSpace(s.Secret("bot_token").Reveal()), strings.TrimSpace(s.Secret("app_token").Reveal())
	m.api = newAPI(bot, app, s.String("api_base"), env.HTTP)
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.report == nil {
		m.report = func(string, string) {}
	}
	switch {
	case m.mode == modeEvents && len(m.signing) == 0:
		return nil, errors.New("mode events needs signing_secret")
	case m.mode == modeSocket && app == "":
		return nil, errors.New("mode socket needs app_token")
	case m.mode == modeSocket && strings.HasPrefix(app, "xoxb-"), strings.HasPrefix(bot, "xapp-"):
		return nil, errors.New("bot_token begins with xoxb-, app_token with xapp-: they are exchanged")
	}
	return m, nil
}

// Limits says what Slack takes.
func (m *Messenger) Limits() adapters.Limits { return limits }

// Link leads to the chat with the bot. Slack's own links cannot carry a token, so the person sends "start" and the token
// themselves: the page at hook_url tells them, and without one whoever shows the link has to. "" until the app is known.
func (m *Messenger) Link(token string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.app == "" {
		return ""
	}
	if m.hookURL != "" {
		return m.hookURL + "?start=" + url.QueryEscape(token)
	}
	return m.chatURL() + "&start=" + url.QueryEscape(token)
}

// chatURL opens the chat with the bot in Slack. The caller holds the lock.
func (m *Messenger) chatURL() string {
	query := "?app=" + url.QueryEscape(m.app)
	if m.team != "" {
		query += "&team=" + url.QueryEscape(m.team)
	}
	return "https://slack.com/app_redirect" + query
}

// Run receives until ctx ends. It returns an error only when Slack refuses a token.
func (m *Messenger) Run(ctx context.Context, sink adapters.Sink) error {
	m.report("connecting", "")
	m.recall(ctx)
	err := m.receive(ctx, sink)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	m.report("failed", err.Error())
	return err
}

func (m *Messenger) receive(ctx context.Context, sink adapters.Sink) error {
	if err := m.insist(ctx, "learn who the bot is", m.identify); err != nil {
		return err
	}
	if m.mode == modeSocket {
		return m.insist(ctx, "receive over the socket", func(ctx context.Context) error { return m.listen(ctx, sink) })
	}
	m.report("ready", "")
	<-ctx.Done()
	return nil
}

func (m *Messenger) identify(ctx context.Context) error {
	me, err := m.api.authTest(ctx)
	if err != nil {
		return err
	}
	m.learn(ctx, "", me.TeamID, me.UserID)
	return nil
}

// learn keeps what Slack says of us; "" says nothing.
func (m *Messenger) learn(ctx context.Context, app, team, user string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, fact := range []struct {
		key, value string
		have       *string
	}{{stateApp, app, &m.app}, {stateTeam, team, &m.team}, {stateUser, user, &m.user}} {
		if fact.value == "" || fact.value == *fact.have || fact.key == stateApp && m.app != "" {
			continue
		}
		*fact.have = fact.value
		if err := m.save(ctx, fact.key, fact.value); err != nil {
			m.log.WarnContext(ctx, "slack identity not saved", "fact", fact.key, "problem", err)
		}
	}
}

// recall takes what was learned before, so that links work before Slack has been reached.
func (m *Messenger) recall(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, have := range map[string]*string{stateApp: &m.app, stateTeam: &m.team, stateUser: &m.user} {
		if value, err := m.load(ctx, key); err == nil && *have == "" {
			*have = value
		}
	}
}

func (m *Messenger) self() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user
}

// insist does something until it works, ctx ends or it never will.
func (m *Messenger) insist(ctx context.Context, what string, do func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		failed, ok := errors.AsType[*callError](err)
		if ok && failed.broken() {
			return fmt.Errorf("%s: %w", what, err)
		}
		delay := backoff(attempt)
		if ok {
			delay = max(delay, failed.RetryAfter)
		}
		m.log.WarnContext(ctx, "slack call failed", "doing", what, "problem", err, "again_in", delay)
		m.report("failed", fmt.Sprintf("%s: %v", what, err))
		if err := adapters.Wait(ctx, delay); err != nil {
			return err
		}
	}
}

// backoff is 1 s, 2 s, 4 s … 1 min.
func backoff(attempt int) time.Duration { return min(time.Minute, time.Second<<min(attempt, 6)) }

// load and save bear an Env without state, as in a test.
func (m *Messenger) load(ctx context.Context, key string) (string, error) {
	if m.state == nil {
		return "", nil
	}
	return m.state.Load(ctx, key)
}

func (m *Messenger) save(ctx context.Context, key, value string) error {
	if m.state == nil {
		return nil
	}
	return m.state.Save(ctx, key, value)
}

// httpClient is the house's without following redirects, which would carry the token elsewhere.
func httpClient(house *http.Client) *http.Client {
	var c http.Client
	if house != nil {
		c = *house
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
