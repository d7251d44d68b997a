package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kept counts what is kept of people and trade, to see that a refused request has left nothing behind.
func (s *shop) kept() map[string]int {
	s.t.Helper()
	var counts []string
	for _, table := range []string{
		"products", "prices", "stock_movements", "watches", "contacts", "addresses", "consents", "conversations", "messages", "parked", "quotes",
		"offers", "orders", "payments", "deliveries",
	} {
		counts = append(counts, fmt.Sprintf("SELECT '%s' AS name, count(*) AS rows FROM %[1]s", table))
	}
	var tables []struct {
		Name string
		Rows int
	}
	if err := s.in.store.DB().SelectContext(s.t.Context(), &tables, strings.Join(counts, " UNION ALL ")); err != nil {
		s.t.Fatal(err)
	}
	out := map[string]int{}
	for _, table := range tables {
		out[table.Name] = table.Rows
	}
	return out
}

// refused sends a request that must be refused: with this status, with a sentence that holds the words, and without effect.
func (s *shop) refused(t *testing.T, client *http.Client, req *http.Request, status int, words ...string) {
	t.Helper()
	before := s.kept()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Errorf("status %d, want %d: %s", resp.StatusCode, status, raw)
	}
	said := string(raw)
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		var p struct{ Title, Detail string }
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Errorf("%v in %s", err, raw)
		}
		if said = p.Detail; strings.TrimSpace(said) == "" || p.Title == "" {
			t.Errorf("no sentence: %s", raw)
		}
	}
	wantIn(t, "the sentence", said, words...)
	for _, ours := range []string{"goroutine", "sql", "strconv", "unmarshal", "money:", "commerce:"} {
		if strings.Contains(strings.ToLower(said), ours) {
			t.Errorf("%q tells of our insides: %s", ours, said)
		}
	}
	if diff := cmp.Diff(before, s.kept()); diff != "" {
		t.Errorf("the refused request left something behind:\n%s", diff)
	}
}

