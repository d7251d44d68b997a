// Package discord is the messenger for Discord bots: messages over the gateway, buttons and menus over the gateway or as
// webhooks, sending over REST.
//
// It uses discordgo for the gateway's protocol and for requests. What that library does by itself on a lost connection, and
// its waiting for rate limits, is not used: see gateway.go and rest.go.
//
// What does not belong here: splitting texts, retrying sends and pacing (package bots).
package discord

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
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
	textLimit   = 2000
	modeGateway = "gateway"
	modeWebhook = "webhook"

	stateBot = "bot" // the bot's own id, so that links work before Discord has been reached
)

// limits are Discord's own, but for the number of buttons: 25 are allowed, two rows of five fit on a phone.
var limits = adapters.Limits{
	Text: textLimit, Unit: adapters.Runes, Caption: textLimit,
	Buttons: adapters.Buttons{Max: 10, Label: 80, Value: 100},
	List:    adapters.Buttons{Max: 25, Label: 100, Value: 100},
	Edits:   true, Typing: true,
	Pace: pace,
}

// Spec describes Discord to the config.
var Spec = adapters.Spec{
	Name:  "discord",
	Title: "Discord",
	Doc:   "A Discord bot, made in the Discord developer portal.",
	Fields: []config.Field{
		{
			Name: "token", Type: config.Secret, Required: true,
			Doc: "What the developer portal shows under Bot, Reset Token.", Sample: "example-bot-token",
		},
		{
			Name: "mode", Type: config.Enum, Enum: []string{modeGateway, modeWebhook}, Default: modeGateway,
			Doc:    "Where pressed buttons arrive: over the gateway, which needs no public address, or at this account's hook, which is then the application's Interactions Endpoint URL. Messages always arrive over the gateway.",
			Sample: modeWebhook,
		},
		{
			Name: "public_key", Type: config.String, RequiredWith: "mode=" + modeWebhook,
			Doc:    "The application's Public Key from the developer portal: what Discord signs the hook's calls with.",
			Sample: "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
		},
		{
			Name: "hook_url", Type: config.URL,
			Doc:    "The public address of this account's hook, for links: it shows the words that a person sends to the bot to begin. Made of web.public_url when absent.",
			Sample: "https://chat.example/hooks/discord",
		},
		{
			Name: "api_base", Type: config.URL, Default: "https://discord.com",
			Doc: "Where Discord's API is: Discord's own, or a server that speaks like it.", Sample: "http://127.0.0.1:8082",
		},
	},
	Limits: limits,
	New:    func(s config.Settings, env adapters.Env) (adapters.Messenger, error) { return New(s, env) },
}

// Messenger is one bot.
type Messenger struct {
	rest    *rest
	dial    dialer
	token   string
	hookURL string
	key     ed25519.PublicKey // nil while interactions come over the gateway
	log     *slog.Logger
	now     func() time.Time
	state   adapters.State
	report  func(state, problem string)
	times   times
	acks    chan interaction // pressed buttons that wait to be acknowledged
	seen    *seen
	asked   *asked
	spots   *spots
	anew    chan struct{} // another session is wanted; holds one

	mu    sync.Mutex
	bot   string
	hears bool // what is said without naming the bot, too
}

var (
	_ adapters.Messenger = (*Messenger)(nil)
	_ adapters.Webhook   = (*Messenger)(nil)
	_ adapters.Linker    = (*Messenger)(nil)
	_ adapters.Typer     = (*Messenger)(nil)
	_ adapters.Editor    = (*Messenger)(nil)
)

// New reads the settings. It calls nobody: a refused token shows when Run asks for the bot's id.
func New(s config.Settings, env adapters.Env) (*Messenger, error) {
	m := &Messenger{
		log: env.Log, now: env.Now, state: env.State, report: env.Report,
		token:   strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s.Secret("token").Reveal()), "Bot ")),
		hookURL: cmp.Or(s.String("hook_url"), env.HookURL), times: usualTimes, acks: make(chan interaction, 256),
		asked: &asked{}, spots: &spots{}, anew: make(chan struct{}, 1),
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.report == nil {
		m.report = func(string, string) {}
	}
	if m.token == "" {
		return nil, errors.New("token is empty")
	}
	m.seen = newSeen(m.load, m.save)
	var err error
	if m.rest, err = newREST(m.token, s.String("api_base"), env.HTTP, m.now); err != nil {
		return nil, err
	}
	m.dial = dialer{tls: tlsConfig(env.HTTP)}
	if s.String("mode") == modeWebhook {
		key, err := hex.DecodeString(strings.TrimSpace(s.String("public_key")))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errors.New("public_key is not the 64 hexadecimal digits that the developer portal shows")
		}
		m.key = key
	}
	return m, nil
}

