package discord

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/adapters/discord/discordtest"
	"parley/conversation"
)

func TestTheHookTakesOnlyWhatDiscordSignedJustNow(t *testing.T) {
	t.Parallel()
	srv := discordtest.Start(t)
	b := newBot(t, srv, &memory{}, map[string]string{"mode": "webhook", "public_key": srv.PublicKey()})
	const press = `{"id":"1234567890123","type":3,"channel_id":"55","token":"interaction-secret-1","user":{"id":"77"},"data":{"custom_id":"v","component_type":2}}`
	sign := func(at time.Time) func(http.Header, []byte) {
		return func(h http.Header, body []byte) { srv.Sign(h, body, at) }
	}
	now := sign(time.Now())
	for _, c := range []struct {
		name   string
		body   string
		sign   func(http.Header, []byte)
		refuse bool
		status int
		answer string
		stored int
	}{
		{"ping", `{"type":1,"id":"1"}`, now, false, 200, `{"type":1}`, 0},
		{"a press", press, now, false, 200, `{"type":6}`, 1},
		{"not stored", press, now, true, 503, "", 0},
		{"unsigned", press, func(http.Header, []byte) {}, false, 401, "", 0},
		{"signed for another body", press, func(h http.Header, _ []byte) { srv.Sign(h, []byte("{}"), time.Now()) }, false, 401, "", 0},
		{"signed for another time", press, func(h http.Header, b []byte) {
			srv.Sign(h, b, time.Now())
			h.Set(timestampHeader, "1")
		}, false, 401, "", 0},
		{"an old signature", press, sign(time.Now().Add(-6 * time.Minute)), false, 401, "", 0},
		{"a signature from the future", press, sign(time.Now().Add(6 * time.Minute)), false, 401, "", 0},
		{"a signature that is none", press, func(h http.Header, b []byte) {
			srv.Sign(h, b, time.Now())
			h.Set(signatureHeader, "abcd")
		}, false, 401, "", 0},
		{"too big", strings.Repeat(" ", maxInteraction+1), now, false, 413, "", 0},
		{"not JSON", "hello", now, false, 400, "", 0},
		{"a command we never made", `{"type":2,"id":"5","user":{"id":"77"},"data":{"name":"x"}}`, now, false, 400, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var stored []conversation.Event
			hook := b.Hook(func(_ context.Context, events []conversation.Event) error {
				if c.refuse {
					return errors.New("commit failed")
				}
				stored = append(stored, events...)
				return nil
			})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/discord", strings.NewReader(c.body))
			c.sign(r.Header, []byte(c.body))
			w := httptest.NewRecorder()
			hook.ServeHTTP(w, r)
			if w.Code != c.status || c.answer != "" && w.Body.String() != c.answer || len(stored) != c.stored {
				t.Errorf("got %d %s and %d events, want %d %s and %d", w.Code, w.Body, len(stored), c.status, c.answer, c.stored)
			}
			for _, e := range stored {
				if e.Value != "v" || e.Chat != "55" || e.Sender != "77" || strings.Contains(string(e.Raw), "secret") {
					t.Errorf("got %+v", e)
				}
			}
		})
	}
}

func TestTheHookIsClosedWhileInteractionsComeOverTheGateway(t *testing.T) {
	t.Parallel()
	b := newBot(t, discordtest.Start(t), &memory{}, map[string]string{})
	for method, status := range map[string]int{http.MethodPost: 404, http.MethodGet: 404} {
		w := httptest.NewRecorder()
		b.Hook(b.inbox.sink).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader("{}")))
		if w.Code != status {
			t.Errorf("%s: got %d, want %d", method, w.Code, status)
		}
	}
}

func TestTheLinksPageShowsTheWordsToWrite(t *testing.T) {
	t.Parallel()
	const token = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"
	b := newBot(t, discordtest.Start(t), &memory{}, map[string]string{"hook_url": "https://chat.example/hooks/discord"})
	get := func(query, language string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/hooks/discord?"+query, nil)
		r.Header.Set("Accept-Language", language)
		w := httptest.NewRecorder()
		b.Hook(b.inbox.sink).ServeHTTP(w, r)
		return w
	}
	if w := get("start="+token, "en"); w.Code != http.StatusNotFound || b.Link(token) != "" {
		t.Errorf("got %d and %q before the bot's id is known", w.Code, b.Link(token))
	}
	b.setBot(discordtest.Bot)
	if got, want := b.Link(token), "https://chat.example/hooks/discord?start="+token; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for language, open := range map[string]string{"en-GB": "Open Discord", "de-AT,de": "Discord öffnen"} {
		page := get("start="+token, language)
		for _, part := range []string{"<code>start " + token + "</code>", "https://discord.com/users/" + discordtest.Bot, open} {
			if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), part) {
				t.Errorf("%s: %d without %q:\n%s", language, page.Code, part, page.Body)
			}
		}
	}
	for _, bad := range []string{"start=", "start=%3Cscript%3E", "start=a+b+c+d+e+f+g+h+i+j+k+l"} {
		if w := get(bad, "en"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "script") {
			t.Errorf("%s: got %d %s", bad, w.Code, w.Body)
		}
	}
}
