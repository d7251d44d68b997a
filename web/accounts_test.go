package web_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/commerce"
	"parley/store"
	"parley/web"
)

// fakePairing links phones to one account of one merchant.
type fakePairing struct {
	merchant commerce.MerchantID
	account  string
	state    web.PairState
	begun    []string // the phone numbers that codes were asked for
}

func (p *fakePairing) CanPair(m commerce.MerchantID, account string) bool {
	return m == p.merchant && account == p.account
}

func (p *fakePairing) Begin(_ commerce.MerchantID, _, phone string) { p.begun = append(p.begun, phone) }

func (p *fakePairing) State(string) web.PairState { return p.state }

// openAccounts is an office with figures and an account that a phone can be linked to.
func openAccounts(t *testing.T) (*office, *fakePairing) {
	o := openOffice(t)
	p := &fakePairing{merchant: o.ours.merchant, account: o.ours.account}
	o.server = web.New(web.Options{
		BackOffice: web.BackOffice{Store: o.db, House: o.house, Pairing: p, Metrics: func() []web.Metric {
			return []web.Metric{
				{Name: "parley_messages_received_total", Help: "Messages.", Account: "ours-chat", Value: 3},
				{Name: "parley_messages_received_total", Help: "Messages.", Account: "theirs-chat"},
				{Name: "parley_send_seconds", Help: "Sends.", Account: "ours-chat", Bounds: []float64{0.5, 1}, Counts: []int64{2, 0, 1}, Sum: 7.25},
			}
		}},
		Shop: web.Shop{Name: "Corner"}, PublicURL: "http://parley.example", PublicPosts: web.Rate{Burst: 1000},
	})
	o.handler = o.server.Handler()
	return o, p
}

func TestMetricsCountWhatEachAccountCarried(t *testing.T) {
	o, _ := openAccounts(t)
	wantPage(t, o.visit("", "GET", "/metrics", ""), http.StatusOK, []string{
		"# TYPE parley_messages_received_total counter\nparley_messages_received_total{account=\"ours-chat\"} 3\nparley_messages_received_total{account=\"theirs-chat\"} 0\n",
		"# TYPE parley_send_seconds histogram\nparley_send_seconds_bucket{account=\"ours-chat\",le=\"0.5\"} 2\n" +
			"parley_send_seconds_bucket{account=\"ours-chat\",le=\"1\"} 2\nparley_send_seconds_bucket{account=\"ours-chat\",le=\"+Inf\"} 3\n" +
			"parley_send_seconds_sum{account=\"ours-chat\"} 7.25\nparley_send_seconds_count{account=\"ours-chat\"} 3\n",
		"parley_account_ready{account=\"ours-chat\"} 1\n",
	})
}

func TestReadinessListsTheAccountsWithoutTheirProblems(t *testing.T) {
	o, _ := openAccounts(t)
	o.write(func(tx *store.Tx) error {
		return tx.SetAccount(t.Context(), o.ours.merchant, store.Account{Name: o.ours.account, Adapter: "telegram", State: "failed", Problem: "token 123:secret is refused"})
	})
	if got := o.visit("", "GET", "/readyz", "").Body.String(); got != "ready\n" {
		t.Errorf("got %q, want ready: the other accounts go on", got)
	}
	body := wantPage(t, o.visit("", "GET", "/readyz?verbose", ""), http.StatusOK, []string{"ready\n"}, "secret")
	if !regexp.MustCompile(`(?m)^account ours-chat \(telegram\): failed since \S+Z$`).MatchString(body) {
		t.Errorf("got %q", body)
	}
}

