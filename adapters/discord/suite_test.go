package discord

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/adapters/discord/discordtest"
	"parley/config"
)

// quick are times for tests: nothing here waits for a network.
var quick = times{
	open: 3 * time.Second, grace: 2 * time.Second, check: 20 * time.Millisecond, settle: 10 * time.Millisecond, reset: 10 * time.Millisecond,
	steady:  time.Minute,
	backoff: func(int) time.Duration { return 10 * time.Millisecond },
	again:   func(int) time.Duration { return 10 * time.Millisecond },
}

var untold = map[string]string{
	"blocked": "Discord does not tell a bot that it was shut out; it shows when the bot writes, see TestRefusalsOfDiscordAndWhatFollows",
}

func TestDiscordOverTheGatewayPassesTheSuite(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			return line(t, env, discordtest.Start(t), map[string]string{})
		},
		Without: untold,
	})
}

func TestDiscordByWebhookPassesTheSuite(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, adaptertest.Harness{
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			hook := make(chan http.Handler, 1)
			house := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := <-hook
				hook <- h
				h.ServeHTTP(w, r)
			}))
			t.Cleanup(house.Close)
			srv := discordtest.Start(t)
			srv.Hook(house.URL)
			l := line(t, env, srv, map[string]string{"mode": "webhook", "public_key": srv.PublicKey()})
			l.Hook = &adaptertest.Hook{Body: srv.Person("Bob").Interaction, Prove: srv.Sign, OfBody: true, Dated: true, Longest: maxInteraction}
			l.Attach = func(sink adapters.Sink) { hook <- l.Messenger.(adapters.Webhook).Hook(sink) }
			return l
		},
		Without: untold,
	})
}

// open makes a bot at the strict server.
func open(t *testing.T, env adapters.Env, srv *discordtest.Server, settings map[string]string) *Messenger {
	t.Helper()
	if settings["token"] == "" {
		settings["token"] = discordtest.Token
	}
	settings["api_base"] = srv.URL()
	s, err := config.NewSettings(Spec.Fields, settings)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, env)
	if err != nil {
		t.Fatal(err)
	}
	m.times = quick
	return m
}

// line is an account at the strict server, with Ann at the other end.
func line(t *testing.T, env adapters.Env, srv *discordtest.Server, settings map[string]string) *adaptertest.Line {
	t.Helper()
	srv.ContentIntent(true)
	m := open(t, env, srv, settings)
	ann := srv.Person("Ann")
	read := 0
	return &adaptertest.Line{
		Messenger: m, Chat: ann.Channel, Secrets: []string{discordtest.Token, discordtest.InteractionToken},
		Ready:   func() { srv.Wait("the bot", srv.Connected) },
		Left:    func() { srv.Wait("the bot's leaving", srv.Left) },
		Type:    func(text string) { ann.Type(text) },
		Press:   func(label string) { ann.Press(label) },
		Repeat:  srv.Repeat,
		Block:   ann.Block,
		Drop:    srv.Drop,
		Shuffle: ann.Shuffle,
		Typing:  func() { srv.Wait("typing", func() bool { return len(srv.Calls(http.MethodPost, "/typing")) > 0 }) },
		Reread: func() adaptertest.Shown {
			all := ann.Messages()
			return shown(all[len(all)-1])
		},
		Room: staffChannel(srv),
		Hold: func(d time.Duration) {
			srv.Fail(discordtest.Fault{Status: http.StatusTooManyRequests, RetryAfter: int(d.Seconds())})
		},
		Cut: func() { srv.Fail(discordtest.Fault{Cut: true}) },
		Read: func() adaptertest.Shown {
			srv.Wait("the next message", func() bool { return len(ann.Messages()) > read })
			read++
			return shown(ann.Messages()[read-1])
		},
	}
}

// staffChannel is a channel of a server, where Rita works in threads.
func staffChannel(srv *discordtest.Server) *adaptertest.Room {
	room, rita := srv.Guild(), srv.Person("Rita")
	read, latest := map[string]int{}, ""
	in := func(thread string) string {
		_, id, _ := strings.Cut(thread, ":t")
		return id
	}
	return &adaptertest.Room{
		ID:     room,
		Say:    func(thread, text string) { latest = rita.WriteIn(in(thread), text) },
		Edit:   func(thread, text string) { rita.EditIn(in(thread), latest, text) },
		Delete: func(thread string) { srv.Delete(in(thread), latest) },
		Press:  func(thread, label string) { rita.PressIn(in(thread), label) },
		Aside:  func(text string) { rita.WriteIn(room, text) },
		Read: func(thread string) adaptertest.Shown {
			srv.Wait("a message in the thread", func() bool { return len(srv.Messages(in(thread))) > read[thread] })
			read[thread]++
			return shown(srv.Messages(in(thread))[read[thread]-1])
		},
	}
}

func shown(msg discordtest.Message) adaptertest.Shown {
	s := adaptertest.Shown{Text: msg.Text}
	for _, b := range append(msg.Buttons, msg.Menu...) {
		s.Labels = append(s.Labels, b.Label)
	}
	return s
}

func TestMarkupIsEscapedButLinksStayWhole(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, want string }{
		{"plain", "Hello, 2 for €3.50!", "Hello, 2 for €3.50!"},
		{"emphasis", "*a* _b_ ~c~ |d| `e`", "\\*a\\* \\_b\\_ \\~c\\~ \\|d\\| \\`e\\`"},
		{"a link keeps its letters", "see https://shop.example/a_b_c*d?x=[1] now_", "see https://shop.example/a_b_c*d?x=[1] now\\_"},
		{"a hidden link is shown", "[free](http://bad.example)", "\\[free\\](http://bad.example)"},
		{"mentions", "<@123> <#4> <:x:5> </buy:6>", "\\<@123> \\<#4> \\<:x:5> \\</buy:6>"},
		{"lines", "# a\n> b\n- c\n+ d\n1. e\n12) f\n  - g", "\\# a\n\\> b\n\\- c\n\\+ d\n1\\. e\n12\\) f\n  \\- g"},
		{"not at the start", "a # b > c - d 1. e", "a # b > c - d 1. e"},
		{"backslash", `a\*b`, `a\\\*b`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := escape(c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzEscapeNeverMoreThanDoubles(f *testing.F) {
	f.Add("*a* https://x_y [b](c)\n1. # >")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		got := escape(text)
		if utf8.RuneCountInString(got) > 2*utf8.RuneCountInString(text) {
			t.Errorf("%q became %q", text, got)
		}
		if strings.ReplaceAll(got, `\`, "") != strings.ReplaceAll(text, `\`, "") {
			t.Errorf("%q lost something in %q", text, got)
		}
	})
}
