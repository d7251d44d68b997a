package cli

import (
	"net/http"
	"strings"
	"testing"

	"parley/adapters/telegram/telegramtest"
	"parley/config"
)

// staffDesk is a group with topics in which the staff of a shop work, and a visitor who has opened the chat about the mug.
type staffDesk struct {
	*telegramShop
	group    *telegramtest.Group
	eve, bob *telegramtest.Person
	ann      *visitor
}

const deskRooms = `    desk:
      - {account: telegram, room: "-1001"}
`

func openDesk(s *telegramShop) *staffDesk {
	s.t.Helper()
	d := &staffDesk{telegramShop: s, group: s.tg.Group(-1001, "Staff", true), eve: s.tg.Person(7, "Eve"), bob: s.tg.Person(8, "Bob")}
	s.product("mug", "Harbour mug", 2000, 5, "")
	d.ann = s.visit("mug")
	d.ann.subscribe(map[string]string{"sku": "mug", "event": "price_below", "price_below.threshold": "17.50"}, http.StatusOK)
	d.ann.open()
	return d
}

const leaks = "Does the mug survive a dishwasher?"

func TestStaffAnswerAShopperOfTheWebChatFromATelegramTopic(t *testing.T) {
	t.Parallel()
	eachTelegram(t, deskRooms, func(s *telegramShop) {
		d := openDesk(s)
		d.ann.says(leaks)
		d.ann.hears("passing this on to a person")
		topic := d.group.WaitTopic("Ann · Harbour mug · web chat")
		card := d.group.WaitFor(topic.ID, "Ann asks for a person")
		for _, want := range []string{"Harbour mug, €20.00", "Ann: " + leaks} {
			if !strings.Contains(card.Text, want) {
				t.Errorf("the card %q lacks %q", card.Text, want)
			}
		}
		d.group.Press(d.eve, topic.ID, "I take it")
		d.group.WaitFor(topic.ID, "Eve has taken the conversation")
		s.tg.Wait("the card to lose its buttons", func() bool { return len(d.group.Messages(topic.ID)[0].Buttons) == 0 })

		said := d.group.Say(d.eve, topic.ID, "Yes, at 60 degrees.")
		if got := d.ann.hears("60 degrees"); got.From != "staff" {
			t.Errorf("it was said by %q, want staff", got.From)
		}
		d.group.Edit(d.eve, said, "Yes, at 50 degrees.")
		d.ann.shownOrHears("50 degrees")
		d.ann.says("thanks")
		d.group.WaitFor(topic.ID, "Ann: thanks")

		d.group.Say(d.bob, topic.ID, "I would not!")
		d.group.WaitFor(topic.ID, "Bob, this conversation is Eve's")

		d.group.Press(d.bob, topic.ID, "Back to the bot")
		d.ann.hears("It is me again")
		d.group.WaitFor(topic.ID, "Bob has given the conversation back")
		d.ann.says("thanks")
		d.ann.hears("You are welcome")
		s.tg.WaitConfirmed()
		if n := len(d.group.Topics()); n != 1 {
			t.Errorf("%d topics, want one", n)
		}
	})
}

func TestTheInboxShowsWhoAnswersInTheGroup(t *testing.T) {
	t.Parallel()
	eachTelegram(t, deskRooms, func(s *telegramShop) {
		d := openDesk(s)
		d.ann.says(leaks)
		topic := d.group.WaitTopic("Ann")
		d.group.WaitFor(topic.ID, "Ann asks")
		d.group.Say(d.eve, topic.ID, "Yes, it does.")
		d.ann.hears("Yes, it does.")
		conversation := s.api("GET", "/api/v1/conversations", "", http.StatusOK)["items"].([]any)
		if len(conversation) != 1 {
			t.Fatalf("%d conversations, want the shopper's alone", len(conversation))
		}
		one := conversation[0].(map[string]any)
		if one["staff"] != "telegram:7" {
			t.Errorf("got %v, want telegram:7 to have it", one["staff"])
		}
		page := s.staffPage("/inbox/" + one["id"].(string))
		for _, want := range []string{"Eve has this conversation", "Eve took over", "Yes, it does."} {
			if !strings.Contains(page, want) {
				t.Errorf("the inbox lacks %q", want)
			}
		}
		s.api("POST", "/api/v1/conversations/"+one["id"].(string)+"/return", "", http.StatusOK)
		back := d.group.WaitFor(topic.ID, "has given the conversation back to the bot")
		if len(back.Buttons) != 1 || back.Buttons[0].Label != "I take it" {
			t.Errorf("buttons %+v", back.Buttons)
		}
	})
}

func TestATopicThatNobodyNotedIsOpenedAgain(t *testing.T) {
	t.Parallel()
	eachTelegram(t, deskRooms, func(s *telegramShop) {
		s.tg.Fail("createForumTopic", telegramtest.Fault{Cut: true}) // made, but the answer is lost
		d := openDesk(s)
		d.ann.says(leaks)
		s.tg.Wait("a second topic", func() bool { return len(d.group.Topics()) == 2 })
		second := d.group.Topics()[1]
		d.group.WaitFor(second.ID, "Ann asks for a person")
		d.group.Say(d.eve, d.group.Topics()[0].ID, "Lost?") // in the one that nobody knows
		d.group.Say(d.eve, second.ID, "Yes, it does.")
		d.ann.hears("Yes, it does.")
	})
}

func TestADeskNeedsAnAccountWithRooms(t *testing.T) {
	t.Parallel()
	yaml := testShop("sqlite://"+t.TempDir()+"/p.db", "    desk:\n      - {account: webchat, room: \"1\"}\n")
	cfg, problems := config.Parse("parley.yaml", []byte(yaml), config.Outside{}, kinds())
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	if in, err := install(t.Context(), cfg, newLogbook().logger(), nil); err == nil || !strings.Contains(err.Error(), "webchat has no rooms") {
		t.Errorf("got %v, want the desk refused", err)
		if err == nil {
			_ = in.Close()
		}
	}
}

// shownOrHears waits for words that come as a change of a message or as a message of their own.
func (v *visitor) shownOrHears(words string) {
	v.s.t.Helper()
	for range 20 {
		if f := v.read(); strings.Contains(f.Text, words) {
			return
		}
	}
	v.s.t.Fatalf("waited for %q", words)
}