func TestThePhoneOfAnAccountIsLinkedInTheBrowser(t *testing.T) {
	o, p := openAccounts(t)
	page := "/admin/accounts/" + o.ours.account + "/pair"
	wantPage(t, o.visit(o.ours.session, "GET", "/admin", ""), http.StatusOK, []string{`href="` + page + `"`})
	wantPage(t, o.visit(o.ours.session, "GET", page, ""), http.StatusOK, []string{"Show a QR code", `data-url="` + page + `"`, `data-live="pairing"`}, "data:image")
	if len(p.begun) != 0 {
		t.Error("looking at the page asked for a code")
	}

	wantTurnedTo(t, o.visit(o.ours.session, "POST", page, ""), page)
	p.state = web.PairState{Step: web.PairCode, Code: "2@abc,def"}
	w := o.visit(o.ours.session, "GET", page, "")
	body := wantPage(t, w, http.StatusOK, []string{"Point its camera"}, "2@abc,def")
	picture := regexp.MustCompile(`src="data:image/svg\+xml;base64,([^"]+)"`).FindStringSubmatch(strings.ReplaceAll(body, "&#43;", "+"))
	if picture == nil || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("no picture, or one that is kept: %v", w.Header())
	}
	if svg, err := base64.StdEncoding.DecodeString(picture[1]); err != nil || !strings.HasPrefix(string(svg), "<svg") {
		t.Errorf("got %q, %v", svg, err)
	}

	wantTurnedTo(t, o.visit(o.ours.session, "POST", page, url.Values{"phone": {"+49 (151) 234-56789"}}.Encode()), page)
	p.state = web.PairState{Step: web.PairCode, Code: "ABCD-1234", Typed: true}
	wantPage(t, o.visit(o.ours.session, "GET", page, ""), http.StatusOK, []string{"ABCD-1234"}, "data:image")
	wantPage(t, o.visit(o.ours.session, "POST", page, url.Values{"phone": {"0151 <b>"}}.Encode()), http.StatusBadRequest, []string{"with its country", "0151 &lt;b&gt;"})
	if diff := cmp.Diff([]string{"", "4915123456789"}, p.begun); diff != "" {
		t.Errorf("codes asked for (-want +got):\n%s", diff)
	}

	p.state = web.PairState{Step: web.PairFailed, Problem: "the phone said <no>"}
	wantPage(t, o.visit(o.ours.session, "GET", page, ""), http.StatusOK, []string{"the phone said &lt;no&gt;"})
	p.state = web.PairState{Step: web.PairLinked}
	wantPage(t, o.visit(o.ours.session, "GET", page, ""), http.StatusOK, []string{"The phone is linked"})
	for _, method := range []string{"GET", "POST"} {
		wantPage(t, o.visit(o.theirs.session, method, page, ""), http.StatusNotFound, nil)
		wantPage(t, o.visit(o.ours.session, method, "/admin/accounts/other/pair", ""), http.StatusNotFound, nil)
	}
}

func TestPhoneNumbersAreReadWithTheirCountry(t *testing.T) {
	for typed, want := range map[string]string{
		"+49 151 23456789": "4915123456789", "0049-151/234.567.89": "4915123456789", "(1) 555 0100 200": "15550100200",
		"0151 23456789": "", "": "", "+49": "", "call me": "", "+49 151 2345678901234": "", "١٢٣٤٥٦٧٨": "",
	} {
		if got, ok := web.PhoneNumber(typed); ok != (want != "") || ok && got != want {
			t.Errorf("%q reads %q, %v; want %q", typed, got, ok, want)
		}
	}
}

func TestAnAdminSignsPeopleOutAndRemovesThem(t *testing.T) {
	o := openOffice(t)
	ben, session := o.person("ben@ours.example", store.RoleMerchant)
	body := wantPage(t, o.visit(o.ours.session, "GET", "/admin", ""), http.StatusOK, []string{
		`action="/admin/staff/` + ben.ID + `/sign-out"`, `action="/admin/staff/` + ben.ID + `/remove"`, `action="/admin/staff/` + o.ours.admin.ID + `/sign-out"`,
	})
	if strings.Contains(body, "/admin/staff/"+o.ours.admin.ID+"/remove") {
		t.Error("the page offers to remove oneself")
	}
	wantPage(t, o.visit(session, "GET", "/inbox", ""), http.StatusOK, nil)
	for _, deed := range []string{"sign-out", "remove"} {
		wantPage(t, o.visit(o.theirs.session, "POST", "/admin/staff/"+ben.ID+"/"+deed, ""), http.StatusNotFound, nil)
	}
	wantTurnedTo(t, o.visit(o.ours.session, "POST", "/admin/staff/"+ben.ID+"/sign-out", ""), "/admin?done=signedout")
	wantTurnedTo(t, o.visit(session, "GET", "/inbox", ""), "/sign-in")

	session = o.session(o.ours.merchant, ben.ID)
	wantTurnedTo(t, o.visit(o.ours.session, "POST", "/admin/staff/"+ben.ID+"/remove", ""), "/admin?done=removed")
	wantTurnedTo(t, o.visit(session, "GET", "/inbox", ""), "/sign-in")
	wantPage(t, o.visit(o.ours.session, "GET", "/admin?done=removed", ""), http.StatusOK, []string{"Removed from the staff"}, "ben@ours.example")
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/staff/"+o.ours.admin.ID+"/remove", ""), http.StatusConflict, []string{"cannot remove yourself"})
}

func TestAKeyShowsWhenItWasLastUsed(t *testing.T) {
	o := openOffice(t)
	wantPage(t, o.visit(o.ours.session, "GET", "/admin", ""), http.StatusOK, []string{"Last used", ">never<"})
	if w := o.ask(o.ours.key, "GET", "/api/v1/orders", ""); w.Code != http.StatusOK {
		t.Fatalf("got %d", w.Code)
	}
	wantPage(t, o.visit(o.ours.session, "GET", "/admin", ""), http.StatusOK, nil, ">never<")
}
