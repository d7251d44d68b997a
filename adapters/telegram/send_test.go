package telegram

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/telegram/telegramtest"
	"parley/conversation"
)

// chatting is a bot that knows Ann, without running.
func chatting(t *testing.T) (*telegramtest.Server, *telegramtest.Person, *bot) {
	t.Helper()
	srv := telegramtest.Start(t)
	ann := srv.Person(42, "Ann")
	ann.Type("hi")
	return srv, ann, newBot(t, map[string]string{"api_base": srv.URL()}, srv.Client())
}

func TestSendShowsTextAsWrittenWithOneButtonARow(t *testing.T) {
	srv, ann, b := chatting(t)
	sent, err := b.Send(t.Context(), adapters.Part{
		Chat: "42", Text: "*not bold* <b>& [x](y) https://shop.example",
		Choices: []conversation.Option{{Label: "Buy now, pay €35.50", Value: strings.Repeat("v", 64)}, {Label: "Later", Value: "l"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	msg := ann.Messages()[0]
	want := telegramtest.Message{
		ID: msg.ID, Text: "*not bold* <b>& [x](y) https://shop.example",
		Buttons: []telegramtest.Button{{Label: "Buy now, pay €35.50", Data: strings.Repeat("v", 64)}, {Label: "Later", Data: "l"}},
	}
	if diff := cmp.Diff(want, msg); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	params := srv.Calls("sendMessage")[0].Params
	if params.Get("disable_web_page_preview") != "true" || params.Has("parse_mode") {
		t.Errorf("got %v, want no preview and no markup", params)
	}
	if rows := strings.Count(params.Get("reply_markup"), "],["); rows != 1 || sent.ID == "" {
		t.Errorf("got %s as %q, want two rows and an id", params.Get("reply_markup"), sent.ID)
	}
}

func TestSendFillsTheLimitInUTF16(t *testing.T) {
	_, ann, b := chatting(t)
	for _, text := range []string{strings.Repeat("👍", 2048), strings.Repeat("价", 4096), strings.Repeat("a", 4096)} {
		if _, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: text}); err != nil {
			t.Errorf("%.9s…: %v", text, err)
		}
	}
	if got := len(ann.Messages()); got != 3 {
		t.Errorf("got %d messages, want 3", got)
	}
	_, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: strings.Repeat("👍", 2049)})
	if refusal, ok := errors.AsType[*adapters.SendError](err); !ok || refusal.Consequence != adapters.Rejected {
		t.Errorf("got %v, want rejected", err)
	}
}

func TestPictureGoesWithItsTextOrNotAtAll(t *testing.T) {
	const public = "https://shop.example/a.png"
	tests := []struct {
		name, image, text string
		fault             *telegramtest.Fault
		want              string // the image shown
	}{
		{"with a caption", public, "look", nil, public},
		{"without words", public, "", nil, public},
		{"words beyond a caption", public, strings.Repeat("x", 1025), nil, ""},
		{"on this machine", "http://127.0.0.1:8080/a.png", "look", nil, ""},
		{"on this machine by name", "http://localhost:8080/a.png", "look", nil, ""},
		{"in this house", "http://192.168.1.5/a.png", "look", nil, ""},
		{"no address", "/a.png", "look", nil, ""},
		{"cannot be loaded", public, "look", &telegramtest.Fault{Code: 400, Description: "Bad Request: failed to get HTTP URL content"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, ann, b := chatting(t)
			if tt.fault != nil {
				srv.Fail("sendPhoto", *tt.fault)
			}
			_, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: tt.text, Image: tt.image, Choices: []conversation.Option{{Label: "Buy", Value: "v"}}})
			if err != nil {
				t.Fatal(err)
			}
			msgs := ann.Messages()
			if len(msgs) != 1 || msgs[0].Image != tt.want || msgs[0].Text != tt.text || len(msgs[0].Buttons) != 1 {
				t.Errorf("got %+v, want one message with image %q", msgs, tt.want)
			}
		})
	}
}

