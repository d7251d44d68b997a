package slack

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/slack/workspacetest"
	"parley/conversation"
)

// send writes a message with n choices.
func send(t *testing.T, b *bot, chat string, n int) adapters.Sent {
	t.Helper()
	part := adapters.Part{Chat: chat, Text: "Pick one"}
	for i := range n {
		part.Choices = append(part.Choices, conversation.Option{Label: fmt.Sprint("choice ", i), Value: fmt.Sprint("value-", i)})
	}
	sent, err := b.Send(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func failure(t *testing.T, err error) *adapters.SendError {
	t.Helper()
	failed, ok := errors.AsType[*adapters.SendError](err)
	if !ok {
		t.Fatalf("got %T %v, want a *SendError", err, err)
	}
	return failed
}

func TestSendSaysWhatFollowsFromARefusal(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, c := range []struct {
		fault workspacetest.Fault
		want  adapters.Consequence
		code  string
	}{
		{workspacetest.Fault{Code: "channel_not_found"}, adapters.Gone, "channel_not_found"},
		{workspacetest.Fault{Code: "is_archived"}, adapters.Gone, "is_archived"},
		{workspacetest.Fault{Code: "user_disabled"}, adapters.Gone, "user_disabled"},
		{workspacetest.Fault{Code: "not_in_channel"}, adapters.Gone, "not_in_channel"},
		{workspacetest.Fault{Code: "invalid_auth"}, adapters.Broken, "invalid_auth"},
		{workspacetest.Fault{Code: "not_authed"}, adapters.Broken, "not_authed"},
		{workspacetest.Fault{Code: "token_revoked"}, adapters.Broken, "token_revoked"},
		{workspacetest.Fault{Code: "account_inactive"}, adapters.Broken, "account_inactive"},
		{workspacetest.Fault{Code: "missing_scope"}, adapters.Broken, "missing_scope"},
		{workspacetest.Fault{Status: 404}, adapters.Broken, "404"},
		{workspacetest.Fault{Status: 302}, adapters.Broken, "302"},
		{workspacetest.Fault{Code: "msg_too_long"}, adapters.Rejected, "msg_too_long"},
		{workspacetest.Fault{Code: "invalid_blocks"}, adapters.Rejected, "invalid_blocks"},
		{workspacetest.Fault{Code: "of_tomorrow"}, adapters.Rejected, "of_tomorrow"},
		{workspacetest.Fault{Status: 400}, adapters.Rejected, "400"},
		{workspacetest.Fault{Code: "service_unavailable"}, adapters.Temporary, "service_unavailable"},
		{workspacetest.Fault{Status: 500}, adapters.Temporary, "500"},
		{workspacetest.Fault{Status: 503, Body: "<html>"}, adapters.Temporary, "503"},
		{workspacetest.Fault{Code: "internal_error"}, adapters.Unknown, "internal_error"},
		{workspacetest.Fault{Code: "fatal_error"}, adapters.Unknown, "fatal_error"},
		{workspacetest.Fault{Status: 504}, adapters.Unknown, "504"},
		{workspacetest.Fault{Cut: true}, adapters.Unknown, ""},
		{workspacetest.Fault{Drop: true}, adapters.Unknown, ""},
		{workspacetest.Fault{Body: "<html>hotel network"}, adapters.Unknown, ""},
		{workspacetest.Fault{Body: `{"ok":false}`}, adapters.Unknown, ""},
		{workspacetest.Fault{Status: 429}, adapters.Throttled, "429"},
		{workspacetest.Fault{Code: "ratelimited"}, adapters.Throttled, "ratelimited"},
		{workspacetest.Fault{Code: "message_limit_exceeded"}, adapters.Throttled, "message_limit_exceeded"},
	} {
		t.Run(fmt.Sprintf("%+v", c.fault), func(t *testing.T) {
			srv.Fail("chat.postMessage", c.fault)
			_, err := b.Send(t.Context(), adapters.Part{Chat: "D0ANN", Text: "hello"})
			failed := failure(t, err)
			if failed.Consequence != c.want || failed.Code != c.code || failed.Reason == "" {
				t.Errorf("got %+v, want %s by %q", failed, c.want, c.code)
			}
			if c.want == adapters.Throttled && failed.RetryAfter < time.Second {
				t.Errorf("got a pause of %v, want a second at least", failed.RetryAfter)
			}
		})
	}
}

func TestNothingLeavesWhereNobodyListens(t *testing.T) {
	b := eventsBot(t, "http://127.0.0.1:1/api", nil)
	_, err := b.Send(t.Context(), adapters.Part{Chat: "D0ANN", Text: "hello"})
	if failed := failure(t, err); failed.Consequence != adapters.Temporary {
		t.Errorf("got %+v, want temporary: it never left", failed)
	}
}

func TestARateLimitBindsTheChannelUntilAnotherOneMeetsItToo(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, c := range []struct {
		chat    string
		perChat bool
	}{{"D0ANN", true}, {"D0ANN", true}, {"C0SHOP", false}} {
		srv.Fail("chat.postMessage", workspacetest.Fault{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second})
		_, err := b.Send(t.Context(), adapters.Part{Chat: c.chat, Text: "hello"})
		if failed := failure(t, err); failed.PerChat != c.perChat || failed.RetryAfter != 30*time.Second {
			t.Errorf("%s: got %+v, want 30 s, per chat %v", c.chat, failed, c.perChat)
		}
	}
	srv.Fail("chat.update", workspacetest.Fault{Status: http.StatusTooManyRequests, RetryAfter: 5 * time.Second})
	err := b.Edit(t.Context(), "D0ANN/1800000001.000001", adapters.Part{Chat: "D0ANN", Text: "hello"})
	if failed := failure(t, err); failed.Consequence != adapters.Throttled || failed.PerChat {
		t.Errorf("got %+v, want the account throttled: edits count per workspace", failed)
	}
}

func TestMoreChoicesThanButtonsBecomeAMenu(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, c := range []struct {
		n    int
		menu bool
	}{{1, false}, {5, false}, {6, true}, {100, true}} {
		send(t, b, "D0ANN", c.n)
		all := srv.Messages("D0ANN")
		got := all[len(all)-1]
		if got.Menu != c.menu || len(got.Choices) != c.n || got.Choices[c.n-1].Value != fmt.Sprint("value-", c.n-1) {
			t.Errorf("%d choices: got %+v, want a menu: %v", c.n, got, c.menu)
		}
	}
	_, err := b.Send(t.Context(), adapters.Part{Chat: "D0ANN", Text: "x", Choices: make([]conversation.Option, 101)})
	if failed := failure(t, err); failed.Consequence != adapters.Rejected {
		t.Errorf("got %+v, want rejected", failed)
	}
}

func TestTheLongestLabelsAndValuesAreTaken(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, letter := range []string{"x", "价", "👍", "&", "<"} {
		for _, n := range []int{limits.Buttons.Max, limits.Buttons.Max + 1} {
			text := strings.Repeat(letter, limits.Buttons.Label)
			part := adapters.Part{Chat: "D0ANN", Text: "Pick", Choices: make([]conversation.Option, n)}
			for i := range part.Choices {
				part.Choices[i] = conversation.Option{Label: text, Value: strings.Repeat("v", 149) + fmt.Sprint(i)}
			}
			if _, err := b.Send(t.Context(), part); err != nil {
				t.Errorf("%d choices of %s: %v", n, letter, err)
				continue
			}
			all := srv.Messages("D0ANN")
			if got := all[len(all)-1].Choices[0].Label; got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		}
	}
}

func TestAPictureStandsAboveTheTextAndNeverCostsIt(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, c := range []struct{ name, image, want string }{
		{"public", "https://shop.example/mug.jpg", "https://shop.example/mug.jpg"},
		{"refused by Slack", "https://shop.example/missing.jpg", ""},
		{"of this machine", "http://127.0.0.1:8080/mug.jpg", ""},
		{"of this house", "http://shop.local/mug.jpg", ""},
		{"no address", "mug.jpg", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := b.Send(t.Context(), adapters.Part{Chat: "D0ANN", Text: "The mug", Image: c.image}); err != nil {
				t.Fatal(err)
			}
			all := srv.Messages("D0ANN")
			if got := all[len(all)-1]; got.Text != "The mug" || got.Image != c.want {
				t.Errorf("got %+v, want the text and the picture %q", got, c.want)
			}
		})
	}
}

func TestAddressesCanBeClicked(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	const text = "See https://shop.example/b/tok_1?a=1&b=2. (Or http://shop.example/x)"
	if _, err := b.Send(t.Context(), adapters.Part{Chat: "D0ANN", Text: text}); err != nil {
		t.Fatal(err)
	}
	if got := srv.Messages("D0ANN")[0]; got.Text != text || got.Fallback != text {
		t.Errorf("got %+v, want %q", got, text)
	}
	blocks := srv.Calls("chat.postMessage")[0].Form.Get("blocks")
	for _, link := range []string{`"url":"https://shop.example/b/tok_1?a=1\u0026b=2"`, `"url":"http://shop.example/x"`} {
		if !strings.Contains(blocks, link) {
			t.Errorf("got %s, want %s in it", blocks, link)
		}
	}
}

func TestEditTakesTheButtonsOff(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	sent := send(t, b, "C0SHOP:1800000000.000001", 2)
	if err := b.Edit(t.Context(), sent.ID, adapters.Part{Chat: "C0SHOP:1800000000.000001", Text: "*Sold*"}); err != nil {
		t.Fatal(err)
	}
	msg := srv.Messages("C0SHOP")[0]
	want := workspacetest.Message{
		Channel: "C0SHOP", TS: msg.TS, Thread: "1800000000.000001", Text: "*Sold*", Fallback: "*Sold*", Edits: 1,
	}
	if diff := cmp.Diff(want, msg); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	for _, id := range []string{"", "x", "C0SHOP", "C0SHOP/1800009999.000001", "C0SHOP/../x"} {
		if failed := failure(t, b.Edit(t.Context(), id, adapters.Part{Text: "x"})); failed.Consequence != adapters.Rejected {
			t.Errorf("edit of %q: got %+v, want rejected", id, failed)
		}
	}
}

func TestWhatCannotBeAChatIsRejectedBeforeSlackIsAsked(t *testing.T) {
	srv := workspacetest.Start(t)
	b := eventsBot(t, srv.URL(), nil)
	for _, part := range []adapters.Part{
		{Chat: "", Text: "x"}, {Chat: "42", Text: "x"}, {Chat: "#general", Text: "x"}, {Chat: "C1:now", Text: "x"}, {Chat: "D0ANN"},
	} {
		_, err := b.Send(t.Context(), part)
		if failed := failure(t, err); failed.Consequence != adapters.Rejected {
			t.Errorf("%+v: got %+v, want rejected", part, failed)
		}
	}
	if got := srv.Calls("chat.postMessage"); len(got) != 0 {
		t.Errorf("Slack was asked %d times", len(got))
	}
}
