package cli

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/adapters/telegram/telegrampeer"
	"parley/adapters/telegram/telegramtest"
	"parley/store"
	"parley/store/storetest"
)

func TestAShopperOnTelegramIsToldAndBuysOnTheSpot(t *testing.T) {
	t.Parallel()
	eachTelegram(t, "", func(s *telegramShop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := s.tg.Person(42, "Annegret")
		watch, link := s.subscribe("mug", "17.50")
		if got := s.watch(watch); got != "pending" {
			t.Errorf("the watch is %s before anybody opened the link, want pending", got)
		}
		ann.OpenLink(link)
		if hello := ann.WaitFor("Harbour mug"); !strings.Contains(hello.Text, "Hello Ann,") {
			t.Errorf("the bot says %q, want it to greet by the name in the form", hello.Text)
		}
		if got := s.watch(watch); got != "armed" {
			t.Errorf("the watch is %s, want armed", got)
		}
		s.reprice("mug", 1700)
		told := ann.WaitFor("now costs €17.00")
		if len(told.Buttons) == 0 || told.Buttons[0].Label != "Buy now, pay €17.00" {
			t.Fatalf("buttons %+v, want the purchase first, with the duty to pay", told.Buttons)
		}
		press := ann.Press("Buy now, pay €17.00")
		if receipt := ann.WaitFor("Thank you!"); !strings.Contains(receipt.Text, "TEST") {
			t.Errorf("the receipt %q does not say that it is a test", receipt.Text)
		}
		press.Repeat() // as Telegram does when its answer was lost, under a new update id
		ann.Press("Buy now, pay €17.00")
		last := ann.Press("Buy now, pay €17.00")
		s.tg.Wait("the last press to be answered", last.Answered)
		s.tg.WaitConfirmed()
		if n := len(s.orders()); n != 1 {
			t.Errorf("%d orders, want 1", n)
		}
		if n := s.stock("mug"); n != 4 {
			t.Errorf("%d in stock, want 4", n)
		}
		s.hearsOften(ann, "Thank you!", 3) // one for each press; the repeat is none
	})
}

func TestAShopperBuysThroughATelegramThatWeDidNotWrite(t *testing.T) {
	t.Parallel()
	peer := telegrampeer.Start(t)
	s := openShop(t, testShop("sqlite://"+filepath.Join(t.TempDir(), "parley.db"), telegramAccount(peer.URL(), telegrampeer.Token, "")))
	s.until("the account to be ready", func() bool { return s.accountState("telegram") == "ready" })
	s.product("mug", "Harbour mug", 2000, 5, "")
	ann := peer.Person(42, "Ann")
	_, link := s.subscribeOn("telegram", "mug", "17.50")
	ann.OpenLink(link)
	ann.WaitFor("Hello Ann")
	s.reprice("mug", 1700)
	ann.WaitFor("now costs €17.00")
	ann.Press("Buy now, pay €17.00")
	ann.WaitFor("Thank you!")
	if n := len(s.orders()); n != 1 {
		t.Errorf("%d orders, want 1", n)
	}
	if n := s.stock("mug"); n != 4 {
		t.Errorf("%d in stock, want 4", n)
	}
}

// telegramShop is a shop whose customers chat by Telegram, with all that it logs.
type telegramShop struct {
	*shop
	tg  *telegramtest.Server
	log *logbook
}

// telegramAccount adds a Telegram account to the accounts of testShop.
func telegramAccount(base, token, settings string) string {
	return fmt.Sprintf("      - {name: telegram, adapter: telegram, api_base: %q, token: %q, pace: {account: 0, chat: 0, group: 0}%s}\n", base, token, settings)
}

// eachDatabase runs a test with the URL of an empty database of each kind.
func eachDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite://"+filepath.Join(t.TempDir(), "parley.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.PostgresURL(t)) })
}

// eachTelegram runs a test against a shop that polls Telegram, on each database. extra is added to the merchant.
func eachTelegram(t *testing.T, extra string, test func(*telegramShop)) {
	eachDatabase(t, func(t *testing.T, url string) {
		s := openTelegram(t, url, telegramtest.Start(t), "", extra)
		s.tg.Wait("the bot to ask for updates", func() bool { return len(s.tg.Calls("getUpdates")) > 0 })
		test(s)
	})
}

// openTelegram opens a shop on a Telegram. Whatever happens in it, the bot's token must not be in what it logged.
func openTelegram(t *testing.T, database string, tg *telegramtest.Server, settings, extra string) *telegramShop {
	t.Helper()
	return openTelegramAt(t, database, tg, tg.URL(), settings, extra)
}

