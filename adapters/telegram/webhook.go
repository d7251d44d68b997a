package telegram

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
)

const (
	secretHeader = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // the header's name
	maxUpdate    = 256 << 10                         // bytes of one update
)

func (m *Messenger) setWebhook(ctx context.Context) error {
	_, err := m.api.call(ctx, callTimeout, "setWebhook", tgbotapi.Params{
		"url": m.webhook, "secret_token": m.secret, "allowed_updates": allowedUpdates,
	})
	return err
}

// Hook takes the updates Telegram posts. It answers 200 once sink has taken them; anything else makes Telegram try again.
func (m *Messenger) Hook(sink adapters.Sink) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.webhook == "" {
			http.Error(w, "this account receives by polling", http.StatusNotFound)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "updates are posted", http.StatusMethodNotAllowed)
			return
		}
		shown := r.Header.Get(secretHeader)
		if shown == "" {
			http.Error(w, "the secret is missing", http.StatusUnauthorized)
			return
		}
		if subtle.ConstantTimeCompare([]byte(shown), []byte(m.secret)) != 1 {
			http.Error(w, "the secret is wrong", http.StatusForbidden)
			return
		}
		raw, err := readAll(http.MaxBytesReader(w, r.Body, maxUpdate), r.ContentLength)
		if err != nil {
			if _, big := errors.AsType[*http.MaxBytesError](err); big {
				http.Error(w, "the update is too big", http.StatusRequestEntityTooLarge)
				return
			}
			http.Error(w, "the update did not arrive whole", http.StatusBadRequest)
			return
		}
		u, err := m.convert(raw)
		if err != nil {
			http.Error(w, "this is not an update", http.StatusBadRequest)
			return
		}
		if err := m.hand(r.Context(), []update{u}, sink); err != nil {
			m.log.WarnContext(r.Context(), "telegram update not stored", "update", u.id, "problem", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "not stored, please try again", http.StatusServiceUnavailable)
			return
		}
		if u.callback != "" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(stopSpinning(u.callback)) // best effort; see answer
		}
	})
}

// stopSpinning is what a webhook answers to a pressed button: Telegram carries out the call that stands in the answer, which saves
// that of our own.
func stopSpinning(callback string) []byte {
	b, _ := json.Marshal(struct { // texts always marshal
		Method   string `json:"method"`
		Callback string `json:"callback_query_id"`
	}{"answerCallbackQuery", callback})
	return b
}
