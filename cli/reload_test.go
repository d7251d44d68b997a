package cli

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/adapters/telegram/telegramtest"
	"parley/config"
)

// reread puts a config in force as a SIGHUP does, with the address the shop serves on.
func (s *shop) reread(yaml string) error {
	s.t.Helper()
	cfg, problems := config.Parse("parley.yaml", []byte(yaml), config.Outside{}, kinds())
	if problems.HasErrors() {
		s.t.Fatal(problems.Err())
	}
	cfg.Web.PublicURL = s.base
	return s.in.reload(s.t.Context(), cfg)
}

func TestATokenIsRotatedWhileTheOtherAccountsGoOn(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, url string) {
		tg := telegramtest.Start(t)
		with := func(token, title string) string {
			return strings.Replace(testShop(fmt.Sprintf("%q", url), telegramAccount(tg.URL(), token, "")), "Corner Shop", title, 1)
		}
		s := openShop(t, with("123456789:the-token-before-which-is-refused-now", "Corner Shop"))
		s.until("telegram to fail", func() bool { return s.accountState("telegram") == "failed" })
		s.product("mug", "Harbour mug", 2000, 5, "")
		v := talker(s)

		if err := s.reread("\n\n" + with(telegramtest.Token, "Corner Store")); err != nil {
			t.Fatal(err)
		}
		ann := tg.Person(42, "Ann")
		ann.Type("hello")
		ann.WaitFor("I am the bot of Corner Store")
		s.until("telegram to be ready", func() bool { return s.accountState("telegram") == "ready" })
		v.says("help") // over the socket of before
		v.hears("I am the bot of Corner Store")

		polls := len(tg.Calls("getMe"))
		if err := s.reread(with(telegramtest.Token, "Corner Store")); err != nil {
			t.Fatal(err)
		}
		ann.Type("thanks")
		ann.WaitFor("You are welcome")
		if again := len(tg.Calls("getMe")); again != polls {
			t.Errorf("an account that did not change was connected anew: %d calls of getMe, then %d", polls, again)
		}
	})
}

func TestAccountsComeAndGoWithTheConfig(t *testing.T) {
	t.Parallel()
	tg := telegramtest.Start(t)
	url := "sqlite://" + filepath.Join(t.TempDir(), "parley.db")
	s := openShop(t, testShop(url, ""))
	if err := s.reread(testShop(url, telegramAccount(tg.URL(), telegramtest.Token, ""))); err != nil {
		t.Fatal(err)
	}
	ann := tg.Person(42, "Ann")
	ann.Type("hello")
	ann.WaitFor("Hello Ann")
	s.product("mug", "Harbour mug", 2000, 5, "")
	if _, link := s.subscribeOn("telegram", "mug", "17.50"); !strings.Contains(link, "start=") {
		t.Errorf("the form leads to %q, want a link to the new account", link)
	}
	if err := s.reread(testShop(url, "")); err != nil {
		t.Fatal(err)
	}
	if n := value[int](s, `SELECT count(*) FROM accounts WHERE name = 'telegram'`); n != 0 {
		t.Error("an account that is gone is still listed")
	}
	polls := len(tg.Calls("getUpdates"))
	ann.Type("hello")
	talker(s).says("help")
	if again := len(tg.Calls("getUpdates")); again != polls {
		t.Errorf("an account that is gone still asks for updates: %d times, then %d", polls, again)
	}
}

func TestABadConfigLeavesTheOneBeforeInForce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "bot"), builtIn().files); err != nil { // as an admin does who wants another bot
		t.Fatal(err)
	}
	url := "sqlite://" + filepath.Join(t.TempDir(), "parley.db")
	yaml := testShop(url, "    bot: "+filepath.Join(dir, "bot")+"\n")
	s := openShop(t, yaml)
	s.product("mug", "Harbour mug", 2000, 5, "")
	v := talker(s)

	help := filepath.Join(dir, "bot", "help.yaml")
	good, err := os.ReadFile(help)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(text string) {
		if err := os.WriteFile(help, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(strings.ReplaceAll(string(good), "stay: true", "stya: true"))
	err = s.reread(yaml)
	if err == nil {
		t.Fatal("flows that do not compile were put in force")
	}
	var said bytes.Buffer
	explain(&world{stderr: &said}, err)
	wantIn(t, "stderr", said.String(), help+":", "stya", "stay")
	if n := strings.Count(said.String(), "stya"); n < 2 {
		t.Errorf("only %d problems are told of:\n%s", n, &said)
	}
	v.says("thanks")
	v.hears("You are welcome!")

	rewrite(strings.ReplaceAll(string(good), "You are welcome!", "Any time!"))
	if err := s.reread(yaml); err != nil {
		t.Fatal(err)
	}
	v.says("thanks")
	v.hears("Any time!")
}

func TestServeReadsItsConfigAgainOnSIGHUP(t *testing.T) {
	path := program(t)
	dir := shopConfig(t, testShop("sqlite://parley.db", ""))
	file := filepath.Join(dir, "parley.yaml")
	key := parley(t, "", "key", "new", "test", "-scope", "*")
	s := started(t, path, nil, "serve", "-config", file, "-addr", "127.0.0.1:0")
	hangUp := func(yaml, logged string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.stderr.waitFor(t, logged)
	}
	in := s.as(t, strings.TrimSpace(key.stdout))
	in.product("mug", "Harbour mug", 2000, 5, "")
	v := talker(in)

	hangUp(strings.Replace(testShop("sqlite://parley.db", ""), "title:", "tilte:", 1), "the one before stays in force")
	wantIn(t, "stderr", s.stderr.String(), file+":5:5: error: ", "title")
	v.says("hello")
	v.hears("I am the bot of Corner Shop")
	hangUp(strings.Replace(testShop("sqlite://other.db", ""), "Corner Shop", "Corner Store", 1), "config reloaded")
	wantIn(t, "stderr", s.stderr.String(), "needs a restart", "setting=database")
	v.says("hello")
	v.hears("I am the bot of Corner Store")
	resp, err := http.Get(in.base + "/readyz?verbose")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if code, _ := s.stop(); code != 0 || resp.StatusCode != http.StatusOK {
		t.Errorf("exit %d, ready %d\n%s", code, resp.StatusCode, &s.stderr)
	}
}

// waitFor returns once words have been written.
func (o *output) waitFor(t *testing.T, words string) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		text, more := o.next()
		if strings.Contains(text, words) {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("waited 10 s for %q in\n%s", words, text)
		}
	}
}
