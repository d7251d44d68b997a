package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAWatchIsAskedForShownAndEnded(t *testing.T) {
	o := openOffice(t)
	body := `{"sku":"LAMP-1","event":"price_below","threshold":{"amount":1500,"currency":"EUR"},"not_at_night":true,
		"contact":{"name":"Ben","channel":"webchat","address":"vis_ben","time_zone":"Europe/Berlin","language":"de"},
		"consent":{"purpose":"alert","text":"Ja, bitte","at":"2026-01-02T03:04:05+01:00"}}`
	made := read(t, o.ask(o.ours.key, "POST", "/api/v1/watches", body), http.StatusCreated)
	if made["state"] != "armed" || made["id"] == "" {
		t.Fatalf("got %v", made)
	}
	s := o.house.subscribed[0]
	if s.Account != "ours-chat" || s.Visitor != "vis_ben" || s.TimeZone != "Europe/Berlin" || s.Language != "de" || !s.NotAtNight || s.Fields["threshold"] != "15.00 EUR" {
		t.Errorf("the house was asked %+v", s)
	}
	if s.Consent.Text != "Ja, bitte" || s.Consent.Version == "" || s.Consent.Evidence["form"] != "api" || s.Consent.At.Format("15:04:05 MST") != "02:04:05 UTC" {
		t.Errorf("the consent became %+v", s.Consent)
	}
	path := "/api/v1/watches/" + made["id"].(string)
	got := read(t, o.ask(o.ours.key, "GET", path, ""), http.StatusOK)
	if got["state"] != "armed" || got["sku"] != "LAMP-1" || !cmp.Equal(got["threshold"], any(eur(1500))) {
		t.Errorf("got %v", got)
	}
	for range 2 { // the second time is no error
		if w := o.ask(o.ours.key, "DELETE", path, ""); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
			t.Errorf("delete: got %d %s", w.Code, w.Body)
		}
	}
	if got := read(t, o.ask(o.ours.key, "GET", path, ""), http.StatusOK); got["state"] != "cancelled" {
		t.Errorf("after the end got %v", got)
	}
}

func TestStaffSpeakAndGiveBackThroughTheAPI(t *testing.T) {
	o := openOffice(t)
	path := "/api/v1/conversations/" + o.ours.thread
	said := read(t, o.ask(o.ours.key, "POST", path+"/messages", `{"text":"It is, up to a point."}`), http.StatusCreated)
	if said["from"] != "staff" || said["text"] != "It is, up to a point." {
		t.Errorf("got %v", said)
	}
	list := read(t, o.ask(o.ours.key, "GET", path+"/messages", ""), http.StatusOK)["items"].([]any)
	if len(list) != 2 || list[0].(map[string]any)["from"] != "contact" || list[1].(map[string]any)["id"] != said["id"] {
		t.Errorf("the transcript is %v", list)
	}
	all := read(t, o.ask(o.ours.key, "GET", "/api/v1/conversations?contact="+o.ours.contact, ""), http.StatusOK)["items"].([]any)
	if len(all) != 1 || all[0].(map[string]any)["owner"] != "staff" || all[0].(map[string]any)["staff"] != o.keyID(o.ours) {
		t.Errorf("the conversation is %v", all)
	}
	if got := read(t, o.ask(o.ours.key, "POST", path+"/return", ""), http.StatusOK); got["owner"] != "bot" {
		t.Errorf("after the return got %v", got)
	}
}

func TestOrdersAreListedAndCancelled(t *testing.T) {
	o := openOffice(t)
	got := read(t, o.ask(o.ours.key, "GET", "/api/v1/orders?status=awaiting_payment", ""), http.StatusOK)["items"].([]any)
	if len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	order := got[0].(map[string]any)
	items := []any{map[string]any{"sku": "LAMP-1", "quantity": 1.0, "price": eur(2000)}}
	if order["id"] != o.ours.order || !cmp.Equal(order["items"], any(items)) || !cmp.Equal(order["total"], any(eur(2000))) || order["contact"].(map[string]any)["id"] != o.ours.contact {
		t.Errorf("got %v", order)
	}
	path := "/api/v1/orders/" + o.ours.order
	if got := read(t, o.ask(o.ours.key, "POST", path+"/cancel", ""), http.StatusOK); got["status"] != "cancelled" {
		t.Errorf("got %v", got)
	}
	if got := read(t, o.ask(o.ours.key, "GET", path, ""), http.StatusOK); got["status"] != "cancelled" {
		t.Errorf("got %v", got)
	}
}

