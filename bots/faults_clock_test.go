package bots

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/store"
)

// wallClock is a machine's clock that somebody sets. Like one that was read back from a table it knows nothing of the time that really passed.
type wallClock struct {
	mu    sync.Mutex
	shift time.Duration
}

func (c *wallClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.shift).Round(0)
}

func (c *wallClock) jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift += by
}

// set makes it show an instant.
func (c *wallClock) set(at time.Time) { c.jump(at.Sub(c.now())) }

// clockedShop is a shop whose clock is set by the test, and which notes what its clock showed when something left.
func clockedShop(t *testing.T, o opening, at time.Time) (*shop, *wallClock, *arrivals) {
	t.Helper()
	clock, seen := &wallClock{}, &arrivals{at: map[string]time.Time{}}
	clock.set(at)
	db, err := store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "parley.db"), store.Options{Now: clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	o.now = clock.now
	s := openShop(t, db, o)
	s.net.failing(func(p adapters.Part) error {
		seen.note(p, clock.now())
		return nil
	})
	rests()
	return s, clock, seen
}

// arrivals are what left for each chat last, by the clock of the shop.
type arrivals struct {
	mu    sync.Mutex
	at    map[string]time.Time
	order []string // chats, of reminders
}

func (a *arrivals) note(p adapters.Part, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[p.Chat] = now
	if strings.Contains(p.Text, "My offer still stands") {
		a.order = append(a.order, p.Chat)
	}
}

func (a *arrivals) of(chat string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at[chat]
}

func (a *arrivals) reminded() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.order)
}

const reminders = `
	SELECT v.chat
	FROM messages m
	JOIN conversations v ON v.key = m.conversation_key
	WHERE m.text LIKE 'My offer%'
	ORDER BY m.key`

func TestHoweverTheClockJumpsEachTimerFiresOnceAndNoneEarlyByIt(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, jump := range []time.Duration{0, time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			const poll = time.Minute
			synctest.Test(t, func(t *testing.T) {
				s, clock, seen := clockedShop(t, opening{poll: poll}, noon)
				people := []string{"cy", "ada", "eve", "bob", "dan", "fay"}
				for _, who := range people {
					s.told(who)
				}
				due := map[string]time.Time{}
				began := clock.now()
				for i, who := range people {
					s.says(who, "would you take 15?")
					due[who] = began.Add(time.Duration(i+1) * 10 * time.Minute).Truncate(time.Millisecond)
					if _, err := s.store.DB().Exec(`UPDATE timers SET due_ms = $1 WHERE conversation_key = $2`, due[who].UnixMilli(), s.thread(who).Key); err != nil {
						t.Fatal(err)
					}
				}
				passes(began.Add(25 * time.Minute).Sub(clock.now())) // two have been reminded
				clock.jump(jump)
				jumped := clock.now()
				passes(max(0, -jump) + 40*time.Minute)

				var got []string // as they were said: different chats are sent to side by side
				if err := s.store.DB().Select(&got, reminders); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, people) {
					t.Errorf("reminded %q, want each once and in the order in which they fell due: %q", got, people)
				}
				for i, who := range people {
					from, most := due[who], time.Second
					if i >= 2 && jumped.After(from) { // it was overdue at once, and the next look finds it
						from, most = jumped, poll
					}
					if late := seen.of(who).Sub(from); late < 0 || late > most {
						t.Errorf("%s was reminded %v after it was due by the clock in force, want at most %v", who, late, most)
					}
				}
				if n := s.count(`SELECT COUNT(*) FROM timers WHERE done_ms = 0 AND due_ms <= $1`, clock.now().UnixMilli()); n != 0 {
					t.Errorf("%d timers that are due are left", n)
				}
			})
		})
	}
}

func TestAClockThatIsSetBackHoldsUpNoAnswer(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, clock, _ := clockedShop(t, opening{poll: time.Second}, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
				s.says("ada", "help")
				s.hears("ada")
				clock.jump(jump)
				for range 3 {
					s.says("ada", "help")
					if len(s.hears("ada")) == 0 {
						t.Fatal("no answer")
					}
				}
				// Somebody else has queued something that nobody was told of: the next look finds it.
				if _, err := s.store.DB().Exec(`UPDATE parts SET state = 'queued', due_ms = 0, claimed_by = '' WHERE key = (SELECT MAX(key) FROM parts)`); err != nil {
					t.Fatal(err)
				}
				passes(2 * time.Second)
				if len(s.hears("ada")) != 1 {
					t.Error("what nobody announced was not found by the next look at the table")
				}
			})
		})
	}
}

func TestThePresentEndsNotIn2038(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Unix(1<<31, 0).UTC() // 2038-01-19 03:14:08
		s, clock, seen := clockedShop(t, opening{poll: look}, end.Add(-12*time.Hour))
		alert, other := s.told("ada"), s.told("bob")
		s.says("ada", "would you take 15?") // reminded after 24 h
		asked := clock.now()
		passes(25 * time.Hour)
		if got := seen.reminded(); !slices.Equal(got, []string{"ada"}) {
			t.Fatalf("reminded %q, want ada", got)
		}
		if late := seen.of("ada").Sub(asked.Add(24 * time.Hour)); late < -time.Second || late > time.Second {
			t.Errorf("reminded %v late", late)
		}
		for who, p := range map[string]adapters.Part{"ada": alert, "bob": other} {
			s.hears(who)
			s.presses(who, p, "Buy now")
			if len(s.hears(who)) == 0 {
				t.Errorf("the button of %s is dead", who)
			}
		}
		if n := s.count(`SELECT COUNT(*) FROM messages WHERE created_ms > $1`, end.UnixMilli()); n == 0 {
			t.Error("nothing is of after 2038")
		}
		keys := testKeys
		token := keys.sign(purposeBuy, 1, [16]byte{1}, end.Add(time.Hour))
		for at, want := range map[time.Time]error{end.Add(-time.Hour): nil, end.Add(time.Minute): nil, end.Add(2 * time.Hour): ErrLinkExpired} {
			if _, _, err := keys.verify(purposeBuy, token, at); err != want { //nolint:errorlint // it is the value itself
				t.Errorf("a link that ends in 2038 is %v at %v, want %v", err, at, want)
			}
		}
	})
}
