package cli

import (
	"net/http"
	"strings"
	"testing"

	"parley/adapters/telegram/telegramtest"
)

func TestStopOnTelegramEndsNotificationsAtOnceAndStartResumesThem(t *testing.T) {
	t.Parallel()
	for _, stop := range []string{"STOP", "/stop"} {
		t.Run(stop, func(t *testing.T) {
			eachTelegram(t, "", func(s *telegramShop) {
				s.product("mug", "Harbour mug", 2000, 5, "")
				ann := s.customer(42, "Ann", "mug", "17.50")
				bob := s.customer(43, "Bob", "mug", "17.50")
				read := len(ann.Messages())
				ann.Type(stop)
				ann.WaitFor("will not write to you here any more")
				s.reprice("mug", 1700)
				bob.WaitFor("now costs €17.00")
				if got := ann.Messages()[read:]; len(got) != 1 {
					s.t.Errorf("Ann reads %+v, want one confirmation and nothing else", got)
				}
				ann.Type(strings.Replace(strings.ToUpper(stop), "STOP", "START", 1))
				ann.WaitFor("Good to have you back")
				s.reprice("mug", 1500)
				ann.WaitFor("now costs €15.00")
				s.hearsOften(ann, "now costs", 1)
			})
		})
	}
}

func TestStopAlsoTakesBackWhatWasAboutToLeave(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		s.tg.Fail("sendMessage", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after 1", RetryAfter: 1})
		s.reprice("mug", 1700)
		s.until("the alert to be held back", func() bool {
			return value[int](s.shop, `SELECT count(*) FROM parts WHERE state = 'queued' AND attempts = 1`) == 1
		})
		ann.Type("stop")
		ann.WaitFor("will not write to you here any more")
		ann.Type("START")
		ann.WaitFor("Good to have you back") // behind which nothing older can come
		s.hearsOften(ann, "now costs", 0)
	})
}

func TestALinkArmsTheWatchOfWhoeverOpensItFirst(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann, bob := s.customer(42, "Ann", "mug", "1.00"), s.tg.Person(43, "Bob")
		watch, link := s.subscribe("mug", "17.50") // Ann fills in the form and hands the link to Bob
		bob.OpenLink(link)
		bob.WaitFor("Harbour mug comes down to €17.50")
		if got := s.watch(watch); got != "armed" {
			s.t.Errorf("the watch is %s, want armed", got)
		}
		ann.OpenLink(link)
		ann.WaitFor("This link is no longer valid")
		bob.OpenLink(link) // his own, once more
		s.hearsOften(bob, "Harbour mug comes down to €17.50", 2)

		s.reprice("mug", 1700)
		bob.WaitFor("now costs €17.00")
		bob.Press("Buy now, pay €17.00")
		bob.WaitFor("Thank you!")
		ann.Type("where is my order?")
		ann.WaitFor("I cannot find an order of yours")
		s.hearsOften(bob, "now costs", 1)
		s.hearsOften(ann, "now costs", 0)
		if n := value[int](s.shop, `SELECT count(*) FROM watches WHERE state IN ('armed', 'fired')`); n != 2 {
			s.t.Errorf("%d watches stand, want Ann's own and Bob's", n)
		}
	})
}

func TestALinkThatWasOpenedTwiceTellsOnce(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.tg.Person(42, "Ann")
		_, link := s.subscribe("mug", "17.50")
		ann.OpenLink(link)
		ann.OpenLink(link)
		s.hearsOften(ann, "Hello Ann", 2)
		s.reprice("mug", 1700)
		ann.WaitFor("now costs €17.00")
		ann.OpenLink(link) // from the history of the chat, afterwards
		s.hearsOften(ann, "Hello Ann", 3)
		ann.Type("help")
		ann.WaitFor("STOP ends all messages, START")
		s.hearsOften(ann, "now costs", 1)
	})
}

func TestALinkThatExpiredArmsNothing(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann, bob := s.tg.Person(42, "Ann"), s.customer(43, "Bob", "mug", "17.50")
		watch, link := s.subscribe("mug", "17.50")
		s.sql(`UPDATE watches SET link_expires_ms = 1 WHERE state = 'pending'`)
		ann.OpenLink(link)
		ann.WaitFor("This link is no longer valid")
		if got := s.watch(watch); got != "pending" {
			s.t.Errorf("the watch is %s, want it pending for ever", got)
		}
		s.reprice("mug", 1700)
		bob.WaitFor("now costs €17.00")
		ann.OpenLink("https://t.me/" + telegramtest.Username + "?start=made-up")
		s.hearsOften(ann, "This link is no longer valid", 2)
		s.hearsOften(ann, "now costs", 0)
	})
}

func TestWhoStoppedAndOpensANewLinkIsToldAgain(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		ann.Type("stop")
		ann.WaitFor("will not write to you here any more")
		_, link := s.subscribe("mug", "16.50")
		ann.OpenLink(link)
		ann.WaitFor("comes down to €16.50")
		s.reprice("mug", 1600)
		ann.WaitFor("now costs €16.00")
	})
}

func TestTheStartCommandAloneResumesWhoStopped(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		ann.Type("stop")
		ann.WaitFor("will not write to you here any more")
		ann.OpenLink("https://t.me/" + telegramtest.Username) // the button START of a chat that was opened anew
		ann.WaitFor("Good to have you back")
		s.reprice("mug", 1700)
		ann.WaitFor("now costs €17.00")
	})
}

func TestAFormWithoutConsentGetsNoLink(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		v := s.visit("mug")
		v.subscribe(map[string]string{"sku": "mug", "channel": "telegram", "event": "price_below", "price_below.threshold": "17.50"}, http.StatusUnprocessableEntity)
		if n := value[int](s.shop, `SELECT count(*) FROM watches`) + value[int](s.shop, `SELECT count(*) FROM contacts`); n != 0 {
			s.t.Errorf("%d watches and contacts are kept, want none", n)
		}
	})
}
