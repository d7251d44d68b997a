package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/adapters/discord/discordtest"
)

// discordDesk is a channel of a Discord server in which the staff of a shop work, and a visitor who has opened the chat about the mug.
type discordDesk struct {
	*shop
	srv      *discordtest.Server
	room     string
	eve, bob *discordtest.Person
	ann      *visitor
}

// eachDiscordDesk runs a test against a shop whose staff work in Discord: over the gateway on both databases, and with buttons by
// webhook.
func eachDiscordDesk(t *testing.T, test func(*discordDesk)) {
	eachDatabase(t, func(t *testing.T, url string) {
		d := openDiscordDesk(t, url, "")
		d.opens()
		test(d)
	})
	t.Run("webhook", func(t *testing.T) {
		d := openDiscordDesk(t, "sqlite://"+t.TempDir()+"/parley.db", "mode: webhook")
		d.srv.Hook(d.base + "/hooks/discord")
		d.opens()
		test(d)
	})
}

func openDiscordDesk(t *testing.T, url, mode string) *discordDesk {
	t.Helper()
	srv := discordtest.Start(t)
	srv.ContentIntent(true)
	d := &discordDesk{srv: srv, room: srv.Guild(), eve: srv.Person("Eve"), bob: srv.Person("Bob")}
	before := ""
	if mode != "" {
		mode = fmt.Sprintf(", %s, public_key: %q", mode, srv.PublicKey())
		before = "web: {public_url: https://chat.example}\n"
	}
	account := fmt.Sprintf("      - {name: discord, adapter: discord, api_base: %q, token: %q%s%s}\n", srv.URL(), discordtest.Token, mode, unpaced)
	d.shop = openShop(t, before+testShop(url, account+fmt.Sprintf("    desk:\n      - {account: discord, room: %q}\n", d.room)))
	return d
}

// opens connects the shop and a visitor.
func (d *discordDesk) opens() {
	d.t.Helper()
	d.accountReady("discord")
	d.product("mug", "Harbour mug", 2000, 5, "")
	d.ann = d.visit("mug")
	d.ann.subscribe(map[string]string{"sku": "mug", "event": "price_below", "price_below.threshold": "17.50"}, http.StatusOK)
	d.ann.open()
}

// asks has the visitor ask for a person; it returns the thread that this opens.
func (d *discordDesk) asks() (thread string) {
	d.t.Helper()
	d.ann.says(leaks)
	d.ann.hears("passing this on to a person")
	return d.srv.WaitThread(d.room, "Ann · Harbour mug · web chat").ID
}

func TestStaffAnswerAShopperOfTheWebChatFromADiscordThread(t *testing.T) {
	t.Parallel()
	eachDiscordDesk(t, func(d *discordDesk) {
		thread := d.asks()
		card := d.srv.WaitFor(thread, "Ann asks for a person")
		for _, want := range []string{"Harbour mug, €20.00", "Ann: " + leaks, "!bot"} {
			if !strings.Contains(card.Text, want) {
				t.Errorf("the card %q lacks %q", card.Text, want)
			}
		}
		if len(card.Buttons) != 2 || card.Buttons[0].Label != "I take it" || card.Buttons[1].Label != "Back to the bot" {
			t.Errorf("buttons %+v", card.Buttons)
		}
		d.eve.PressIn(thread, "I take it")
		d.srv.WaitFor(thread, "Eve has taken the conversation")
		d.srv.Wait("the card to lose its buttons", func() bool { return len(d.srv.WaitFor(thread, "Ann asks for a person").Buttons) == 0 })

		said := d.eve.WriteIn(thread, "Yes, at <60> degrees & *slowly*.")
		if got := d.ann.hears("at <60> degrees & *slowly*."); got.From != "staff" {
			t.Errorf("it was said by %q, want staff", got.From)
		}
		d.eve.EditIn(thread, said, "Yes, at 50 degrees.")
		d.ann.shownOrHears("50 degrees")
		d.srv.Delete(thread, said)
		d.ann.shownOrHears("(withdrawn)")
		d.ann.says("thanks")
		d.srv.WaitFor(thread, "Ann: thanks")

		d.bob.WriteIn(thread, "I would not!")
		d.srv.WaitFor(thread, "Bob, this conversation is Eve's")
		d.bob.WriteIn(d.room, "Lunch?")
		d.bob.WriteIn(d.room, "<@"+discordtest.Bot+"> help") // nothing that is said in a room reaches the bot

		d.bob.PressIn(thread, "Back to the bot")
		d.ann.hears("It is me again")
		d.srv.WaitFor(thread, "Bob has given the conversation back")
		d.ann.says("thanks")
		d.ann.hears("You are welcome")
		if n := len(d.srv.Threads(d.room)); n != 1 {
			t.Errorf("%d threads, want one", n)
		}
		if said := d.srv.Messages(d.room); len(said) != 0 {
			t.Errorf("the bot said %+v in the room", said)
		}
	})
}

