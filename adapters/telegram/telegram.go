// Package telegram is the messenger for Telegram bots, by long polling or by webhook.
//
// It uses telegram-bot-api for requests and types, but for what each turn costs: updates are read into types of ours, and texts are
// sent without the library's detours. Its channel and webhook helpers are not used: they confirm an update before it is stored.
//
// What does not belong here: splitting texts, retrying sends and pacing (package bots).
package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"parley/adapters"
	"parley/config"
)

const (
	captionLimit = 1024
	modePoll     = "poll"
	modeWebhook  = "webhook"

	stateOffset   = "offset"   // the update id to ask for next
	stateUsername = "username" // the bot's name, so that links work before Telegram has been reached
)

// limits are Telegram's own, but for the number of buttons: 100 are allowed, 8 fit on a phone.
var limits = adapters.Limits{
	Text: 4096, Unit: adapters.UTF16, Caption: captionLimit,
	Buttons: adapters.Buttons{Max: 8, Label: 64, Value: 64},
	Edits:   true, Typing: true,
	Pace: pace,
}

// Spec describes Telegram to the config.
var Spec = adapters.Spec{
	Name:  "telegram",
	Title: "Telegram",
	Doc:   "A Telegram bot, made with @BotFather.",
	Fields: []config.Field{
		{
			Name: "token", Type: config.Secret, Required: true,
			Doc: "What @BotFather answers to /newbot.", Sample: "123456789:AAExampleExampleExampleExampleExample",
		},
		{
			Name: "mode", Type: config.Enum, Enum: []string{modePoll, modeWebhook}, Default: modePoll,
			Doc: "poll asks Telegram for messages and needs no public address; webhook lets Telegram call.", Sample: modeWebhook,
		},
		{
			Name: "webhook_url", Type: config.URL, RequiredWith: "mode=" + modeWebhook,
			Doc:    "The public address of this account's hook: your server's, then /hooks/ and the account's name.",
			Sample: "https://chat.example/hooks/telegram",
		},
		{
			Name: "webhook_secret", Type: config.Secret,
			Doc:    "What Telegram shows with each call to prove itself: letters, digits, _ and -. Made from the token when absent.",
			Sample: "a-long-random-word",
		},
		{
			Name: settingPayments, Type: config.Secret,
			Doc:    "What @BotFather gives under Payments. Purchases in the chat are then paid there, by invoice; without it, in the shop's own way.",
			Sample: "123456789:TEST:example",
		},
		{
			Name: "poll_timeout", Type: config.Duration, Default: "50s", Min: "1s", Max: "50s",
			Doc: "How long one question for new messages may stay open.", Sample: "25s",
		},
		{
			Name: "api_base", Type: config.URL, Default: "https://api.telegram.org",
			Doc: "Where the Bot API is: Telegram's, or a server of your own.", Sample: "http://127.0.0.1:8081",
		},
	},
	Limits:    limits,
	Invoicing: invoicing,
	New:       func(s config.Settings, env adapters.Env) (adapters.Messenger, error) { return New(s, env) },
}

// Messenger is one bot.
type Messenger struct {
	api      *api
	log      *slog.Logger
	now      func() time.Time
	state    adapters.State
	report   func(state, problem string)
	webhook  string // its address; empty while polling
	secret   string
	timeout  time.Duration
	answers  chan string // polled callback queries whose spinner is to be stopped
	throttle throttle
	moves    moves
	threads  threads
	uploads  uploads
	payments string // the token of the payment provider; "" for none
	invoices adapters.Invoicing

	mu       sync.Mutex
	username string
}

var (
	_ adapters.Messenger = (*Messenger)(nil)
	_ adapters.Webhook   = (*Messenger)(nil)
	_ adapters.Linker    = (*Messenger)(nil)
	_ adapters.Typer     = (*Messenger)(nil)
	_ adapters.Editor    = (*Messenger)(nil)
	_ adapters.Room      = (*Messenger)(nil)
	_ adapters.Invoicer  = (*Messenger)(nil)
	_ adapters.Reactor   = (*Messenger)(nil)
)

var paymentsForm = regexp.MustCompile(`^[0-9]+:[A-Za-z]+:[A-Za-z0-9_:-]+$`)