func openTelegramAt(t *testing.T, database string, tg *telegramtest.Server, base, settings, extra string) *telegramShop {
	t.Helper()
	log := newLogbook()
	t.Cleanup(func() {
		if strings.Contains(log.String(), telegramtest.Token) {
			t.Error("the bot's token is in the log")
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	yaml := testShop(database, telegramAccount(base, telegramtest.Token, settings)+extra)
	return &telegramShop{shop: openShopLogging(t, yaml, nil, log.logger()), tg: tg, log: log}
}

// subscribe fills in the widget's form for Telegram and returns the watch and the link that opens the chat.
func (s *telegramShop) subscribe(sku, below string) (watch, link string) {
	s.t.Helper()
	return s.subscribeOn("telegram", sku, below)
}

func (s *shop) subscribeOn(account, sku, below string) (watch, link string) {
	s.t.Helper()
	v := s.visit(sku)
	done := v.subscribe(map[string]string{
		"sku": sku, "channel": account, "consent." + account: v.consent, "event": "price_below", "price_below.threshold": below,
	}, http.StatusOK)
	link, _ = done["link"].(string)
	if done["state"] != "pending" || link == "" {
		s.t.Fatalf("got %v, want a watch that waits for its link to be opened", done)
	}
	return done["id"].(string), link
}

// customer is somebody who subscribed to a product and opened the link.
func (s *telegramShop) customer(id int64, name, sku, below string) *telegramtest.Person {
	s.t.Helper()
	p := s.tg.Person(id, name)
	_, link := s.subscribe(sku, below)
	p.OpenLink(link)
	p.WaitFor("Hello Ann")
	return p
}

func (s *shop) watch(id string) string {
	s.t.Helper()
	return s.api("GET", "/api/v1/watches/"+id, "", http.StatusOK)["state"].(string)
}

// hearsOften waits until a person has n messages with the words, and fails when there are more.
func (s *telegramShop) hearsOften(p *telegramtest.Person, words string, n int) {
	s.t.Helper()
	count := func() (found int) {
		for _, m := range p.Messages() {
			if strings.Contains(m.Text, words) {
				found++
			}
		}
		return found
	}
	s.tg.Wait(fmt.Sprintf("%s to read %q %d times", p.Name, words, n), func() bool { return count() >= n })
	if got := count(); got != n {
		s.t.Errorf("%s reads %q %d times, want %d", p.Name, words, got, n)
	}
}

// until waits for what shows in the database alone.
func (s *shop) until(what string, ok func() bool) {
	s.t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func (s *shop) accountState(name string) string {
	s.t.Helper()
	var accounts []store.Account
	err := s.in.store.View(s.t.Context(), func(tx *store.Tx) (err error) {
		accounts, err = tx.Accounts(s.t.Context(), s.in.merchants[0])
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	i := slices.IndexFunc(accounts, func(a store.Account) bool { return a.Name == name })
	if i < 0 {
		s.t.Fatalf("no account %q", name)
	}
	return accounts[i].State
}

// sql changes what only time or a disaster changes otherwise.
func (s *shop) sql(statements ...string) {
	s.t.Helper()
	for _, statement := range statements {
		if _, err := s.in.store.DB().ExecContext(s.t.Context(), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// value reads one figure or word.
func value[T any](s *shop, query string, args ...any) (v T) {
	s.t.Helper()
	if err := s.in.store.DB().GetContext(s.t.Context(), &v, query, args...); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// restart stops the shop and opens it anew on the same database, under another address.
func (s *shop) restart() {
	s.t.Helper()
	s.stop()
	if err := s.in.Close(); err != nil {
		s.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.base = "http://" + l.Addr().String()
	s.in.cfg.Web.PublicURL = s.base
	if s.in, err = install(s.t.Context(), s.in.cfg, s.in.log, nil); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	in := s.in
	go func() { done <- in.serve(ctx, l) }()
	s.stop = func() {
		stop()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
		done <- nil
	}
	s.ready()
}

// logbook keeps everything that is logged.
type logbook struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and replaced at each line
}

func newLogbook() *logbook { return &logbook{changed: make(chan struct{})} }

func (b *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (b *logbook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
	return b.text.Write(line)
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// waitFor returns once words have been logged.
func (b *logbook) waitFor(t *testing.T, words string) {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		changed, found := b.changed, strings.Contains(b.text.String(), words)
		b.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited %v for %q to be logged", patience, words)
		}
	}
}