func (s *shop) request(t *testing.T, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

func TestBadRequestsToTheAPIAreRefusedWithASentenceAndChangeNothing(t *testing.T) {
	t.Parallel()
	const mug = "/api/v1/products/mug"
	watch := `{"sku":"mug","event":"price_below","threshold":{"amount":1500,"currency":"EUR"},` +
		`"contact":{"name":"Ann","channel":"webchat","address":"THE VISITOR"},"consent":{"purpose":"alert","text":"Yes, write to me.","at":"2026-01-05T10:00:00Z"}}`
	swap := func(old, new string) string {
		out := strings.Replace(watch, old, new, 1)
		if out == watch {
			t.Fatalf("the body has no %s", old)
		}
		return out
	}
	tests := []struct {
		name, method, path, body string
		status                   int
		words                    []string
	}{
		{"malformed JSON", "PUT", mug, `{"price":`, 400, []string{"not JSON", "line 1"}},
		{"two objects", "PUT", mug, `{} {}`, 400, []string{"more after the object"}},
		{"a list", "PUT", mug, `[1]`, 400, []string{"must be a JSON object"}},
		{"a name that stands twice", "PUT", mug, `{"stock":1,"stock":9}`, 400, []string{"stock", "twice"}},
		{"bytes that are no UTF-8", "PUT", mug, "{\"title\":\"\xff\"}", 400, []string{"UTF-8"}},
		{"deep nesting", "PUT", mug, strings.Repeat(`{"a":`, 5000), 400, []string{"nested deeper"}},
		{"an unknown field", "PUT", mug, `{"prize":{"amount":1,"currency":"EUR"}}`, 400, []string{"prize", "no such field", "price"}},
		{"a body beyond the limit", "PUT", mug, `{"title":"` + strings.Repeat("x", 2<<20) + `"}`, 413, []string{"1 MiB"}},
		{"a negative price", "PUT", mug, `{"price":{"amount":-1,"currency":"EUR"}}`, 400, []string{"price", "-0.01"}},
		{"a price of nothing", "PUT", mug, `{"price":{"amount":0,"currency":"EUR"}}`, 400, []string{"price"}},
		{"a fractional price", "PUT", mug, `{"price":{"amount":12.99,"currency":"EUR"}}`, 400, []string{"price.amount", "12.99", "minor units"}},
		{"a price in words", "PUT", mug, `{"price":{"amount":"12","currency":"EUR"}}`, 400, []string{"price.amount", "not a string"}},
		{"a price beyond counting", "PUT", mug, `{"price":{"amount":99999999999999999999,"currency":"EUR"}}`, 400, []string{"price.amount"}},
		{"a price in no currency", "PUT", mug, `{"price":{"amount":1200}}`, 400, []string{"price.currency"}},
		{"a price in a currency that is none", "PUT", mug, `{"price":{"amount":1200,"currency":"EURO"}}`, 400, []string{"price.currency"}},
		{"a negative stock", "PUT", mug, `{"stock":-1}`, 400, []string{"stock"}},
		{"half a piece", "PUT", mug, `{"stock":1.5}`, 400, []string{"stock", "1.5"}},
		{"a control character", "PUT", mug, `{"title":"Mug\u0000"}`, 400, []string{"title", "U+0000"}},
		{"an escape sequence", "PUT", mug, `{"description":"\u001b[2J"}`, 400, []string{"description", "U+001B"}},
		{"a floor above the price", "PUT", mug, `{"offers":{"floor":{"amount":9900,"currency":"EUR"}}}`, 400, []string{"offers.floor"}},
		{"a floor in another currency", "PUT", mug, `{"offers":{"floor":{"amount":900,"currency":"USD"}}}`, 400, []string{"offers.floor", "EUR"}},
		{"a new product without a price", "PUT", "/api/v1/products/new", `{"title":"New"}`, 400, []string{"price"}},
		{"an unknown SKU", "GET", "/api/v1/products/none", ``, 404, []string{`"none"`}},
		{"a SKU of control characters", "GET", "/api/v1/products/%00%1b", ``, 404, nil},
		{"a method that is not there", "DELETE", mug, ``, 405, []string{"Allow"}},
		{"a watch of an unknown SKU", "POST", "/api/v1/watches", swap(`"mug"`, `"none"`), 404, []string{"none"}},
		{"a watch of an unknown visitor", "POST", "/api/v1/watches", swap("THE VISITOR", "vis_unknown"), 400, []string{"contact.address", "visitor"}},
		{"a watch of an unknown event", "POST", "/api/v1/watches", swap("price_below", "price_bellow"), 400, []string{"price_bellow"}},
		{"a threshold in another currency", "POST", "/api/v1/watches", swap("EUR", "USD"), 400, []string{"threshold", "EUR"}},
		{"a negative threshold", "POST", "/api/v1/watches", swap("1500", "-1500"), 400, []string{"threshold"}},
		{"a fractional threshold", "POST", "/api/v1/watches", swap("1500", "15.5"), 400, []string{"threshold", "15.5"}},
		{"a channel that is not there", "POST", "/api/v1/watches", swap("webchat", "pigeon"), 400, []string{"channel", "pigeon"}},
		{"consent to something else", "POST", "/api/v1/watches", swap("alert", "marketing"), 400, []string{"consent.purpose"}},
		{"no words of consent", "POST", "/api/v1/watches", swap("Yes, write to me.", " "), 400, []string{"consent.text"}},
		{"a message to no conversation", "POST", "/api/v1/conversations/cnv_none/messages", `{"text":"hello"}`, 404, []string{"cnv_none"}},
		{"an order that is not there", "POST", "/api/v1/orders/ord_none/cancel", ``, 404, []string{"ord_none"}},
		{"an offer that is not there", "POST", "/api/v1/offers/ofr_none/accept", ``, 404, []string{"ofr_none"}},
		{"a page of nothing", "GET", "/api/v1/orders?limit=0", ``, 400, []string{"limit"}},
		{"a cursor of our caller's own", "GET", "/api/v1/orders?cursor=zzz", ``, 400, []string{"cursor"}},
		{"an unknown parameter", "GET", "/api/v1/orders?state=paid", ``, 400, []string{"state", "status"}},
		{"an address that is not there", "GET", "/api/v1/nothing", ``, 404, nil},
	}
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := talker(s)
		was := s.api("GET", mug, "", http.StatusOK)
		for _, test := range tests {
			s.t.Run(test.name, func(t *testing.T) {
				body := strings.Replace(test.body, "THE VISITOR", ann.id, 1)
				req := s.request(t, test.method, test.path, body, "Authorization", "Bearer "+s.key, "Content-Type", "application/json")
				s.refused(t, http.DefaultClient, req, test.status, test.words...)
			})
		}
		s.t.Run("a body of another kind", func(t *testing.T) {
			req := s.request(t, "PUT", mug, "price=1", "Authorization", "Bearer "+s.key, "Content-Type", "application/x-www-form-urlencoded")
			s.refused(t, http.DefaultClient, req, http.StatusUnsupportedMediaType, "application/json")
		})
		for _, key := range []string{"", "Bearer ", "Bearer wrong", "Basic " + s.key, s.key} {
			s.t.Run(fmt.Sprintf("with the key %q", key), func(t *testing.T) {
				req := s.request(t, "PUT", mug, `{"stock":1}`, "Authorization", key, "Content-Type", "application/json")
				s.refused(t, http.DefaultClient, req, http.StatusUnauthorized, "Authorization: Bearer")
			})
		}
		if diff := cmp.Diff(was, s.api("GET", mug, "", http.StatusOK)); diff != "" {
			s.t.Errorf("the product has changed:\n%s", diff)
		}
	})
}

