package cli

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/adapters/slack/workspacetest"
)

// slackDesk is a channel of a workspace in which the staff of a shop work, and a visitor who has opened the chat about the mug.
type slackDesk struct {
	*shop
	srv      *workspacetest.Server
	connect  func() // has Slack reach the shop
	eve, bob *workspacetest.Person
	ann      *visitor
}

const (
	staffChannel = "C0STAFF"
	slackRooms   = "    desk:\n      - {account: slack, room: " + staffChannel + "}\n"
)

// eachSlackDesk runs a test against a shop whose staff work in Slack: over the socket on both databases, and by the Events API.
func eachSlackDesk(t *testing.T, test func(*slackDesk)) {
	eachDatabase(t, func(t *testing.T, url string) {
		d := openSlackDesk(t, url, fmt.Sprintf("app_token: %q", workspacetest.AppToken))
		d.opens(d.srv.Connected)
		test(d)
	})
	t.Run("events", func(t *testing.T) {
		d := openSlackDesk(t, "sqlite://"+t.TempDir()+"/parley.db", fmt.Sprintf("mode: events, signing_secret: %q", workspacetest.SigningSecret))
		d.opens(func() { d.srv.Hook(d.base + "/hooks/slack") })
		test(d)
	})
}

func openSlackDesk(t *testing.T, url, settings string) *slackDesk {
	t.Helper()
	srv := workspacetest.Start(t)
	srv.Channel(staffChannel)
	account := fmt.Sprintf("      - {name: slack, adapter: slack, api_base: %q, bot_token: %q, %s%s}\n", srv.URL(), workspacetest.BotToken, settings, unpaced)
	return &slackDesk{shop: openShop(t, testShop(url, account+slackRooms)), srv: srv, eve: srv.Person("U0EVE", "Eve"), bob: srv.Person("U0BOB", "Bob")}
}

// opens connects the shop and Slack, and a visitor.
func (d *slackDesk) opens(connect func()) {
	d.t.Helper()
	d.connect = connect
	d.accountReady("slack")
	d.connect()
	d.product("mug", "Harbour mug", 2000, 5, "")
	d.ann = d.visit("mug")
	d.ann.subscribe(map[string]string{"sku": "mug", "event": "price_below", "price_below.threshold": "17.50"}, http.StatusOK)
	d.ann.open()
}

// asks has the visitor ask for a person; it returns the thread that this opens, by its first message.
func (d *slackDesk) asks() (thread string) {
	d.t.Helper()
	d.ann.says(leaks)
	d.ann.hears("passing this on to a person")
	return d.srv.WaitFor(staffChannel, "", "Ann · Harbour mug · web chat").TS
}

// conversation is the shopper's, as the API lists it.
func (d *slackDesk) conversation() map[string]any {
	d.t.Helper()
	all := d.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any)
	if len(all) != 1 {
		d.t.Fatalf("%d conversations, want the shopper's alone", len(all))
	}
	return all[0].(map[string]any)
}

func TestStaffAnswerAShopperOfTheWebChatFromASlackThread(t *testing.T) {
	t.Parallel()
	eachSlackDesk(t, func(d *slackDesk) {
		thread := d.asks()
		card := d.srv.WaitFor(staffChannel, thread, "Ann asks for a person")
		for _, want := range []string{"Harbour mug, €20.00", "Ann: " + leaks, "!bot"} {
			if !strings.Contains(card.Text, want) {
				t.Errorf("the card %q lacks %q", card.Text, want)
			}
		}
		if got := card.Labels(); !slices.Equal(got, []string{"I take it", "Back to the bot"}) {
			t.Errorf("buttons %q", got)
		}
		d.eve.Press("I take it")
		d.srv.WaitFor(staffChannel, thread, "Eve has taken the conversation")
		d.srv.Wait("the card to lose its buttons", func() bool {
			return len(d.srv.WaitFor(staffChannel, thread, "Ann asks for a person").Choices) == 0
		})

		said := d.eve.TypeIn(staffChannel, thread, "Yes, at <60> degrees & *slowly*.")
		if got := d.ann.hears("at <60> degrees & *slowly*."); got.From != "staff" {
			t.Errorf("it was said by %q, want staff", got.From)
		}
		d.eve.Edit(staffChannel, said, "Yes, at 50 degrees.")
		d.ann.shownOrHears("50 degrees")
		d.eve.Delete(staffChannel, said)
		d.ann.shownOrHears("(withdrawn)")
		d.ann.says("thanks")
		d.srv.WaitFor(staffChannel, thread, "Ann: thanks")

		d.bob.TypeIn(staffChannel, thread, "I would not!")
		d.srv.WaitFor(staffChannel, thread, "Bob, this conversation is Eve's")
		d.bob.TypeIn(staffChannel, "", "Lunch?")
		d.bob.TypeIn(staffChannel, "", "@shop help")

		d.bob.Press("Back to the bot")
		d.ann.hears("It is me again")
		d.srv.WaitFor(staffChannel, thread, "Bob has given the conversation back")
		d.ann.says("thanks")
		d.ann.hears("You are welcome")
		if n := len(d.srv.Threads(staffChannel)); n != 1 {
			t.Errorf("%d threads, want one", n)
		}
	})
}

