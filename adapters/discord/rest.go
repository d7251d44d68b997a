package discord

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

	"github.com/bwmarrin/discordgo"

	"parley/adapters"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 16 << 20 // bytes; 100 messages stay far below
)

// rest calls Discord's HTTP API through the library, with what the library lacks: it never sleeps for a rate limit, and its
// errors hold neither the token nor addresses, which can hold an interaction's token.
type rest struct {
	token   string
	http    *http.Client
	carrier carrier
	rates   *rates
	now     func() time.Time
}

func newREST(token, base string, house *http.Client, now func() time.Time) (*rest, error) {
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || u.Host == "" {
		return nil, errors.New("api_base is not an address")
	}
	client := httpClient(house)
	inner := client.Transport
	if inner == nil {
		inner = http.DefaultTransport
	}
	return &rest{token: token, http: client, carrier: carrier{base: u, inner: inner}, rates: newRates(now), now: now}, nil
}

// httpClient is the house's without following redirects, which would carry the token elsewhere. Every call brings its own
// time limit.
func httpClient(house *http.Client) *http.Client {
	var c http.Client
	if house != nil {
		c = *house
	}
	c.Timeout = 0
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// call does one request. path is below the API's version; its limits are counted by method and path.
func (r *rest) call(ctx context.Context, method, path string, body, into any) error {
	bucket, _, _ := strings.Cut(path, "?")
	return r.callAs(ctx, method, path, bucket, body, into)
}

// callAs is call for a path that says too much to be the name of a limit.
func (r *rest) callAs(ctx context.Context, method, path, bucket string, body, into any) error {
	bucket = method + " " + bucket
	if pause, global := r.rates.pause(bucket); pause > 0 {
		return &callError{Status: http.StatusTooManyRequests, Message: "Discord asked for a pause", RetryAfter: pause, Global: global}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := *r.http
	one := &exchange{carrier: r.carrier}
	client.Transport = one
	// A session for each call: the library's limiter would sleep without heeding ctx.
	session := &discordgo.Session{
		Client: &client, Token: "Bot " + r.token, Ratelimiter: discordgo.NewRatelimiter(), LogLevel: silent,
		UserAgent: "DiscordBot (https://github.com/bwmarrin/discordgo, v" + discordgo.VERSION + ")",
	}
	data, err := session.RequestWithBucketID(method, discordgo.EndpointAPI+path, body, bucket, discordgo.WithContext(ctx))
	if one.status == 0 || one.status < http.StatusMultipleChoices && err != nil {
		return r.broke(ctx, err, one.left.Load())
	}
	r.rates.note(bucket, one.status, one.header)
	if one.status >= http.StatusMultipleChoices {
		return r.refusal(one, bucket)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return &callError{Status: one.status, Left: true, Message: "the answer is not what Discord says: " + r.redact(err.Error())}
	}
	return nil
}

// silent is below every level of the library, which logs to the standard logger.
const silent = discordgo.LogError - 1

// carrier brings the library's requests to the configured server.
type carrier struct {
	base  *url.URL
	inner http.RoundTripper
}

// apiVersion is the API's version of which Discord publishes the description. The library speaks the one before; nothing
// that we use differs.
const apiVersion = "/api/v10"

// RoundTrip sends the request where the API is. The question for the gateway becomes the one for bots, which checks the token.
func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v"+discordgo.APIVersion)
	if path == "/gateway" {
		path = "/gateway/bot"
	}
	to, err := url.Parse(c.base.String() + apiVersion + path)
	if err != nil {
		return nil, errors.New("the address of the request is not one")
	}
	to.RawQuery = r.URL.RawQuery
	r.URL, r.Host = to, to.Host
	return c.inner.RoundTrip(r)
}

// exchange is one request and its answer.
type exchange struct {
	carrier carrier
	left    atomic.Bool // the request was written completely
	status  int         // 0 until a whole answer was read
	header  http.Header
	body    []byte
}

// RoundTrip reads the whole answer, so that a connection cut in the middle of it fails here.
func (e *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			e.left.Store(true)
		}
	}}
	resp, err := e.carrier.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	e.status, e.header, e.body = resp.StatusCode, resp.Header, body
	resp.Body = io.NopCloser(bytes.NewReader(body))
	// The library would wait for these headers; rates does the counting.
	resp.Header = http.Header{}
	return resp, nil
}

// callError is a call that failed. Its text holds no token.
type callError struct {
	Status     int           // HTTP's; 0 when there was no answer
	Code       int           // Discord's own; 0 when it gave none
	Message    string        // Discord's, or what happened to the connection
	RetryAfter time.Duration // with 429
	Global     bool          // with 429: the whole account must pause
	Left       bool          // the request had left: without an answer it may have been carried out
	cause      error         // context.Canceled or DeadlineExceeded, else nil
}

func (e *callError) Error() string {
	switch {
	case e.Status == 0:
		return e.Message
	case e.Code == 0:
		return fmt.Sprintf("%d %s", e.Status, e.Message)
	}
	return fmt.Sprintf("%d %s (code %d)", e.Status, e.Message, e.Code)
}

func (e *callError) Unwrap() error { return e.cause }

// refusal reads what Discord answered instead of doing it.
func (r *rest) refusal(e *exchange, bucket string) *callError {
	failed := &callError{Status: e.status, Left: true, Message: http.StatusText(e.status)}
	var said struct {
		Message    string          `json:"message"`
		Code       int             `json:"code"`
		RetryAfter float64         `json:"retry_after"`
		Global     bool            `json:"global"`
		Errors     json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(e.body, &said) == nil && said.Message != "" {
		failed.Code, failed.Message = said.Code, said.Message
		if len(said.Errors) > 0 {
			failed.Message += ": " + short(string(said.Errors), 300)
		}
	}
	failed.Message = r.redact(failed.Message)
	if e.status == http.StatusTooManyRequests {
		failed.RetryAfter = seconds(said.RetryAfter)
		if failed.RetryAfter == 0 {
			after, _ := strconv.ParseFloat(e.header.Get("Retry-After"), 64)
			failed.RetryAfter = seconds(after)
		}
		failed.RetryAfter = max(failed.RetryAfter, 100*time.Millisecond)
		failed.Global = said.Global || e.header.Get("X-RateLimit-Global") != "" || said.Message == "" // a page of their proxy binds all
		r.rates.hold(bucket, failed.RetryAfter, failed.Global)
	}
	return failed
}

// broke is a call without an answer.
func (r *rest) broke(ctx context.Context, err error, left bool) *callError {
	var outer *url.Error // its text holds the address
	if errors.As(err, &outer) {
		err = outer.Err
	}
	failed := &callError{Message: r.redact(err.Error()), Left: left}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		failed.cause, failed.Message = context.DeadlineExceeded, "no answer in time"
	case errors.Is(err, context.Canceled):
		failed.cause = context.Canceled
	}
	return failed
}

// redact takes the token out of a text.
func (r *rest) redact(text string) string { return strings.ReplaceAll(text, r.token, "***") }

func seconds(s float64) time.Duration { return adapters.Pause(s).Round(time.Millisecond) }

func short(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
