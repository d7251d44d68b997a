package web_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"parley/store"
	"parley/web"
)

// wantPage checks an answer's status and what its page holds and does not.
func wantPage(t *testing.T, w *httptest.ResponseRecorder, status int, holds []string, lacks ...string) string {
	t.Helper()
	body := w.Body.String()
	if w.Code != status {
		t.Errorf("got status %d, want %d", w.Code, status)
	}
	for _, text := range holds {
		if !strings.Contains(body, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	for _, text := range lacks {
		if strings.Contains(body, text) {
			t.Errorf("the page holds %q", text)
		}
	}
	if t.Failed() && testing.Verbose() {
		t.Log(body)
	}
	return body
}

// wantTurnedTo checks that an answer leads on to a page.
func wantTurnedTo(t *testing.T, w *httptest.ResponseRecorder, page string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != page {
		t.Errorf("got %d to %q, want 303 to %q: %s", w.Code, w.Header().Get("Location"), page, w.Body)
	}
}

func (o *office) person(email, role string) (p store.Person, session string) {
	o.t.Helper()
	o.write(func(tx *store.Tx) (err error) {
		p, err = tx.SetStaff(o.t.Context(), o.ours.merchant, email, role)
		return err
	})
	return p, o.session(o.ours.merchant, p.ID)
}

func TestASignInLinkIsUsedUpByPressingItsButtonOnly(t *testing.T) {
	o := openOffice(t)
	var link string
	o.write(func(tx *store.Tx) (err error) {
		link, err = tx.AddSignIn(t.Context(), o.ours.merchant, o.ours.admin.ID, 3_600_000_000_000)
		return err
	})
	for _, method := range []string{"GET", "HEAD", "GET"} {
		w := o.visit("", method, "/sign-in/"+link, "")
		wantPage(t, w, http.StatusOK, nil)
		if w.Header().Get("Referrer-Policy") != "no-referrer" || w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s: got headers %v", method, w.Header())
		}
	}
	w := o.visit("", "POST", "/sign-in/"+link, "")
	wantTurnedTo(t, w, "/inbox")
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Secure {
		t.Fatalf("got cookies %v", cookies)
	}
	wantPage(t, o.visit(cookies[0].Value, "GET", "/inbox", ""), http.StatusOK, []string{"ana@ours.example"})
	for _, method := range []string{"GET", "POST"} {
		wantPage(t, o.visit("", method, "/sign-in/"+link, ""), http.StatusGone, []string{"This link has ended"})
	}
	wantTurnedTo(t, o.visit(cookies[0].Value, "POST", "/sign-out", ""), "/sign-in")
	wantTurnedTo(t, o.visit(cookies[0].Value, "GET", "/inbox", ""), "/sign-in")
}

func TestTheSessionsCookieIsBoundToHTTPSThere(t *testing.T) {
	o := openOffice(t)
	var link string
	o.write(func(tx *store.Tx) (err error) {
		link, err = tx.AddSignIn(t.Context(), o.ours.merchant, o.ours.admin.ID, 3_600_000_000_000)
		return err
	})
	r := httptest.NewRequest("POST", "https://parley.example/sign-in/"+link, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	c := w.Result().Cookies()
	if len(c) != 1 || c[0].Name != "__Host-parley_staff" || !c[0].Secure || c[0].Path != "/" || c[0].Domain != "" {
		t.Errorf("got %v", c)
	}
}

func TestEveryRouteOfTheStaffKeepsStrangersAndLowerRolesOut(t *testing.T) {
	o := openOffice(t)
	_, merchant := o.person("ben@ours.example", store.RoleMerchant)
	tried := 0
	for _, route := range o.server.Routes() {
		role := route.Allow.Role()
		if role == "" {
			continue
		}
		tried++
		method, path := o.request(route, o.ours)
		w := o.visit("", method, path, "")
		if method == "GET" && route.Surface == web.Page {
			wantTurnedTo(t, w, "/sign-in")
		} else if w.Code != http.StatusUnauthorized {
			t.Errorf("%s for a stranger: got %d, want 401", route.Pattern, w.Code)
		}
		if strings.Contains(w.Body.String(), "waterproof") {
			t.Errorf("%s shows a stranger a conversation", route.Pattern)
		}
		if role == store.RoleAdmin {
			if w := o.visit(merchant, method, path, ""); w.Code != http.StatusForbidden {
				t.Errorf("%s for a merchant: got %d, want 403", route.Pattern, w.Code)
			}
		}
		if method == "POST" {
			r := httptest.NewRequest(method, "http://parley.example"+path, nil)
			r.AddCookie(&http.Cookie{Name: "parley_staff", Value: o.ours.session})
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			w := httptest.NewRecorder()
			o.handler.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s from another site: got %d, want 403", route.Pattern, w.Code)
			}
		}
	}
	if tried < 15 {
		t.Errorf("only %d routes of the staff were tried", tried)
	}
}

func TestTheInboxShowsWhoWaitsAndWhatIsOffered(t *testing.T) {
	o := openOffice(t)
	second := o.say(o.ours, "visitor-2", "Second question")
	body := wantPage(t, o.visit(o.ours.session, "GET", "/inbox", ""), http.StatusOK, []string{
		"Waiting for a person", "&lt;b&gt;Is it &amp; waterproof?&lt;/b&gt;", "Ana &lt;i&gt;A&lt;/i&gt;", "asks about &lt;the&gt; lamp",
		"offers <strong class=\"price\">€15.00</strong>", "List price €20.00", "<bdi class=\"name\">",
	}, "<i>A</i>", "<b>Is it")
	if first := strings.Index(body, o.ours.thread); first < 0 || first > strings.Index(body, second.ID) {
		t.Error("the one that waits longest does not stand first")
	}
	if strings.Contains(body, o.theirs.thread) {
		t.Error("the inbox shows another merchant's conversation")
	}
}

func TestEmptyInboxesTeach(t *testing.T) {
	o := openOffice(t)
	if err := o.house.Return(t.Context(), o.ours.merchant, o.ours.thread, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.house.DeclineOffer(t.Context(), o.ours.merchant, o.ours.offer, o.ours.admin.ID); err != nil {
		t.Fatal(err)
	}
	wantPage(t, o.visit(o.ours.session, "GET", "/inbox", ""), http.StatusOK, []string{"Nobody waits"}, "Offers to decide")
	wantPage(t, o.visit(o.ours.session, "GET", "/inbox?view=all", ""), http.StatusOK, []string{"With the bot", o.ours.thread})
	wantPage(t, o.visit(o.ours.session, "GET", "/inbox/orders?status=expired", ""), http.StatusOK, []string{"No orders are expired"})
}

func TestAThreadShowsTheTranscriptAndTheContact(t *testing.T) {
	o := openOffice(t)
	o.write(func(tx *store.Tx) error {
		th, err := tx.Thread(t.Context(), o.ours.merchant, o.ours.thread)
		if err != nil {
			return err
		}
		th.Contact.Language, th.Contact.TimeZone = "de", "Europe/Berlin"
		return tx.SaveThread(t.Context(), th)
	})
	wantPage(t, o.visit(o.ours.session, "GET", "/inbox/"+o.ours.thread, ""), http.StatusOK, []string{
		"&lt;b&gt;Is it &amp; waterproof?&lt;/b&gt;", `dir="auto"`, "Waits for a person", "Lamp Heron", "4 in stock", "Europe/Berlin", "awaiting payment", "€20.00",
	}, "<b>Is it", "<i>A</i>")
}

func TestAReplyTakesOverAndReturnGivesBack(t *testing.T) {
	o := openOffice(t)
	page := "/inbox/" + o.ours.thread
	wantTurnedTo(t, o.visit(o.ours.session, "POST", page+"/reply", "owner=waiting&text="+url.QueryEscape("Yes.\r\nIt is.")), page+"?done=sent")
	wantPage(t, o.visit(o.ours.session, "GET", page+"?done=sent", ""), http.StatusOK, []string{"Yes.\nIt is.", "You have this conversation", "Sent. The bot keeps silent"})
	wantTurnedTo(t, o.visit(o.ours.session, "POST", page+"/return", ""), page+"?done=returned")
	wantPage(t, o.visit(o.ours.session, "GET", page, ""), http.StatusOK, []string{"The bot answers here."})
	wantTurnedTo(t, o.visit(o.ours.session, "POST", page+"/take", ""), page+"?done=taken")
	wantPage(t, o.visit(o.ours.session, "GET", page+"?done=<script>", ""), http.StatusOK, []string{"You have this conversation; the bot is silent."}, "<script>")
}

func TestAReplyThatCannotBeSentComesBackWithItsWords(t *testing.T) {
	o := openOffice(t)
	_, ben := o.person("ben@ours.example", store.RoleMerchant)
	page := "/inbox/" + o.ours.thread
	wantTurnedTo(t, o.visit(ben, "POST", page+"/take", ""), page+"?done=taken")
	words := url.QueryEscape("my <long> answer")

	w := o.visit(o.ours.session, "POST", page+"/reply", "owner=waiting&text="+words)
	body := wantPage(t, w, http.StatusConflict, []string{"Somebody else has taken", "my &lt;long&gt; answer", "ben has this conversation"})
	owner := strings.SplitN(strings.SplitN(body, `name="owner" value="`, 2)[1], `"`, 2)[0]
	wantTurnedTo(t, o.visit(o.ours.session, "POST", page+"/reply", "owner="+owner+"&text="+words), page+"?done=sent")

	long := strings.Repeat("é", 4097)
	wantPage(t, o.visit(o.ours.session, "POST", page+"/reply", "text="+url.QueryEscape(long)), http.StatusBadRequest, []string{long, "4097 characters"})
	wantPage(t, o.visit(o.ours.session, "POST", page+"/reply", "text=a%00b"), http.StatusBadRequest, []string{"control characters"})
	wantPage(t, o.visit(o.ours.session, "POST", page+"/reply", "text=+"), http.StatusBadRequest, []string{"nothing to send"})
	wantPage(t, o.visit("ended", "POST", page+"/reply", "text="+words), http.StatusUnauthorized, []string{"my &lt;long&gt; answer", "Sign in with a new link"}, "waterproof")
}

func TestOffersAreDecidedInTheInbox(t *testing.T) {
	o := openOffice(t)
	path := "/inbox/offers/" + o.ours.offer
	wantPage(t, o.visit(o.ours.session, "POST", path+"/counter", "back=/inbox&price=cheap"), http.StatusBadRequest, []string{`value="cheap"`, "Type a price in EUR"})
	wantPage(t, o.visit(o.ours.session, "POST", path+"/counter", "back=/inbox/"+o.ours.thread+"&price=25"), http.StatusBadRequest,
		[]string{`value="25"`, "below the list price", "Transcript"})
	wantTurnedTo(t, o.visit(o.ours.session, "POST", path+"/counter", "back=/inbox&price="+url.QueryEscape("17,50 €")), "/inbox?done=countered")
	if got := read(t, o.ask(o.ours.key, "GET", "/api/v1/offers", ""), http.StatusOK)["items"].([]any)[0].(map[string]any); got["counter"].(map[string]any)["amount"] != 1750.0 {
		t.Errorf("got %v", got)
	}
	wantPage(t, o.visit(o.ours.session, "POST", path+"/counter", "price=16"), http.StatusConflict, []string{html.EscapeString("shopper's turn")})
	wantTurnedTo(t, o.visit(o.ours.session, "POST", path+"/decline", "back=https://evil.example/"), "/inbox?done=declined")
	wantTurnedTo(t, o.visit(o.ours.session, "POST", "/inbox/offers/"+o.offer(o.ours, 1600)+"/accept", ""), "/inbox?done=accepted")
}

func TestOrdersAreMarkedPaidWithANoteAndCancelled(t *testing.T) {
	o := openOffice(t)
	path := "/inbox/orders/" + o.ours.order
	wantPage(t, o.visit(o.ours.session, "GET", "/inbox/orders", ""), http.StatusOK, []string{"€20.00", "awaiting payment", "Mark paid", "LAMP-1"}, o.theirs.order)
	wantPage(t, o.visit(o.ours.session, "POST", path+"/paid", "note=+"), http.StatusBadRequest, []string{"Say how the payment was confirmed"})
	wantTurnedTo(t, o.visit(o.ours.session, "POST", path+"/paid", "note=statement+7"), "/inbox/orders?done=paid")
	wantPage(t, o.visit(o.ours.session, "GET", "/inbox/orders?status=paid", ""), http.StatusOK, []string{"Cancel the order of €20.00"}, "Mark paid")
	wantTurnedTo(t, o.visit(o.ours.session, "POST", path+"/cancel", ""), "/inbox/orders?done=cancelled")
	wantPage(t, o.visit(o.ours.session, "POST", path+"/paid", "note=again"), http.StatusBadRequest, []string{"The order is cancelled"})
}

func TestAKeyIsShownOnceAndWorksUntilRevoked(t *testing.T) {
	o := openOffice(t)
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/keys", "name=till"), http.StatusBadRequest, []string{"Tick what the key may do", `value="till"`})
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/keys", "name=till&scope=world"), http.StatusBadRequest, []string{"no scope"})
	body := wantPage(t, o.visit(o.ours.session, "POST", "/admin/keys", "name=till&scope=orders%3Aread&scope=offers"), http.StatusCreated, []string{"not shown again"})
	secret := strings.SplitN(strings.SplitN(body, `<code class="secret">`, 2)[1], "<", 2)[0]
	read(t, o.ask(secret, "GET", "/api/v1/orders", ""), http.StatusOK)
	read(t, o.ask(secret, "GET", "/api/v1/conversations", ""), http.StatusForbidden)
	wantPage(t, o.visit(o.ours.session, "GET", "/admin", ""), http.StatusOK, []string{"till", "ours-chat", "ready"}, secret)
	var id string
	o.write(func(tx *store.Tx) error {
		k, err := tx.KeyOf(t.Context(), secret)
		id = k.ID
		return err
	})
	wantTurnedTo(t, o.visit(o.ours.session, "POST", "/admin/keys/"+id+"/revoke", ""), "/admin?done=revoked")
	read(t, o.ask(secret, "GET", "/api/v1/orders", ""), http.StatusUnauthorized)
}

func TestAnInvitationIsALinkThatSignsIn(t *testing.T) {
	o := openOffice(t)
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/staff", "email=nobody&role=admin"), http.StatusBadRequest, []string{"Type an e-mail address", `value="nobody"`})
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/staff", "email=a%40b.example&role=owner"), http.StatusBadRequest, []string{"Pick a role"})
	wantPage(t, o.visit(o.ours.session, "POST", "/admin/staff", "email=ana%40ours.example&role=merchant"), http.StatusBadRequest, []string{"from yourself"})
	body := wantPage(t, o.visit(o.ours.session, "POST", "/admin/staff", "email=Cem%40ours.example&role=merchant"), http.StatusCreated, []string{"http://parley.example/sign-in/"})
	link := "/sign-in/" + strings.SplitN(strings.SplitN(body, "http://parley.example/sign-in/", 2)[1], "<", 2)[0]
	w := o.visit("", "POST", link, "")
	wantTurnedTo(t, w, "/inbox")
	wantPage(t, o.visit(w.Result().Cookies()[0].Value, "GET", "/inbox", ""), http.StatusOK, []string{"cem@ours.example"}, `href="/admin"`)
}

func TestPagesOfTheStaffAreKeptFromFramesCachesAndInlineScripts(t *testing.T) {
	o := openOffice(t)
	for _, page := range []string{"/inbox", "/inbox/" + o.ours.thread, "/inbox/orders", "/admin", "/sign-in"} {
		w := o.visit(o.ours.session, "GET", page, "")
		body := wantPage(t, w, http.StatusOK, []string{`<html lang="en">`, `class="skip"`}, " style=", "onclick", "<style")
		h := w.Header()
		if h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: got headers %v", page, h)
		}
		if len(body) > 60_000 {
			t.Errorf("%s weighs %d bytes", page, len(body))
		}
	}
}
