package cloud

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

	"parley/adapters"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 1 << 20 // bytes
	userAgent   = "Parley/1.0.0"
)

// graph calls the Graph API.
type graph struct {
	base    string
	token   string
	secrets []string
	http    *http.Client
}

// newGraph keeps the secrets to take them out of whatever Meta or the network says. Redirects are not followed: they would
// carry the token elsewhere.
func newGraph(base, token string, house *http.Client, secrets ...string) *graph {
	var c http.Client
	if house != nil {
		c = *house
	}
	c.Timeout = 0 // each call has its own
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &graph{base: strings.TrimSuffix(base, "/"), token: token, secrets: append([]string{token}, secrets...), http: &c}
}

// get reads something, post sends JSON. Both answer with JSON, or fail with a *callError.
func (g *graph) get(ctx context.Context, path string) (json.RawMessage, error) {
	return g.do(ctx, http.MethodGet, path, nil)
}

func (g *graph) post(ctx context.Context, path string, body any) (json.RawMessage, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, &callError{Message: "encode the request: " + err.Error()}
	}
	return g.do(ctx, http.MethodPost, path, data)
}

func (g *graph) do(ctx context.Context, method, path string, body []byte) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var left atomic.Bool
	trace := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			left.Store(true)
		}
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, g.base+"/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, &callError{Message: g.redact(err.Error())}
	}
	r.Header.Set("Authorization", "Bearer "+g.token)
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json") // Meta's description requires it of a GET too
	resp, err := g.http.Do(r)
	if err != nil {
		return nil, g.broken(ctx, err, left.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, g.broken(ctx, fmt.Errorf("read the answer: %w", err), true)
	}
	if resp.StatusCode == http.StatusOK {
		if !json.Valid(answer) {
			return nil, &callError{Message: "the answer is not JSON", Left: true}
		}
		return answer, nil
	}
	return nil, g.refusal(resp, answer)
}

// callError is a call that failed. Its text holds no secret.
type callError struct {
	Status        int           // of HTTP; 0 when there was no answer
	Code, Subcode int           // Meta's; 0 when it gave none
	Message       string        // Meta's, or what happened to the connection
	RetryAfter    time.Duration // where the answer says so
	Left          bool          // the request had left: without an answer it may have been carried out
	cause         error         // context.Canceled or DeadlineExceeded, else nil
}

func (e *callError) Error() string {
	switch {
	case e.Code != 0:
		return fmt.Sprintf("%d (%d): %s", e.Status, e.Code, e.Message)
	case e.Status != 0:
		return fmt.Sprintf("%d: %s", e.Status, e.Message)
	}
	return e.Message
}

func (e *callError) Unwrap() error { return e.cause }

// metaError is how Meta words an error, in answers and in statuses.
type metaError struct {
	Code      int    `json:"code"`
	Subcode   int    `json:"error_subcode"`
	Title     string `json:"title"`
	Message   string `json:"message"`
	ErrorData struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

func (e metaError) text() string {
	text := e.Message
	if text == "" {
		text = e.Title
	}
	if e.ErrorData.Details != "" && e.ErrorData.Details != text {
		text = strings.TrimSuffix(text, ".") + ": " + e.ErrorData.Details
	}
	return text
}

func (g *graph) refusal(resp *http.Response, answer []byte) *callError {
	failed := &callError{Status: resp.StatusCode, Message: http.StatusText(resp.StatusCode), Left: true, RetryAfter: retryAfter(resp.Header)}
	var said struct {
		Error metaError `json:"error"`
	}
	if err := json.Unmarshal(answer, &said); err == nil && said.Error.text() != "" {
		failed.Code, failed.Subcode, failed.Message = said.Error.Code, said.Error.Subcode, g.redact(said.Error.text())
	}
	return failed
}

func (g *graph) broken(ctx context.Context, err error, left bool) *callError {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	failed := &callError{Message: g.redact(err.Error()), Left: left}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		failed.cause, failed.Message = context.DeadlineExceeded, "no answer in time"
	case errors.Is(err, context.Canceled):
		failed.cause = context.Canceled
	}
	return failed
}

// retryAfter reads how long Meta wants peace: Retry-After in seconds, or the minutes in its usage headers.
func retryAfter(h http.Header) time.Duration {
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil && seconds > 0 {
		return adapters.Pause(float64(seconds))
	}
	var usage map[string][]struct {
		Minutes int `json:"estimated_time_to_regain_access"`
	}
	longest := 0
	if err := json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &usage); err == nil {
		for _, limits := range usage {
			for _, limit := range limits {
				longest = max(longest, limit.Minutes)
			}
		}
	}
	return adapters.Pause(60 * float64(longest))
}

// redact takes the secrets out of a text, however they are written there.
func (g *graph) redact(text string) string {
	for _, secret := range g.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
			text = strings.ReplaceAll(text, url.QueryEscape(secret), "***")
		}
	}
	return text
}
