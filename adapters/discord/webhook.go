package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"parley/adapters"
	"parley/conversation"
)

const (
	signatureHeader = "X-Signature-Ed25519"
	timestampHeader = "X-Signature-Timestamp"
	maxInteraction  = 256 << 10 // bytes
	freshness       = 5 * time.Minute
)

// Hook takes the interactions Discord posts, and shows the page that Link leads to. It answers once sink has taken them: Discord does not repeat an interaction that
// failed, the person is shown so and presses again.
func (m *Messenger) Hook(sink adapters.Sink) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Has("start") {
			m.welcome(w, r)
			return
		}
		if m.key == nil {
			http.Error(w, "this account receives over the gateway", http.StatusNotFound)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "interactions are posted", http.StatusMethodNotAllowed)
			return
		}
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInteraction))
		if err != nil {
			if _, big := errors.AsType[*http.MaxBytesError](err); big {
				http.Error(w, "the interaction is too big", http.StatusRequestEntityTooLarge)
				return
			}
			http.Error(w, "the interaction did not arrive whole", http.StatusBadRequest)
			return
		}
		if !m.signed(r.Header, raw) {
			http.Error(w, "the signature is missing, wrong or too old", http.StatusUnauthorized)
			return
		}
		var i interaction
		if err := json.Unmarshal(raw, &i); err != nil || i.Type == 0 {
			http.Error(w, "this is not an interaction", http.StatusBadRequest)
			return
		}
		if i.Type == ping {
			answer(w, ping) // PONG has the same number
			return
		}
		if !i.isPress() {
			http.Error(w, "there is nothing of that kind here", http.StatusBadRequest)
			return
		}
		at, err := m.spotOf(r.Context(), i)
		if err == nil {
			err = sink(r.Context(), []conversation.Event{m.readInteraction(raw, i, at)})
		}
		if err != nil {
			m.log.WarnContext(r.Context(), "discord interaction not stored", "interaction", i.ID, "problem", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "not stored, please try again", http.StatusServiceUnavailable)
			return
		}
		answer(w, deferredUpdate)
	})
}

// signed checks the signature over the time and the raw body, and that the time is now: the library's check takes any time.
func (m *Messenger) signed(header http.Header, body []byte) bool {
	stamp := header.Get(timestampHeader)
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || m.now().Sub(time.Unix(at, 0)).Abs() > freshness {
		return false
	}
	signature, err := hex.DecodeString(header.Get(signatureHeader))
	if err != nil || len(signature) != ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(m.key, append([]byte(stamp), body...), signature)
}

func answer(w http.ResponseWriter, kind int) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"type":`+strconv.Itoa(kind)+`}`)
}
