package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
)

const callTimeout = 20 * time.Second

// api calls the Bot API, with what the library lacks: a context for each call, errors without the token, and whether the request
// had left when it failed. The library writes the requests that it knows.
type api struct {
	token    string
	secrets  []string // that no error may tell: the token, and others
	base     string   // the address of a method without its name
	endpoint string   // the same for the library, which formats it with the token and the method
	http     *http.Client
}

func newAPI(token, base string, house *http.Client) *api {
	base = strings.TrimSuffix(base, "/")
	return &api{
		token: token, secrets: []string{token}, http: httpClient(house),
		base: base + "/bot" + token + "/", endpoint: strings.ReplaceAll(base, "%", "%%") + "/bot%s/%s",
	}
}

// call does one method with plain parameters.
func (a *api) call(ctx context.Context, limit time.Duration, method string, params tgbotapi.Params) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	x := newExchange(ctx, a.http)
	req, err := http.NewRequestWithContext(x.ctx, http.MethodPost, a.base+method, strings.NewReader(form(params)))
	if err != nil {
		return nil, a.failure(ctx, err, false)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := x.run(req); err != nil {
		return nil, a.failure(ctx, err, x.left.Load())
	}
	return x.result, nil
}

// form writes parameters. Their names need no escaping.
func form(params tgbotapi.Params) string {
	var b strings.Builder
	b.Grow(256)
	for name, value := range params {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(value))
	}
	return b.String()
}

// send does one of the library's requests. The library keeps no context: the HTTP client that it is given for one call does.
func (a *api) send(ctx context.Context, c tgbotapi.Chattable) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	x := newExchange(ctx, a.http)
	bot := &tgbotapi.BotAPI{Token: a.token, Client: x}
	bot.SetAPIEndpoint(a.endpoint)
	if _, err := bot.Request(c); err != nil {
		return nil, a.failure(ctx, err, x.left.Load())
	}
	return x.result, nil
}

func (a *api) getMe(ctx context.Context) (tgbotapi.User, error) {
	var me tgbotapi.User
	result, err := a.call(ctx, callTimeout, "getMe", nil)
	if err != nil {
		return me, err
	}
	if err := decode(result, &me); err != nil {
		return me, fmt.Errorf("read the bot's name: %w", err)
	}
	return me, nil
}

func (a *api) answerCallback(ctx context.Context, id string) error {
	_, err := a.call(ctx, callTimeout, "answerCallbackQuery", tgbotapi.Params{"callback_query_id": id})
	return err
}

// getUpdates asks for updates from offset on; the server may keep the question open for timeout.
func (a *api) getUpdates(ctx context.Context, offset int, timeout time.Duration) ([]json.RawMessage, error) {
	result, err := a.call(ctx, timeout+callTimeout, "getUpdates", tgbotapi.Params{
		"offset":          strconv.Itoa(offset),
		"timeout":         strconv.Itoa(int(timeout / time.Second)),
		"limit":           "100",
		"allowed_updates": allowedUpdates,
	})
	if err != nil {
		return nil, err
	}
	var raws []json.RawMessage
	if err := decode(result, &raws); err != nil {
		return nil, fmt.Errorf("read updates: %w", err)
	}
	return raws, nil
}

// callError is a call that failed. Its text holds no token.
type callError struct {
	Code       int           // the Bot API's, which are HTTP's; 0 when there was no answer
	Message    string        // the Bot API's description, or what happened to the connection
	RetryAfter time.Duration // with 429
	MovedTo    int64         // the chat has become another; 0 when not
	Left       bool          // the request had left: without an answer it may have been carried out
	cause      error         // context.Canceled or DeadlineExceeded, else nil
}

func (e *callError) Error() string {
	if e.Code == 0 {
		return e.Message
	}
	return fmt.Sprintf("%d %s", e.Code, e.Message)
}

func (e *callError) Unwrap() error { return e.cause }

// refused says that the token is not a bot's: nothing will work until the config is changed.
func (e *callError) refused() bool {
	return e.Code == http.StatusUnauthorized || e.Code == http.StatusNotFound
}

func (a *api) failure(ctx context.Context, err error, left bool) error {
	var answered *tgbotapi.Error
	if errors.As(err, &answered) {
		return &callError{
			Code: answered.Code, Message: a.redact(answered.Message), Left: true,
			RetryAfter: adapters.Pause(float64(answered.RetryAfter)), MovedTo: answered.MigrateToChatID,
		}
	}
	var outer *url.Error // its text holds the address, and that the token
	if errors.As(err, &outer) {
		err = outer.Err
	}
	failed := &callError{Message: a.redact(err.Error()), Left: left}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		failed.cause, failed.Message = context.DeadlineExceeded, "no answer in time"
	case errors.Is(err, context.Canceled):
		failed.cause = context.Canceled
	}
	return failed
}

// redacted is text without the token: itself where that is not in it.
func (a *api) redacted(text []byte) []byte {
	if !bytes.Contains(text, []byte(a.token)) {
		return text
	}
	return bytes.ReplaceAll(text, []byte(a.token), []byte("***"))
}

// redact takes the secrets out of a text, however they are written there.
func (a *api) redact(text string) string {
	for _, secret := range a.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
			text = strings.ReplaceAll(text, url.QueryEscape(secret), "***")
		}
	}
	return text
}
