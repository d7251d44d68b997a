package bots

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// stuck is a network on which the chats for which hold says so get no answer until free is closed.
type stuck struct {
	*network
	hold func(adapters.Part) bool
	free chan struct{}

	mu    sync.Mutex
	begun []adapters.Part // all that Send was given
}

func (n *stuck) Send(ctx context.Context, p adapters.Part) (adapters.Sent, error) {
	n.mu.Lock()
	n.begun = append(n.begun, p)
	n.mu.Unlock()
	if n.hold(p) {
		select {
		case <-n.free:
		case <-ctx.Done():
			return adapters.Sent{}, ctx.Err()
		}
	}
	return n.network.Send(ctx, p)
}

func (n *stuck) given() []adapters.Part {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]adapters.Part(nil), n.begun...)
}

// getsStuck has the shop's network hold what hold says, from now on.
func (s *shop) getsStuck(hold func(adapters.Part) bool) *stuck {
	n := &stuck{network: s.net, hold: hold, free: make(chan struct{})}
	s.house.roster.Load().accounts[s.sinks].Messenger = n
	return n
}

func inChat(chat string) func(adapters.Part) bool {
	return func(p adapters.Part) bool { return p.Chat == chat }
}

// queues puts a message of a class into the transcripts of chats, as a turn of the house does, and waits until nothing is left to do.
func (s *shop) queues(class conversation.Class, text string, chats ...string) {
	s.t.Helper()
	a := s.house.account(s.sinks)
	var turns []store.Turn
	for _, chat := range chats {
		turns = append(turns, s.house.internal(a, chat, chat, func(ctx context.Context, t *turn) error {
			t.th.Address.State, t.theirs = conversation.Verified, true
			_, err := t.say(ctx, store.FromBot, conversation.Reply{Text: text, Class: class}, nil)
			return err
		}, func(context.Context, *store.Tx) error { return errors.New("the turn of a test failed") }))
	}
	if err := s.house.inbox.submit(s.t.Context(), turns...); err != nil {
		s.t.Fatal(err)
	}
	rests()
}

func chatsNamed(name string, n int) []string {
	chats := make([]string, n)
	for i := range chats {
		chats[i] = fmt.Sprintf("%s%03d", name, i)
	}
	return chats
}

func TestAChatThatHangsDelaysNoOtherOfItsAccount(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		n := s.getsStuck(inChat("ada"))
		s.says("ada", "hello")
		began := time.Now()
		for i := range 40 { // more than there are senders
			s.says(fmt.Sprint("bob", i), "hello")
			s.hearsOnly(fmt.Sprint("bob", i), "Hello!")
		}
		if took := time.Since(began); took > 40*60*time.Millisecond {
			t.Errorf("the others waited %s", took)
		}
		s.hearsOnly("ada")
		close(n.free)
		rests()
		s.hearsOnly("ada", "Hello!")
	})
}

func TestAnAccountThatIsThrottledDeadOrHangsDelaysNoOther(t *testing.T) {
	for name, fail := range map[string]func(*shop) func(){
		"throttled": func(s *shop) func() {
			s.net.failing(func(adapters.Part) error {
				return &adapters.SendError{Consequence: adapters.Throttled, RetryAfter: time.Minute}
			})
			return func() { s.net.failing(nil) }
		},
		"dead": func(s *shop) func() {
			s.net.failing(func(adapters.Part) error { return refused(adapters.Broken) })
			return func() { s.net.failing(nil) }
		},
		"hanging": func(s *shop) func() {
			n := s.getsStuck(func(adapters.Part) bool { return true })
			return func() { close(n.free) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openTwo(t, storetest.SQLite(t))
				mend := fail(s.shop)
				ill := chatsNamed("ill", 60)
				s.queues("", "to the ill account", ill...)
				other := s.other()
				began := time.Now()
				for _, chat := range chatsNamed("well", 10) {
					other.says(chat, "hello")
					other.hearsOnly(chat, "Hello!")
				}
				if took := time.Since(began); took > 10*60*time.Millisecond {
					t.Errorf("the other account waited %s", took)
				}
				mend()
				passes(2 * time.Minute)
				for _, chat := range ill {
					s.hearsOnly(chat, "to the ill account")
				}
			})
		})
	}
}

