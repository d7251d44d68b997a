package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// talker is a visitor with an open chat, who was greeted.
func talker(s *shop) *visitor {
	v := s.visit("mug")
	v.subscribe(map[string]string{"sku": "mug", "event": "price_below", "price_below.threshold": "5.00"}, http.StatusOK)
	v.open()
	v.hears("I am the bot of")
	return v
}

// raw sends bytes as they are and returns the next frame that is no message.
func (v *visitor) raw(kind websocket.MessageType, data []byte) frame {
	v.s.t.Helper()
	if err := v.conn.Write(v.s.t.Context(), kind, data); err != nil {
		v.s.t.Fatal(err)
	}
	for {
		if f := v.read(); f.Type == "ack" || f.Type == "error" {
			return f
		}
	}
}

func TestBadFramesGetAClearErrorAndTheChatGoesOn(t *testing.T) {
	t.Parallel()
	text := func(id, text string) []byte {
		b, err := json.Marshal(map[string]string{"type": "message", "id": id, "text": text})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name  string
		kind  websocket.MessageType
		data  []byte
		words string
	}{
		{"no JSON", websocket.MessageText, []byte(`{"type":`), "not a message in JSON"},
		{"bytes", websocket.MessageBinary, text("b", "hello"), "not a message in JSON"},
		{"1 MB", websocket.MessageText, text("big", strings.Repeat("x", 1<<20)), "too long"},
		{"1 MB of no JSON", websocket.MessageText, bytes.Repeat([]byte("x"), 1<<20), "too long"},
		{"more than a message may have", websocket.MessageText, text("long", strings.Repeat("ö", 4097)), "4096"},
		{"no id", websocket.MessageText, text("", "hello"), "id"},
		{"an id without end", websocket.MessageText, text(strings.Repeat("i", 65), "hello"), "id"},
		{"an id of control characters", websocket.MessageText, text("a\x00b", "hello"), "id"},
		{"nothing", websocket.MessageText, text("n", " \n "), "nothing in this message"},
		{"control characters alone", websocket.MessageText, text("c", "\x00\x07\x1b"), "nothing in this message"},
		{"a type that is none", websocket.MessageText, []byte(`{"type":"order","id":"o"}`), "A frame is"},
		{"a choice of nothing", websocket.MessageText, []byte(`{"type":"choice","id":"v","value":""}`), "not one of the choices"},
		{"a choice without end", websocket.MessageText, []byte(`{"type":"choice","id":"v2","value":"` + strings.Repeat("v", 65) + `"}`), "not one of the choices"},
	}
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		v := talker(s)
		before := s.kept()
		for _, test := range tests {
			f := v.raw(test.kind, test.data)
			if f.Type != "error" || !strings.Contains(f.Text, test.words) {
				s.t.Errorf("%s: answered %+v, want an error with %q", test.name, f, test.words)
			}
		}
		if diff := cmp.Diff(before, s.kept()); diff != "" {
			s.t.Errorf("refused frames left something behind:\n%s", diff)
		}
		v.says("help")
		v.hears("STOP ends all messages")

		w := talker(s)
		if err := w.conn.Write(s.t.Context(), websocket.MessageText, text("clean", "he\x00l\x1bp")); err != nil {
			s.t.Fatal(err)
		}
		w.hears("STOP ends all messages")
		if said := s.transcript(w); !strings.Contains(said, "me: help\n") {
			s.t.Errorf("want it kept without control characters:\n%q", said)
		}
		if err := w.conn.Write(s.t.Context(), websocket.MessageText, bytes.Repeat([]byte("x"), 4<<20+1)); err == nil { // no more than is read: a reset would overtake the close
			for err == nil { // what was said before may still be on its way
				_, _, err = w.conn.Read(s.t.Context())
			}
			if code := websocket.CloseStatus(err); code != websocket.StatusMessageTooBig {
				s.t.Errorf("4 MiB and more: %v, want the socket closed with 1009", err)
			}
		}
		w.open() // and the chat goes on
		w.says("help again, please")
		w.hears("")
	})
}

// transcript is a visitor's chat from its beginning, as a new window of theirs is shown it.
func (s *shop) transcript(v *visitor) string {
	s.t.Helper()
	conn, _, err := websocket.Dial(s.t.Context(), s.base+"/chat/ws?after=none", &websocket.DialOptions{HTTPClient: v.client})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	window := &visitor{s: s, client: v.client, conn: conn}
	if err := conn.Write(s.t.Context(), websocket.MessageText, []byte(`{"type":"end"}`)); err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for { // the answer to a frame stands behind all that was said before
		f := window.read()
		if f.Type == "error" {
			return b.String()
		}
		if f.Type == "message" {
			fmt.Fprintf(&b, "%s: %s\n", f.From, f.Text)
		}
	}
}

func TestOffersInAnotherCurrencyOrOfNothingAreNotTaken(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, negotiable)
		v := talker(s)
		v.says("would you take $19?")
		if f := v.hears(""); !strings.Contains(f.Text, "EUR") && !strings.Contains(f.Text, "€") {
			s.t.Errorf("an offer in dollars is answered %q, want the currency named", f.Text)
		}
		for _, words := range []string{"would you take 0?", "would you take -19?", "would you take 99999999999999999999 EUR?"} {
			w := talker(s)
			w.says(words)
			w.hears("")
		}
		kept := s.kept()
		if kept["offers"] != 0 || kept["orders"] != 0 || kept["quotes"] != 0 || kept["parked"] != 0 {
			s.t.Errorf("kept %v, want no offer, quote or order, and nothing parked", kept)
		}
	})
}