var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// New reads the settings. It calls nobody: a refused token shows when Run asks for the bot's name.
func New(s config.Settings, env adapters.Env) (*Messenger, error) {
	m := &Messenger{
		log: env.Log, now: env.Now, state: env.State, report: env.Report,
		timeout: s.Duration("poll_timeout"), secret: s.Secret("webhook_secret").Reveal(),
		answers: make(chan string, 256), payments: s.Secret(settingPayments).Reveal(), invoices: invoicing(s),
	}
	if m.payments != "" && !paymentsForm.MatchString(m.payments) {
		return nil, errors.New(settingPayments + " is not what @BotFather gives under Payments, such as 123456789:TEST:abc")
	}
	token := strings.TrimSpace(s.Secret("token").Reveal())
	m.api = newAPI(token, s.String("api_base"), env.HTTP)
	m.api.secrets = append(m.api.secrets, m.payments)
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.report == nil {
		m.report = func(string, string) {}
	}
	if m.secret == "" {
		sum := sha256.Sum256([]byte("parley telegram webhook\x00" + token))
		m.secret = hex.EncodeToString(sum[:])
	}
	if !secretForm.MatchString(m.secret) {
		return nil, errors.New("webhook_secret may hold letters, digits, _ and - only, at most 256 of them")
	}
	if s.String("mode") == modeWebhook {
		if m.webhook = s.String("webhook_url"); m.webhook == "" {
			return nil, errors.New("mode webhook needs webhook_url")
		}
	}
	return m, nil
}

// Limits says what Telegram takes.
func (m *Messenger) Limits() adapters.Limits { return limits }

// Link opens the chat with the bot; pressing Start there sends the token back. "" until the bot's name is known.
func (m *Messenger) Link(token string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.username == "" {
		return ""
	}
	return "https://t.me/" + m.username + "?start=" + token
}

// Run receives until ctx ends. It returns an error only when Telegram refuses the token.
func (m *Messenger) Run(ctx context.Context, sink adapters.Sink) error {
	m.report("connecting", "")
	if name, err := m.load(ctx, stateUsername); err == nil {
		m.setUsername(name)
	}
	workers, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for range 4 {
		wg.Go(func() { m.answer(workers) })
	}
	err := m.receive(ctx, sink)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	m.report("failed", err.Error())
	return err
}

func (m *Messenger) receive(ctx context.Context, sink adapters.Sink) error {
	if err := m.insist(ctx, "learn the bot's name", m.identify); err != nil {
		return err
	}
	if m.webhook == "" {
		return m.poll(ctx, sink)
	}
	if err := m.insist(ctx, "set the webhook", m.setWebhook); err != nil {
		return err
	}
	m.report("ready", "")
	<-ctx.Done()
	return nil
}

func (m *Messenger) identify(ctx context.Context) error {
	me, err := m.api.getMe(ctx)
	if err != nil {
		return err
	}
	m.setUsername(me.UserName)
	if err := m.save(ctx, stateUsername, me.UserName); err != nil {
		m.log.WarnContext(ctx, "telegram bot name not saved", "problem", err)
	}
	return nil
}

func (m *Messenger) setUsername(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.username = name
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

// pause reports a failed call and waits before the next attempt. The error it returns is final.
func (m *Messenger) pause(ctx context.Context, what string, err error, attempt int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var call *callError
	delay := backoff(attempt)
	if errors.As(err, &call) {
		if call.refused() {
			return fmt.Errorf("%s: Telegram refuses the token: %w", what, err)
		}
		delay = max(delay, call.RetryAfter)
	}
	m.log.WarnContext(ctx, "telegram call failed", "doing", what, "problem", err, "again_in", delay)
	m.report("failed", fmt.Sprintf("%s: %v", what, err))
	return adapters.Wait(ctx, delay)
}

// backoff is 1 s, 2 s, 4 s … 1 min.
func backoff(attempt int) time.Duration { return min(time.Minute, time.Second<<min(attempt, 6)) }

// answer stops the spinners on buttons whose presses were polled. It is best effort: Telegram ends them by itself.
func (m *Messenger) answer(ctx context.Context) {
	for {
		select {
		case id := <-m.answers:
			if err := m.api.answerCallback(ctx, id); err != nil {
				m.log.DebugContext(ctx, "telegram callback not answered", "problem", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// committed is called once polled updates are stored: their buttons may stop spinning.
func (m *Messenger) committed(updates []update) {
	for _, u := range updates {
		if u.callback == "" {
			continue
		}
		select {
		case m.answers <- u.callback:
		default: // the queue is full; see answer
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

// httpClient is the house's without a time limit for a whole call, which would end every long poll, and without following
// redirects, which would carry the token elsewhere.
func httpClient(house *http.Client) *http.Client {
	var c http.Client
	if house != nil {
		c = *house
	}
	c.Timeout = 0
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
