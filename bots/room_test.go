package bots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
	"parley/store/storetest"
)

// staffRoom is a network of the tests on which staff have a room.
type staffRoom struct {
	*network

	mu     sync.Mutex
	titles []string // of the threads that were opened, thread n is "room:n"
	edits  []adapters.Part
	refuse func() error // asked before a thread is opened
	after  func() error // asked once it is
}

func (r *staffRoom) Open(_ context.Context, room, title string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuse != nil {
		if err := r.refuse(); err != nil {
			return "", err
		}
	}
	r.titles = append(r.titles, title)
	if r.after != nil {
		if err := r.after(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s:%d", room, len(r.titles)), nil
}

func (r *staffRoom) Edit(_ context.Context, _ string, p adapters.Part) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edits = append(r.edits, p)
	return nil
}

func (r *staffRoom) opened() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.titles...)
}

func (r *staffRoom) edited() []adapters.Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]adapters.Part{}, r.edits...)
}

// deskShop is a shop whose staff work in a room.
type deskShop struct {
	*shop
	room *staffRoom
	desk []DeskRoom
	lang string
	web  adapters.Messenger // where shoppers are
}

func openDeskShop(t *testing.T, s *store.Store, change func(*deskShop)) *deskShop {
	t.Helper()
	editable := chatty
	editable.Edits = true
	net := newNetwork(chatty)
	d := &deskShop{
		shop: &shop{t: t, store: s, net: net, till: newTill(), sinks: "chat", poll: time.Hour}, web: net,
		room: &staffRoom{network: newNetwork(editable)}, desk: []DeskRoom{{"staff", "room"}}, lang: "en",
	}
	if change != nil {
		change(d)
	}
	d.do(func(ctx context.Context, tx *store.Tx) (err error) {
		d.merchant, err = tx.SetMerchant(ctx, "demo", "Demo")
		return err
	})
	d.open()
	return d
}

