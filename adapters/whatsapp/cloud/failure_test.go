package cloud

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
)

func TestFailedSendSaysWhatFollows(t *testing.T) {
	type fault = cloudtest.Fault
	coded := func(status, code int) fault { return fault{Status: status, Code: code, Message: "as Meta words it"} }
	throttled := func(code string, pause time.Duration, perChat bool) adapters.SendError {
		return adapters.SendError{Consequence: adapters.Throttled, Code: code, RetryAfter: pause, PerChat: perChat}
	}
	usage := map[string]string{"X-Business-Use-Case-Usage": `{"1":[{"type":"a","estimated_time_to_regain_access":0},{"type":"whatsapp","estimated_time_to_regain_access":7}]}`}
	tests := []struct {
		name  string
		fault fault
		want  adapters.SendError
	}{
		{"too many to one person", coded(400, 131056), throttled("131056", 6*time.Second, true)},
		{"too many a second", coded(400, 130429), throttled("130429", time.Second, false)},
		{"too many calls of the account", coded(400, 80007), throttled("80007", time.Minute, false)},
		{"with Meta's own figure", fault{Status: 400, Code: 80007, Message: "x", Header: usage}, throttled("80007", 7*time.Minute, false)},
		{"too many calls of the app", coded(400, 4), throttled("4", time.Minute, false)},
		{"too much was reported as spam", coded(400, 131048), throttled("131048", 5*time.Minute, false)},
		{"a proxy's limit", fault{Status: 429, Body: "slow down", Header: map[string]string{"Retry-After": "17"}}, throttled("429", 17*time.Second, false)},
		{"undeliverable", coded(400, 131026), adapters.SendError{Consequence: adapters.Gone, Code: "131026"}},
		{"the window is closed", coded(400, 131047), adapters.SendError{Consequence: adapters.Window, Code: "131047"}},
		{"too much advertising", coded(400, 131049), adapters.SendError{Consequence: adapters.Rejected, Code: "131049"}},
		{"no advertising wanted", coded(400, 131050), adapters.SendError{Consequence: adapters.Rejected, Code: "131050"}},
		{"a wrong parameter", coded(400, 100), adapters.SendError{Consequence: adapters.Rejected, Code: "100"}},
		{"a wrong value", coded(400, 131009), adapters.SendError{Consequence: adapters.Rejected, Code: "131009"}},
		{"an unknown template", coded(404, 132001), adapters.SendError{Consequence: adapters.Rejected, Code: "132001"}},
		{"a paused template", coded(400, 132015), adapters.SendError{Consequence: adapters.Rejected, Code: "132015"}},
		{"a code to come", coded(400, 139999), adapters.SendError{Consequence: adapters.Rejected, Code: "139999"}},
		{"no such number", fault{Status: 400, Code: 100, Subcode: 33, Message: "x"}, adapters.SendError{Consequence: adapters.Broken, Code: "100"}},
		{"the number was deleted", coded(400, 33), adapters.SendError{Consequence: adapters.Broken, Code: "33"}},
		{"a template with too few variables", coded(400, 132000), adapters.SendError{Consequence: adapters.Rejected, Code: "132000"}},
		{"a disabled template", coded(400, 132016), adapters.SendError{Consequence: adapters.Rejected, Code: "132016"}},
		{"an experiment of Meta's", coded(400, 130472), adapters.SendError{Consequence: adapters.Rejected, Code: "130472"}},
		{"the account is locked", coded(403, 131031), adapters.SendError{Consequence: adapters.Broken, Code: "131031"}},
		{"against the policies", coded(403, 368), adapters.SendError{Consequence: adapters.Broken, Code: "368"}},
		{"the token has expired", coded(401, 190), adapters.SendError{Consequence: adapters.Broken, Code: "190"}},
		{"a permission is missing", coded(403, 10), adapters.SendError{Consequence: adapters.Broken, Code: "10"}},
		{"a permission is not granted", coded(403, 200), adapters.SendError{Consequence: adapters.Broken, Code: "200"}},
		{"another permission", coded(403, 299), adapters.SendError{Consequence: adapters.Broken, Code: "299"}},
		{"not paid", coded(400, 131042), adapters.SendError{Consequence: adapters.Broken, Code: "131042"}},
		{"not registered", coded(400, 133010), adapters.SendError{Consequence: adapters.Broken, Code: "133010"}},
		{"something went wrong", coded(500, 131000), adapters.SendError{Consequence: adapters.Temporary, Code: "131000"}},
		{"overloaded", coded(503, 131016), adapters.SendError{Consequence: adapters.Temporary, Code: "131016"}},
		{"in maintenance", coded(400, 131057), adapters.SendError{Consequence: adapters.Temporary, Code: "131057"}},
		{"unknown to Meta too", coded(500, 2), adapters.SendError{Consequence: adapters.Temporary, Code: "2"}},
		{"a proxy's page", fault{Status: 502, Body: "<html>bad gateway</html>"}, adapters.SendError{Consequence: adapters.Temporary, Code: "502"}},
		{"a proxy that gave up waiting", fault{Status: 504, Body: "<html>timeout</html>"}, adapters.SendError{Consequence: adapters.Unknown, Code: "504"}},
		{"a redirect", fault{Status: 302, Body: "moved", Header: map[string]string{"Location": "http://127.0.0.1:1/"}}, adapters.SendError{Consequence: adapters.Broken, Code: "302"}},
		{"not the Graph API", fault{Status: 404, Body: "no such page"}, adapters.SendError{Consequence: adapters.Broken, Code: "404"}},
		{"an answer that is a page", fault{Status: 200, Body: "<html>log in to the hotel's network</html>"}, adapters.SendError{Consequence: adapters.Unknown}},
		{"cut after the request", fault{Cut: true}, adapters.SendError{Consequence: adapters.Unknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShop(t, nil)
			tt.fault.Message += fmt.Sprintf(" (token %s, secret %s)", cloudtest.Token, cloudtest.AppSecret)
			s.srv.Fail(tt.fault)
			_, err := s.Send(t.Context(), adapters.Part{Chat: ann, Text: "x"})
			got := refusal(t, err)
			said := err.Error() + got.Err.Error() + s.logs.String()
			if got.Reason == "" || strings.Contains(said, cloudtest.Token) || strings.Contains(said, cloudtest.AppSecret) {
				t.Errorf("got %q, want a reason without secrets", said)
			}
			got.Reason, got.Err = "", nil
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPersonWhoBlockedTheNumberIsGone(t *testing.T) {
	s := newShop(t, nil)
	s.ann.Block()
	_, err := s.Send(t.Context(), adapters.Part{Chat: ann, Text: "x"})
	if got := refusal(t, err); got.Consequence != adapters.Gone {
		t.Errorf("got %v, want %s", got, adapters.Gone)
	}
}

func TestPausesGrowWhileMetaRefusesAndEndWithAMessageTaken(t *testing.T) {
	s := newShop(t, nil)
	bob := s.srv.Person("4915112345678", "Bob")
	pause := func(chat string, code int) time.Duration {
		t.Helper()
		s.srv.Fail(cloudtest.Fault{Status: 400, Code: code, Message: "too many"})
		_, err := s.Send(t.Context(), adapters.Part{Chat: chat, Text: "x"})
		return refusal(t, err).RetryAfter
	}
	var got []time.Duration
	for range 6 {
		got = append(got, pause(ann, 131056))
	}
	got = append(got, pause(bob.Number, 131056), pause(ann, 130429), pause(ann, 130429), pause(bob.Number, 130429))
	if _, err := s.Send(t.Context(), adapters.Part{Chat: ann, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	got = append(got, pause(ann, 131056), pause(ann, 130429))
	want := []time.Duration{6, 6, 16, 64, 256, 300, 6, 1, 4, 16, 6, 1}
	for i := range want {
		want[i] *= time.Second
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}

func TestWhatNeverLeftCanBeSentAgain(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	m := newMessenger(t, "http://"+l.Addr().String(), adapters.Env{HTTP: &http.Client{}}, nil)
	_, err = m.Send(t.Context(), adapters.Part{Chat: ann, Text: "x"})
	if got := refusal(t, err); got.Consequence != adapters.Temporary || strings.Contains(err.Error(), cloudtest.Token) {
		t.Errorf("got %v, want %s", got, adapters.Temporary)
	}
}
