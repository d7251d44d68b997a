package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/store"
	"parley/web"
)

// read is the JSON of an answer, which must have that status.
func read(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	if w.Code != status {
		t.Fatalf("got status %d, want %d: %s", w.Code, status, w.Body)
	}
	out := map[string]any{}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("answer is not JSON: %v: %s", err, w.Body)
		}
	}
	return out
}

func eur(minor float64) map[string]any { return map[string]any{"amount": minor, "currency": "EUR"} }

func TestAProductIsCreatedAndThenChangedByPut(t *testing.T) {
	o := openOffice(t)
	w := o.ask(o.ours.key, "PUT", "/api/v1/products/MUG%2F2", `{"title":"Mug","price":{"amount":1299,"currency":"EUR"},"stock":3}`)
	got := read(t, w, http.StatusCreated)
	want := map[string]any{"sku": "MUG/2", "title": "Mug", "price": eur(1299), "stock": 3.0, "url": "", "image": "", "description": "", "offers": map[string]any{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want["price"], want["stock"] = eur(999), 7.0
	got = read(t, o.ask(o.ours.key, "PUT", "/api/v1/products/MUG%2F2", `{"price":{"amount":999,"currency":"EUR"},"stock":7}`), http.StatusOK)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	whole := o.ask(o.ours.key, "GET", "/api/v1/products/MUG%2F2", "")
	if diff := cmp.Diff(want, read(t, whole, http.StatusOK)); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, read(t, o.ask(o.ours.key, "PUT", "/api/v1/products/MUG%2F2", whole.Body.String()), http.StatusOK)); diff != "" {
		t.Errorf("what was read could not be put back (-want +got):\n%s", diff)
	}
}

func TestStockIsTheFigureAvailableThoughOrdersHoldSome(t *testing.T) {
	o := openOffice(t) // one of five is held by an order
	if got := read(t, o.ask(o.ours.key, "GET", "/api/v1/products/LAMP-1", ""), http.StatusOK)["stock"]; got != 4.0 {
		t.Errorf("got stock %v, want 4", got)
	}
	if got := read(t, o.ask(o.ours.key, "PUT", "/api/v1/products/LAMP-1", `{"stock":4}`), http.StatusOK)["stock"]; got != 4.0 {
		t.Errorf("got stock %v after putting 4", got)
	}
}

func TestLimitsOfHagglingComeBackToTheScopePolicyOnly(t *testing.T) {
	o := openOffice(t)
	plain := o.key("products:read", "products:write")
	if _, shown := read(t, o.ask(plain, "GET", "/api/v1/products/LAMP-1", ""), http.StatusOK)["offers"]; shown {
		t.Error("a key without the scope policy sees the limits")
	}
	body := `{"offers":{"floor":{"amount":1500,"currency":"EUR"}}}`
	if _, shown := read(t, o.ask(plain, "PUT", "/api/v1/products/LAMP-1", body), http.StatusOK)["offers"]; shown {
		t.Error("a key without the scope policy is answered with the limits")
	}
	refused := o.ask(plain, "PUT", "/api/v1/products/LAMP-1", `{"offers":{"floor":{"amount":1900,"currency":"EUR"}}}`)
	if refused.Code != http.StatusBadRequest || strings.Contains(refused.Body.String(), "18.00") {
		t.Errorf("a refusal tells the limits: %d %s", refused.Code, refused.Body)
	}
	want := map[string]any{"floor": eur(1500), "auto_accept": eur(1800)}
	if diff := cmp.Diff(want, read(t, o.ask(o.key("products:read", "policy"), "GET", "/api/v1/products/LAMP-1", ""), http.StatusOK)["offers"]); diff != "" {
		t.Errorf("with the scope policy (-want +got):\n%s", diff)
	}
}

// key makes a key of our shop with scopes.
func (o *office) key(scopes ...string) string {
	o.t.Helper()
	secret := web.NewKeySecret()
	o.write(func(tx *store.Tx) error {
		_, err := tx.AddKey(o.t.Context(), o.ours.merchant, strings.Join(scopes, "+"), scopes, secret)
		return err
	})
	return secret
}

func TestBadInputIsAnsweredWithAProblemThatNamesTheField(t *testing.T) {
	o := openOffice(t)
	const product, watches = "PUT /api/v1/products/LAMP-1", "POST /api/v1/watches"
	counter := "POST /api/v1/offers/" + o.ours.offer + "/counter"
	say := "POST /api/v1/conversations/" + o.ours.thread + "/messages"
	watch := func(change, to string) string {
		good := `{"sku":"LAMP-1","event":"price_below","threshold":{"amount":1500,"currency":"EUR"},"contact":{"name":"Ana","channel":"webchat","address":"vis_1"},"consent":{"purpose":"alert","text":"Yes","at":"2026-01-02T03:04:05Z"}}`
		if !strings.Contains(good, change) {
			t.Fatalf("%s is not in the request", change)
		}
		return strings.Replace(good, change, to, 1)
	}
	for _, c := range []struct {
		name, route, body string
		status            int
		field             string // "" for a problem of the whole
		says              string
	}{
		{"malformed JSON", product, "{\n  \"title\": \"x\",\n  \"stock\": 3,,}", 400, "", "line 3"},
		{"cut off", product, `{"title": "x"`, 400, "", "cannot be read"},
		{"two values", product, `{} {}`, 400, "", "more after"},
		{"a list", product, `[]`, 400, "", "object"},
		{"no body", product, ``, 400, "", "empty"},
		{"a field twice", product, `{"stock":1,"stock":2}`, 400, "", "twice"},
		{"too deep", product, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 400, "", "deeper"},
		{"not UTF-8", product, "{\"title\":\"\xff\"}", 400, "", "UTF-8"},
		{"an unknown field", product, `{"titel":"x"}`, 400, "titel", "no such field"},
		{"an unknown field inside", product, `{"offers":{"flor":{}}}`, 400, "offers.flor", "no such field"},
		{"a negative price", product, `{"price":{"amount":-1,"currency":"EUR"}}`, 400, "price", "negative"},
		{"a fraction", product, `{"price":{"amount":12.99,"currency":"EUR"}}`, 400, "price.amount", "12.99 EUR is 1299"},
		{"an exponent", product, `{"price":{"amount":1e3,"currency":"EUR"}}`, 400, "price.amount", "whole number"},
		{"a price in words", product, `{"price":{"amount":"1299","currency":"EUR"}}`, 400, "price.amount", "string"},
		{"a bare number", product, `{"price":1299}`, 400, "price", "must be an object"},
		{"no amount", product, `{"price":{"currency":"EUR"}}`, 400, "price.amount", "needed"},
		{"no currency", product, `{"price":{"amount":1}}`, 400, "price.currency", "code of a currency"},
		{"another currency", product, `{"price":{"amount":1,"currency":"USD"}}`, 400, "price", "EUR"},
		{"an amount too large to reckon", product, `{"price":{"amount":92233720368547758070,"currency":"EUR"}}`, 400, "price.amount", "whole number"},
		{"half a piece", product, `{"stock":1.5}`, 400, "stock", "whole number"},
		{"negative stock", product, `{"stock":-1}`, 400, "stock", "0"},
		{"null", product, `{"title":null}`, 400, "title", "null"},
		{"a control character", product, `{"title":"a\u0000b"}`, 400, "title", "U+0000"},
		{"another SKU inside", product, `{"sku":"LAMP-2"}`, 400, "sku", "LAMP-1"},
		{"a floor above the price", product, `{"offers":{"floor":{"amount":2100,"currency":"EUR"}}}`, 400, "offers.floor", "below the price"},
		{"a new product without a title", "PUT /api/v1/products/NEW", `{"price":{"amount":1,"currency":"EUR"}}`, 400, "title", "title"},
		{"an unknown parameter", "GET /api/v1/orders?state=paid", ``, 400, "state", "known are status"},
		{"an unknown status", "GET /api/v1/orders?status=shipped", ``, 400, "status", "awaiting_payment"},
		{"a limit of nothing", "GET /api/v1/orders?limit=0", ``, 400, "limit", "200"},
		{"a made-up cursor", "GET /api/v1/orders?cursor=12", ``, 400, "cursor", "next"},
		{"a control character in the address", "GET /api/v1/conversations?contact=a%00b", ``, 400, "contact", "control"},
		{"an unknown SKU", "GET /api/v1/products/NONE", ``, 404, "", "NONE"},
		{"a SKU with a zero byte", "GET /api/v1/products/a%00b", ``, 404, "", ""},
		{"an unknown SKU in a watch", watches, watch("LAMP-1", "NONE"), 404, "sku", "NONE"},
		{"an unknown event", watches, watch("price_below", "price_above"), 400, "event", "price_above"},
		{"a threshold in another currency", watches, watch("EUR", "USD"), 400, "threshold", "EUR"},
		{"a threshold of nothing", watches, watch("1500", "0"), 400, "threshold", "more than zero"},
		{"an unknown channel", watches, watch("webchat", "fax"), 400, "contact.channel", "ours-chat"},
		{"an unknown time zone", watches, watch(`"name"`, `"time_zone":"Berlin","name"`), 400, "contact.time_zone", "Europe/Berlin"},
		{"no consent", watches, `{"sku":"LAMP-1","event":"back_in_stock","contact":{"name":"Ana","channel":"webchat"}}`, 400, "consent", "needed"},
		{"consent to something else", watches, watch("alert", "marketing"), 400, "consent.purpose", "alert"},
		{"consent without words", watches, watch(`"Yes"`, `" "`), 400, "consent.text", "agreed"},
		{"consent at no time", watches, watch("2026-01-02T03:04:05Z", "yesterday"), 400, "consent.at", "time like"},
		{"consent in the future", watches, watch("2026-01-02", "2999-01-02"), 400, "consent.at", "future"},
		{"an empty message", say, `{"text":" "}`, 400, "text", "empty"},
		{"a message without text", say, `{}`, 400, "text", "needed"},
		{"a message too long", say, `{"text":"` + strings.Repeat("ü", 4097) + `"}`, 400, "text", "4096"},
		{"a return with a body", "POST /api/v1/conversations/" + o.ours.thread + "/return", `{"to":"bot"}`, 400, "to", "no such field"},
		{"a counter above the list price", counter, `{"price":{"amount":2000,"currency":"EUR"}}`, 400, "price", "list price"},
		{"a counter in another currency", counter, `{"price":{"amount":1700,"currency":"USD"}}`, 400, "price", "EUR"},
		{"a body of more than 1 MiB", say, `{"text":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "", "1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.route, " ")
			w := o.ask(o.ours.key, method, path, c.body, "Content-Type", "application/json")
			got := read(t, w, c.status)
			if kind := w.Header().Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("got content type %q", kind)
			}
			for _, member := range []string{"type", "title", "status", "detail"} {
				if got[member] == nil || got[member] == "" {
					t.Errorf("the problem has no %s: %s", member, w.Body)
				}
			}
			if !strings.Contains(fmt.Sprint(got["detail"]), c.says) {
				t.Errorf("got detail %q, want one with %q", got["detail"], c.says)
			}
			if c.field == "" {
				return
			}
			errs, _ := got["errors"].([]any)
			named := slices.ContainsFunc(errs, func(e any) bool { return e.(map[string]any)["field"] == c.field && e.(map[string]any)["problem"] != "" })
			if !named {
				t.Errorf("no error names the field %s: %s", c.field, w.Body)
			}
		})
	}
	if got := read(t, o.ask(o.ours.key, "GET", "/api/v1/products/LAMP-1", ""), http.StatusOK)["price"]; !cmp.Equal(got, any(eur(2000))) {
		t.Errorf("bad input changed the price to %v", got)
	}
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	o := openOffice(t)
	w := o.ask(o.ours.key, "PUT", "/api/v1/products/LAMP-1", `{"title":7,"price":{"amount":1.5,"curency":"EUR"},"stock":"x","colour":"red"}`)
	var got []string
	for _, e := range read(t, w, http.StatusBadRequest)["errors"].([]any) {
		got = append(got, e.(map[string]any)["field"].(string))
	}
	slices.Sort(got)
	want := []string{"colour", "price.amount", "price.curency", "price.currency", "stock", "title"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestABodyMustBeJSON(t *testing.T) {
	o := openOffice(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonx"} {
		if w := o.ask(o.ours.key, "PUT", "/api/v1/products/LAMP-1", `{}`, "Content-Type", kind); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("content type %q: got status %d, want 415", kind, w.Code)
		}
	}
	if w := o.ask(o.ours.key, "PUT", "/api/v1/products/LAMP-1", `{}`, "Content-Type", "application/json; charset=UTF-8"); w.Code != http.StatusOK {
		t.Errorf("with a charset: got status %d: %s", w.Code, w.Body)
	}
}

func TestAKeyIsNeededWithTheScopeOfTheRoute(t *testing.T) {
	o := openOffice(t)
	revoked := o.key("*")
	o.write(func(tx *store.Tx) error {
		k, err := tx.KeyOf(t.Context(), revoked)
		if err != nil {
			return err
		}
		return tx.RevokeKey(t.Context(), o.ours.merchant, k.ID)
	})
	for name, auth := range map[string]string{"none": "", "a wrong one": "Bearer parley_x", "another kind": "Basic " + o.ours.key, "a revoked one": "Bearer " + revoked, "no secret": "Bearer "} {
		w := o.ask("", "GET", "/api/v1/orders", "", "Authorization", auth)
		if read(t, w, http.StatusUnauthorized)["type"] != "urn:parley:problem:unauthorized" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: got %v %s", name, w.Header(), w.Body)
		}
	}
	for _, route := range o.server.Routes() {
		scope := route.Allow.Scope()
		if scope == "" {
			continue
		}
		if !slices.Contains(web.Scopes(), scope) {
			t.Errorf("%s wants the scope %q, which no key can have", route.Pattern, scope)
		}
		method, path := o.request(route, o.ours)
		others := slices.DeleteFunc(web.Scopes(), func(s string) bool { return s == scope })
		w := o.ask(o.key(others...), method, path, "")
		if got := read(t, w, http.StatusForbidden); !strings.Contains(fmt.Sprint(got["detail"]), scope) {
			t.Errorf("%s: the problem does not name the scope: %s", route.Pattern, w.Body)
		}
		if w := o.ask(o.key(scope), method, path, ""); w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized {
			t.Errorf("%s: a key with just %s gets status %d", route.Pattern, scope, w.Code)
		}
		if w := o.visit(o.ours.session, method, path, ""); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: the cookie of a person gets status %d, want 401", route.Pattern, w.Code)
		}
	}
}

// request is a method and an address for a route, with the ids of a shop.
func (o *office) request(route web.Route, s shop) (method, path string) {
	method, path, ok := strings.Cut(route.Pattern, " ")
	if !ok {
		method, path = http.MethodGet, route.Pattern
	}
	id := ""
	switch {
	case strings.Contains(path, "/watches/"):
		id = s.watch
	case strings.Contains(path, "/orders/"):
		id = s.order
	case strings.Contains(path, "/offers/"):
		id = s.offer
	case strings.Contains(path, "letters/"):
		id = o.messageID(s)
	case strings.Contains(path, "/fanouts/"):
		id = o.fanoutID(s)
	case strings.Contains(path, "/conversations/"), strings.Contains(path, "/inbox/{id}"):
		id = s.thread
	case strings.Contains(path, "/keys/"):
		id = o.keyID(s)
	case strings.Contains(path, "/staff/"):
		id = s.admin.ID
	}
	path = strings.NewReplacer("{id}", id, "{sku}", s.sku, "{secret}", "x", "{token}", "x", "{account}", "x", "{file...}", "x", "{$}", "").Replace(path)
	return method, path
}

func (o *office) messageID(s shop) (id string) {
	o.t.Helper()
	o.write(func(tx *store.Tx) error {
		th, err := tx.Thread(o.t.Context(), s.merchant, s.thread)
		if err != nil {
			return err
		}
		lines, err := tx.Messages(o.t.Context(), s.merchant, th.Key, "", 1)
		if err == nil && len(lines) > 0 {
			id = lines[0].ID
		}
		return err
	})
	return id
}

func (o *office) keyID(s shop) (id string) {
	o.t.Helper()
	o.write(func(tx *store.Tx) error {
		k, err := tx.KeyOf(o.t.Context(), s.key)
		id = k.ID
		return err
	})
	return id
}

func TestIdsOfAnotherMerchantAreNotFoundOnAnyRoute(t *testing.T) {
	o := openOffice(t)
	bodies := map[string]string{
		"POST /api/v1/conversations/{id}/messages": `{"text":"hello"}`,
		"POST /api/v1/offers/{id}/counter":         `{"price":{"amount":1900,"currency":"EUR"}}`,
	}
	forms := map[string]string{
		"POST /inbox/{id}/reply": "text=hello", "POST /inbox/offers/{id}/counter": "price=19", "POST /inbox/orders/{id}/paid": "note=seen",
	}
	tried := 0
	for _, route := range o.server.Routes() {
		method, path := o.request(route, o.theirs)
		if !strings.Contains(route.Pattern, "{id}") {
			continue
		}
		tried++
		var w *httptest.ResponseRecorder
		if route.Allow.Scope() != "" {
			w = o.ask(o.ours.key, method, path, bodies[route.Pattern])
		} else {
			w = o.visit(o.ours.session, method, path, forms[route.Pattern])
		}
		if w.Code != http.StatusNotFound {
			t.Errorf("%s with the id of another merchant: got status %d, want 404: %s", route.Pattern, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "waterproof") {
			t.Errorf("%s shows another merchant's conversation", route.Pattern)
		}
	}
	if tried < 15 {
		t.Errorf("only %d routes with ids were tried", tried)
	}
	if got := read(t, o.ask(o.ours.key, "GET", "/api/v1/conversations?contact="+o.theirs.contact, ""), http.StatusOK); len(got["items"].([]any)) > 0 {
		t.Errorf("the list shows another merchant's conversation: %v", got)
	}
}

func TestUnknownAddressesOfTheAPIAreProblemsToo(t *testing.T) {
	o := openOffice(t)
	if w := o.ask(o.ours.key, "GET", "/api/v1/nothing", ""); read(t, w, http.StatusNotFound)["type"] != "urn:parley:problem:not-found" {
		t.Errorf("got %s", w.Body)
	}
	w := o.ask(o.ours.key, "PATCH", "/api/v1/products/LAMP-1", "")
	if read(t, w, http.StatusMethodNotAllowed); w.Header().Get("Allow") != "GET, HEAD, PUT" {
		t.Errorf("got Allow %q", w.Header().Get("Allow"))
	}
}

func TestListsGoOnFromTheirCursor(t *testing.T) {
	o := openOffice(t)
	for range 4 {
		o.say(o.ours, store.NewID("vis"), "hello")
	}
	for path, want := range map[string]int{
		"/api/v1/conversations?limit=2": 5,
		"/api/v1/conversations/" + o.say(o.ours, "visitor-1", "again").ID + "/messages?limit=1": 2,
		"/api/v1/orders?limit=1": 1,
		"/api/v1/offers?limit=1": 1,
	} {
		seen := map[string]bool{}
		for next, pages := "", 0; pages == 0 || next != ""; pages++ {
			page := read(t, o.ask(o.ours.key, "GET", path+"&cursor="+next, ""), http.StatusOK)
			for _, item := range page["items"].([]any) {
				seen[item.(map[string]any)["id"].(string)] = true
			}
			if next = page["next"].(string); pages > 9 {
				t.Fatalf("%s never ends", path)
			}
		}
		if len(seen) != want {
			t.Errorf("%s: got %d items in all, want %d", path, len(seen), want)
		}
	}
	if body := o.ask(o.key("orders:read"), "GET", "/api/v1/orders?status=paid", "").Body.String(); body != "{\"items\":[],\"next\":\"\"}\n" {
		t.Errorf("an empty list is %s", body)
	}
}
