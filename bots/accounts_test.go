package bots

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/conversation"
	"parley/conversation/flow"
	"parley/store"
	"parley/store/storetest"
)

// line is a network whose connections can be counted, and cut for good.
type line struct {
	*network
	mu           sync.Mutex
	begun, ended int
	end          chan error // a failure that is final
}

func newLine() *line { return &line{network: newNetwork(chatty), end: make(chan error, 1)} }

func (l *line) Run(ctx context.Context, sink adapters.Sink) error {
	l.count(&l.begun)
	defer l.count(&l.ended)
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.end:
		if errors.Is(err, errBug) {
			panic(err)
		}
		return err
	}
}

var errBug = errors.New("a nil map was written to")

func (l *line) count(n *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*n++
}

// lives is how often it was connected and how often that ended.
func (l *line) lives() [2]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return [2]int{l.begun, l.ended}
}

// mall is a shop with several accounts, whose merchant can be changed.
type mall struct {
	*shop
	merchant Merchant
}

// at is the shop as those who use one of its accounts see it.
func (m *mall) at(account string, l *line) *shop {
	s := *m.shop
	s.sinks, s.net = account, l.network
	return &s
}

// reload puts accounts in force; what else is changed stands in merchant.
func (m *mall) reload(accounts ...Account) error {
	next := m.merchant
	next.Accounts = accounts
	err := m.house.Reload(context.Background(), []Merchant{next})
	rests()
	return err
}

func (m *mall) reloads(accounts ...Account) {
	m.t.Helper()
	if err := m.reload(accounts...); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mall) state(account string) string {
	m.t.Helper()
	state := "unknown"
	m.do(func(ctx context.Context, tx *store.Tx) error {
		all, err := tx.Accounts(ctx, m.shop.merchant)
		for _, a := range all {
			if a.Name == account {
				state = a.State
			}
		}
		return err
	})
	return state
}

func on(name string, m adapters.Messenger) Account {
	return Account{Name: name, Channel: "webchat", Messenger: m, MayWriteFirst: true}
}

// openMall runs a shop with the accounts. It is for a bubble of fake time.
func openMall(t *testing.T, accounts ...Account) *mall {
	t.Helper()
	s := openShop(t, storetest.SQLite(t), opening{closed: true})
	m := &mall{shop: s, merchant: *s.house.roster.Load().merchants[s.merchant]}
	m.reloads(accounts...)
	s.run()
	rests()
	return m
}

// saying is the built-in bot with another greeting.
func saying(t *testing.T, greeting string) *flow.Set {
	t.Helper()
	files := builtInFlows(t).Files()
	for name, text := range files {
		if strings.HasSuffix(name, "help.yaml") {
			files[name] = []byte(strings.Replace(string(text), "en: Hello", "en: "+greeting, 1))
		}
	}
	set, problems := flow.LoadFiles(files)
	if flow.HasErrors(problems) {
		t.Fatal(problems[0])
	}
	return set
}

func TestAReloadTouchesTheAccountsThatChangedAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, before, after, added, removed := newLine(), newLine(), newLine(), newLine(), newLine()
		m := openMall(t, on("kept", kept), on("changed", before), on("removed", removed))
		for _, s := range []*shop{m.at("kept", kept), m.at("changed", before), m.at("removed", removed)} {
			s.says("ada", "hello")
			s.hearsOnly("ada", "Hello!")
		}
		m.reloads(on("kept", kept), on("changed", after), on("added", added))

		want := map[string][2]int{"kept": {1, 0}, "before": {1, 1}, "after": {1, 0}, "added": {1, 0}, "removed": {1, 1}}
		got := map[string][2]int{"kept": kept.lives(), "before": before.lives(), "after": after.lives(), "added": added.lives(), "removed": removed.lives()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("connections begun and ended (-want +got):\n%s", diff)
		}
		for _, s := range []*shop{m.at("kept", kept), m.at("changed", after), m.at("added", added)} {
			s.says("bob", "hello")
			s.hearsOnly("bob", "Hello!")
		}
		gone := m.at("removed", removed)
		if err := gone.gives(gone.event("bob", conversation.Text)); err == nil {
			t.Error("an account that is gone still takes events")
		}
		if m.house.Hook("removed") != nil {
			t.Error("an account that is gone still has a hook")
		}
	})
}

func TestWhatAStoppedAccountHadInHandIsSentByItsSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := newLine(), newLine()
		m := openMall(t, on("chat", before))
		before.failing(func(adapters.Part) error { return refused(adapters.Temporary) })
		m.at("chat", before).says("ada", "hello")
		m.reloads(on("chat", after))
		passes(time.Minute)
		m.at("chat", after).hearsOnly("ada", "Hello!")
		if len(before.all("")) != 0 {
			t.Error("the line that was replaced sent something")
		}
	})
}

