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
	"strings"
	"sync/atomic"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

const (
	maxAnswer   = 32 << 20 // bytes; 100 updates stay far below
	usualAnswer = 64 << 10 // bytes that are set aside because a length is announced
)

// exchange is one request and its answer.
type exchange struct {
	ctx    context.Context //nolint:containedctx // it lives for one call; the library has no other way
	http   *http.Client
	trace  httptrace.ClientTrace
	left   atomic.Bool // the request was written completely
	result json.RawMessage
}

// newExchange prepares one. Its request is to be made with the exchange's own context.
func newExchange(ctx context.Context, client *http.Client) *exchange {
	x := &exchange{http: client}
	x.trace.WroteRequest = x.wrote
	x.ctx = httptrace.WithClientTrace(ctx, &x.trace)
	return x
}

func (x *exchange) wrote(info httptrace.WroteRequestInfo) {
	if info.Err == nil {
		x.left.Store(true)
	}
}

// Do is the library's HTTP client. What came of the call is read here, for the library loses the code when an upload is refused; it
// gets an error, or the bare news that all went well.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	if err := x.run(r.WithContext(x.ctx)); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"ok":true}`))}, nil
}

// run does the request and keeps the result. What Telegram refuses is a *tgbotapi.Error.
func (x *exchange) run(r *http.Request) error {
	resp, err := x.http.Do(r)
	if err != nil {
		return err
	}
	// All of it is read first, so that a connection cut in the middle fails here.
	body, err := readAll(io.LimitReader(resp.Body, maxAnswer), resp.ContentLength)
	_ = resp.Body.Close()
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var answer struct {
		OK          *bool                       `json:"ok"`
		Code        int                         `json:"error_code"`
		Description string                      `json:"description"`
		Parameters  tgbotapi.ResponseParameters `json:"parameters"`
		Result      json.RawMessage             `json:"result"`
	}
	err = decode(body, &answer)
	switch {
	case resp.StatusCode < 300 && err != nil:
		return errors.New("the answer is not JSON")
	case resp.StatusCode >= 300 && (err != nil || answer.OK == nil || answer.Code == 0): // a proxy's page
		return &tgbotapi.Error{Code: resp.StatusCode, Message: resp.Status}
	case answer.OK == nil || !*answer.OK:
		return &tgbotapi.Error{Code: answer.Code, Message: answer.Description, ResponseParameters: answer.Parameters}
	}
	x.result = answer.Result
	return nil
}

// readAll is io.ReadAll of what is announced to be so long, in one piece of memory.
func readAll(r io.Reader, length int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(length, 0), usualAnswer)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}
