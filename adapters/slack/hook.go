package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/adapters"
)

const (
	maxPayload = 1 << 20         // bytes of one call
	freshness  = 5 * time.Minute // an older call may be somebody else's copy
)

// Hook takes what Slack posts: events and pressed buttons alike. It answers 200 once sink has taken them; anything else
// makes Slack try again. A GET is a person who opened a link of ours.
func (m *Messenger) Hook(sink adapters.Sink) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			m.welcome(w, r)
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "events are posted", http.StatusMethodNotAllowed)
		case m.mode != modeEvents:
			http.Error(w, "this account receives over a socket", http.StatusNotFound)
		default:
			m.called(w, r, sink)
		}
	})
}

func (m *Messenger) called(w http.ResponseWriter, r *http.Request, sink adapters.Sink) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			http.Error(w, "the call is too big", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the call did not arrive whole", http.StatusBadRequest)
		return
	}
	if err := m.verify(r.Header, raw); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	// Slack hangs up after 3 s; what is in hand is stored all the same, and its repeat drops out.
	ctx := context.WithoutCancel(r.Context())
	in, challenge, err := m.read(ctx, r.Header.Get("Content-Type"), raw)
	switch {
	case errors.Is(err, errNotOurs):
		http.Error(w, "this is not a call of Slack's", http.StatusBadRequest)
		return
	case challenge != "":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		fmt.Fprint(w, challenge)
		return
	case err == nil:
		err = m.hand(ctx, in, sink)
	}
	if err != nil {
		m.log.WarnContext(ctx, "slack event not stored", "retry", r.Header.Get("X-Slack-Retry-Num"), "problem", err)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "not stored, please try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// read tells events from pressed buttons, which come as a form.
func (m *Messenger) read(ctx context.Context, contentType string, raw []byte) (in taken, challenge string, err error) {
	if kind, _, _ := mime.ParseMediaType(contentType); kind == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return in, "", errNotOurs
		}
		if form.Has("payload") {
			in, err = m.fromInteraction(ctx, []byte(form.Get("payload")))
			return in, "", err
		}
		return in, "", nil // a slash command, which we do not have
	}
	var outer callback
	if err := json.Unmarshal(raw, &outer); err != nil {
		return in, "", errNotOurs
	}
	if outer.Type == "url_verification" {
		return in, outer.Challenge, nil
	}
	in, err = m.fromCallback(ctx, raw)
	return in, "", err
}

// verify checks the signature over the raw body. Its error says nothing that helps to forge one.
func (m *Messenger) verify(header http.Header, raw []byte) error {
	stamp, shown := header.Get("X-Slack-Request-Timestamp"), header.Get("X-Slack-Signature")
	if stamp == "" || shown == "" {
		return errors.New("the signature is missing")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("the timestamp is not a number")
	}
	mac := hmac.New(sha256.New, m.signing)
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(raw)
	given, err := hex.DecodeString(strings.TrimPrefix(shown, "v0="))
	if err != nil || !strings.HasPrefix(shown, "v0=") || !hmac.Equal(mac.Sum(nil), given) {
		return errors.New("the signature is wrong")
	}
	if m.now().Sub(time.Unix(seconds, 0)).Abs() > freshness {
		return errors.New("the call is too old")
	}
	return nil
}