func TestConversationsEndInTheFlowsTheyBeganInAcrossAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat := newLine()
		m := openMall(t, on("chat", chat))
		s := m.at("chat", chat)
		s.stock("mug", 10)
		s.says("ada", "hello")
		s.hearsOnly("ada", "Hello!")
		alert := s.told("bob")
		m.merchant.Flows = saying(m.t, "Ahoy")
		m.reloads(on("chat", chat))
		if chat.lives() != [2]int{1, 0} {
			t.Errorf("other flows cut the line: %v", chat.lives())
		}
		s.says("cyd", "hello")
		s.hearsOnly("cyd", "Ahoy!")
		s.presses("bob", alert, "Buy now") // a button of the flows before
		if len(s.orders()) != 1 {
			t.Error("a button shown before the reload does not work after it")
		}
	})
}

func TestAReloadThatCannotBeLeavesEverythingAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, other := newLine(), newLine()
		m := openMall(t, on("chat", chat))
		if err := m.reload(on("chat", other), on("chat", other)); err == nil || !strings.Contains(err.Error(), "exists twice") {
			t.Errorf("got %v, want that the account exists twice", err)
		}
		flows := m.merchant.Flows
		m.merchant.Flows = nil
		if err := m.reload(on("chat", other)); err == nil {
			t.Error("a merchant without flows was taken")
		}
		m.merchant.Flows = flows
		if chat.lives() != [2]int{1, 0} || other.lives() != [2]int{} {
			t.Errorf("the lines were touched: %v, %v", chat.lives(), other.lives())
		}
		s := m.at("chat", chat)
		s.says("ada", "hello")
		s.hearsOnly("ada", "Hello!")
	})
}

func TestAnAccountThatFailsNeverStopsTheOthersAndAReloadStartsItAnew(t *testing.T) {
	for name, failure := range map[string]error{"refused for good": errors.New("the token is refused"), "a bug in its adapter": errBug} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good, bad, anew := newLine(), newLine(), newLine()
				m := openMall(t, on("good", good), on("bad", bad))
				bad.end <- failure
				rests()
				if state := m.state("bad"); state != "failed" || !m.house.HasEnded("bad") {
					t.Errorf("the account is %s, ended %v; want it failed", state, m.house.HasEnded("bad"))
				}
				s := m.at("good", good)
				s.says("ada", "hello")
				s.hearsOnly("ada", "Hello!")
				m.reloads(on("good", good), on("bad", anew))
				if good.lives() != [2]int{1, 0} || anew.lives() != [2]int{1, 0} || m.house.HasEnded("bad") {
					t.Errorf("lines: good %v, anew %v", good.lives(), anew.lives())
				}
			})
		})
	}
}

func TestAPanicWhileSendingIsOneMessageOfWhichNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := newLine(), newLine()
		m := openMall(t, on("good", good), on("bad", bad))
		bad.failing(once(1, errBug))
		panics := panicking{bad}
		m.reloads(on("good", good), on("bad", panics))
		b := m.at("bad", bad)
		b.says("ada", "hello")
		passes(time.Minute)
		b.hearsOnly("ada", "Hello!") // an answer is sent again
		s := m.at("good", good)
		s.says("ada", "hello")
		s.hearsOnly("ada", "Hello!")
	})
}

// panicking is a network whose adapter has a bug: what should be an error is a panic.
type panicking struct{ *line }

func (p panicking) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	sent, err := p.line.Send(ctx, part)
	if err != nil {
		panic(err)
	}
	return sent, nil
}

func TestTrafficCountsEachMessageOnceOverReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := newLine(), newLine()
		m := openMall(t, on("chat", before))
		s := m.at("chat", before)
		e := s.event("ada", conversation.Text)
		e.Text = "hello"
		for range 3 { // repeats
			s.takes(e)
		}
		before.failing(func(adapters.Part) error { return refused(adapters.Rejected) })
		s.says("ada", "thanks")
		m.reloads(on("chat", after))
		m.at("chat", after).says("bob", "hello")
		if diff := cmp.Diff([]Traffic{{Account: "chat", Received: 3, Sent: 2, Refused: 1}}, m.house.Traffic()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOnlyTheMerchantOfAnAccountLinksItsPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := openMall(t, on("phone", phone{newLine()}), on("chat", newLine()))
		if !m.house.CanPair(m.shop.merchant, "phone") || m.house.CanPair(m.shop.merchant+1, "phone") || m.house.CanPair(m.shop.merchant, "chat") || m.house.CanPair(m.shop.merchant, "none") {
			t.Error("CanPair is not about the merchant's own account that a phone is linked to")
		}
		var codes []string
		show := func(code string) { codes = append(codes, code) }
		if err := m.house.Pair(t.Context(), m.shop.merchant, "phone", "", show); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"chat", "none"} {
			if err := m.house.Pair(t.Context(), m.shop.merchant, name, "", show); err == nil {
				t.Errorf("a phone was linked to %s", name)
			}
		}
		if diff := cmp.Diff([]string{"code"}, codes); diff != "" {
			t.Error(diff)
		}
	})
}

// phone is a network that a phone is linked to.
type phone struct{ *line }

func (phone) Pair(_ context.Context, _ string, show func(string)) error {
	show("code")
	return nil
}
