package discord

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/discord/discordtest"
	"parley/conversation"
)

// still is a bot that only sends.
func still(t *testing.T) (*bot, *discordtest.Person) {
	t.Helper()
	b := newBot(t, discordtest.Start(t), &memory{}, map[string]string{})
	return b, b.srv.Person("Ann")
}

func options(n int) []conversation.Option {
	var out []conversation.Option
	for i := range n {
		out = append(out, conversation.Option{Label: fmt.Sprint("Choice ", i), Value: fmt.Sprint("value-", i)})
	}
	return out
}

func TestMoreChoicesThanButtonsBecomeAMenu(t *testing.T) {
	t.Parallel()
	b := running(t)
	ann := b.srv.Person("Ann")
	for i, n := range []int{1, 5, 6, 10, 11, 25} {
		if _, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "Pick", Choices: options(n)}); err != nil {
			t.Fatalf("%d choices: %v", n, err)
		}
		got := ann.Messages()[i]
		if len(got.Buttons)+len(got.Menu) != n || n > 10 && len(got.Menu) != n {
			t.Errorf("%d choices: got %d buttons and %d entries", n, len(got.Buttons), len(got.Menu))
		}
	}
	ann.Press("Choice 24")
	if e := b.inbox.await(t, 1); e.Kind != conversation.Choice || e.Value != "value-24" {
		t.Errorf("got %+v, want what was picked", e)
	}
	_, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "Pick", Choices: options(26)})
	if failed := sendError(t, err); failed.Consequence != adapters.Rejected {
		t.Errorf("26 choices: got %v", failed)
	}
}

func TestTextThatGrowsByEscapingStaysWhole(t *testing.T) {
	t.Parallel()
	b, ann := still(t)
	text := strings.Repeat("*", textLimit)
	if _, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: text, Image: "https://shop.example/a.png"}); err != nil {
		t.Fatal(err)
	}
	if got := ann.Messages()[0]; got.Text != text || got.Image == "" {
		t.Errorf("got %d characters and picture %q, want all", len(got.Text), got.Image)
	}
}

func TestAPictureIsShownWhereDiscordCanFetchIt(t *testing.T) {
	t.Parallel()
	b, ann := still(t)
	for i, c := range []struct{ image, want string }{
		{"https://shop.example/mug.png", "https://shop.example/mug.png"},
		{"http://127.0.0.1:8080/mug.png", ""},
		{"http://localhost/mug.png", ""},
		{"file:///etc/passwd", ""},
	} {
		if _, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "A mug", Image: c.image}); err != nil {
			t.Fatal(err)
		}
		if got := ann.Messages()[i]; got.Image != c.want || got.Text != "A mug" {
			t.Errorf("%s: got %+v", c.image, got)
		}
	}
}

