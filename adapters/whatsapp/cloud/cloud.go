// Package cloud is WhatsApp by Meta's Cloud API: messages arrive at our hook and leave by the Graph API, over net/http alone.
//
// What does not belong here: splitting texts, retrying sends and pacing (package bots), and whether a person has consented.
package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/adapters"
	"parley/config"
)

// What Meta's messages hold at most, in runes, and the values of buttons and rows in bytes.
const (
	textLimit        = 4096
	interactiveLimit = 1024 // the text with buttons, a list or a picture, and the variable of a template
	buttonLimit      = 3
	listLimit        = 10
)

// Limits are Meta's own.
var Limits = adapters.Limits{
	Text: textLimit, Unit: adapters.Runes, Caption: interactiveLimit, WithButtons: interactiveLimit,
	Buttons: adapters.Buttons{Max: buttonLimit, Label: 20, Value: 256},
	List:    adapters.Buttons{Max: listLimit, Label: 24, Value: 200},
	Window:  24 * time.Hour,
	Typing:  true, Receipts: true,
	Pace: pace,
}

// stateNumber is the account's phone number, so that links work before Meta has been reached.
const stateNumber = "display_number"

// Fields are the settings of an account.
func Fields() []config.Field {
	return []config.Field{
		{
			Name: "phone_number_id", Type: config.String, Required: true,
			Doc: "The id of the number in Meta's app dashboard (not the number itself).", Sample: "106540352242922",
		},
		{
			Name: "access_token", Type: config.Secret, Required: true,
			Doc: "The permanent token of a system user with whatsapp_business_messaging.", Sample: "EAAExampleExampleExample",
		},
		{
			Name: "app_secret", Type: config.Secret, Required: true,
			Doc: "The app's secret, from the app's basic settings: it proves that a call to our hook is Meta's.", Sample: "0123456789abcdef0123456789abcdef",
		},
		{
			Name: "verify_token", Type: config.Secret, Required: true,
			Doc: "A long word of your own, typed into Meta's webhook form as well: Meta shows it once, when the hook is set up.", Sample: "a-long-random-word",
		},
		{
			Name: "display_number", Type: config.String,
			Doc: "The number that shoppers write to, with country code, for links to the chat. Meta is asked for it when absent.", Sample: "+49 151 23456789",
		},
		{
			Name: "templates", Type: config.List,
			Doc: "Approved templates for messages to people who wrote more than 24 hours ago; without one they are not sent.",
			Fields: []config.Field{
				{
					Name: "class", Type: config.Enum, Enum: templateClasses, Required: true,
					Doc: "Which messages it carries.", Sample: "notification",
				},
				{
					Name: "name", Type: config.String, Required: true,
					Doc: "The template's name at Meta. Its body has one variable, {{1}}: our text.", Sample: "shop_alert",
				},
				{
					Name: "languages", Type: config.Strings, Required: true,
					Doc: "The languages in which it is approved; the first also serves contacts of other languages.", Sample: "[en_US, de]",
				},
				{
					Name: "buttons", Type: config.Strings,
					Doc: "The choices of the flow that its quick-reply buttons stand for, in their order; none when it has no buttons.", Sample: "[buy, ask]",
				},
			},
			Sample: "[{class: notification, name: shop_alert, languages: [en_US, de], buttons: [buy, ask]}]",
		},
		{
			Name: "api_base", Type: config.URL, Default: "https://graph.facebook.com/v23.0",
			Doc: "Where the Graph API is, with its version.", Sample: "https://graph.facebook.com/v23.0",
		},
	}
}

// Messenger is one WhatsApp number.
type Messenger struct {
	graph     *graph
	numberID  string
	appSecret []byte
	verify    string
	templates []template
	log       *slog.Logger
	now       func() time.Time
	state     adapters.State
	report    func(state, problem string)
	throttle  throttle
	latest    recent
	ailing    atomic.Bool // Meta said of a message it had taken that the account does not work

	mu     sync.Mutex
	number string // digits of the phone number
}

