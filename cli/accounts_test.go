package cli

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/adapters/telegram/telegramtest"
	"parley/store"
)

// row is a line of the table that `parley accounts` prints, by the account's name.
func row(t *testing.T, table, account string) string {
	t.Helper()
	for line := range strings.SplitSeq(table, "\n") {
		if strings.HasPrefix(line, account+" ") {
			return strings.Join(strings.Fields(line), " ")
		}
	}
	t.Fatalf("no account %s in\n%s", account, table)
	return ""
}

func TestAccountsTellsHowEachStandsBesideAServerAndWithoutOne(t *testing.T) {
	eachDatabase(t, func(t *testing.T, url string) {
		tg := telegramtest.Start(t)
		yaml := testShop(fmt.Sprintf("%q", url), telegramAccount(tg.URL(), telegramtest.Token, ""))
		shopConfig(t, yaml)
		before := parley(t, "", "accounts")
		if before.code != 0 || !strings.HasPrefix(row(t, before.stdout, "telegram"), "telegram telegram new - 0 0 0 0") {
			t.Errorf("before the first start: exit %d\n%s%s", before.code, before.stdout, before.stderr)
		}

		s := openShop(t, yaml)
		ann := tg.Person(42, "Ann")
		ann.Type("hello")
		ann.WaitFor("Hello Ann")
		s.until("telegram to be ready", func() bool { return s.accountState("telegram") == "ready" })
		s.until("the answer to be noted", func() bool {
			return strings.Contains(row(t, parley(t, "", "accounts").stdout, "telegram"), "Z 1 1 0 0")
		})
		beside := parley(t, "", "accounts")
		if want := `^telegram telegram ready \d{4}-\d\d-\d\d \d\d:\d\dZ 1 1 0 0$`; beside.code != 0 || !regexp.MustCompile(want).MatchString(row(t, beside.stdout, "telegram")) {
			t.Errorf("exit %d\n%s%s", beside.code, beside.stdout, beside.stderr)
		}

		s.in.house.Report(t.Context(), "telegram", "failed", "the token\nis \x1b[2Jrefused")
		failed := parley(t, "", "accounts")
		wantIn(t, "the line of the account", row(t, failed.stdout, "telegram"), "telegram failed", "the token is [2Jrefused")
		wantIn(t, "the line of the other", row(t, failed.stdout, "webchat"), "webchat ready")
		wantIn(t, "stderr", failed.stderr, "1 account failed")
		if failed.code != 1 || strings.ContainsAny(failed.stdout, "\x1b") {
			t.Errorf("exit %d\n%q", failed.code, failed.stdout)
		}

		s.stop()
		after := parley(t, "", "accounts")
		wantIn(t, "the line of an account that nobody serves", row(t, after.stdout, "webchat"), "webchat stopped")
		wantIn(t, "the line of the one that failed", row(t, after.stdout, "telegram"), "telegram failed")
	})
}

func TestAnAccountThatFailsLeavesTheShopReady(t *testing.T) {
	t.Parallel()
	tg := telegramtest.Start(t)
	s := openShop(t, testShop("sqlite://"+filepath.Join(t.TempDir(), "parley.db"), telegramAccount(tg.URL(), "123456789:a-token-that-is-refused-by-the-network", "")))
	s.until("telegram to fail", func() bool { return s.accountState("telegram") == "failed" })
	s.ready()
	s.product("mug", "Harbour mug", 2000, 5, "")
	talker(s).says("help")
	if err := s.in.store.Tx(t.Context(), func(tx *store.Tx) error { // nobody serves what crashed
		return tx.Serve(t.Context(), []string{"telegram"}, true)
	}); err != nil {
		t.Fatal(err)
	}
}
