package cloud

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
	"parley/conversation"
)

const oneText = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",` +
	`"metadata":{"phone_number_id":"106540352242922"},"messages":[{"from":"16505551234","id":"wamid.A","timestamp":"1750091045","type":"text","text":{"body":"hi"}}]}}]}]}`

func TestHookAnswers(t *testing.T) {
	flipped := strings.Replace(oneText, `"hi"`, `"ho"`, 1)
	tests := []struct {
		name, method, body string
		signature          string
		fails              int
		status, stored     int
	}{
		{"a message", "POST", oneText, cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), 0, 200, 1},
		{"no signature", "POST", oneText, "", 0, 401, 0},
		{"one byte changed", "POST", flipped, cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), 0, 403, 0},
		{"one byte more", "POST", oneText + "\n", cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), 0, 403, 0},
		{"signed with another secret", "POST", oneText, cloudtest.Sign("another", []byte(oneText)), 0, 403, 0},
		{"signed with the verify token", "POST", oneText, cloudtest.Sign(cloudtest.VerifyToken, []byte(oneText)), 0, 403, 0},
		{"a signature without its scheme", "POST", oneText, strings.TrimPrefix(cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), "sha256="), 0, 403, 0},
		{"another scheme", "POST", oneText, strings.Replace(cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), "sha256", "sha1", 1), 0, 403, 0},
		{"half a signature", "POST", oneText, cloudtest.Sign(cloudtest.AppSecret, []byte(oneText))[:39], 0, 403, 0},
		{"no hexadecimal", "POST", oneText, "sha256=" + strings.Repeat("z", 64), 0, 403, 0},
		{"a wrong signature and garbage", "POST", "{", "sha256=00", 0, 403, 0},
		{"signed garbage", "POST", "{", cloudtest.Sign(cloudtest.AppSecret, []byte("{")), 0, 400, 0},
		{"signed, but nothing of WhatsApp", "POST", `{"hello":1}`, cloudtest.Sign(cloudtest.AppSecret, []byte(`{"hello":1}`)), 0, 400, 0},
		{"a page's news", "POST", `{"object":"page","entry":[]}`, cloudtest.Sign(cloudtest.AppSecret, []byte(`{"object":"page","entry":[]}`)), 0, 200, 0},
		{"more than 3 MiB", "POST", strings.Repeat(" ", 3<<20+1), "sha256=00", 0, 413, 0},
		{"commit fails", "POST", oneText, cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), 1, 503, 0},
		{"PUT", "PUT", oneText, cloudtest.Sign(cloudtest.AppSecret, []byte(oneText)), 0, 405, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &inbox{fails: tt.fails}
			m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{HTTP: &http.Client{Transport: deaf{t}}}, nil)
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "/hooks/w", strings.NewReader(tt.body))
			if tt.signature != "" {
				r.Header.Set("X-Hub-Signature-256", tt.signature)
			}
			w := httptest.NewRecorder()
			m.Hook(in.sink).ServeHTTP(w, r)
			if w.Code != tt.status || len(in.all()) != tt.stored {
				t.Errorf("got %d and %d events, want %d and %d", w.Code, len(in.all()), tt.status, tt.stored)
			}
			right := strings.TrimPrefix(cloudtest.Sign(cloudtest.AppSecret, []byte(tt.body)), "sha256=")
			if said := w.Body.String(); strings.Contains(said, cloudtest.AppSecret) || strings.Contains(said, right) {
				t.Errorf("got %q, want neither secret nor signature in it", said)
			}
			if got := w.Header().Get("Retry-After"); (got != "") != (tt.status == 503) {
				t.Errorf("got Retry-After %q with %d", got, w.Code)
			}
		})
	}
}