// open begins a house on what there is, as a new process does.
func (d *deskShop) open() {
	d.t.Helper()
	var err error
	d.house, err = New(Options{
		Store: d.store, Log: slog.New(slog.DiscardHandler), Keys: testKeys, PublicURL: func() string { return "https://shop.example" }, Poll: d.poll,
		Merchants: []Merchant{{
			ID: d.merchant, Name: "demo", Title: "Demo", Flows: builtInFlows(d.t), Payment: d.till, Policy: commerce.Policy{Currency: "EUR"}, Language: d.lang, Desk: d.desk,
			Accounts: []Account{
				{Name: "chat", Channel: "webchat", Messenger: d.web, MayWriteFirst: true},
				{Name: "staff", Channel: "telegram", Messenger: d.room},
			},
		}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.run()
}

// deskBubble runs a test over SQLite in fake time.
func deskBubble(t *testing.T, change func(*deskShop), test func(*testing.T, *deskShop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := openDeskShop(t, storetest.SQLite(t), change)
		rests()
		test(t, d)
	})
}

// staff is an event of somebody of the staff in a thread.
func (d *deskShop) staff(who string, thread string, kind conversation.Kind) conversation.Event {
	d.next++
	return conversation.Event{Kind: kind, Chat: thread, Sender: who, SenderName: strings.ToUpper(who[:1]) + who[1:], ID: fmt.Sprintf("st%d", d.next)}
}

func (d *deskShop) hands(e conversation.Event) {
	d.t.Helper()
	if err := d.house.Sink("staff")(context.Background(), []conversation.Event{e}); err != nil {
		d.t.Fatal(err)
	}
}

// writes has somebody of the staff write in the first thread; it returns the message's id.
func (d *deskShop) writes(who, text string) string {
	d.t.Helper()
	e := d.staff(who, "room:1", conversation.Text)
	e.Text, e.Message = text, "m"+e.ID
	d.hands(e)
	rests()
	return e.Message
}

// clicks has somebody of the staff press a button of a message.
func (d *deskShop) clicks(who string, p adapters.Part, label string) {
	d.t.Helper()
	e := d.staff(who, p.Chat, conversation.Choice)
	e.Value = d.value(p, label)
	d.hands(e)
	rests()
}

// shows is what appeared in a thread since it was last asked for.
func (d *deskShop) shows(thread string, want ...string) []adapters.Part {
	d.t.Helper()
	in := *d.shop
	in.net = d.room.network
	return in.hearsOnly(thread, want...)
}

func labels(p adapters.Part) string {
	var out []string
	for _, c := range p.Choices {
		out = append(out, c.Label)
	}
	return strings.Join(out, ", ")
}

const question = "Does the mug survive a dishwasher?"

// asks hands Ada's question about the mug to a person and returns the card in the thread.
func (d *deskShop) asks() adapters.Part {
	d.t.Helper()
	d.told("ada")
	d.says("ada", question)
	d.hears("ada")
	return d.shows("room:1", "asks for a person")[0]
}

func TestAQuestionOpensAThreadAndTheAnswerThereReachesTheShopper(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		card := d.asks()
		if got := d.room.opened(); len(got) != 1 || got[0] != "Ada · Harbour mug · web chat" {
			t.Errorf("opened %q", got)
		}
		for _, want := range []string{"Ada asks for a person (web chat).", "Harbour mug, €17.00", "Ada: " + question, "Bot: "} {
			if !strings.Contains(card.Text, want) {
				t.Errorf("the card %q lacks %q", card.Text, want)
			}
		}
		if got := labels(card); got != "I take it, Back to the bot" {
			t.Errorf("buttons %q", got)
		}
		d.says("ada", "hello?")
		d.shows("room:1", "Ada: hello?")

		d.writes("eve", "Yes, it does.")
		if got := d.hearsOnly("ada", "Yes, it does.")[0].From; got != "staff" {
			t.Errorf("it was said by %q, want staff", got)
		}
		taken := d.shows("room:1", "Eve has taken the conversation.")[0]
		if got := labels(taken); got != "Back to the bot" {
			t.Errorf("buttons %q, want what can be done now", got)
		}
		if edits := d.room.edited(); len(edits) != 1 || edits[0].Text != card.Text || len(edits[0].Choices) != 0 {
			t.Errorf("edits %+v, want the buttons off the card", edits)
		}
		th := d.thread("ada")
		if th.Owner != "telegram:eve" {
			t.Errorf("%s has the word, want telegram:eve", th.Owner)
		}
		said := false
		for _, m := range d.transcript("ada") {
			said = said || m.Author == "telegram:eve" && m.Text == "Yes, it does."
		}
		if !said {
			t.Error("the transcript lacks what Eve said")
		}
		d.writes("eve", "And in a microwave.")
		d.hearsOnly("ada", "And in a microwave.")
		d.shows("room:1") // it stands there already

		d.clicks("bob", taken, "Back to the bot") // whoever works there may
		d.hearsOnly("ada", "It is me again")
		back := d.shows("room:1", "Bob has given the conversation back to the bot.\nBot: It is me again")[0]
		if got := labels(back); got != "I take it" {
			t.Errorf("buttons %q, want the way back", got)
		}
		d.says("ada", "thanks")
		d.hearsOnly("ada", "You are welcome!")
		d.shows("room:1")

		d.clicks("bob", back, "I take it")
		d.shows("room:1", "You are welcome!\nBob has taken the conversation.") // with what was missed
		d.says("ada", "thanks")
		d.hearsOnly("ada")
		if threads := d.count(`SELECT COUNT(*) FROM conversations WHERE desk_of <> 0`); threads != 1 {
			t.Errorf("%d threads, want one for the conversation", threads)
		}
	})
}

func TestTheDeskWorksOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(*testing.T) *store.Store) {
		d := openDeskShop(t, open(t), nil)
		room := *d.shop
		room.net = d.room.network
		wait := func(s *shop, chat, words string) adapters.Part {
			t.Helper()
			late := time.After(10 * time.Second)
			for {
				for _, p := range s.net.all(chat) {
					if strings.Contains(p.Text, words) {
						return p
					}
				}
				select {
				case <-s.net.arrived:
				case <-late:
					t.Fatalf("waited 10 s for %q in %s, got %q", words, chat, texts(s.net.all(chat)))
				}
			}
		}
		e := d.event("ada", conversation.Text)
		e.Text, e.SenderName = question, "Ada"
		if err := d.gives(e); err != nil {
			t.Fatal(err)
		}
		wait(&room, "room:1", "Ada asks for a person")
		said := d.staff("eve", "room:1", conversation.Text)
		said.Text = "Yes."
		for range 3 { // as networks repeat
			d.hands(said)
		}
		wait(d.shop, "ada", "Yes.")
		taken := wait(&room, "room:1", "Eve has taken")
		press := d.staff("eve", "room:1", conversation.Choice)
		press.Value = d.value(taken, "Back")
		d.hands(press)
		wait(d.shop, "ada", "It is me again")
		n := 0
		for _, p := range d.net.all("ada") {
			if p.Text == "Yes." {
				n++
			}
		}
		if n != 1 {
			t.Errorf("the answer arrived %d times, want once", n)
		}
		d.do(func(ctx context.Context, tx *store.Tx) error {
			threads, err := tx.Threads(ctx, d.merchant, store.ThreadFilter{})
			if len(threads) != 1 || threads[0].Chat != "ada" {
				t.Errorf("the inbox lists %d conversations, want the shopper's", len(threads))
			}
			people, err2 := tx.DeskPeople(ctx, d.merchant)
			if people["telegram:eve"] != "Eve" {
				t.Errorf("people %v, want Eve", people)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestASecondPersonIsToldWhoHasTheConversation(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		card := d.asks()
		d.clicks("eve", card, "I take it")
		d.shows("room:1", "Eve has taken")
		d.writes("bob", "I know it!")
		d.shows("room:1", "Bob, this conversation is Eve's. What you wrote was not sent.")
		d.clicks("bob", card, "I take it") // a button that is still shown somewhere
		d.shows("room:1", "Eve has taken")
		d.hearsOnly("ada")
		if th := d.thread("ada"); th.Owner != "telegram:eve" {
			t.Errorf("%s has the word, want Eve", th.Owner)
		}
		d.writes("bob", "/bot@OurBot")
		d.shows("room:1", "Bob has given the conversation back")
		d.hearsOnly("ada", "It is me again")
		d.writes("bob", "!bot")
		d.shows("room:1", "The bot has this conversation.")
		d.writes("bob", "I know it!")
		d.shows("room:1", "Bob has taken")
		d.hearsOnly("ada", "I know it!")
	})
}

func TestWhatHappensInTheInboxIsShownInTheRoom(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		var ann store.Person
		d.do(func(ctx context.Context, tx *store.Tx) (err error) {
			ann, err = tx.SetStaff(ctx, d.merchant, "ann@shop.example", store.RoleAdmin)
			return err
		})
		d.asks()
		d.staffSay("ada", ann.ID, "It does.")
		d.hearsOnly("ada", "It does.")
		d.shows("room:1", "ann has taken the conversation.\nann: It does.")
		d.writes("eve", "Yes.")
		d.shows("room:1", "Eve, this conversation is ann's.")
		d.gaveBack("ada")
		d.hearsOnly("ada", "It is me again")
		back := d.shows("room:1", "given the conversation back")[0]
		if got := labels(back); got != "I take it" {
			t.Errorf("buttons %q", got)
		}
	})
}

func TestASecondQuestionComesIntoTheSameThread(t *testing.T) {
	deskBubble(t, func(d *deskShop) { d.lang = "de" }, func(t *testing.T, d *deskShop) {
		d.says("ada", question)
		card := d.shows("room:1", "Jemand möchte mit einem Menschen sprechen")[0]
		if got := labels(card); got != "Ich übernehme, Zurück an den Bot" {
			t.Errorf("buttons %q", got)
		}
		d.clicks("eve", card, "Zurück an den Bot")
		d.shows("room:1", "Eve hat das Gespräch an den Bot zurückgegeben.")
		d.says("ada", "And the lid?")
		d.says("ada", "Where is my parcel?")
		d.shows("room:1", "Jemand möchte mit einem Menschen sprechen", "Where is my parcel?")
		if got := d.room.opened(); len(got) != 1 {
			t.Errorf("opened %q, want one thread", got)
		}
	})
}