func TestBadWishesInTheFormAreRefusedWithASentenceAndChangeNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		form   map[string]string // over a good one
		status int
		words  []string
	}{
		{"an unknown SKU", map[string]string{"sku": "none"}, 404, []string{"no such thing"}},
		{"an unknown event", map[string]string{"event": "full_moon"}, 422, []string{"event"}},
		{"a negative threshold", map[string]string{"price_below.threshold": "-5"}, 422, []string{"more than zero"}},
		{"a threshold of nothing", map[string]string{"price_below.threshold": "0.00"}, 422, []string{"more than zero"}},
		{"no threshold", map[string]string{"price_below.threshold": ""}, 422, []string{"Please type your price"}},
		{"words for a threshold", map[string]string{"price_below.threshold": "cheap"}, 422, []string{"Please type a price such as €17.50"}},
		{"a threshold of half cents", map[string]string{"price_below.threshold": "15.9999"}, 422, []string{"Please type a price"}},
		{"dollars", map[string]string{"price_below.threshold": "$15"}, 422, []string{"EUR"}},
		{"pounds by their code", map[string]string{"price_below.threshold": "15 GBP"}, 422, []string{"EUR"}},
		{"a threshold beyond counting", map[string]string{"price_below.threshold": strings.Repeat("9", 40)}, 422, []string{"Please type a price"}},
		{"a name of control characters", map[string]string{"name": "\x00\x1b\u202e"}, 422, []string{"call you"}},
		{"a name without end", map[string]string{"name": strings.Repeat("x", 500)}, 422, []string{"too long"}},
		{"no consent", map[string]string{"consent.webchat": ""}, 422, []string{"if you tick this"}},
		{"consent to other words", map[string]string{"consent.webchat": "v000000000000"}, 422, []string{"wording is new"}},
		{"a channel that is not there", map[string]string{"channel": "pigeon", "consent.pigeon": "yes"}, 422, []string{"where we shall write"}},
		{"a form beyond the limit", map[string]string{"name": strings.Repeat("x", 1<<20)}, 413, nil},
	}
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		v := s.visit("mug")
		good := map[string]string{"sku": "mug", "event": "price_below", "price_below.threshold": "15.00", "name": "Ann", "channel": "webchat", "consent.webchat": v.consent}
		post := func(t *testing.T, over map[string]string, headers ...string) *http.Request {
			form := url.Values{}
			for name, value := range good {
				form.Set(name, value)
			}
			for name, value := range over {
				form.Set(name, value)
			}
			headers = append([]string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json"}, headers...)
			return s.request(t, "POST", "/widget/subscribe", form.Encode(), headers...)
		}
		for _, test := range tests {
			s.t.Run(test.name, func(t *testing.T) {
				req := post(t, test.form)
				before := s.kept()
				resp, err := v.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = resp.Body.Close() }()
				raw, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != test.status {
					t.Errorf("status %d, want %d: %s", resp.StatusCode, test.status, raw)
				}
				var said any
				if err := json.Unmarshal(raw, &said); err != nil {
					t.Fatalf("%v in %s", err, raw)
				}
				wantIn(t, "the answer", fmt.Sprint(said), test.words...)
				if diff := cmp.Diff(before, s.kept()); diff != "" {
					t.Errorf("the refused wish left something behind:\n%s", diff)
				}
			})
		}
		for _, from := range [][]string{
			{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"},
			{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site", "Origin", "http://sub.localhost"},
		} {
			s.t.Run(strings.Join(from, " "), func(t *testing.T) {
				s.refused(t, v.client, post(t, nil, from...), http.StatusForbidden, "allowed origins")
			})
		}
		s.t.Run("JSON that is none", func(t *testing.T) {
			s.refused(t, v.client, s.request(t, "POST", "/widget/subscribe", `{"sku":`, "Content-Type", "application/json"), http.StatusBadRequest)
		})
		s.t.Run("a form of another kind", func(t *testing.T) {
			s.refused(t, v.client, s.request(t, "POST", "/widget/subscribe", "x", "Content-Type", "text/plain", "Accept", "application/json"), http.StatusUnsupportedMediaType)
		})
		if done := v.subscribe(good, http.StatusOK); done["state"] != "armed" {
			s.t.Errorf("afterwards the good wish is %v, want it armed", done)
		}
	})
}

