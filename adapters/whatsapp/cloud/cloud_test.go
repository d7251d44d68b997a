package cloud

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
	"parley/config"
	"parley/conversation"
)

func TestLinkOpensTheChatWithTheToken(t *testing.T) {
	const token = "q3-_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc"
	s := newShop(t, map[string]string{"display_number": cloudtest.DisplayNumber})
	s.ann.Open(s.Link(token))
	s.srv.WaitTaken()
	if e := s.inbox.all()[0]; e.Kind != conversation.Start || e.Value != token {
		t.Errorf("got %+v, want the token", e)
	}
	if got := s.Link("tok"); got != "https://wa.me/15550783881?text=start%20tok" {
		t.Errorf("got %s", got)
	}
}

func TestRunLearnsTheNumberAndWaitsForIt(t *testing.T) {
	s := newShop(t, nil)
	if got := s.Link("tok"); got != "" {
		t.Errorf("got %s, want no link while the number is not known", got)
	}
	states := make(chan string, 10)
	s.report = func(state, _ string) { states <- state }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx, nil) }()
	if a, b := <-states, <-states; a != "connecting" || b != "ready" {
		t.Errorf("got %s, %s, want connecting, ready", a, b)
	}
	if got := s.Link("tok"); got != "https://wa.me/15550783881?text=start%20tok" {
		t.Errorf("got %s", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestRunEndsWhenMetaRefusesTheAccount(t *testing.T) {
	for name, setting := range map[string][2]string{"token": {"access_token", "EAAwrong"}, "number": {"phone_number_id", "999"}} {
		t.Run(name, func(t *testing.T) {
			srv := cloudtest.Start(t)
			m := newMessenger(t, srv.URL(), adapters.Env{HTTP: srv.Client()}, map[string]string{setting[0]: setting[1]})
			if err := m.Run(t.Context(), nil); err == nil || strings.Contains(err.Error(), "EAAwrong") {
				t.Errorf("got %v, want an error that does not show the token", err)
			}
		})
	}
}

// outage answers 503 some times, then with the number.
type outage struct{ left int }

func (o *outage) RoundTrip(*http.Request) (*http.Response, error) {
	status, body := http.StatusOK, `{"display_phone_number":"+1 555"}`
	if o.left--; o.left >= 0 {
		status, body = http.StatusServiceUnavailable, "<html>"
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
}

func TestRunOutlastsAnOutageOfMetas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{HTTP: &http.Client{Transport: &outage{left: 8}}}, nil)
		var states []string
		m.report = func(state, _ string) { states = append(states, state) }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- m.Run(ctx, nil) }()
		time.Sleep(10 * time.Minute)
		cancel()
		if err := <-ended; err != nil || len(states) != 10 || states[9] != "ready" {
			t.Errorf("got %v after %v, want ready in the end", err, states)
		}
	})
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"the number for its id":       {"phone_number_id": "+1 555-078-3881"},
		"half a number":               {"display_number": "12"},
		"a template without language": {"templates": "[{class: notification, name: a, languages: []}]"},
		"a template with many buttons": {
			"templates": "[{class: notification, name: a, languages: [en], buttons: [a, b, c, d, e, f, g, h, i, j, k]}]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]string{"phone_number_id": "1", "access_token": "a", "app_secret": "b", "verify_token": "c"}
			for k, v := range values {
				all[k] = v
			}
			s, err := config.NewSettings(Fields(), all)
			if err == nil {
				_, err = New(s, adapters.Env{})
			}
			if err == nil {
				t.Error("got no error")
			}
		})
	}
}