func TestEditsAndWithdrawalsFollow(t *testing.T) {
	edit := func(d *deskShop, who, message, text string, kind conversation.Kind) {
		e := d.staff(who, "room:1", kind)
		e.Value, e.Text = message, text
		d.hands(e)
		rests()
	}
	deskBubble(t, nil, func(t *testing.T, d *deskShop) { // where sent messages stay as they are
		d.asks()
		id := d.writes("eve", "Yes, at 60 degrees.")
		d.hearsOnly("ada", "60 degrees")
		edit(d, "eve", id, "Yes, at 60 degrees.", conversation.Edited) // nothing but a preview
		edit(d, "eve", id, "Yes, at 50 degrees.", conversation.Edited)
		d.hearsOnly("ada", "Correction: Yes, at 50 degrees.")
		edit(d, "bob", id, "No.", conversation.Edited)
		edit(d, "eve", "other", "No.", conversation.Edited)
		d.hearsOnly("ada")
		edit(d, "eve", id, "", conversation.Deleted)
		d.hearsOnly("ada", "Please disregard: “Yes, at 60 degrees.”")
	})
	var shopper *staffRoom
	deskBubble(t, func(d *deskShop) { // where they can be changed
		editable := chatty
		editable.Edits = true
		d.net = newNetwork(editable)
		shopper = &staffRoom{network: d.net}
		d.web = shopper
	}, func(t *testing.T, d *deskShop) {
		d.asks()
		id := d.writes("eve", "Yes, at 60 degrees.")
		d.hearsOnly("ada", "60 degrees")
		edit(d, "eve", id, "Yes, at 50 degrees.", conversation.Edited)
		edit(d, "eve", id, "", conversation.Deleted)
		d.hearsOnly("ada")
		edits := shopper.edited()
		if got := texts(edits); len(got) != 2 || got[0] != "Yes, at 50 degrees." || got[1] != "(withdrawn)" {
			t.Errorf("edits %q", got)
		}
		if got := d.last("ada").Text; got != "(withdrawn)" {
			t.Errorf("the transcript says %q", got)
		}
	})
}

func TestWordsAloneArePassedOnAndToNobodyWhoSaidStop(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		d.asks()
		d.writes("eve", "[photo]")
		d.shows("room:1", "Only words can be passed on.")
		d.says("ada", "STOP")
		d.hears("ada")
		d.shows("room:1", "Ada: STOP")
		d.writes("eve", "One more thing")
		d.shows("room:1", "They want no more messages")
		d.hearsOnly("ada")
		if th := d.thread("ada"); th.Owner != store.Waiting {
			t.Errorf("%s has the word though nothing was sent", th.Owner)
		}
	})
}

func TestWhatIsSaidElsewhereInARoomIsNobodysBusiness(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		d.asks()
		for _, chat := range []string{"room", "room:99"} {
			e := d.staff("eve", chat, conversation.Text)
			e.Text = "help"
			d.hands(e)
		}
		rests()
		if got := d.room.all("room"); len(got)+len(d.room.all("room:99")) != 0 {
			t.Errorf("the bot answered %q", texts(got))
		}
		if n := d.count(`SELECT COUNT(*) FROM conversations`); n != 2 {
			t.Errorf("%d conversations, want the shopper's and its thread", n)
		}
		e := d.staff("cem", "cem", conversation.Text) // a customer on the same account
		e.Text = "help"
		d.hands(e)
		rests()
		d.shows("cem", "STOP")
	})
}

func TestAThreadThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	n := 0
	deskBubble(t, func(d *deskShop) {
		d.room.refuse = func() error {
			if n++; n < 3 {
				return refused(adapters.Temporary)
			}
			return nil
		}
	}, func(t *testing.T, d *deskShop) {
		d.says("ada", question)
		passes(time.Minute)
		d.shows("room:1", "asks for a person")
		if got := d.room.opened(); len(got) != 1 {
			t.Errorf("opened %q", got)
		}
	})
}