// Limits says what Discord takes.
func (m *Messenger) Limits() adapters.Limits { return limits }

// Link leads to the bot. Discord's own links carry nothing, so that the person writes "start", a space and the token to it: the
// page at hook_url tells them, and without one whoever shows the link has to. "" until the bot's id is known.
func (m *Messenger) Link(token string) string {
	profile := m.profile()
	if profile == "" || m.hookURL == "" {
		return profile
	}
	return m.hookURL + "?start=" + url.QueryEscape(token)
}

// profile is the bot's page in Discord, from where people write to it.
func (m *Messenger) profile() string {
	bot := m.botID()
	if bot == "" {
		return ""
	}
	return "https://discord.com/users/" + url.PathEscape(bot)
}

// Run receives until ctx ends. It returns an error only when Discord refuses the token or what the bot asks for.
func (m *Messenger) Run(ctx context.Context, sink adapters.Sink) error {
	m.report("connecting", "")
	if bot, err := m.load(ctx, stateBot); err == nil && bot != "" {
		m.setBot(bot)
	}
	workers, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for range 4 {
		wg.Go(func() { m.acknowledge(workers) })
	}
	err := m.receive(workers, &wg, sink)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	m.report("failed", err.Error())
	return err
}

func (m *Messenger) receive(ctx context.Context, wg *sync.WaitGroup, sink adapters.Sink) error {
	if err := m.insist(ctx, "learn the bot's id", m.identify); err != nil {
		return err
	}
	if err := m.insist(ctx, "read which messages were seen", m.seen.open); err != nil {
		return err
	}
	if err := m.seen.flush(ctx, m.now()); err != nil { // threads that were opened before the marks were read
		m.log.WarnContext(ctx, "discord marks not saved", "problem", err)
	}
	in := &intake{m: m, sink: sink, queue: make(chan item, 256), wake: make(chan struct{}, 1), pending: map[string]bool{}}
	wg.Go(func() { in.work(ctx) })
	g := &gateway{m: m, in: in}
	return g.run(ctx)
}

func (m *Messenger) identify(ctx context.Context) error {
	var me struct {
		ID string `json:"id"`
	}
	if err := m.rest.call(ctx, http.MethodGet, "users/@me", nil, &me); err != nil {
		return err
	}
	m.setBot(me.ID)
	if err := m.save(ctx, stateBot, me.ID); err != nil {
		m.log.WarnContext(ctx, "discord bot id not saved", "problem", err)
	}
	return nil
}

func (m *Messenger) setBot(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bot = id
}

func (m *Messenger) botID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bot
}

// insist does something until it works, ctx ends or it never will.
func (m *Messenger) insist(ctx context.Context, what string, do func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		err := do(ctx)
		if err == nil {
			return nil
		}
		if err := m.pause(ctx, what, err, attempt); err != nil {
			return err
		}
	}
}

// pause reports what failed and waits before the next attempt. The error it returns is final.
func (m *Messenger) pause(ctx context.Context, what string, err error, attempt int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	delay := m.times.backoff(attempt)
	if call, ok := errors.AsType[*callError](err); ok {
		if call.Status == http.StatusUnauthorized {
			return fmt.Errorf("%s: Discord refuses the token: %w", what, err)
		}
		delay = max(delay, call.RetryAfter)
	}
	m.log.WarnContext(ctx, "discord call failed", "doing", what, "problem", err, "again_in", delay)
	m.report("failed", fmt.Sprintf("%s: %v", what, err))
	return adapters.Wait(ctx, delay)
}

// acknowledge tells Discord that pressed buttons are taken care of. It is best effort: after 3 s Discord takes no answer any
// more and shows the person that it failed, though the press is stored.
func (m *Messenger) acknowledge(ctx context.Context) {
	for {
		select {
		case i := <-m.acks:
			err := m.rest.callAs(ctx, http.MethodPost, "interactions/"+i.ID+"/"+i.Token+"/callback", "interactions",
				map[string]int{"type": deferredUpdate}, nil)
			if err != nil {
				m.log.DebugContext(ctx, "discord interaction not acknowledged", "interaction", i.ID, "problem", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

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
