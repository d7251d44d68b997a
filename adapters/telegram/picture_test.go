package telegram

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

// gif is the smallest picture there is.
var gif = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// web is a shop's web server on this machine, with how often it was asked.
type web struct {
	*httptest.Server
	asked atomic.Int32
}

func serve(t *testing.T, body []byte) *web {
	t.Helper()
	w := &web{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		switch r.URL.Path {
		case "/elsewhere.png":
			http.Redirect(rw, r, "/a.gif", http.StatusFound)
		case "/missing.png":
			http.NotFound(rw, r)
		default:
			_, _ = rw.Write(body)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

func TestPictureThatTelegramCannotFetchIsUploaded(t *testing.T) {
	for _, refusal := range []string{"failed to get HTTP URL content", "wrong file identifier/HTTP URL specified", "wrong type of the web page content", "WEBPAGE_CURL_FAILED"} {
		t.Run(refusal, func(t *testing.T) {
			srv, ann, b := chatting(t)
			shop := serve(t, gif)
			b.api.http.Transport = reaching{"shop.example", shop.Listener.Addr().String(), srv.Client().Transport}
			srv.Fail("sendPhoto", telegramtest.Fault{Code: 400, Description: "Bad Request: " + refusal})
			_, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "look", Image: "http://shop.example/a.gif", Choices: []conversation.Option{{Label: "Buy", Value: "v"}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := ann.Messages(); len(got) != 1 || !bytes.Equal(got[0].Upload, gif) || got[0].Text != "look" || len(got[0].Buttons) != 1 {
				t.Errorf("got %+v, want the picture with its words and button", got)
			}
		})
	}
}

// reaching leads a name to a server on this machine.
type reaching struct {
	host, to string
	next     http.RoundTripper
}

func (d reaching) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == d.host {
		r = r.Clone(r.Context())
		r.URL.Host = d.to
	}
	return d.next.RoundTrip(r)
}

func TestPictureOnThisMachineIsUploadedOnceForManyPeople(t *testing.T) {
	srv, ann, b := chatting(t)
	shop := serve(t, gif)
	now := time.Now()
	b.now = func() time.Time { return now }
	send := func() {
		t.Helper()
		if _, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "look", Image: shop.URL + "/a.gif"}); err != nil {
			t.Fatal(err)
		}
	}
	send()
	send()
	if got := shop.asked.Load(); got != 1 {
		t.Errorf("fetched %d times, want once", got)
	}
	now = now.Add(uploadKept)
	send() // it may have changed
	if got := shop.asked.Load(); got != 2 {
		t.Errorf("fetched %d times, want once more later", got)
	}
	for _, msg := range ann.Messages() {
		if !bytes.Equal(msg.Upload, gif) {
			t.Errorf("got %+v, want the picture", msg)
		}
	}
	if got := len(srv.Calls("sendPhoto")); got != 3 {
		t.Errorf("got %d calls, want 3", got)
	}
}

func TestPictureThatCannotBeHadNeverCostsTheWords(t *testing.T) {
	for _, tt := range []struct{ name, path, body string }{
		{"not there", "/missing.png", ""},
		{"elsewhere", "/elsewhere.png", string(gif)},
		{"too large", "/a.gif", string(gif) + strings.Repeat("\x00", pictureLimit)},
		{"a page", "/a.gif", "<html>hello</html>"},
		{"a drawing", "/a.svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`},
		{"nothing", "/a.gif", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, ann, b := chatting(t)
			shop := serve(t, []byte(tt.body))
			if _, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "look", Image: shop.URL + tt.path}); err != nil {
				t.Fatal(err)
			}
			if got := ann.Messages(); len(got) != 1 || got[0].Text != "look" || got[0].Image != "" {
				t.Errorf("got %+v, want the words alone", got)
			}
			if got := len(srv.Calls("sendPhoto")); got != 0 {
				t.Errorf("got %d uploads, want none", got)
			}
		})
	}
}

func TestRefusedUploadSaysWhatFollows(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault telegramtest.Fault
		want  adapters.Consequence
	}{
		{"rate limit", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after 7", RetryAfter: 7}, adapters.Throttled},
		{"blocked", telegramtest.Fault{Code: 403, Description: "Forbidden: bot was blocked by the user"}, adapters.Gone},
		{"internal error", telegramtest.Fault{Code: 500, Description: "Internal Server Error"}, adapters.Temporary},
		{"cut after the request", telegramtest.Fault{Cut: true}, adapters.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, _, b := chatting(t)
			shop := serve(t, gif)
			srv.Fail("sendPhoto", tt.fault)
			_, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "look", Image: shop.URL + "/a.gif"})
			if got, ok := errors.AsType[*adapters.SendError](err); !ok || got.Consequence != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
