package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters/telegram/telegramtest"
)

func TestATelegramUpdateWhoseCommitFailedComesAgainAndCountsOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		webhook bool
		again   func(*telegramShop) // what happens while commits fail
	}{
		{"the batch is kept in hand", false, func(*telegramShop) {}},
		{"after a restart", false, func(s *telegramShop) { s.restart() }},
		{"the webhook is called again", true, func(s *telegramShop) {
			tried := s.tg.Attempts()
			s.tg.Wait("two more calls", func() bool { return s.tg.Attempts() >= tried+2 })
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			each := eachTelegram
			if test.webhook {
				each = eachWebhook
			}
			each(t, "", func(s *telegramShop) {
				s.product("mug", "Harbour mug", 2000, 5, "")
				ann := s.customer(42, "Ann", "mug", "17.50")
				s.reprice("mug", 1700)
				ann.WaitFor("now costs")
				s.tg.WaitConfirmed()
				read := len(ann.Messages())

				s.failCommits()
				press := ann.Press("Buy now, pay €17.00")
				s.log.waitFor(s.t, "apply turns: commit: ") // nothing before it failed
				test.again(s)
				if n := s.tg.Unconfirmed(); n != 1 {
					s.t.Errorf("%d updates wait for us at Telegram, want the one that was not stored", n)
				}
				if press.Answered() || len(ann.Messages()) != read || len(s.orders()) != 0 || s.stock("mug") != 5 {
					s.t.Errorf("something came of a turn that was not committed: %d orders, messages %+v", len(s.orders()), ann.Messages()[read:])
				}
				s.mendCommits()

				ann.WaitFor("Thank you!")
				s.tg.Wait("the press to be answered", press.Answered)
				s.tg.WaitConfirmed()
				s.hearsOften(ann, "Thank you!", 1)
				if n := len(s.orders()); n != 1 {
					s.t.Errorf("%d orders, want 1", n)
				}
				if n := s.stock("mug"); n != 4 {
					s.t.Errorf("%d in stock, want 4", n)
				}
				if n := value[int](s.shop, `SELECT count(*) FROM parked`); n != 0 {
					s.t.Errorf("%d events were parked, want none: nothing was wrong with the turn", n)
				}
			})
		})
	}
}

// failCommits lets every statement of a Telegram turn succeed and its COMMIT fail: a row that breaks a deferred constraint.
func (s *shop) failCommits() {
	s.t.Helper()
	s.sql(`CREATE TABLE spoiled (merchant BIGINT REFERENCES merchants (key) DEFERRABLE INITIALLY DEFERRED)`)
	if s.in.store.Dialect() == "sqlite" {
		s.sql(`CREATE TRIGGER spoil AFTER INSERT ON inbound WHEN NEW.account = 'telegram' BEGIN INSERT INTO spoiled VALUES (-1); END`)
		return
	}
	s.sql(
		`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO spoiled VALUES (-1); RETURN NEW; END $$`,
		`CREATE TRIGGER spoil AFTER INSERT ON inbound FOR EACH ROW WHEN (NEW.account = 'telegram') EXECUTE FUNCTION spoil()`,
	)
}

func (s *shop) mendCommits() {
	s.t.Helper()
	if s.in.store.Dialect() == "sqlite" {
		s.sql(`DROP TRIGGER spoil`)
		return
	}
	s.sql(`DROP TRIGGER spoil ON inbound`)
}

func TestAPauseThatTelegramAsksForIsKeptAndThenAllComesInOrder(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "1.00")
		read, sent := len(ann.Messages()), len(s.tg.Calls("sendMessage"))
		s.tg.Fail("sendMessage", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after 1", RetryAfter: 1})
		ann.Type("buy")
		s.tg.Wait("the refused message", func() bool { return len(s.tg.Calls("sendMessage")) == sent+1 })
		refused := time.Now()
		ann.Type("no")
		ann.Type("help")
		s.tg.WaitConfirmed()
		ann.WaitFor("STOP ends all messages, START")
		if waited := time.Since(refused); waited < 900*time.Millisecond {
			s.t.Errorf("sent again after %s, want a pause of 1 s", waited)
		}
		var got []string
		for _, m := range ann.Messages()[read:] {
			got = append(got, strings.Fields(m.Text)[0])
		}
		if diff := cmp.Diff([]string{"1", "All", "I"}, got); diff != "" {
			s.t.Errorf("the answers to buy, no and help came otherwise (-want +got):\n%s", diff)
		}
		if n := len(s.tg.Calls("sendMessage")) - sent; n != 4 {
			s.t.Errorf("%d calls for three messages of which one was refused once, want 4", n)
		}
	})
}

func TestAPersonWhoBlockedTheBotIsWrittenToNoMore(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		bob := s.customer(43, "Bob", "mug", "17.50")
		read, sent := len(ann.Messages()), len(s.tg.Calls("sendMessage"))
		// Two answers are on their way when Telegram says that she has blocked us.
		s.tg.Fail("sendMessage", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after 1", RetryAfter: 1})
		s.tg.Fail("sendMessage", telegramtest.Fault{Code: 403, Description: "Forbidden: bot was blocked by the user"})
		ann.Type("buy")
		ann.Type("no")
		s.tg.WaitConfirmed()
		s.until("the address to be blocked", func() bool {
			return value[string](s.shop, `SELECT state FROM addresses WHERE account = 'telegram' AND network_id = '42'`) == "blocked"
		})
		s.reprice("mug", 1700)
		bob.WaitFor("now costs")
		if got := ann.Messages()[read:]; len(got) != 0 {
			s.t.Errorf("Ann was written to: %+v", got)
		}
		if n := len(s.tg.Calls("sendMessage")) - sent; n != 3 {
			s.t.Errorf("%d calls, want one that was throttled, one that was refused and Bob's", n)
		}
		if n := s.unsent("42"); n != 0 {
			s.t.Errorf("%d messages to Ann are still to be sent, want none", n)
		}

		ann.Type("help") // she is back
		ann.WaitFor("STOP ends all messages, START")
		s.reprice("mug", 1500)
		ann.WaitFor("now costs €15.00")
	})
}

// unsent is how many messages of a chat wait to leave.
func (s *shop) unsent(chat string) int {
	s.t.Helper()
	return value[int](s, `
	SELECT count(*)
	FROM parts p
	JOIN conversations v ON v.key = p.conversation_key
	WHERE v.chat = $1 AND p.state IN ('queued', 'sending')`, chat)
}

func TestBlockingTheBotDropsWhatWaits(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.customer(42, "Ann", "mug", "17.50")
		bob := s.customer(43, "Bob", "mug", "17.50")
		sent := len(s.tg.Calls("sendMessage"))
		ann.Block()
		s.tg.WaitConfirmed()
		s.reprice("mug", 1700)
		bob.WaitFor("now costs")
		if n := len(s.tg.Calls("sendMessage")) - sent; n != 1 {
			s.t.Errorf("%d calls, want Bob's alone", n)
		}
		ann.Unblock()
		s.tg.WaitConfirmed()
		s.reprice("mug", 1500)
		ann.WaitFor("now costs €15.00")
	})
}