func TestTheInboxShowsWhoAnswersInTheDiscordThread(t *testing.T) {
	t.Parallel()
	eachDiscordDesk(t, func(d *discordDesk) {
		thread := d.asks()
		d.srv.WaitFor(thread, "Ann asks for a person")
		d.eve.WriteIn(thread, "Yes, it does.") // without a button: whoever writes takes over
		d.ann.hears("Yes, it does.")
		all := d.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any)
		if len(all) != 1 {
			t.Fatalf("%d conversations, want the shopper's alone", len(all))
		}
		one := all[0].(map[string]any)
		if one["staff"] != "discord:"+d.eve.ID {
			t.Errorf("got %v, want Eve to have it", one["staff"])
		}
		page := d.staffPage("/inbox/" + one["id"].(string))
		for _, want := range []string{"Eve has this conversation", "Eve took over", "Yes, it does."} {
			if !strings.Contains(page, want) {
				t.Errorf("the inbox lacks %q", want)
			}
		}
		d.api("POST", "/api/v1/conversations/"+one["id"].(string)+"/return", "", http.StatusOK)
		back := d.srv.WaitFor(thread, "has given the conversation back to the bot")
		if len(back.Buttons) != 1 || back.Buttons[0].Label != "I take it" {
			t.Errorf("buttons %+v, want the way back", back.Buttons)
		}
		d.eve.WriteIn(thread, "!take")
		d.srv.WaitFor(thread, "Eve has taken the conversation")
		d.eve.WriteIn(thread, "!bot")
		d.srv.WaitFor(thread, "Eve has given the conversation back")
	})
}

func TestWhatStaffWriteInADiscordThreadDuringARestartReachesTheShopper(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, url string) {
		d := openDiscordDesk(t, url, "")
		d.opens()
		thread := d.asks()
		d.srv.WaitFor(thread, "Ann asks for a person")
		d.stop()
		d.eve.WriteIn(thread, "Yes, it does.")
		d.restart()
		d.until("the chat to be there again", func() bool {
			resp, err := d.ann.client.Get(d.base + "/chat/ws")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode != http.StatusServiceUnavailable
		})
		d.ann.open()
		d.ann.hears("Yes, it does.")
	})
}

func TestALostDiscordThreadIsOpenedAnew(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, url string) {
		d := openDiscordDesk(t, url, "")
		d.opens()
		first := d.asks()
		d.srv.WaitFor(first, "Ann asks for a person")
		d.srv.Archive(first, true) // by a moderator: nobody can write there any more
		d.ann.says("hello?")
		d.until("the thread to be given up", func() bool { return value[int](d.shop, `SELECT count(*) FROM desks WHERE state = 'lost'`) == 1 })
		d.ann.says("anybody?")
		d.srv.Wait("another thread", func() bool { return len(d.srv.Threads(d.room)) == 2 })
		second := d.srv.Threads(d.room)[1].ID
		d.srv.WaitFor(second, "Ann: anybody?")
		d.eve.WriteIn(second, "Yes, it does.")
		d.ann.hears("Yes, it does.")
	})
}
