package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 32 << 20 // bytes; 100 updates stay far below
)

// api calls the Bot API through the library, with what the library lacks: a context for each call, errors without the
// token, and whether the request had left when it failed.
type api struct {
	token    string
	secrets  []string // that no error may tell: the token, and others
	endpoint string
	http     *http.Client
}

func newAPI(token, base string, house *http.Client) *api {
	// The library formats the endpoint with the token and the method.
	base = strings.ReplaceAll(strings.TrimSuffix(base, "/"), "%", "%%")
	return &api{token: token, secrets: []string{token}, endpoint: base + "/bot%s/%s", http: httpClient(house)}
}

// call does one method with plain parameters.
func (a *api) call(ctx context.Context, limit time.Duration, method string, params tgbotapi.Params) (json.RawMessage, error) {
	return a.do(ctx, limit, func(bot *tgbotapi.BotAPI) (*tgbotapi.APIResponse, error) { return bot.MakeRequest(method, params) })
}

// send does one of the library's requests.
func (a *api) send(ctx context.Context, c tgbotapi.Chattable) (json.RawMessage, error) {
	return a.do(ctx, callTimeout, func(bot *tgbotapi.BotAPI) (*tgbotapi.APIResponse, error) { return bot.Request(c) })
}

// do makes a bot for one call: the library keeps no context, so its HTTP client does.
func (a *api) do(ctx context.Context, limit time.Duration, call func(*tgbotapi.BotAPI) (*tgbotapi.APIResponse, error)) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	client := &client{ctx: ctx, http: a.http}
	bot := &tgbotapi.BotAPI{Token: a.token, Client: client}
	bot.SetAPIEndpoint(a.endpoint)
	resp, err := call(bot)
	if err != nil {
		return nil, a.failure(ctx, err, client.left.Load())
	}
	return resp.Result, nil
}

func (a *api) getMe(ctx context.Context) (tgbotapi.User, error) {
	var me tgbotapi.User
	result, err := a.call(ctx, callTimeout, "getMe", nil)
	if err != nil {
		return me, err
	}
	if err := json.Unmarshal(result, &me); err != nil {
		return me, fmt.Errorf("read the bot's name: %w", err)
	}
	return me, nil
}

func (a *api) answerCallback(ctx context.Context, id string) error {
	_, err := a.send(ctx, tgbotapi.NewCallback(id, ""))
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
	if err := json.Unmarshal(result, &raws); err != nil {
		return nil, fmt.Errorf("read updates: %w", err)
	}
	return raws, nil
}

// client is the library's HTTP client for one call.
type client struct {
	ctx  context.Context //nolint:containedctx // it lives for one call; the library has no other way
	http *http.Client
	left atomic.Bool // the request was written completely
}

// Do reads the whole answer, so that a connection cut in the middle of it fails here, and gives the library JSON even where
// a proxy answered with a page.
func (c *client) Do(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			c.left.Store(true)
		}
	}}
	resp, err := c.http.Do(r.WithContext(httptrace.WithClientTrace(c.ctx, trace)))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	var answer struct {
		OK        *bool `json:"ok"`
		ErrorCode int   `json:"error_code"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case resp.StatusCode < 300 && err != nil:
		return nil, errors.New("the answer is not JSON")
	case resp.StatusCode >= 300 && (err != nil || answer.OK == nil || answer.ErrorCode == 0):
		body, err = json.Marshal(map[string]any{"ok": false, "error_code": resp.StatusCode, "description": resp.Status})
		if err != nil {
			return nil, err
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
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
