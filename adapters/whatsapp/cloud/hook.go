package cloud

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"parley/adapters"
	"parley/conversation"
)

const (
	signatureHeader = "X-Hub-Signature-256"
	maxDelivery     = 3 << 20 // bytes; Meta's own limit
)

// Hook takes what Meta posts, all of it or nothing. It answers 200 once sink has taken it; on anything else Meta tries again,
// for up to seven days. A GET is Meta asking, once, whether the hook is ours.
func (m *Messenger) Hook(sink adapters.Sink) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			m.challenge(w, r)
		case http.MethodPost:
			m.delivery(w, r, sink)
		default:
			w.Header().Set("Allow", "GET, POST")
			http.Error(w, "messages are posted", http.StatusMethodNotAllowed)
		}
	})
}

// challenge proves to Meta that we know the verify token, by giving back what it says.
func (m *Messenger) challenge(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	known := subtle.ConstantTimeCompare(digest(query.Get("hub.verify_token")), digest(m.verify)) == 1
	if !known || query.Get("hub.mode") != "subscribe" {
		http.Error(w, "the verify token is wrong", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, query.Get("hub.challenge"))
}

// digest makes texts of any length comparable in constant time.
func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func (m *Messenger) delivery(w http.ResponseWriter, r *http.Request, sink adapters.Sink) {
	signature := r.Header.Get(signatureHeader)
	if signature == "" {
		http.Error(w, "the signature is missing", http.StatusUnauthorized)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			http.Error(w, "the delivery is too big", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the delivery did not arrive whole", http.StatusBadRequest)
		return
	}
	if !signed(m.appSecret, raw, signature) {
		http.Error(w, "the signature is wrong", http.StatusForbidden)
		return
	}
	events, err := m.convert(raw)
	if err != nil {
		http.Error(w, "this is not a delivery of WhatsApp", http.StatusBadRequest)
		return
	}
	if len(events) > 0 {
		if err := sink(r.Context(), events); err != nil {
			m.log.WarnContext(r.Context(), "whatsapp delivery not stored", "events", len(events), "problem", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "not stored, please try again", http.StatusServiceUnavailable)
			return
		}
	}
	for _, e := range events {
		switch e.Kind {
		case conversation.Text, conversation.Choice, conversation.Start:
			m.latest.put(e.Chat, e.ID)
		}
	}
	w.WriteHeader(http.StatusOK)
}

// signed checks the signature over the bytes as they came: Meta signs its own spelling of the JSON.
func signed(secret, raw []byte, header string) bool {
	text, ok := strings.CutPrefix(header, "sha256=")
	if !ok {
		return false
	}
	shown, err := hex.DecodeString(text)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(raw)
	return hmac.Equal(shown, mac.Sum(nil))
}
