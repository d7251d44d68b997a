package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAMinimalFileIsFilledWithDefaults(t *testing.T) {
	c, problems := Parse("parley.yaml", []byte(minimal), Outside{}, sampleKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := Policy{
		Offers:         Offers{Mode: OffersAuto, ValidFor: 48 * time.Hour, Tries: 3, DealFor: 24 * time.Hour, Beta: 1},
		QuietHours:     QuietHours{From: Clock{20, 0}, To: Clock{9, 0}},
		ConsentText:    map[string]string{"en": DefaultConsent("en")},
		ConsentVersion: ConsentVersion,
		Hold:           10 * time.Minute, HoldManual: 7 * 24 * time.Hour, UndoWindow: time.Minute, LowStock: 3,
		Pos: Pos{"parley.yaml", 2, 5},
	}
	m := c.Merchants[0]
	if diff := cmp.Diff(want, m.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	want.Pos = Pos{}
	if diff := cmp.Diff(want, DefaultPolicy("en")); diff != "" {
		t.Errorf("default policy (-want +got):\n%s", diff)
	}
	got := []any{c.Database.URL, c.Migrate, c.Web.Addr, c.Web.Secret.IsZero(), m.Mode, m.TimeZone, m.DefaultLanguage, m.Bot, m.Accounts[0].Adapter, m.Payments[0].Provider}
	if diff := cmp.Diff([]any{"sqlite://parley.db", true, "127.0.0.1:8080", true, Live, "UTC", "en", "", "webchat", "manual"}, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestLoadReadsSecretsAndPathsBesideTheFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token.txt"), "123:abc\n")
	path := filepath.Join(dir, "parley.yaml")
	text := strings.Replace(minimal, "{name: chat, adapter: webchat}", "{name: tg, adapter: telegram, token_file: token.txt}", 1)
	write(t, path, "database: sqlite://data/${NAME}.db\nweb: {secret: \"${KEY}\", trusted_proxies: [10.1.2.3/8, 127.0.0.1]}\n"+
		text+"    bot: flows\n    policy: {consent_version: \"$${1}\"}\n")
	c, problems := Load(path, env("NAME", "shop", "KEY", strings.Repeat("k", 32)), sampleKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := []any{c.Database.URL, c.Merchants[0].Bot, c.Merchants[0].Accounts[0].Settings.Secret("token").Reveal(), c.Web.Secret.Reveal(),
		c.Merchants[0].Policy.ConsentVersion}
	want := []any{"sqlite://" + filepath.Join(dir, "data", "shop.db"), filepath.Join(dir, "flows"), "123:abc", strings.Repeat("k", 32), "${1}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := c.Web.TrustedProxies, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("proxies %v, want %v", got, want)
	}
	if m, a, ok := c.Account("tg"); !ok || m.Name != "shop" || a.Adapter != "telegram" {
		t.Errorf("account tg: %v %v %v", m.Name, a.Adapter, ok)
	}
	if _, _, ok := c.Account("chat"); ok {
		t.Error("found an account that is not there")
	}
}

func TestLoadRefusesWhatIsNoReadableFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "large.yaml"), minimal+strings.Repeat("# x\n", 70_000))
	for name, want := range map[string]string{
		"absent.yaml": "there is no such file", "large.yaml": "larger than 256 KiB", ".": "not a plain file",
	} {
		t.Run(name, func(t *testing.T) {
			c, problems := Load(filepath.Join(dir, name), env(), sampleKinds())
			if c != nil || !problems.HasErrors() || !strings.Contains(problems.Error(), want) {
				t.Errorf("got %v, %v", c, problems)
			}
		})
	}
}

func TestEveryValueKeepsItsPlace(t *testing.T) {
	c, problems := Parse("parley.yaml", []byte(minimal), Outside{}, sampleKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for path, want := range map[string]string{
		"merchants[0]":                     "parley.yaml:2:5",
		"merchants[0].title":               "parley.yaml:3:12",
		"merchants[0].accounts[0]":         "parley.yaml:5:16",
		"merchants[0].accounts[0].adapter": "parley.yaml:5:38",
		"merchants[0].accounts[0].absent":  "parley.yaml:5:16",
		"merchants[0].policy.offers.tries": "parley.yaml:2:5",
		"web.addr":                         "parley.yaml:1:1",
		"":                                 "parley.yaml:1:1",
	} {
		if got := c.Pos(path).String(); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	m := c.Merchants[0]
	if got := []Pos{m.Pos, m.Accounts[0].Pos, m.Payments[0].Settings.Pos("name")}; got[0].Line != 2 || got[1].Line != 5 || got[2] != (Pos{"parley.yaml", 6, 23}) {
		t.Errorf("got %v", got)
	}
}

func TestAnAliasIsReadAsIfWrittenOut(t *testing.T) {
	text := minimal + "    policy: &policy {hold: 20m}\n" + `  - name: second
    title: Second
    currency: USD
    policy: *policy
    accounts: [{name: chat-2, adapter: webchat}]
    payments: [{name: invoice-2, provider: manual}]
`
	c, problems := Parse("parley.yaml", []byte(text), Outside{}, sampleKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := c.Merchants[1].Policy.Hold; got != 20*time.Minute {
		t.Errorf("hold is %s", got)
	}
}

func TestAVariableCanNameTheAdapter(t *testing.T) {
	text := strings.Replace(minimal, "adapter: webchat", `adapter: "${ADAPTER}", token_file: t`, 1)
	outside := Outside{Getenv: env("ADAPTER", "telegram"), ReadFile: func(string) ([]byte, error) { return []byte("x"), nil }}
	c, problems := Parse("parley.yaml", []byte(text), outside, sampleKinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := c.Merchants[0].Accounts[0].Settings.String("api_base"); got != "https://api.telegram.org" {
		t.Errorf("api_base is %q", got)
	}
}

func TestQuietHoursMayCrossMidnight(t *testing.T) {
	night, noon := QuietHours{Clock{20, 0}, Clock{9, 0}}, QuietHours{Clock{12, 0}, Clock{13, 30}}
	for _, c := range []struct {
		hours        QuietHours
		hour, minute int
		want         bool
	}{
		{night, 19, 59, false}, {night, 20, 0, true}, {night, 0, 0, true}, {night, 8, 59, true}, {night, 9, 0, false},
		{noon, 11, 59, false}, {noon, 12, 0, true}, {noon, 13, 29, true}, {noon, 13, 30, false},
	} {
		at := time.Date(2026, 5, 1, c.hour, c.minute, 0, 0, time.UTC)
		if got := c.hours.Contains(at); got != c.want {
			t.Errorf("%v at %s: got %v", c.hours, at.Format("15:04"), got)
		}
	}
}

func TestProblemsAreInTheOrderOfTheFile(t *testing.T) {
	b, a := Pos{"f", 2, 1}.Error("b", "fix"), Pos{"f", 1, 9}.Warning("a", "")
	ps := Problems{b, a, b}
	ps.Sort()
	if got, want := ps.Error(), "f:1:9: warning: a\nf:2:1: error: b; fix"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if ps.Err() == nil || (Problems{a}).Err() != nil || (Problems{a}).HasErrors() {
		t.Error("only errors make an error")
	}
}

// FuzzParse looks for panics, secrets in problems and configs that have no errors but also no merchants.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4096 {
			f.Add(data)
		}
	}
	f.Add([]byte(minimal))
	f.Add([]byte(Example))
	outside := Outside{
		Getenv:   func(string) string { return "a-value" },
		ReadFile: func(string) ([]byte, error) { return []byte("ab-hunter2-cd"), nil },
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := Parse("parley.yaml", data, outside, sampleKinds())
		if strings.Contains(problems.Error(), "ab-hunter2-cd") && !strings.Contains(string(data), "hunter2") {
			t.Errorf("a secret is shown: %s", problems.Error())
		}
		if problems.HasErrors() {
			return
		}
		if c == nil || len(c.Merchants) == 0 {
			t.Fatal("no error and yet no merchants")
		}
		for _, m := range c.Merchants {
			if m.Name == "" || m.Title == "" || m.Currency == "" || len(m.Languages) == 0 || m.Policy.Hold == 0 {
				t.Errorf("no error and yet incomplete: %+v", m)
			}
			for _, a := range m.Accounts {
				_ = a.Settings.String("adapter")
			}
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