func TestHookGivesTheChallengeBackOnlyForTheVerifyToken(t *testing.T) {
	tests := []struct {
		name   string
		query  url.Values
		status int
	}{
		{"as Meta asks", url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {cloudtest.VerifyToken}, "hub.challenge": {"115"}}, 200},
		{"a forged token", url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {"guessed"}, "hub.challenge": {"115"}}, 403},
		{"a prefix of the token", url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {cloudtest.VerifyToken[:9]}, "hub.challenge": {"115"}}, 403},
		{"the app secret", url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {cloudtest.AppSecret}, "hub.challenge": {"115"}}, 403},
		{"no token", url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"115"}}, 403},
		{"another mode", url.Values{"hub.mode": {"unsubscribe"}, "hub.verify_token": {cloudtest.VerifyToken}, "hub.challenge": {"115"}}, 403},
		{"nothing", url.Values{}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
			w := httptest.NewRecorder()
			m.Hook(nil).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/hooks/w?"+tt.query.Encode(), nil))
			if w.Code != tt.status || (w.Body.String() == "115") != (tt.status == 200) {
				t.Errorf("got %d %q, want %d", w.Code, w.Body.String(), tt.status)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
				t.Errorf("got %s, want plain text: the challenge is a stranger's", got)
			}
		})
	}
}

func TestOneDeliveryOfManyIsTakenInOrderOrNotAtAll(t *testing.T) {
	s := newShop(t, nil)
	s.inbox.mu.Lock()
	s.inbox.fails = 2
	s.inbox.mu.Unlock()
	bob := s.srv.Person("4915112345678", "Bob")
	s.srv.Together(func() {
		s.ann.Type("one")
		bob.Type("zwei")
		s.ann.Type("three")
		s.ann.Report("wamid.OUT1", "read", 0, "")
	})
	s.srv.WaitTaken()
	if got := s.inbox.texts(); got != "one|zwei|three|" || s.inbox.posts != 1 || s.srv.Attempts() != 3 {
		t.Errorf("got %q in %d hand-overs after %d attempts, want all four at once after 3", got, s.inbox.posts, s.srv.Attempts())
	}
	if e := s.inbox.all()[1]; e.Chat != bob.Number || e.SenderName != "Bob" {
		t.Errorf("got %+v, want Bob's own name", e)
	}
}

func TestRepeatedAndReorderedDeliveriesKeepTheirIDs(t *testing.T) {
	s := newShop(t, nil)
	first := s.ann.Type("first")
	s.srv.Redeliver()
	s.ann.Report("wamid.OUT1", "read", 0, "") // before it was delivered
	s.ann.Report("wamid.OUT1", "delivered", 0, "")
	s.srv.Redeliver()
	s.srv.WaitTaken()
	var ids []string
	for _, e := range s.inbox.all() {
		ids = append(ids, e.ID)
	}
	want := strings.Join([]string{first, first, "wamid.OUT1:read", "wamid.OUT1:delivered", "wamid.OUT1:delivered"}, " ")
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTypingMarksTheLatestMessageAsRead(t *testing.T) {
	s := newShop(t, nil)
	if err := s.Typing(t.Context(), ann); err != nil || len(s.srv.Calls()) != 0 {
		t.Errorf("got %v and %d calls, want nothing while nobody wrote", err, len(s.srv.Calls()))
	}
	s.ann.Type("one")
	latest := s.ann.Type("two")
	s.srv.WaitTaken()
	if err := s.Typing(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if typing, read := s.ann.Sees(); !typing || read != latest {
		t.Errorf("got %v, %s, want typing under %s", typing, read, latest)
	}
}

func TestNewsOfAnotherNumberIsLeftToItsOwnAccount(t *testing.T) {
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, map[string]string{"phone_number_id": "999"})
	events, err := m.convert([]byte(oneText))
	if err != nil || len(events) != 0 {
		t.Errorf("got %v, %v, want nothing", events, err)
	}
}

func TestAMessageThatIsNotUnderstoodDoesNotHoldBackTheOthers(t *testing.T) {
	m := newMessenger(t, "http://127.0.0.1:1", adapters.Env{}, nil)
	raw := strings.Replace(oneText, `"messages":[`, `"statuses":[7,{"id":"wamid.B","status":"delivered","recipient_id":"16505551234"}],"messages":[{"from":7},"x",{"id":"wamid.C","type":"text","text":{"body":"from nobody"}},`, 1)
	events, err := m.convert([]byte(raw))
	if err != nil || len(events) != 2 || events[0].Text != "hi" || events[1].Kind != conversation.Receipt {
		t.Errorf("got %+v, %v, want the one that is understood and the receipt", events, err)
	}
}
