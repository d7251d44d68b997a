package slack

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
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	slackgo "github.com/slack-go/slack"

	"parley/adapters"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 4 << 20 // bytes
)

// api calls the Web API through the library, with what the library lacks: errors without a token, and whether the request
// had left when it failed.
type api struct {
	bot, app string // tokens
	base     string
	http     *http.Client
}

func newAPI(bot, app, base string, house *http.Client) *api {
	return &api{bot: bot, app: app, base: strings.TrimSuffix(base, "/") + "/", http: httpClient(house)}
}

// client is the library's for one call, or for one connection of the socket.
func (a *api) client(c *client) *slackgo.Client {
	return slackgo.New(a.bot, slackgo.OptionAPIURL(a.base), slackgo.OptionHTTPClient(c), slackgo.OptionAppLevelToken(a.app))
}

// do makes one call. Its failure is a *callError.
func (a *api) do(ctx context.Context, call func(context.Context, *slackgo.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := &client{http: a.http}
	if err := call(ctx, a.client(c)); err != nil {
		return a.failure(ctx, err, c.left.Load())
	}
	return nil
}

func (a *api) authTest(ctx context.Context) (me *slackgo.AuthTestResponse, err error) {
	err = a.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
		me, err = c.AuthTestContext(ctx)
		return err
	})
	return me, err
}

// post writes a message and returns where Slack put it.
func (a *api) post(ctx context.Context, channel string, options []slackgo.MsgOption) (at, ts string, err error) {
	err = a.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
		at, ts, err = c.PostMessageContext(ctx, channel, options...)
		return err
	})
	return at, ts, err
}

func (a *api) update(ctx context.Context, channel, ts string, options []slackgo.MsgOption) error {
	return a.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
		_, _, _, err := c.UpdateMessageContext(ctx, channel, ts, options...)
		return err
	})
}

// client is the library's HTTP client.
type client struct {
	http *http.Client
	left atomic.Bool // a request was written completely
}

// Do reads the whole answer, so that a connection cut in the middle of it fails here and not as odd JSON.
func (c *client) Do(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			c.left.Store(true)
		}
	}}
	resp, err := c.http.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	var answer struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	err = json.Unmarshal(body, &answer)
	if resp.StatusCode == http.StatusOK {
		// The library takes an answer that says neither for a success.
		if err != nil || answer.OK == nil || !*answer.OK && answer.Error == "" {
			return nil, errors.New("the answer is not one of the Web API")
		}
	}
	if after := resp.Header.Get("Retry-After"); after != "" {
		if seconds, err := strconv.ParseInt(after, 10, 32); err != nil || seconds < 0 {
			resp.Header.Del("Retry-After")
		}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// callError is a call that failed. Its text holds no token.
type callError struct {
	Code       string        // Slack's own word; "" when it gave none
	Status     int           // of HTTP, where that says it all; else 0
	Message    string        // for the admin
	RetryAfter time.Duration // with a rate limit
	Left       bool          // the request had left: without an answer it may have been carried out
	cause      error         // context.Canceled or DeadlineExceeded, else nil
}

func (e *callError) Error() string { return e.Message }

func (e *callError) Unwrap() error { return e.cause }

// brokenCodes say that the account does not work until the admin has done something about it.
var brokenCodes = []string{
	"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "no_permission",
	"not_allowed_token_type", "access_denied", "ekm_access_denied", "team_access_not_granted", "org_login_required",
	"two_factor_setup_required", "team_not_found", "app_missing_action_url", "messages_tab_disabled", "unknown_method",
	"method_deprecated", "invalid_app_id", "forbidden_team", "enterprise_is_restricted",
}

func (e *callError) broken() bool {
	if e.Code != "" {
		return slices.Contains(brokenCodes, e.Code)
	}
	switch e.Status {
	case 0, http.StatusTooManyRequests:
		return false
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return e.Status < http.StatusBadRequest // a redirect is not the Web API
}

func (e *callError) throttled() bool {
	return e.Status == http.StatusTooManyRequests || slices.Contains([]string{"ratelimited", "rate_limited", "message_limit_exceeded"}, e.Code)
}

func (a *api) failure(ctx context.Context, err error, left bool) *callError {
	failed := &callError{Left: left}
	if limited, ok := errors.AsType[*slackgo.RateLimitedError](err); ok {
		failed.Status, failed.RetryAfter = http.StatusTooManyRequests, adapters.Pause(limited.RetryAfter.Seconds())
		failed.Message = fmt.Sprintf("too many requests, again in %v", limited.RetryAfter)
		return failed
	}
	if refusal, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		failed.Code, failed.Message = refusal.Err, refusal.Err
		if refusal.Needed != "" {
			failed.Message += ": the app needs the scope " + refusal.Needed
		}
		for _, more := range refusal.ResponseMetadata.Messages {
			failed.Message += ": " + more
		}
		failed.Message = a.redact(failed.Message)
		return failed
	}
	if status, ok := errors.AsType[slackgo.StatusCodeError](err); ok {
		failed.Status, failed.Message = status.Code, a.redact("Slack answered "+status.Status)
		return failed
	}
	if outer, ok := errors.AsType[*url.Error](err); ok { // its text holds the address: of the socket that is a secret
		err = outer.Err
	}
	failed.Message = a.redact(err.Error())
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		failed.cause, failed.Message = context.DeadlineExceeded, "no answer in time"
	case errors.Is(err, context.Canceled):
		failed.cause = context.Canceled
	}
	return failed
}

// redact takes the tokens out of a text, however they are written there.
func (a *api) redact(text string) string {
	for _, token := range []string{a.bot, a.app} {
		if token != "" {
			text = strings.ReplaceAll(text, token, "***")
			text = strings.ReplaceAll(text, url.QueryEscape(token), "***")
		}
	}
	return text
}