func TestOffersAreDecidedThroughTheAPI(t *testing.T) {
	o := openOffice(t)
	path := "/api/v1/offers/" + o.ours.offer
	open := read(t, o.ask(o.ours.key, "GET", "/api/v1/offers?status=open", ""), http.StatusOK)["items"].([]any)
	if len(open) != 1 || !cmp.Equal(open[0].(map[string]any)["price"], any(eur(1500))) {
		t.Fatalf("got %v", open)
	}
	got := read(t, o.ask(o.ours.key, "POST", path+"/counter", `{"price":{"amount":1700,"currency":"EUR"}}`), http.StatusOK)
	if got["status"] != "countered" || !cmp.Equal(got["counter"], any(eur(1700))) {
		t.Errorf("got %v", got)
	}
	again := read(t, o.ask(o.ours.key, "POST", path+"/counter", `{"price":{"amount":1600,"currency":"EUR"}}`), http.StatusConflict)
	if !strings.Contains(again["detail"].(string), "shopper's turn") {
		t.Errorf("got %v", again)
	}
	if got := read(t, o.ask(o.ours.key, "POST", path+"/decline", ""), http.StatusOK); got["status"] != "declined" {
		t.Errorf("got %v", got)
	}
	over := read(t, o.ask(o.ours.key, "POST", path+"/accept", ""), http.StatusConflict)
	if over["type"] != "urn:parley:problem:conflict" || !strings.Contains(over["detail"].(string), "declined") {
		t.Errorf("got %v", over)
	}
	fresh := "/api/v1/offers/" + o.offer(o.ours, 1600)
	if got := read(t, o.ask(o.ours.key, "POST", fresh+"/accept", ""), http.StatusOK); got["status"] != "accepted" {
		t.Errorf("got %v", got)
	}
}

func TestARepeatedPostWithItsKeyIsAnsweredAgainAndDoneOnce(t *testing.T) {
	o := openOffice(t)
	path := "/api/v1/conversations/" + o.ours.thread + "/messages"
	post := func(key, name, body string) *httptest.ResponseRecorder {
		return o.ask(key, "POST", path, body, "Idempotency-Key", name)
	}
	first := post(o.ours.key, "one", `{"text":"hello"}`)
	again := post(o.ours.key, "one", `{"text":"hello"}`)
	if first.Code != http.StatusCreated || again.Code != first.Code || again.Body.String() != first.Body.String() {
		t.Errorf("first %d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if first.Header().Get("Idempotent-Replayed") != "" || again.Header().Get("Idempotent-Replayed") != "true" || again.Header().Get("Content-Type") != "application/json" {
		t.Errorf("headers %v and %v", first.Header(), again.Header())
	}
	if got := read(t, post(o.ours.key, "one", `{"text":"other"}`), http.StatusUnprocessableEntity); got["type"] != "urn:parley:problem:idempotency-key-reused" {
		t.Errorf("another body: got %v", got)
	}
	if w := post(o.key("conversations:write"), "one", `{"text":"of another key"}`); w.Code != http.StatusCreated {
		t.Errorf("another API key shares the name: %d %s", w.Code, w.Body)
	}
	bad := post(o.ours.key, "two", `{"text":""}`)
	if w := post(o.ours.key, "two", `{"text":""}`); w.Code != http.StatusBadRequest || w.Body.String() != bad.Body.String() || w.Header().Get("Idempotent-Replayed") != "true" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("a refusal is not given again: %d %s", w.Code, w.Body)
	}
	if w := post(o.ours.key, "mit Umlaut ä", `{"text":"x"}`); w.Code != http.StatusBadRequest {
		t.Errorf("an impossible key: got %d", w.Code)
	}
	if list := read(t, o.ask(o.ours.key, "GET", path, ""), http.StatusOK)["items"].([]any); len(list) != 3 {
		t.Errorf("%d messages were written, want the contact's and two", len(list))
	}
}

func TestASecondPostWaitsWhileTheFirstIsAtWork(t *testing.T) {
	o := openOffice(t)
	o.house.hold, o.house.saying = make(chan struct{}), make(chan struct{})
	path := "/api/v1/conversations/" + o.ours.thread + "/messages"
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- o.ask(o.ours.key, "POST", path, `{"text":"hello"}`, "Idempotency-Key", "one") }()
	<-o.house.saying
	w := o.ask(o.ours.key, "POST", path, `{"text":"hello"}`, "Idempotency-Key", "one")
	if got := read(t, w, http.StatusConflict); got["type"] != "urn:parley:problem:idempotency-in-flight" || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %v %v", w.Header(), got)
	}
	close(o.house.hold)
	if w := <-first; w.Code != http.StatusCreated {
		t.Errorf("the first: got %d %s", w.Code, w.Body)
	}
	if w := o.ask(o.ours.key, "POST", path, `{"text":"hello"}`, "Idempotency-Key", "one"); w.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("afterwards: got %d %s", w.Code, w.Body)
	}
}
