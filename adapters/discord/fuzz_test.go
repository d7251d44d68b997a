package discord

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/discord/discordtest"
	"parley/config"
	"parley/conversation"
)

var fuzzKey = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

// fuzzed is a bot that is called by its hook, at an instant that stands still, and reaches nobody.
func fuzzed(t testing.TB, now time.Time) *Messenger {
	t.Helper()
	s, err := config.NewSettings(Spec.Fields, map[string]string{
		"token": discordtest.Token, "api_base": "http://127.0.0.1:1", "mode": "webhook", "public_key": hex.EncodeToString(fuzzKey.Public().(ed25519.PublicKey)),
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, adapters.Env{HTTP: &http.Client{Transport: nobody{}}, State: &memory{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// nobody is a network on which there is nobody.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody is there")
}

func signedAt(body []byte, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return http.Header{timestampHeader: {stamp}, signatureHeader: {hex.EncodeToString(ed25519.Sign(fuzzKey, append([]byte(stamp), body...)))}}
}

func FuzzHook(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	m := fuzzed(f, now)
	for _, body := range []string{
		`{"type":1,"id":"1"}`, `{"type":3}`, `{"type":2}`, `[]`, ``, `{"type":1e99}`,
		`{"id":"1234567890123","type":3,"channel_id":"55","channel":{"id":"55","type":1},"token":"t","user":{"id":"77"},"data":{"custom_id":"v","component_type":2}}`,
		`{"id":"x","type":3,"guild_id":"1","channel_id":"55","channel":{"id":"55","type":11,"parent_id":"9"},"member":{"user":{"id":"77"}},"data":{"custom_id":"v","values":["a"],"component_type":3}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var events []conversation.Event
		hook := m.Hook(func(_ context.Context, all []conversation.Event) error {
			events = append(events, all...)
			return nil
		})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/d", strings.NewReader(body))
		r.Header = signedAt([]byte(body), now)
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable { // 503: it has to ask Discord what channel that is
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		for _, e := range events {
			if e.ID == "" || e.Kind == "" || e.Value == "" {
				t.Errorf("an event that is none came of %q: %+v", body, e)
			}
		}
	})
}

func FuzzSignature(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	m := fuzzed(f, now)
	genuine := signedAt([]byte("body"), now)
	stamp, signature := genuine[timestampHeader][0], genuine[signatureHeader][0]
	f.Add(stamp, signature, "body")
	f.Add("", "", "")
	f.Add("-9223372036854775808", "00", "body")
	f.Fuzz(func(t *testing.T, at, signed, body string) {
		if m.signed(http.Header{timestampHeader: {at}, signatureHeader: {signed}}, []byte(body)) && (!strings.EqualFold(signed, signature) || at+body != stamp+"body") {
			t.Errorf("%q at %q was taken for a signature of %q", signed, at, body)
		}
	})
}

func TestASignatureHoldsForFiveMinutesEitherWay(t *testing.T) {
	made := time.Unix(1_800_000_000, 0)
	header := signedAt([]byte("{}"), made)
	for after, fresh := range map[time.Duration]bool{0: true, 299 * time.Second: true, -299 * time.Second: true, 301 * time.Second: false, -301 * time.Second: false} {
		if got := fuzzed(t, made.Add(after)).signed(header, []byte("{}")); got != fresh {
			t.Errorf("after %v it is taken: %v, want %v", after, got, fresh)
		}
	}
}