func TestARepeatUnderTheSameKeyReachesThePersonOnce(t *testing.T) {
	t.Parallel()
	b, ann := still(t)
	part := adapters.Part{Chat: ann.Channel, Text: "once", Key: "msg_01hzyq3k5w8v2t6x9b4c7d0f1g.3"}
	b.srv.Fail(discordtest.Fault{Cut: true})
	if _, err := b.Send(t.Context(), part); sendError(t, err).Consequence != adapters.Unknown {
		t.Errorf("got %v, want %s", err, adapters.Unknown)
	}
	sent, err := b.Send(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	if got := ann.Messages(); len(got) != 1 || got[0].ID != sent.ID {
		t.Errorf("got %+v, want one message with the id %s", got, sent.ID)
	}
}

func TestAnEditReplacesTextPictureAndChoices(t *testing.T) {
	t.Parallel()
	b, ann := still(t)
	sent, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "€35.50", Choices: options(2), Image: "https://shop.example/a.png"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Edit(t.Context(), sent.ID, adapters.Part{Chat: ann.Channel, Text: "~sold out~"}); err != nil {
		t.Fatal(err)
	}
	got := ann.Messages()[0]
	if diff := cmp.Diff([]any{"~sold out~", 0, "", 1}, []any{got.Text, len(got.Buttons), got.Image, got.Edits}); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	for _, id := range []string{"1", "not-an-id", ann.Type("mine")} {
		err := b.Edit(t.Context(), id, adapters.Part{Chat: ann.Channel, Text: "x"})
		if sendError(t, err).Consequence != adapters.Rejected {
			t.Errorf("%s: got %v, want it rejected", id, err)
		}
	}
}

func TestTypingIsShown(t *testing.T) {
	t.Parallel()
	b, ann := still(t)
	if err := b.Typing(t.Context(), ann.Channel); err != nil {
		t.Error(err)
	}
	if err := b.Typing(t.Context(), "x"); err == nil {
		t.Error("a chat that is none was taken")
	}
	if n := len(b.srv.Calls(http.MethodPost, "/typing")); n != 1 {
		t.Errorf("got %d calls, want 1", n)
	}
}

func TestRefusalsOfDiscordAndWhatFollows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault discordtest.Fault
		want  adapters.Consequence
		code  string
	}{
		{"the person takes no messages", discordtest.Fault{Status: 403, Code: 50007}, adapters.Gone, "50007"},
		{"no server in common", discordtest.Fault{Status: 403, Code: 50278}, adapters.Gone, "50278"},
		{"unknown channel", discordtest.Fault{Status: 404, Code: 10003}, adapters.Gone, "10003"},
		{"no access", discordtest.Fault{Status: 403, Code: 50001}, adapters.Gone, "50001"},
		{"no permission", discordtest.Fault{Status: 403, Code: 50013}, adapters.Rejected, "50013"},
		{"bad form", discordtest.Fault{Status: 400, Code: 50035}, adapters.Rejected, "50035"},
		{"refused token", discordtest.Fault{Status: 401}, adapters.Broken, "401"},
		{"a redirect", discordtest.Fault{Status: 302, Page: "elsewhere"}, adapters.Broken, "302"},
		{"internal error", discordtest.Fault{Status: 500, Page: "<html>"}, adapters.Temporary, "500"},
		{"bad gateway", discordtest.Fault{Status: 502, Page: "<html>"}, adapters.Temporary, "502"},
		{"gateway timeout", discordtest.Fault{Status: 504, Page: "<html>"}, adapters.Unknown, "504"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, ann := still(t)
			b.srv.Fail(c.fault)
			_, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "hello"})
			failed := sendError(t, err)
			if failed.Consequence != c.want || failed.Code != c.code {
				t.Errorf("got %+v, want %s with %s", failed, c.want, c.code)
			}
			if strings.Contains(fmt.Sprint(failed, failed.Err), discordtest.Token) {
				t.Errorf("the token is shown: %v", failed)
			}
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		b, ann := still(t)
		b.rest.carrier.base.Host = "127.0.0.1:1"
		_, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "hello"})
		if failed := sendError(t, err); failed.Consequence != adapters.Temporary {
			t.Errorf("got %+v, want %s: it never left", failed, adapters.Temporary)
		}
	})
	t.Run("a chat that is none", func(t *testing.T) {
		b, _ := still(t)
		_, err := b.Send(t.Context(), adapters.Part{Chat: "12/../34", Text: "hello"})
		if failed := sendError(t, err); failed.Consequence != adapters.Rejected {
			t.Errorf("got %+v, want %s", failed, adapters.Rejected)
		}
	})
}

func TestRateLimitsAreReportedAndNeverWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   discordtest.Fault
		first   bool // the message that meets the fault is taken
		perChat bool
	}{
		{"too many in a chat", discordtest.Fault{Status: 429, RetryAfter: 7}, false, true},
		{"too many at all", discordtest.Fault{Status: 429, RetryAfter: 7, Global: true}, false, false},
		{"their proxy shuts us out", discordtest.Fault{Status: 429, RetryAfter: 7, Page: "<html>banned"}, false, false},
		{"the last that was allowed", discordtest.Fault{Used: 7}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, ann := still(t)
			bob := b.srv.Person("Bob")
			began := time.Now()
			b.srv.Fail(c.fault)
			_, err := b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "first"})
			if c.first != (err == nil) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				if failed := sendError(t, err); failed.Consequence != adapters.Throttled || failed.RetryAfter != 7*time.Second || failed.PerChat != c.perChat {
					t.Errorf("got %+v, want 7 s", failed)
				}
			}
			calls := len(b.srv.Calls(http.MethodPost, "/messages"))
			_, err = b.Send(t.Context(), adapters.Part{Chat: ann.Channel, Text: "second"})
			if failed := sendError(t, err); failed.Consequence != adapters.Throttled || failed.RetryAfter < 5*time.Second || failed.PerChat != c.perChat {
				t.Errorf("got %+v, want the rest of 7 s", failed)
			}
			if got := len(b.srv.Calls(http.MethodPost, "/messages")); got != calls {
				t.Error("asked again though Discord had said no")
			}
			if _, err := b.Send(t.Context(), adapters.Part{Chat: bob.Channel, Text: "third"}); c.perChat != (err == nil) {
				t.Errorf("another chat: got %v", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func sendError(t *testing.T, err error) *adapters.SendError {
	t.Helper()
	failed, ok := err.(*adapters.SendError) //nolint:errorlint // it has to be one itself
	if !ok {
		t.Fatalf("got %T %v, want a *SendError", err, err)
	}
	return failed
}