func TestAnAnswerNeverWaitsBehindACampaign(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		n := s.getsStuck(func(p adapters.Part) bool { return p.Class == conversation.Notification })
		s.queues(conversation.Notification, "cheaper now", chatsNamed("fan", 500)...)
		if got := len(n.given()); got != campaignSenders {
			t.Fatalf("%d alerts are under way, want the share of %d senders", got, campaignSenders)
		}
		began := time.Now()
		s.says("ada", "hello")
		s.hearsOnly("ada", "Hello!")
		if took := time.Since(began); took > 60*time.Millisecond {
			t.Errorf("the answer waited %s", took)
		}
		close(n.free)
		rests()
		for _, chat := range chatsNamed("fan", 500) {
			s.hearsOnly(chat, "cheaper now")
		}
	})
}

func TestAnAnswerHastensTheAlertsOfItsConversation(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		n := s.getsStuck(func(p adapters.Part) bool { return strings.HasPrefix(p.Chat, "fan") })
		s.queues(conversation.Notification, "cheaper now", append(chatsNamed("fan", 300), "ada")...)
		s.hearsOnly("ada") // it stands behind the others
		s.says("ada", "hello")
		s.hearsOnly("ada", "cheaper now", "Hello!")
		close(n.free)
	})
}

func TestReceiptsLeaveOneAtATimeWhereARepeatWouldShow(t *testing.T) {
	limits := chatty
	limits.Repeatable = false
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		n := s.getsStuck(func(adapters.Part) bool { return true })
		s.queues(conversation.ReceiptClass, "you paid", chatsNamed("buyer", 5)...)
		for want := 1; want <= 5; want++ {
			if got := len(n.given()); got != want {
				t.Fatalf("%d receipts were begun, want %d", got, want)
			}
			if got := s.count(`SELECT COUNT(*) FROM parts WHERE state = 'sending'`); got != 1 {
				t.Fatalf("%d receipts are under way, want one", got)
			}
			n.free <- struct{}{}
			rests()
		}
	})
}

func TestAPauseOfASecondCostsASecond(t *testing.T) {
	for _, perChat := range []bool{true, false} {
		bubble(t, opening{}, func(t *testing.T, s *shop) {
			s.net.failing(once(1, &adapters.SendError{Consequence: adapters.Throttled, PerChat: perChat, RetryAfter: time.Second}))
			s.says("ada", "hello")
			s.hearsOnly("ada")
			passes(1010 * time.Millisecond)
			s.hearsOnly("ada", "Hello!")
		})
	}
}

func TestAMessageOfSeveralPartsGoesOnAtThePartThatFailed(t *testing.T) {
	bubble(t, opening{limits: adapters.Limits{Text: 60, Buttons: chatty.Buttons}}, func(t *testing.T, s *shop) {
		n := 0
		s.net.failing(func(adapters.Part) error {
			if n++; n == 3 || n == 4 {
				return refused(adapters.Temporary)
			}
			return nil
		})
		s.says("ada", "help")
		passes(time.Minute)
		var keys []string
		for _, p := range s.hears("ada") {
			keys = append(keys, p.Key)
		}
		for i, key := range keys {
			if want := partKey(store.Part{MessageID: s.last("ada").ID, Position: i}); key != want {
				t.Errorf("part %d of %d that arrived is %s, want %s", i, len(keys), key, want)
			}
		}
		if len(keys) < 4 || n != len(keys)+2 {
			t.Errorf("%d sends for %d parts of which one failed twice", n, len(keys))
		}
	})
}

func TestPartsThatWereNotBegunAreQueuedAgainWhenTheHouseCloses(t *testing.T) {
	limits := chatty
	limits.Repeatable = false
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		n := s.getsStuck(func(adapters.Part) bool { return true })
		s.queues(conversation.Notification, "cheaper now", chatsNamed("fan", 100)...)
		s.queues("", "an answer", chatsNamed("ada", 100)...)
		begun := len(n.given())
		if begun != senders {
			t.Fatalf("%d parts are with the network, want one a sender", begun)
		}
		s.stop()
		if got := s.count(`SELECT COUNT(*) FROM parts WHERE state = 'sending'`); got != 0 {
			t.Errorf("%d parts are left in sending", got)
		}
		if got := s.count(`SELECT COUNT(*) FROM parts WHERE state = 'unknown'`); got != campaignSenders {
			t.Errorf("%d alerts are unknown, want the %d that were begun", got, campaignSenders)
		}
		if got := s.count(`SELECT COUNT(*) FROM parts WHERE state = 'queued' AND attempts = 0`); got != 200-begun {
			t.Errorf("%d parts are queued as if never tried, want %d", got, 200-begun)
		}
	})
}