func TestAThreadThatWasOpenedWhenTheProcessEndedIsOpenedAgain(t *testing.T) {
	deskBubble(t, func(d *deskShop) {
		first := true
		d.room.after = func() error { // opened, but the answer never gets back
			if first {
				first = false
				return errCut
			}
			return nil
		}
	}, func(t *testing.T, d *deskShop) {
		d.says("ada", question)
		d.stop()
		if _, err := d.store.DB().Exec(`UPDATE desks SET state = 'asked', due_ms = due_ms + 600000`); err != nil { // as a crash leaves it
			t.Fatal(err)
		}
		d.open()
		rests()
		if got := d.room.opened(); len(got) != 2 {
			t.Fatalf("opened %q, want the lost one and another", got)
		}
		d.shows("room:2", "asks for a person")
		d.writes("eve", "is anybody here?") // in the one that nobody knows
		d.hears("ada")
		e := d.staff("eve", "room:2", conversation.Text)
		e.Text = "Yes."
		d.hands(e)
		rests()
		d.hearsOnly("ada", "Yes.")
	})
}

func TestALostThreadIsOpenedAnewWhenTheShopperWrites(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		d.asks()
		d.room.failing(func(p adapters.Part) error {
			if p.Chat == "room:1" {
				return refused(adapters.Rejected)
			}
			return nil
		})
		d.says("ada", "hello?") // the thread was deleted
		d.says("ada", "anybody?")
		card := d.shows("room:2", "Ada: hello?\nAda: anybody?")[0]
		if got := labels(card); got != "I take it, Back to the bot" {
			t.Errorf("buttons %q", got)
		}
	})
}

func TestAHandOffWithoutADeskIsAsItWas(t *testing.T) {
	deskBubble(t, func(d *deskShop) { d.desk = nil }, func(t *testing.T, d *deskShop) {
		d.says("ada", question)
		d.hearsOnly("ada", "passing this on to a person")
		if n := d.count(`SELECT COUNT(*) FROM desks`); n != 0 || len(d.room.opened()) != 0 {
			t.Errorf("%d desks, opened %q, want none", n, d.room.opened())
		}
	})
}

func TestNobodyNeedsAThreadForAConversationThatIsBackWithTheBot(t *testing.T) {
	deskBubble(t, func(d *deskShop) {
		d.room.refuse = func() error { return refused(adapters.Temporary) }
	}, func(t *testing.T, d *deskShop) {
		d.says("ada", question)
		d.gaveBack("ada")
		d.room.mu.Lock()
		d.room.refuse = nil
		d.room.mu.Unlock()
		passes(time.Hour)
		if got := d.room.opened(); len(got) != 0 {
			t.Errorf("opened %q", got)
		}
	})
}

func TestAnEditThatTheNetworkRefusesIsSaidAgain(t *testing.T) {
	deskBubble(t, func(d *deskShop) {
		editable := chatty
		editable.Edits = true
		d.net = newNetwork(editable)
		d.web = stubborn{d.net}
	}, func(t *testing.T, d *deskShop) {
		d.asks()
		id := d.writes("eve", "Yes, at 60 degrees.")
		d.hearsOnly("ada", "60 degrees")
		e := d.staff("eve", "room:1", conversation.Edited)
		e.Value, e.Text = id, "Yes, at 50 degrees."
		d.hands(e)
		rests()
		d.hearsOnly("ada", "Correction: Yes, at 50 degrees.")
	})
}

// stubborn is a network that says it can edit and then does not.
type stubborn struct{ *network }

func (stubborn) Edit(context.Context, string, adapters.Part) error { return refused(adapters.Rejected) }

func TestWhatStaffWroteAndCouldNotBePassedOnIsToldInTheThread(t *testing.T) {
	deskBubble(t, nil, func(t *testing.T, d *deskShop) {
		d.asks()
		if _, err := d.store.DB().Exec(`CREATE TRIGGER ill BEFORE INSERT ON messages WHEN NEW.author = 'telegram:eve' BEGIN SELECT RAISE(ABORT, 'ill'); END`); err != nil {
			t.Fatal(err)
		}
		d.writes("eve", "Yes.")
		d.shows("room:1", "This could not be passed on.")
		d.hearsOnly("ada")
		if n := d.count(`SELECT COUNT(*) FROM parked`); n != 0 {
			t.Errorf("%d events parked, want none: their writer knows", n)
		}
	})
}
