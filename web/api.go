package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/store"
)

// apiRoutes are the REST API. Each stands in openapi.json as well; a test compares the two.
func (s *Server) apiRoutes() []Route {
	route := func(pattern, scope string, handle apiHandler) Route {
		return Route{Pattern: pattern, Allow: Key(scope), Surface: API, Handle: s.api(handle), Fail: s.failAPI}
	}
	return []Route{
		{Pattern: "GET /api/openapi.json", Allow: Public(), Surface: API, Handle: s.openAPI},

		route("GET /api/v1/products/{sku}", "products:read", s.apiProduct),
		route("PUT /api/v1/products/{sku}", "products:write", s.apiPutProduct),

		route("POST /api/v1/watches", "watches", s.apiSubscribe),
		route("GET /api/v1/watches/{id}", "watches", s.apiWatch),
		route("DELETE /api/v1/watches/{id}", "watches", s.apiCancelWatch),

		route("GET /api/v1/fanouts", "products:read", s.apiFanouts),
		route("POST /api/v1/fanouts/{id}/pause", "products:write", s.apiActOnFanout("pause")),
		route("POST /api/v1/fanouts/{id}/resume", "products:write", s.apiActOnFanout("resume")),
		route("POST /api/v1/fanouts/{id}/cancel", "products:write", s.apiActOnFanout("cancel")),

		route("GET /api/v1/conversations", "conversations:read", s.apiConversations),
		route("GET /api/v1/conversations/{id}/messages", "conversations:read", s.apiMessages),
		route("POST /api/v1/conversations/{id}/messages", "conversations:write", s.apiSay),
		route("POST /api/v1/conversations/{id}/return", "conversations:write", s.apiReturn),

		route("GET /api/v1/dead-letters", "conversations:read", s.apiLetters),
		route("POST /api/v1/dead-letters/resend", "conversations:write", s.apiResendLetters),
		route("POST /api/v1/dead-letters/{id}/resend", "conversations:write", s.apiResendLetter),

		route("GET /api/v1/orders", "orders:read", s.apiOrders),
		route("GET /api/v1/orders/{id}", "orders:read", s.apiOrder),
		route("POST /api/v1/orders/{id}/cancel", "orders:write", s.apiCancelOrder),

		route("GET /api/v1/offers", "offers", s.apiOffers),
		route("POST /api/v1/offers/{id}/accept", "offers", s.apiAcceptOffer),
		route("POST /api/v1/offers/{id}/decline", "offers", s.apiDeclineOffer),
		route("POST /api/v1/offers/{id}/counter", "offers", s.apiCounterOffer),
	}
}

// apiCall is a request of the API with its body read and its caller known.
type apiCall struct {
	*http.Request
	caller
	body []byte
}

// apiHandler answers with a status and a value for JSON; with a nil value the answer has no body.
type apiHandler func(ctx context.Context, c apiCall) (status int, value any, err error)

// api reads what an apiHandler needs, sends what it answers, and does a POST with an Idempotency-Key only once.
func (s *Server) api(handle apiHandler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c := apiCall{Request: r, caller: callerOf(r)}
		if !isClean(r.URL.Path) { // no id of ours looks like that, and Postgres would refuse to compare it
			return &Problem{Status: http.StatusNotFound}
		}
		var err error
		if c.body, err = readBody(r); err != nil {
			return err
		}
		name := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || name == "" {
			s.writeAPI(w, s.answer(r.Context(), c, handle))
			return nil
		}
		if len(name) > 255 || strings.IndexFunc(name, func(r rune) bool { return r < 0x21 || r > 0x7e }) >= 0 {
			return badFields(Field{"Idempotency-Key", "must be 1 to 255 visible ASCII characters"})
		}
		return s.once(w, c, name, handle)
	}
}

// readBody reads the body of a request that may have one. An empty body is nil.
func readBody(r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		return nil, nil
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Sentence: "Send the body as it is, without Content-Encoding."}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if len(body) == 0 {
		return nil, nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json" || charset != "" && charset != "utf-8" {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Err: err}
	}
	return body, nil
}

// answer runs the handler. Its error is part of the answer, for a repeated request gets that again too.
func (s *Server) answer(ctx context.Context, c apiCall, handle apiHandler) store.StoredAnswer {
	status, value, err := handle(ctx, c)
	kind := "application/json"
	if err != nil {
		p := apiProblemOf(err)
		if p.Status >= 500 {
			s.log.ErrorContext(ctx, "request failed", "route", c.Pattern, "problem", err)
		}
		status, value, kind = p.Status, p, "application/problem+json"
	}
	if value == nil {
		return store.StoredAnswer{Status: status}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(fmt.Sprintf("marshal %T: %v", value, err)) // our own types always marshal
	}
	return store.StoredAnswer{Status: status, ContentType: kind, Body: b.String()}
}

// finishWithin is how long the answer of a request may take to be kept after its caller hung up.
const finishWithin = 5 * time.Second