func TestTheInboxShowsWhoAnswersInTheSlackThread(t *testing.T) {
	t.Parallel()
	eachSlackDesk(t, func(d *slackDesk) {
		thread := d.asks()
		d.srv.WaitFor(staffChannel, thread, "Ann asks for a person")
		d.eve.TypeIn(staffChannel, thread, "Yes, it does.") // without a button: whoever writes takes over
		d.ann.hears("Yes, it does.")
		one := d.conversation()
		if one["staff"] != "slack:U0EVE" {
			t.Errorf("got %v, want slack:U0EVE to have it", one["staff"])
		}
		page := d.staffPage("/inbox/" + one["id"].(string))
		for _, want := range []string{"Eve has this conversation", "Eve took over", "Yes, it does."} {
			if !strings.Contains(page, want) {
				t.Errorf("the inbox lacks %q", want)
			}
		}
		d.api("POST", "/api/v1/conversations/"+one["id"].(string)+"/return", "", http.StatusOK)
		back := d.srv.WaitFor(staffChannel, thread, "has given the conversation back to the bot")
		if got := back.Labels(); !slices.Equal(got, []string{"I take it"}) {
			t.Errorf("buttons %q, want the way back", got)
		}
		d.eve.TypeIn(staffChannel, thread, "!take")
		d.srv.WaitFor(staffChannel, thread, "Eve has taken the conversation")
		d.eve.TypeIn(staffChannel, thread, "!bot")
		d.srv.WaitFor(staffChannel, thread, "Eve has given the conversation back")
	})
}

func TestASlackThreadThatNobodyNotedIsOpenedAgain(t *testing.T) {
	t.Parallel()
	eachSlackDesk(t, func(d *slackDesk) {
		d.srv.Fail("chat.postMessage", workspacetest.Fault{Cut: true}) // posted, but the answer is lost
		d.ann.says(leaks)
		d.srv.Wait("a second thread", func() bool { return len(d.srv.Threads(staffChannel)) == 2 })
		both := d.srv.Threads(staffChannel)
		d.srv.WaitFor(staffChannel, both[1].TS, "Ann asks for a person")
		d.eve.TypeIn(staffChannel, both[0].TS, "Lost?") // in the one that nobody knows
		d.eve.TypeIn(staffChannel, both[1].TS, "Yes, it does.")
		d.ann.hears("Yes, it does.")
	})
}

func TestASlackThreadGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	eachSlackDesk(t, func(d *slackDesk) {
		thread := d.asks()
		d.srv.WaitFor(staffChannel, thread, "Ann asks for a person")
		said := d.eve.TypeIn(staffChannel, thread, "Yes, at 60 degrees.")
		d.ann.hears("60 degrees")
		d.restart()
		d.accountReady("slack")
		d.connect()
		d.ann.open()
		d.eve.Edit(staffChannel, said, "Yes, at 50 degrees.")
		d.ann.shownOrHears("50 degrees")
		d.eve.TypeIn(staffChannel, thread, "And in a microwave.")
		d.ann.hears("And in a microwave.")
		d.bob.Press("Back to the bot")
		d.srv.WaitFor(staffChannel, thread, "Bob has given the conversation back")
		if n := len(d.srv.Threads(staffChannel)); n != 1 {
			t.Errorf("%d threads, want one", n)
		}
	})
}

func TestAChannelThatTheBotIsNotInTakesTheThreadOnceItIs(t *testing.T) {
	t.Parallel()
	eachSlackDesk(t, func(d *slackDesk) {
		d.srv.Fail("chat.postMessage", workspacetest.Fault{Code: "not_in_channel"})
		d.ann.says(leaks)
		thread := d.srv.WaitFor(staffChannel, "", "Ann · Harbour mug").TS
		d.srv.WaitFor(staffChannel, thread, "Ann asks for a person")
	})
}