func TestWhatIsUnderWayWhenTheHouseClosesIsNoted(t *testing.T) {
	bubble(t, opening{}, func(t *testing.T, s *shop) {
		n := s.getsStuck(func(adapters.Part) bool { return true })
		s.queues("", "an answer", chatsNamed("ada", 20)...)
		time.AfterFunc(time.Second, func() { close(n.free) })
		s.stop()
		if got := s.count(`SELECT COUNT(*) FROM parts WHERE state = 'sent'`); got != 20 {
			t.Errorf("%d parts are noted as sent, want 20", got)
		}
	})
}

func TestAReportThatComesBeforeItsMessageIsNotedCounts(t *testing.T) {
	limits := chatty
	limits.Receipts = true
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		s.net.failing(func(p adapters.Part) error {
			e := s.event(p.Chat, conversation.Receipt)
			e.Name, e.Value = "delivered", "net1" // what the network is about to answer
			s.net.mu.Unlock()
			defer s.net.mu.Lock()
			return s.gives(e)
		})
		s.says("ada", "hello")
		if got := s.last("ada").State; got != "delivered" {
			t.Errorf("the message is %s, want delivered", got)
		}
		if got := s.house.account("chat").traffic.early.Load(); got != 1 {
			t.Errorf("%d early reports counted, want one", got)
		}
	})
}

func TestAPacedChatHoldsUpNoOtherAndKeepsItsOrder(t *testing.T) {
	limits := chatty
	limits.Pace = adapters.Pace{Chat: adapters.Rate{Count: 1, Per: 3 * time.Second, Burst: 2}}
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		var want []string
		for i := range 6 {
			want = append(want, fmt.Sprint("line ", i))
			s.queues("", want[i], "ada")
		}
		s.says("bob", "hello")
		s.hearsOnly("bob", "Hello!")
		passes(time.Minute)
		s.hearsOnly("ada", want...)
		var at []time.Time
		for _, try := range s.net.tries() {
			if try.part.Chat == "ada" {
				at = append(at, try.at)
			}
		}
		if len(at) != 6 {
			t.Fatalf("%d sends, want 6: waiting for the pace is no try", len(at))
		}
		for i := 2; i < 6; i++ {
			if wait := at[i].Sub(at[i-1]); wait < 2900*time.Millisecond || wait > 3200*time.Millisecond {
				t.Errorf("line %d came %s after the one before, want 3 s", i, wait)
			}
		}
	})
}

func TestAnAccountKeepsToItsPaceAndLeavesAnswersTheirShare(t *testing.T) {
	limits := chatty
	limits.Pace = adapters.Pace{Account: adapters.Rate{Count: 20, Per: time.Second, Burst: 4}}
	bubble(t, opening{limits: limits}, func(t *testing.T, s *shop) {
		began := time.Now()
		s.queues(conversation.Notification, "cheaper now", chatsNamed("fan", 150)...)
		for i := range 20 {
			passes(200 * time.Millisecond)
			s.queues("", "an answer", fmt.Sprint("ada", i))
			passes(300 * time.Millisecond)
			s.hearsOnly(fmt.Sprint("ada", i), "an answer")
		}
		passes(time.Minute)
		var last time.Time
		tries := s.net.tries()
		for i, try := range tries {
			last = try.at
			if i >= 24 {
				if over := try.at.Sub(tries[i-24].at); over < 990*time.Millisecond {
					t.Fatalf("24 messages left within %s, want 20 a second and 4 at once", over)
				}
			}
		}
		if len(tries) != 170 {
			t.Errorf("%d sends, want 170", len(tries))
		}
		if took := last.Sub(began); took < 8*time.Second || took > 12*time.Second {
			t.Errorf("it took %s, want about ten seconds", took)
		}
	})
}