func TestAStrangerWhoKnowsThePublicIDNeitherReadsNorWritesTheChat(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := talker(s)
		told := s.buyNotice(ann)
		eve := talker(s)
		eve.hears("now costs") // of her own watch, or the next line would wait for it
		anns := s.transcript(ann)

		dial := func(headers ...string) (*websocket.Conn, *http.Response) {
			h := http.Header{}
			for i := 0; i+1 < len(headers); i += 2 {
				h.Add(headers[i], headers[i+1])
			}
			conn, resp, _ := websocket.Dial(s.t.Context(), s.base+"/chat/ws?after=none&visitor="+ann.id, &websocket.DialOptions{HTTPHeader: h})
			return conn, resp
		}
		for name, headers := range map[string][]string{
			"no cookie":                       nil,
			"the public id as the cookie":     {"Cookie", "parley_visitor=" + ann.id},
			"the public id under other names": {"Cookie", "visitor=" + ann.id, "X-Visitor", ann.id, "Authorization", "Bearer " + ann.id},
			"an empty cookie":                 {"Cookie", "parley_visitor="},
			"a cookie without end":            {"Cookie", "parley_visitor=" + strings.Repeat("x", 5000)},
			"a cookie of SQL":                 {"Cookie", "parley_visitor=' OR 1=1 --"},
		} {
			conn, resp := dial(headers...)
			if conn != nil || resp.StatusCode != http.StatusUnauthorized {
				s.t.Errorf("%s: %v, want 401", name, resp.Status)
			}
		}
		for _, origin := range []string{"https://evil.example", "null", s.base + ".evil.example", "http://evil.example#" + s.base} {
			for _, c := range ann.cookies() { // her own browser, on a page of somebody else
				conn, resp := dial("Cookie", c.Name+"="+c.Value, "Origin", origin)
				if conn != nil || resp.StatusCode != http.StatusForbidden {
					s.t.Errorf("from %s: %v, want 403", origin, resp.Status)
				}
			}
		}

		// Eve has a chat of her own, and knows ids of Ann's.
		before := s.kept()
		for _, after := range []string{told.ID, "none", ann.id, ""} {
			conn, _, err := websocket.Dial(s.t.Context(), s.base+"/chat/ws?after="+after+"&visitor="+ann.id, &websocket.DialOptions{HTTPClient: eve.client})
			if err != nil {
				s.t.Fatal(err)
			}
			window := &visitor{s: s, client: eve.client, conn: conn}
			if hello := window.read(); hello.Visitor != eve.id {
				s.t.Errorf("after=%s: the chat is %s's, want %s's", after, hello.Visitor, eve.id)
			}
			_ = conn.CloseNow()
		}
		if diff := cmp.Diff(before, s.kept()); diff != "" {
			s.t.Errorf("looking left something behind:\n%s", diff)
		}
		eve.sends(map[string]any{"type": "choice", "value": told.Choices[0].Value}) // Ann's button
		eve.sends(map[string]any{"type": "seen", "id": told.ID, "visitor": ann.id})
		eve.sends(map[string]any{"type": "message", "text": "help", "visitor": ann.id, "chat": ann.id, "sender": ann.id})
		eve.hears("STOP ends all messages")
		if n := len(s.orders()); n != 0 {
			s.t.Errorf("%d orders by somebody else's button, want none", n)
		}
		for _, path := range []string{"/api/v1/conversations?contact=" + ann.id, "/api/v1/conversations", "/inbox", "/admin", "/inbox/events"} {
			once := *eve.client
			once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			resp, err := once.Do(s.request(s.t, "GET", path, "", "Cookie", "parley_visitor="+ann.id))
			if err != nil {
				s.t.Fatal(err)
			}
			page, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK || strings.Contains(string(page), "Harbour mug") {
				s.t.Errorf("GET %s: status %d, want it refused", path, resp.StatusCode)
			}
		}
		// The form with Ann's id in every place makes a wish of Eve's, not of Ann's.
		eve.subscribe(map[string]string{"sku": "mug", "event": "back_in_stock", "address.webchat": ann.id, "visitor": ann.id}, http.StatusOK)
		if now := s.transcript(ann); now != anns {
			s.t.Errorf("Ann's chat has changed from\n%s\nto\n%s", anns, now)
		}
	})
}

// buyNotice makes the shop tell a visitor of a lower price.
func (s *shop) buyNotice(v *visitor) frame {
	s.t.Helper()
	s.reprice("mug", 490)
	return v.hears("now costs")
}

// cookies are those that the visitor's browser would send.
func (v *visitor) cookies() []*http.Cookie {
	v.s.t.Helper()
	u, err := url.Parse(v.s.base)
	if err != nil {
		v.s.t.Fatal(err)
	}
	cookies := v.client.Jar.Cookies(u)
	if len(cookies) == 0 {
		v.s.t.Fatal("the visitor has no cookie")
	}
	return cookies
}