func TestFailedSendSaysWhatFollows(t *testing.T) {
	type fault = telegramtest.Fault
	tests := []struct {
		name  string
		fault fault
		want  adapters.SendError
	}{
		{"rate limit", fault{Code: 429, Description: "Too Many Requests: retry after 7", RetryAfter: 7}, adapters.SendError{Consequence: adapters.Throttled, RetryAfter: 7 * time.Second, PerChat: true, Code: "429"}},
		{"blocked", fault{Code: 403, Description: "Forbidden: bot was blocked by the user"}, adapters.SendError{Consequence: adapters.Gone, Code: "403"}},
		{"deactivated", fault{Code: 403, Description: "Forbidden: user is deactivated"}, adapters.SendError{Consequence: adapters.Gone, Code: "403"}},
		{"no such chat", fault{Code: 400, Description: "Bad Request: chat not found"}, adapters.SendError{Consequence: adapters.Gone, Code: "400"}},
		{"bad button", fault{Code: 400, Description: "Bad Request: BUTTON_DATA_INVALID"}, adapters.SendError{Consequence: adapters.Rejected, Code: "400"}},
		{"token revoked", fault{Code: 401, Description: "Unauthorized"}, adapters.SendError{Consequence: adapters.Broken, Code: "401"}},
		{"token malformed", fault{Code: 404, Description: "Not Found"}, adapters.SendError{Consequence: adapters.Broken, Code: "404"}},
		{"internal error", fault{Code: 500, Description: "Internal Server Error"}, adapters.SendError{Consequence: adapters.Temporary, Code: "500"}},
		{"a proxy's page", fault{Code: 502, Body: "<html>bad gateway</html>"}, adapters.SendError{Consequence: adapters.Temporary, Code: "502"}},
		{"a proxy that gave up waiting", fault{Code: 504, Body: "<html>timeout</html>"}, adapters.SendError{Consequence: adapters.Unknown, Code: "504"}},
		{"a redirect", fault{Code: 302, Body: "moved"}, adapters.SendError{Consequence: adapters.Broken, Code: "302"}},
		{"an answer that is a page", fault{Code: 200, Body: "<html>log in to the hotel's network</html>"}, adapters.SendError{Consequence: adapters.Unknown}},
		{"cut after the request", fault{Cut: true}, adapters.SendError{Consequence: adapters.Unknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, _, b := chatting(t)
			srv.Fail("sendMessage", tt.fault)
			_, err := b.Send(t.Context(), adapters.Part{Chat: "42", Text: "x"})
			got, ok := errors.AsType[*adapters.SendError](err)
			if !ok {
				t.Fatalf("got %v, want a SendError", err)
			}
			if got.Reason == "" || strings.Contains(err.Error()+got.Err.Error(), telegramtest.Token) {
				t.Errorf("got %q, want a reason without the token", err)
			}
			got.Reason, got.Err = "", nil
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSendToABlockerAndToStrangersIsRefusedByTheServerItself(t *testing.T) {
	srv, ann, b := chatting(t)
	ann.Block()
	srv.Person(43, "Bob")
	for _, chat := range []string{"42", "43", "44"} {
		_, err := b.Send(t.Context(), adapters.Part{Chat: chat, Text: "x"})
		if got, ok := errors.AsType[*adapters.SendError](err); !ok || got.Consequence != adapters.Gone {
			t.Errorf("chat %s: got %v, want blocked", chat, err)
		}
	}
	_, err := b.Send(t.Context(), adapters.Part{Chat: "@ann", Text: "x"})
	if got, ok := errors.AsType[*adapters.SendError](err); !ok || got.Consequence != adapters.Rejected {
		t.Errorf("a handle: got %v, want rejected", err)
	}
}

func TestSecondChatHeldBackAtTheSameTimeMeansTheWholeBot(t *testing.T) {
	var th throttle
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		chat string
		at   time.Duration
		want bool
	}{
		{"1", 0, true}, {"1", time.Second, true}, {"2", 2 * time.Second, false}, {"1", 3 * time.Second, false}, {"2", time.Minute, true},
	}
	for _, tt := range tests {
		if got := th.perChat(tt.chat, now.Add(tt.at), 5*time.Second); got != tt.want {
			t.Errorf("chat %s after %v: got %v, want %v", tt.chat, tt.at, got, tt.want)
		}
	}
}

func TestSendThatNeverLeftIsTemporaryAndShowsNoToken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // only for its port
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	b := newBot(t, map[string]string{"api_base": "http://" + ln.Addr().String()}, nil)
	_, err = b.Send(t.Context(), adapters.Part{Chat: "42", Text: "x"})
	got, ok := errors.AsType[*adapters.SendError](err)
	if !ok || got.Consequence != adapters.Temporary || strings.Contains(err.Error()+got.Err.Error(), telegramtest.Token) {
		t.Errorf("got %v, want temporary without the token", err)
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	arrived, stop := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		close(arrived)
		<-stop
	}))
	defer srv.Close()
	defer close(stop)
	b := newBot(t, map[string]string{"api_base": srv.URL}, srv.Client())
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := b.Send(ctx, adapters.Part{Chat: "42", Text: "x"})
	got, ok := errors.AsType[*adapters.SendError](err)
	if !ok || got.Consequence != adapters.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unknown because of the context: the request had left", err)
	}
}

func TestTypingIsShown(t *testing.T) {
	srv, _, b := chatting(t)
	if err := b.Typing(t.Context(), "42"); err != nil {
		t.Error(err)
	}
	if got := len(srv.Calls("sendChatAction")); got != 1 {
		t.Errorf("got %d calls, want 1", got)
	}
}
