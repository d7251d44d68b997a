package web

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"parley/commerce"
	"parley/commerce/money"
)

// oneVisitor knows one person by their secret.
type oneVisitor struct{}

func (oneVisitor) New(context.Context) (secret, id string, err error) {
	return "", "", commerce.ErrConflict
}

func (oneVisitor) Lookup(_ context.Context, secret string) (string, error) {
	if secret == "the-secret" {
		return "vis_1", nil
	}
	return "", commerce.ErrNotFound
}

func FuzzCookie(f *testing.F) {
	s := New(Options{Visitors: oneVisitor{}})
	for _, header := range []string{visitorCookie + "=the-secret", visitorCookie + "=", "other=the-secret", visitorCookie + `="the-secret"`, visitorCookie + "=x; " + visitorCookie + "=the-secret", ";;=", strings.Repeat("a=b;", 100)} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/chat", nil)
		r.Header["Cookie"] = []string{header}
		id, err := s.visitor(r)
		if err != nil {
			t.Errorf("%q: %v", header, err)
		}
		if id != "" && !strings.Contains(header, "the-secret") {
			t.Errorf("%q was taken for %s", header, id)
		}
	})
}

func FuzzAmountTyped(f *testing.F) {
	for _, typed := range []string{"17,50", "17.5", "€17.50", "1.234,50 EUR", "1'234.50 fr.", "-1", "0", "1.2.3", "1,,2", "99999999999999999999", "EUR", "1.234", "١٢"} {
		f.Add(typed, false)
		f.Add(typed, true)
	}
	f.Fuzz(func(t *testing.T, typed string, yen bool) {
		c := money.Currency("EUR")
		if yen {
			c = "JPY"
		}
		a, problem := amountTyped(typed, c)
		if problem == "" && (a.Minor <= 0 || a.Currency != c) {
			t.Errorf("%q is %v", typed, a)
		}
		if problem != "" && a.Minor != 0 {
			t.Errorf("%q is %v and wrong: %s", typed, a, problem)
		}
		if problem == "" {
			if again, problem := amountTyped(strings.TrimSuffix(a.String(), " "+string(c)), c); problem != "" || again != a {
				t.Errorf("%q is %v, which is read as %v %s", typed, a, again, problem)
			}
		}
	})
}

func FuzzObject(f *testing.F) {
	for _, body := range []string{
		`{"price":{"amount":1299,"currency":"EUR"}}`, `{"price":{"amount":12.99,"currency":"EUR"}}`, `{"price":{"amount":1e3,"currency":"eur"}}`, `{"price":null,"count":1}`,
		`{"a":1,"a":2}`, `[]`, `{`, "", `{"count":99999999999}`, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), "{\"title\":\"\x00\"}", "\xff",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := readObject(body)
		if err != nil {
			if p := problemOf(err); p.Status != 400 || p.Sentence == "" {
				t.Errorf("%q: %d %q", body, p.Status, p.Sentence)
			}
			return
		}
		price, count := o.amount("price"), o.count("count")
		if price != nil && len(*o.problems) == 0 && len(price.Currency) != 3 {
			t.Errorf("%q has the price %v", body, price)
		}
		if count != nil && int(int32(*count)) != *count {
			t.Errorf("%q has the count %d", body, *count)
		}
	})
}

func FuzzForwarded(f *testing.F) {
	s := New(Options{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for _, header := range []string{"1.2.3.4", "1.2.3.4, 127.0.0.1", "::1", "fe80::1%eth0", "unknown", ",,", "[::1]:80", "::ffff:1.2.3.4"} {
		f.Add(header, true)
		f.Add(header, false)
	}
	f.Fuzz(func(t *testing.T, header string, proxied bool) {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = "192.0.2.1:1234"
		if proxied {
			r.RemoteAddr = "127.0.0.1:1234"
		}
		r.Header["X-Forwarded-For"] = []string{header}
		if who := s.caller(r); who == "" || !proxied && who != "192.0.2.1" {
			t.Errorf("%q made the caller %q", header, who)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add("limit=5&cursor=" + cursor("msg_1"))
	f.Add("limit=-1")
	f.Add("cursor=%00")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if _, limit, err := readPage(q); err == nil && (limit < 1 || limit > maxPageSize) {
			t.Errorf("%q asks for %d", query, limit)
		}
	})
}