var (
	_ adapters.Messenger = (*Messenger)(nil)
	_ adapters.Webhook   = (*Messenger)(nil)
	_ adapters.Linker    = (*Messenger)(nil)
	_ adapters.Typer     = (*Messenger)(nil)
	_ adapters.Reactor   = (*Messenger)(nil)
)

var digits = regexp.MustCompile(`^[0-9]+$`)

// New reads the settings. It calls nobody: a refused token shows when Run asks for the number.
func New(s config.Settings, env adapters.Env) (*Messenger, error) {
	m := &Messenger{
		numberID: s.String("phone_number_id"), appSecret: []byte(s.Secret("app_secret").Reveal()), verify: s.Secret("verify_token").Reveal(),
		number: onlyDigits(s.String("display_number")),
		log:    env.Log, now: env.Now, state: env.State, report: env.Report,
	}
	token := strings.TrimSpace(s.Secret("access_token").Reveal())
	m.graph = newGraph(s.String("api_base"), token, env.HTTP, string(m.appSecret), m.verify)
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
	case !digits.MatchString(m.numberID):
		return nil, errors.New("phone_number_id is a number of digits only: Meta's id of the phone number, not the number itself")
	case token == "" || len(m.appSecret) == 0 || m.verify == "":
		return nil, errors.New("backend cloud needs access_token, app_secret and verify_token")
	case s.Has("display_number") && len(m.number) < 7:
		return nil, errors.New("display_number is a phone number with its country code")
	}
	var err error
	if m.templates, err = readTemplates(s.List("templates")); err != nil {
		return nil, err
	}
	return m, nil
}

// Limits says what WhatsApp takes.
func (m *Messenger) Limits() adapters.Limits { return Limits }

// Link opens the chat with "start TOKEN" ready to send. "" until the number is known.
func (m *Messenger) Link(token string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.number == "" {
		return ""
	}
	return "https://wa.me/" + m.number + "?text=" + url.PathEscape("start "+token)
}

// Run makes sure that Meta takes the token, learns the number when it was not set, and waits: messages come to the hook. It
// returns an error only when Meta refuses the token or the number's id.
func (m *Messenger) Run(ctx context.Context, _ adapters.Sink) error {
	m.report("connecting", "")
	if number, err := m.load(ctx); err == nil {
		m.learn(number)
	}
	for attempt := 0; ; attempt++ {
		err := m.identify(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		m.report("failed", err.Error())
		if refused(err) {
			return err
		}
		delay := backoff(attempt)
		m.log.WarnContext(ctx, "whatsapp number not looked up", "problem", err, "again_in", delay)
		if adapters.Wait(ctx, delay) != nil {
			return nil
		}
	}
	m.report("ready", "")
	<-ctx.Done()
	return nil
}

func (m *Messenger) identify(ctx context.Context) error {
	var info struct {
		DisplayPhoneNumber string `json:"display_phone_number"`
	}
	answer, err := m.graph.get(ctx, m.numberID+"?fields=display_phone_number")
	if err != nil {
		return fmt.Errorf("look up phone number %s: %w", m.numberID, err)
	}
	if err := json.Unmarshal(answer, &info); err != nil {
		return fmt.Errorf("look up phone number %s: %w", m.numberID, err)
	}
	number := onlyDigits(info.DisplayPhoneNumber)
	m.learn(number)
	if m.state != nil && number != "" {
		if err := m.state.Save(ctx, stateNumber, number); err != nil {
			m.log.WarnContext(ctx, "whatsapp number not saved", "problem", err)
		}
	}
	return nil
}

// learn takes a number unless the settings have one.
func (m *Messenger) learn(number string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.number == "" {
		m.number = number
	}
}

func (m *Messenger) load(ctx context.Context) (string, error) {
	if m.state == nil {
		return "", nil
	}
	return m.state.Load(ctx, stateNumber)
}

// backoff is 1 s, 2 s, 4 s … 1 min.
func backoff(attempt int) time.Duration { return min(time.Minute, time.Second<<min(attempt, 6)) }

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