func TestAnIdempotencyKeyMakesAPostHappenOnce(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := talker(s)
		list := s.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any)
		path := "/api/v1/conversations/" + list[0].(map[string]any)["id"].(string) + "/messages"
		post := func(key, body string) (int, string, string) {
			req := s.request(s.t, "POST", path, body, "Authorization", "Bearer "+s.key, "Content-Type", "application/json", "Idempotency-Key", key)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				s.t.Error(err)
				return 0, "", ""
			}
			defer func() { _ = resp.Body.Close() }()
			raw, _ := io.ReadAll(resp.Body)
			return resp.StatusCode, string(raw), resp.Header.Get("Idempotent-Replayed")
		}
		said := func(text string) int { return strings.Count(s.transcript(ann), "staff: "+text+"\n") }

		status, first, replayed := post("k1", `{"text":"Hello, this is Eve."}`)
		if status != http.StatusCreated || replayed != "" {
			s.t.Fatalf("status %d: %s", status, first)
		}
		status, second, replayed := post("k1", `{"text":"Hello, this is Eve."}`)
		if status != http.StatusCreated || second != first || replayed != "true" {
			s.t.Errorf("again: status %d, replayed %q, %s; want the first answer: %s", status, replayed, second, first)
		}
		if status, body, _ := post("k1", `{"text":"Something else."}`); status != http.StatusUnprocessableEntity {
			s.t.Errorf("the key for another body: status %d, want 422: %s", status, body)
		}
		if status, body, _ := post("with spaces", `{"text":"Hello."}`); status != http.StatusBadRequest {
			s.t.Errorf("a key with spaces: status %d, want 400: %s", status, body)
		}
		if n := said("Hello, this is Eve."); n != 1 {
			s.t.Errorf("it was said %d times, want once", n)
		}

		var at sync.WaitGroup
		for range 8 { // at once
			at.Go(func() {
				if status, body, _ := post("k2", `{"text":"All at once."}`); status != http.StatusCreated && status != http.StatusConflict {
					s.t.Errorf("status %d, want 201, or 409 while the first is at work: %s", status, body)
				}
			})
		}
		at.Wait()
		if n := said("All at once."); n != 1 {
			s.t.Errorf("said %d times at once, want once", n)
		}
		if status, body, _ := post("k3", `{"text":""}`); status != http.StatusBadRequest {
			s.t.Errorf("an empty message: status %d: %s", status, body)
		}
	})
}
