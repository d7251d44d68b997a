package web_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/store"
)

// stream is an open connection to /inbox/events.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func (o *office) listen(server *httptest.Server, session, after string) *stream {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/inbox/events", nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "parley_staff", Value: session})
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	s := &stream{o.t, bufio.NewScanner(resp.Body), func() { cancel(); _ = resp.Body.Close() }}
	o.t.Cleanup(s.close)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		o.t.Fatalf("got %d %v", resp.StatusCode, resp.Header)
	}
	if line := s.line(); line != "retry: 2000" { // the server listens from here on
		o.t.Fatalf("the stream begins with %q", line)
	}
	return s
}

// line is the next line that is not empty.
func (s *stream) line() string {
	s.t.Helper()
	for s.lines.Scan() {
		if s.lines.Text() != "" {
			return s.lines.Text()
		}
	}
	s.t.Fatalf("the stream ended: %v", s.lines.Err())
	return ""
}

// next is the id and the data of the next event.
func (s *stream) next() (id, data string) {
	s.t.Helper()
	id = strings.TrimPrefix(s.line(), "id: ")
	if line := s.line(); line != "event: change" {
		s.t.Fatalf("got %q", line)
	}
	return id, strings.TrimPrefix(s.line(), "data: ")
}

func TestAChangeReachesTheInboxOnceItIsCommitted(t *testing.T) {
	o := openOffice(t)
	server := httptest.NewServer(o.handler)
	defer server.Close()
	s := o.listen(server, o.ours.session, "")
	defer s.close()
	o.say(o.theirs, "visitor-9", "not yours to see")
	failed := o.db.Tx(t.Context(), func(tx *store.Tx) error {
		if err := tx.Event(t.Context(), o.ours.merchant, "message_in", "never", nil); err != nil {
			return err
		}
		return context.Canceled
	})
	if failed == nil {
		t.Fatal("the transaction was kept")
	}
	th := o.say(o.ours, "visitor-9", "hello")
	first, data := s.next()
	if want := `{"kind":"message_in","subject":"` + th.ID + `"}`; data != want {
		t.Errorf("got %s, want %s", data, want)
	}
	if err := o.house.TakeOver(t.Context(), o.ours.merchant, th.ID, o.ours.admin.ID); err != nil {
		t.Fatal(err)
	}
	if _, data := s.next(); !strings.Contains(data, `"taken"`) {
		t.Errorf("got %s", data)
	}
	s.close()
	again := o.listen(server, o.ours.session, first)
	defer again.close()
	if _, data := again.next(); !strings.Contains(data, `"taken"`) {
		t.Errorf("after the id %s it goes on with %s", first, data)
	}
}