// once does a request with an Idempotency-Key, or gives the answer of the first one again.
func (s *Server) once(w http.ResponseWriter, c apiCall, name string, handle apiHandler) error {
	ctx, db := c.Context(), s.opt.BackOffice.Store
	sum := sha256.Sum256([]byte(c.Method + "\x00" + c.URL.RequestURI() + "\x00" + string(c.body)))
	var first *store.StoredAnswer
	err := db.Tx(ctx, func(tx *store.Tx) (err error) {
		first, err = tx.BeginIdempotent(ctx, c.merchant, c.actor, name, hex.EncodeToString(sum[:]))
		return err
	})
	if err != nil {
		return err
	}
	if first != nil {
		w.Header().Set("Idempotent-Replayed", "true")
		s.writeAPI(w, *first)
		return nil
	}
	// 500 is what stays when the handler panics: it is forgotten, so that the client may try again.
	a := store.StoredAnswer{Status: http.StatusInternalServerError}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
		defer cancel()
		err := db.Tx(ctx, func(tx *store.Tx) error { return tx.EndIdempotent(ctx, c.merchant, c.actor, name, a) })
		if err != nil {
			s.log.ErrorContext(ctx, "answer not kept", "route", c.Pattern, "problem", err)
		}
		if a.Body != "" || a.Status < 500 {
			s.writeAPI(w, a)
		}
	}()
	a = s.answer(ctx, c, handle)
	return nil
}

// object reads the body, which must be there.
func (c apiCall) object() (*object, error) { return readObject(c.body) }

// nothing refuses a body with anything in it.
func (c apiCall) nothing() error {
	if c.body == nil {
		return nil
	}
	o, err := c.object()
	if err != nil {
		return err
	}
	return o.done()
}

// isClean says that a text from an address is UTF-8 without control characters.
func isClean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// apiList is the answer of an address that lists. Next is the cursor of the following page, "" on the last.
type apiList struct {
	Items any    `json:"items"`
	Next  string `json:"next"`
}

const (
	pageSize    = 50
	maxPageSize = 200
)

// query reads the parameters of an address and refuses those that are not known.
func (c apiCall) query(known ...string) (url.Values, error) {
	q, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return nil, &Problem{Status: http.StatusBadRequest, Sentence: "The part of the address behind the ? cannot be read.", Err: err}
	}
	var bad []Field
	for name, values := range q {
		switch {
		case len(known) == 0:
			bad = append(bad, Field{name, "this address takes no parameters"})
		case !slices.Contains(known, name):
			bad = append(bad, Field{name, "there is no such parameter; known are " + strings.Join(known, ", ")})
		case len(values) > 1:
			bad = append(bad, Field{name, "stands in the address twice"})
		case !isClean(values[0]):
			bad = append(bad, Field{name, "holds control characters or is not UTF-8"})
		}
	}
	slices.SortFunc(bad, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	if len(bad) > 0 {
		return nil, badFields(bad...)
	}
	return q, nil
}

// page reads the parameters of a list: where it goes on, and how much is wanted.
func readPage(q url.Values) (after string, limit int, err error) {
	limit = pageSize
	if v := q.Get("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > maxPageSize {
			return "", 0, badFields(Field{"limit", fmt.Sprintf("must be a whole number from 1 to %d", maxPageSize)})
		}
	}
	if v := q.Get("cursor"); v != "" {
		b, err := base64.RawURLEncoding.DecodeString(v)
		if err != nil || len(b) < 2 || b[0] != cursorMark {
			return "", 0, badFields(Field{"cursor", `is not one that a list gave as "next"`})
		}
		after = string(b[1:])
	}
	return after, limit, nil
}

// cursorMark begins every cursor, so that a slip is noticed.
const cursorMark = '>'

// cursor hides where a list goes on, so that nobody builds one.
func cursor(after string) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorMark}, after...))
}

// pageOf is a page of a list, of which one more than limit were asked for so as to see whether it goes on. It does so at what after
// says of its last row.
func pageOf[T, S any](all []T, limit int, after func(T) string, show func(T) (S, error)) (page apiList, err error) {
	if len(all) > limit {
		all = all[:limit]
		page.Next = cursor(after(all[limit-1]))
	}
	items := make([]S, len(all))
	for i, row := range all {
		if items[i], err = show(row); err != nil {
			return apiList{}, err
		}
	}
	page.Items = items
	return page, nil
}

// surely is what shows a row and cannot fail.
func surely[T, S any](show func(T) S) func(T) (S, error) {
	return func(row T) (S, error) { return show(row), nil }
}

// atKey is where a list goes on for readKeyPage.
func atKey(key int64) string { return strconv.FormatInt(key, 10) }

// readKeyPage is readPage for lists that go on at a row's key.
func readKeyPage(q url.Values) (before int64, limit int, err error) {
	after, limit, err := readPage(q)
	if err != nil || after == "" {
		return 0, limit, err
	}
	if before, err = strconv.ParseInt(after, 10, 64); err != nil || before < 1 {
		return 0, 0, badFields(Field{"cursor", `is not one that a list gave as "next"`})
	}
	return before, limit, nil
}

// reading reads from the store.
func (s *Server) reading(ctx context.Context, fn func(*store.Tx) error) error {
	return s.opt.BackOffice.Store.View(ctx, fn)
}
