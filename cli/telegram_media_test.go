package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/adapters/telegram/telegramtest"
)

// lineWith says that the transcripts have one line of a contact with just these words.
func (s *telegramShop) lineWith(words string) bool {
	s.t.Helper()
	return value[int](s.shop, `SELECT COUNT(*) FROM messages WHERE author = 'contact' AND text = $1`, words) == 1
}

func TestAQuestionForAPersonIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		ann.Type("what does it cost?")
		ann.WaitFor("costs €20.00")
		s.tg.WaitConfirmed()
		if got := ann.Reactions(); len(got) != 0 {
			s.t.Errorf("got %v on what the bot answers by itself, want nothing", got)
		}
		ann.Type("I want to talk to a human")
		ann.WaitFor("passing this on to a person")
		s.tg.Wait("the sign", func() bool { return len(ann.Reactions()) == 1 })
		for id, emoji := range ann.Reactions() {
			if emoji != "👀" {
				s.t.Errorf("got %s on message %d, want eyes", emoji, id)
			}
		}
	})
}

func TestASignThatTelegramRefusesHoldsUpNothing(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		s.tg.Fail("setMessageReaction", telegramtest.Fault{Code: 400, Description: "Bad Request: REACTION_INVALID", Times: 9})
		ann := s.customer(42, "Ann", "mug", "17.50")
		ann.Type("I want to talk to a human")
		ann.WaitFor("passing this on to a person")
		s.log.waitFor(s.t, "REACTION_INVALID")
	})
}

func TestAThumbUnderAnOfferBuysNothingAndStaffSeeIt(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		s.reprice("mug", 1700)
		ann.WaitFor("now costs €17.00")
		read := len(ann.Messages())
		ann.React("now costs €17.00", "👍")
		s.tg.WaitConfirmed()
		s.until("the sign to stand in the transcript", func() bool { return s.lineWith("[reaction] 👍") })
		ann.Type("thanks")
		ann.WaitFor("You are welcome")
		if n := len(s.orders()); n != 0 || len(ann.Messages()) != read+1 {
			s.t.Errorf("%d orders and %d answers, want none to the thumb", n, len(ann.Messages())-read)
		}
	})
}

func TestAPictureWithWordsIsReadByTheBotAndNotedForStaff(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		ann.SendPhoto("what does it cost?")
		ann.WaitFor("costs €20.00")
		ann.SendPhoto("stop")
		ann.WaitFor("will not write to you here any more")
		for _, words := range []string{"[photo] what does it cost?", "[photo] stop"} {
			if !s.lineWith(words) {
				s.t.Errorf("the transcript has no line %q", words)
			}
		}
	})
}

func TestAPictureOfAShopOnThisMachineIsShown(t *testing.T) {
	t.Parallel()
	const gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
	pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(gif)) }))
	t.Cleanup(pictures.Close)
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, fmt.Sprintf(`,"image":%q`, pictures.URL+"/mug.gif"))
		ann := s.customer(42, "Ann", "mug", "17.50")
		s.reprice("mug", 1700)
		told := ann.WaitFor("now costs €17.00")
		if string(told.Upload) != gif || len(told.Buttons) == 0 || !strings.HasPrefix(told.Buttons[0].Label, "Buy now") {
			s.t.Errorf("got %+v, want the picture over the words and the purchase", told)
		}
	})
}
