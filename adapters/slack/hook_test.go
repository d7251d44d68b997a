package slack

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/adapters/slack/workspacetest"
	"parley/conversation"
)

// post sends a signed call to the hook; sign may spoil the signature.
func post(t *testing.T, h http.Handler, contentType, body string, spoil func(http.Header)) *http.Response {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/slack", strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	workspacetest.Sign(req.Header, []byte(body), workspacetest.SigningSecret, time.Now())
	if spoil != nil {
		spoil(req.Header)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Result()
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const helloEvent = `{"type":"event_callback","api_app_id":"A0APP","event_id":"Ev1","event":{"type":"message","channel":"D0ANN","channel_type":"im","user":"U0ANN","text":"hello","ts":"1800000001.000100"}}`

func TestTheHookBelievesOnlySignedFreshCalls(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	hook := b.Hook(b.sink)
	for _, c := range []struct {
		name  string
		body  string
		spoil func(http.Header)
		want  int
	}{
		{"signed", helloEvent, nil, 200},
		{"no signature", helloEvent, func(h http.Header) { h.Del("X-Slack-Signature") }, 401},
		{"no timestamp", helloEvent, func(h http.Header) { h.Del("X-Slack-Request-Timestamp") }, 401},
		{"another body", helloEvent, func(h http.Header) {
			workspacetest.Sign(h, []byte(helloEvent+" "), workspacetest.SigningSecret, time.Now())
		}, 401},
		{"another secret", helloEvent, func(h http.Header) { workspacetest.Sign(h, []byte(helloEvent), "guess", time.Now()) }, 401},
		{"no version", helloEvent, func(h http.Header) { h.Set("X-Slack-Signature", h.Get("X-Slack-Signature")[3:]) }, 401},
		{"no hexadecimal", helloEvent, func(h http.Header) { h.Set("X-Slack-Signature", "v0=xyz") }, 401},
		{"six minutes old", helloEvent, func(h http.Header) {
			workspacetest.Sign(h, []byte(helloEvent), workspacetest.SigningSecret, time.Now().Add(-6*time.Minute))
		}, 401},
		{"of tomorrow", helloEvent, func(h http.Header) {
			workspacetest.Sign(h, []byte(helloEvent), workspacetest.SigningSecret, time.Now().Add(6*time.Minute))
		}, 401},
		{"too big", strings.Repeat(" ", maxPayload+1), nil, 413},
		{"not json", "hello", nil, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(b.events())
			resp := post(t, hook, "application/json", c.body, c.spoil)
			body := bodyOf(t, resp)
			if resp.StatusCode != c.want {
				t.Errorf("got %d %s, want %d", resp.StatusCode, body, c.want)
			}
			if handed := len(b.events()) - before; (c.want == 200) != (handed == 1) {
				t.Errorf("%d events were handed over", handed)
			}
			if strings.Contains(body, "v0=") || strings.Contains(body, workspacetest.SigningSecret) {
				t.Errorf("the answer helps a forger: %s", body)
			}
		})
	}
}

// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack.
func TestTheSignatureIsTheOneOfSlacksDocumentation(t *testing.T) {
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	b := eventsBot(t, "http://127.0.0.1:1/", map[string]string{"signing_secret": "8f742231b10e8888abcd99yyyzzz85a5"})
	b.now = func() time.Time { return time.Unix(1531420618+60, 0) }
	resp := post(t, b.Hook(b.sink), "application/x-www-form-urlencoded", body, func(h http.Header) {
		h.Set("X-Slack-Request-Timestamp", "1531420618")
		h.Set("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %d %s, want 200", resp.StatusCode, bodyOf(t, resp))
	}
}

func TestTheHookAnswersTheChallenge(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", nil)
	resp := post(t, b.Hook(b.sink), "application/json", `{"type":"url_verification","token":"t","challenge":"3eZbrw1a"}`, nil)
	if body := bodyOf(t, resp); resp.StatusCode != http.StatusOK || body != "3eZbrw1a" {
		t.Errorf("got %d %q, want the challenge", resp.StatusCode, body)
	}
}

func TestTheHookAsksForARepeatUntilTheEventIsStored(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	b.refuse = 2
	house := httptest.NewServer(b.Hook(b.sink))
	t.Cleanup(house.Close)
	srv.Hook(house.URL)
	srv.Ann().Type("kept")
	srv.Wait("three answers", func() bool { return len(srv.Answers()) == 3 })
	for i, want := range []int{503, 503, 200} {
		if got := srv.Answers()[i]; got.Status != want || got.Retry != i || (got.After != "") != (want == 503) {
			t.Errorf("answer %d is %+v, want %d, and when to come again if it was not stored", i, got, want)
		}
	}
	events := b.events()
	if len(events) != 3 || events[0].ID != events[2].ID || events[2].Text != "kept" {
		t.Errorf("got %+v, want one event three times", events)
	}
}

func TestAPressedButtonIsNotLostWhenTheHookMustRefuse(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	b.refuse = 1
	house := httptest.NewServer(b.Hook(b.sink))
	t.Cleanup(house.Close)
	srv.Hook(house.URL)
	send(t, b, "D0ANN", 2)
	srv.Ann().Press("choice 1")
	srv.Wait("an answer", func() bool { return len(srv.Answers()) == 1 })
	if got := srv.Answers()[0]; got.Status != http.StatusServiceUnavailable {
		t.Errorf("got %+v, want 503: Slack shows the person that it did not work", got)
	}
	srv.Ann().Press("choice 1")
	first, second := b.await(t, 1), b.await(t, 2)
	if first.Kind != conversation.Choice || first.Value != "value-1" || first.ID == second.ID {
		t.Errorf("got %+v and %+v, want two presses", first, second)
	}
}

func TestTheHookOfASocketAccountTakesNoEvents(t *testing.T) {
	b := newBot(t, "http://127.0.0.1:1/", nil, map[string]string{"app_token": "xapp-1"})
	if resp := post(t, b.Hook(b.sink), "application/json", helloEvent, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("got %d, want 404", resp.StatusCode)
	}
}

func TestALinkShowsWhatToSend(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/", map[string]string{"hook_url": "https://chat.example/hooks/slack", "app_id": "A0APP"})
	const token = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO_-"
	link, err := url.Parse(b.Link(token))
	if err != nil || link.Host != "chat.example" || link.Query().Get("start") != token {
		t.Fatalf("got %v %v, want the hook with the token", link, err)
	}
	get := func(target, language string) (int, http.Header, string) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, bytes.NewReader(nil))
		req.Header.Set("Accept-Language", language)
		rec := httptest.NewRecorder()
		b.Hook(b.sink).ServeHTTP(rec, req)
		return rec.Code, rec.Header(), rec.Body.String()
	}
	for language, word := range map[string]string{"en-GB,de": "Copy", "de-AT": "Kopieren"} {
		code, header, page := get(link.String(), language)
		if code != http.StatusOK || !strings.Contains(page, "start "+token) || !strings.Contains(page, word) ||
			!strings.Contains(page, "https://slack.com/app_redirect?app=A0APP") || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %v\n%s", language, code, header, page)
		}
	}
	for _, bad := range []string{"", "?start=", "?start=%3Cscript%3E", "?start=a%20b"} {
		if code, _, _ := get("/hooks/slack"+bad, "en"); code != http.StatusNotFound {
			t.Errorf("%q: got %d, want 404", bad, code)
		}
	}
}
