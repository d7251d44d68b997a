package bots

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"parley/commerce"
	"parley/store/storetest"
)

func TestATimerFiresOnceAndOnlyWhereTheConversationStillWaits(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.told("bob")
		s.hears("ada")
		s.says("ada", "would you take 15?")
		s.says("bob", "would you take 15?")
		s.hearsOnly("ada", "not quite enough")
		s.hearsOnly("bob", "not quite enough")
		passes(12 * time.Hour)
		s.says("bob", "no") // moved on
		s.hearsOnly("bob", "nothing is ordered")
		passes(12*time.Hour - time.Minute)
		s.hearsOnly("ada")
		passes(2 * time.Minute) // without a poll: the timer itself wakes the clock
		s.hearsOnly("ada", "My offer still stands")
		passes(72 * time.Hour)
		s.hearsOnly("ada")
		s.hearsOnly("bob")
		if n := s.count(`SELECT COUNT(*) FROM timers WHERE done_ms = 0`); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}

func TestATimerDoesNotSpeakWhileStaffHaveTheWord(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.says("ada", "would you take 15?")
		s.staffSay("ada", "stf_1", "Let me look")
		s.hears("ada")
		passes(25 * time.Hour)
		s.hearsOnly("ada")
	})
}

func TestAnAlertNotAtNightWaitsForTheMorningOfTheContact(t *testing.T) {
	night := Quiet{From: 20 * time.Hour, To: 9 * time.Hour}
	bubble(t, opening{quiet: night, poll: time.Minute}, func(t *testing.T, s *shop) { // it is midnight UTC
		s.stock("mug", 10)
		for visitor, zone := range map[string]string{"berlin": "Europe/Berlin", "tokyo": "Asia/Tokyo", "owl": "Europe/Berlin"} {
			sub := s.subscribes(visitor, "17.50")
			sub.TimeZone, sub.NotAtNight = zone, visitor != "owl"
			s.subscribe(sub)
			rests()
			s.hearsOnly(visitor, "as soon as")
		}
		s.reprice("mug", 1700)
		rests()
		s.hearsOnly("owl", "now costs")   // did not ask to be spared
		s.hearsOnly("tokyo", "now costs") // 9 o'clock there
		s.hearsOnly("berlin")
		passes(7*time.Hour + 59*time.Minute)
		s.hearsOnly("berlin")
		passes(2 * time.Minute)
		s.hearsOnly("berlin", "now costs")
	})
	bubble(t, opening{quiet: night, poll: time.Minute}, func(t *testing.T, s *shop) { // looked at again in the morning
		s.stock("mug", 10)
		sub := s.subscribes("ada", "17.50")
		sub.TimeZone, sub.NotAtNight = "Europe/Berlin", true
		s.subscribe(sub)
		s.reprice("mug", 1700)
		rests()
		s.hearsOnly("ada", "as soon as")
		s.reprice("mug", 2000)
		passes(9 * time.Hour)
		s.hearsOnly("ada")
		s.reprice("mug", 1600)
		rests()
		s.hearsOnly("ada", "now costs €16.00")
	})
}

func TestAfterADowntimeWhatIsDueComesInTheOrderItFellDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.SQLite(t)
		before := openShop(t, db, opening{})
		people := []string{"cy", "ada", "bob"}
		for _, who := range people {
			before.told(who)
		}
		for _, who := range people {
			before.says(who, "would you take 15?")
			time.Sleep(time.Minute)
		}
		before.stop()
		for _, who := range people {
			before.hears(who)
		}
		time.Sleep(30 * time.Hour) // beyond all three
		openShop(t, db, opening{messenger: before.net})
		passes(time.Minute)
		var order []string // as they were said: different chats are sent to side by side
		err := db.DB().Select(&order, `
	SELECT v.chat
	FROM messages m
	JOIN conversations v ON v.key = m.conversation_key
	WHERE m.text LIKE 'My offer%'
	ORDER BY m.key`)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(order, people) {
			t.Errorf("reminded %q, want %q", order, people)
		}
	})
}

func TestATimerThatCannotBeCarriedOutIsPutOffAndHoldsUpNobody(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.told("bob")
		s.hears("ada")
		s.says("ada", "would you take 15?")
		s.says("bob", "would you take 15?")
		s.hears("ada")
		s.hears("bob")
		ill := s.thread("ada").Key
		if _, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON messages WHEN new.text LIKE 'My offer%' AND new.conversation_key = ` + strconv.FormatInt(ill, 10) + ` BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		passes(24*time.Hour + time.Minute)
		s.hearsOnly("ada")
		s.hearsOnly("bob", "My offer still stands")
		if n := s.count(`SELECT COUNT(*) FROM parked`); n != 0 {
			t.Errorf("%d events were parked that no network can deliver again", n)
		}
		if _, err := s.store.DB().Exec(`DROP TRIGGER ill`); err != nil {
			t.Fatal(err)
		}
		passes(2 * afterFailure)
		s.hearsOnly("ada", "My offer still stands")
	})
}

func TestADeliveryThatCannotBeCarriedOutHoldsUpNobody(t *testing.T) {
	bubble(t, opening{poll: time.Minute}, func(t *testing.T, s *shop) {
		s.stock("mug", 10)
		s.subscribe(s.subscribes("ada", "17.50"))
		s.subscribe(s.subscribes("bob", "17.50"))
		rests()
		s.hears("ada")
		s.hears("bob")
		ill := s.thread("ada").Key
		if _, err := s.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON messages WHEN new.conversation_key = ` + strconv.FormatInt(ill, 10) + ` BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		s.reprice("mug", 1700)
		rests()
		s.hearsOnly("bob", "now costs")
		if _, err := s.store.DB().Exec(`DROP TRIGGER ill`); err != nil {
			t.Fatal(err)
		}
		passes(2 * afterFailure)
		s.hearsOnly("ada", "now costs")
		s.hearsOnly("bob")
	})
}

func TestAnOrderThatNobodyPaysLapsesAndItsStockIsTold(t *testing.T) {
	till := newTill()
	till.info.Outside, till.info.Name = false, "manual"
	bubble(t, opening{till: till, poll: time.Minute, policy: commerce.Policy{HoldManual: time.Hour}}, func(t *testing.T, s *shop) {
		s.told("ada")
		s.stock("mug", 1)
		s.reprice("mug", 1700)
		rests()
		again := s.hearsOnly("ada", "now costs")[0]
		s.presses("ada", again, "Buy now")
		s.hearsOnly("ada", "transfer €17.00")
		sub := s.subscribes("bob", "")
		sub.Event, sub.Fields = commerce.BackInStock, nil
		s.subscribe(sub)
		rests()
		s.hearsOnly("bob", "is back in stock")
		passes(61 * time.Minute)
		if o := s.orders(); len(o) != 1 || o[0].State != commerce.Expired {
			t.Errorf("orders %+v, want one that has lapsed", o)
		}
		s.hearsOnly("bob", "Harbour mug is back")
	})
}
